"""How much faster is the page of all revisions than a plain paginated list of them?

    python -m tests.bench.revision_list [services] [revisions of each]   (default 10,000 and 1)

The page is the whole request: rights, Redis, order, rows, template. The list is what `kubectl get revisions -A` asks
for, in pages of 500, decoded; the cluster is a sandbox. Both in one run, of the same revisions.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tests.bench import figures
from tests.bench.figures import Figure, Options, at_least, at_most
from tests.redis_server import running
from tests.sandbox_process import Sandbox, sandbox

CLUSTER = "box"
KN_SECONDS = 163.0  # the shorter of the two times that `kn revision list -A` took for 10,000 revisions
PAGES = 40
ADDRESSES = {
    "first page": "/revisions/",
    "page 100": "/revisions/?page=100",
    "filtered and sorted": "/revisions/?traffic=yes&sort=-age",
    "searched": "/revisions/?q=service-07",
}


def measure(options: Options) -> Iterator[Figure]:
    services, revisions = (*options.numbers, *(10_000, 1)[len(options.numbers) :])
    import django
    from django.conf import settings

    django.setup()
    from django.test.utils import setup_databases

    # Without setup_test_environment: tests copy the context of every template, which was 6% of a page.
    setup_databases(verbosity=0, interactive=False)
    with running() as server, sandbox(speed=1, seed=f"capacity:{services},{revisions}") as box:
        settings.REDIS_URL = server.url
        yield from compared(box, options)


def compared(box: Sandbox, options: Options) -> Iterator[Figure]:
    from django.test import Client

    from console.access.models import User

    list_all = plain_list(box)
    count = list_all()
    listed = statistics.median(seconds(list_all) for _ in range(options.rounds()))
    yield Figure(f"plain paginated list of {count:,} revisions", listed * 1000, "ms")
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    first = seconds(lambda: client.get("/revisions/"))
    yield Figure(f"all {count:,} revisions as a page, first time in a process", first * 1000, "ms", note="one round")
    for what, address in ADDRESSES.items():
        taken = statistics.median(seconds(lambda address=address: client.get(address)) for _ in range(PAGES))
        assert client.get(address).status_code == 200
        name = f"all {count:,} revisions as a page, {what}"
        yield Figure(name, taken * 1000, "ms", at_most(KN_SECONDS) if count == 10_000 else None)
        yield Figure(f"{name}, against the list", listed / taken, "times", at_least(20))


def seconds(action: Callable[[], Any]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def plain_list(box: Sandbox) -> Callable[[], int]:
    """Fill the mirror from the cluster; return what lists its revisions without keeping them, and counts them."""
    import msgspec

    from console.cluster.connections import ClusterSettings, Connections
    from console.cluster.resources import REVISIONS, SERVICES
    from console.mirror import keys
    from console.mirror.read import KindState
    from console.mirror.store import MIRRORED, MirrorWriter
    from console.redis_client import client

    known = Connections()
    settings = [ClusterSettings(CLUSTER, url=box.url, token=box.token)]
    known.register(lambda: settings)
    transport = known.get(CLUSTER).transport
    client().set(keys.LEADER, "bench")
    writer = MirrorWriter(client(), CLUSTER, "bench", b"seal")
    for kind in (SERVICES, REVISIONS):
        replacement = writer.replacing(kind)
        for page in transport.pages(kind.path(), query={"limit": 500}):
            replacement.add(page["items"])
        replacement.finish()
    for kind in MIRRORED:
        writer.note(kind, msgspec.json.encode(KindState(time.time() + 3600, "1")))

    def listed() -> int:
        return sum(len(page["items"]) for page in transport.pages(REVISIONS.path(), query={"limit": 500}))

    return listed


if __name__ == "__main__":
    figures.main(measure)
