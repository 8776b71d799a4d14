"""How the mirror bears 10,000 services and 50,000 revisions. Prints figures; asserts nothing.

python -m tests.bench.mirror_scale [services] [revisions of each]
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tests.redis_server import running


def main(count: int, revisions_each: int) -> None:
    import django
    from django.conf import settings

    django.setup()
    with running() as server:
        settings.REDIS_URL = server.url
        measure(count, revisions_each)


def measure(count: int, revisions_each: int) -> None:
    from console.cluster.resources import REVISIONS, SERVICES
    from console.mirror import keys, read
    from console.mirror.store import MirrorWriter
    from console.redis_client import client
    from tests import factories

    client().set(keys.LEADER, "bench")
    writer = MirrorWriter(client(), "bench", "bench", b"seal")

    def pages(make, total):
        for start in range(0, total, 500):
            yield [make(number) for number in range(start, min(start + 500, total))]

    def service(number: int) -> dict:
        return factories.service(f"s{number:05}", f"ns{number % 50}")

    def revision(number: int) -> dict:
        made = factories.revision(f"s{number // revisions_each:05}", number=number % revisions_each + 1)
        made["metadata"]["namespace"] = f"ns{number // revisions_each % 50}"
        return made

    for kind, make, total in ((SERVICES, service, count), (REVISIONS, revision, count * revisions_each)):
        spent = 0.0
        replacement = writer.replacing(kind)
        for page in pages(make, total):
            began = time.perf_counter()
            replacement.add(page)
            spent += time.perf_counter() - began
        began = time.perf_counter()
        replacement.finish()
        spent += time.perf_counter() - began
        print(f"write {total} {kind.plural}: {spent:.1f} s ({spent / total * 1000:.2f} ms each)")

    def timed(what: str, act, times: int = 20) -> None:
        taken = []
        for _ in range(times):
            began = time.perf_counter()
            act()
            taken.append((time.perf_counter() - began) * 1000)
        print(f"{what}: median {statistics.median(taken):.2f} ms, worst {max(taken):.2f} ms")

    assert len(read.services("bench")) == count

    def read_anew() -> None:
        read._copies.clear()
        read.services("bench")

    def change_and_read() -> None:
        writer.put(SERVICES, service(7))
        read.services("bench")

    ref = read.services("bench")[3].ref
    timed("list of all services, first time in a process", read_anew, 3)
    timed("list of all services, nothing changed", lambda: read.services("bench"))
    timed("one change written, list of all read", change_and_read)
    timed("one service", lambda: read.service(ref))
    timed("revisions of one service", lambda: read.revisions(ref))
    timed("freshness", lambda: read.freshness("bench"))
    print(f"Redis: {client().info('memory')['used_memory'] / 2**20:.0f} MiB")
    print(f"this process at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main(*(int(argument) for argument in (sys.argv[1:] + ["10000", "5"][len(sys.argv) - 1 :])))
