"""How the sandbox carries 1,000 services with 10 revisions each: memory, lists, pages, a watch and writes.

    .venv/bin/python -m tests.bench.sandbox_capacity [services] [revisions]

Prints one line a measure. Controllers run; the seeded objects are as they would have left them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.sandbox.api_client import SERVING, Client
from tests.sandbox_process import sandbox

LIST_ROUNDS = 5
WRITES = 100


def main() -> None:
    services, revisions = sys.argv[1:3] or ("1000", "10")
    started = time.perf_counter()
    with sandbox(seed=f"capacity:{services},{revisions}", speed=1) as box:
        print(f"start until ready              {time.perf_counter() - started:.2f} s")
        measure(Client(box.url, box.token), box.process.pid)


def measure(admin: Client, pid: int) -> None:
    """Print every measure."""
    facts = admin.get("/sandbox/facts").body
    print(f"objects                        {sum(facts['objects'].values())}")
    print(f"memory after start             {resident_mb(pid):.0f} MB")
    for plural in ("services", "revisions"):
        size = len(json.dumps(admin.get(f"{SERVING}/{plural}").body))
        seconds = best(lambda plural=plural: admin.get(f"{SERVING}/{plural}"))
        print(f"list of all {plural:<19}{seconds * 1000:.0f} ms with decoding, {size / 1e6:.1f} MB")
    print(f"revisions in pages of 500      {best(lambda: pages(admin)) * 1000:.0f} ms")
    some = admin.get(f"{SERVING}/services?limit=1").body["items"][0]["metadata"]
    one = f"{SERVING}/namespaces/{some['namespace']}/services/{some['name']}"
    selector = f"labelSelector=serving.knative.dev%2Fservice%3D{some['name']}"
    print(f"revisions of one service       {best(lambda: admin.get(f'{SERVING}/revisions?{selector}')) * 1000:.1f} ms")
    print(f"get of one service             {best(lambda: admin.get(one)) * 1000:.1f} ms")
    started = time.perf_counter()
    for number in range(WRITES):
        admin.merge(one, {"metadata": {"labels": {"write": str(number)}}})
    print(f"writes one after another       {WRITES / (time.perf_counter() - started):.0f} a second")
    print(f"memory at the end              {resident_mb(pid):.0f} MB")


def pages(admin: Client) -> None:
    token = ""
    while True:
        answer = admin.get(f"{SERVING}/revisions?limit=500&continue={token}").body
        token = answer["metadata"].get("continue", "")
        if not token:
            return


def best(action: Callable[[], Any]) -> float:
    """The shortest of a few runs, in seconds."""

    def seconds() -> float:
        started = time.perf_counter()
        action()
        return time.perf_counter() - started

    return min(seconds() for _ in range(LIST_ROUNDS))


def resident_mb(pid: int) -> float:
    """The resident memory of a process (Linux)."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
