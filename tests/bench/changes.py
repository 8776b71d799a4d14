"""Changes services of a sandbox at a steady rate, until it is terminated: the load for other benchmarks.

    TOKEN=... python -m tests.bench.changes URL RATE < services, one namespace/name a line

A change names another person as the last who changed the service, which its row in a list shows. When it ends it
prints how many changes it made, and for how many it was too late.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time

from tests.sandbox.api_client import SERVING, Client

CHANGED_BY = "sluice.dev/changed-by"
NAMES = ("ada", "grace", "edsger", "barbara", "donald")


def main(url: str, rate: float, services: list[str]) -> None:
    admin = Client(url, os.environ["TOKEN"])
    paths = [f"{SERVING}/namespaces/{service.replace('/', '/services/')}" for service in services]
    made = late = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    began = time.monotonic()
    try:
        for path, count in zip(itertools.cycle(paths), itertools.count()):
            wait = began + count / rate - time.monotonic()
            late += wait < -1
            time.sleep(max(0.0, wait))
            # Of this run: what an earlier one wrote already would change nothing.
            person = f"{NAMES[count // len(paths) % len(NAMES)]}-{os.getpid()}@example.com"
            admin.merge(path, {"metadata": {"annotations": {CHANGED_BY: person}}})
            made += 1
    finally:
        print(f"{made} changes in {time.monotonic() - began:.0f} s, {late} more than a second late", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.stdin.read().split())
