"""How long do pages take to make?

    python -m tests.bench.pages

Server time is that of the whole request in one process, without a server and without a network: middleware, the
person's rights, Redis, database, template.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tests.bench import figures
from tests.bench.figures import Figure, Options, Target, at_most, median, quantile
from tests.redis_server import running

ANSWERS = 100  # of a round
FEW, MANY, REVISIONS_OF_ONE = 1_000, 10_000, 1_000
AHEAD = 3600.0  # seconds: nobody watches here, and a copy that is called stale says for how long
SEARCHES = ("s", "s07", "s07123", "ns7", "shop", "operations", "nothing-has-this-name")


def measure(options: Options) -> Iterator[Figure]:
    import django
    from django.conf import settings

    django.setup()
    from django.test.utils import setup_databases

    # Without setup_test_environment: tests copy the context of every template, which was 6% of a page.
    setup_databases(verbosity=0, interactive=False)
    with running() as server:
        settings.REDIS_URL = server.url
        yield from server_time(options)


def server_time(options: Options) -> Iterator[Figure]:
    from console.web import rows

    client, rounds = _deployer(), options.rounds()
    fill(FEW)
    assert client.get("/").content.count(b"row-uid-") >= 50
    few = list(answers(f"list of 50 rows, {FEW:,} services", lambda _: client.get("/"), rounds, at_most(12)))
    yield from few
    every = f"list of 50 rows, {FEW:,} services, each row rendered"
    yield from answers(every, lambda _: (rows.rendered.cache_clear(), client.get("/"))[1], rounds, None)
    yield from answers(f"list of 50 rows, {FEW:,} services, unchanged", _again(client, "/"), rounds, at_most(4))
    name = f"service page, {REVISIONS_OF_ONE:,} revisions"
    revisions_of_one(REVISIONS_OF_ONE)
    yield from answers(name, lambda _: client.get("/services/box/ns0/s00000/"), rounds, at_most(25))
    if options.is_quick:
        return
    fill(MANY)
    target = at_most(1.3 * few[-1].value)
    yield from answers(f"list of 50 rows, {MANY:,} services", lambda _: client.get("/"), rounds, target)
    asked, htmx = [f"/find/?q={text}" for text in SEARCHES], {"HX-Request": "true"}

    def palette(number: int) -> Any:
        return client.get(asked[number % len(asked)], headers=htmx)

    yield from answers(f"palette, {MANY:,} services", palette, rounds, None)


def _deployer() -> Any:
    """A client signed in as a person with three grants."""
    from django.test import Client

    from console.access.models import Grant, Membership, Role, Team, User

    user = User.objects.create_user("bench")
    team = Team.objects.create(name="bench")
    Membership.objects.create(user=user, team=team)
    for namespace in ("ns1*", "ns2*", "*"):
        Grant.objects.create(team=team, role=Role.objects.get(name="deployer"), namespace=namespace)
    client = Client()
    client.force_login(user)
    return client


def _again(client: Any, path: str) -> Callable[[int], Any]:
    """Ask for what the page shows already, as its script does."""
    htmx = {"HX-Request": "true"}
    tag = client.get(path, headers=htmx).headers.get("ETag", "")
    return lambda _: client.get(path, headers={**htmx, "If-None-Match": tag})


def fill(count: int) -> None:
    """Write the services and a revision of each into the mirror, as a watcher does."""
    import msgspec

    from console.cluster.resources import REVISIONS, SERVICES
    from console.mirror import keys
    from console.mirror.read import KindState
    from console.mirror.store import MIRRORED, MirrorWriter
    from console.redis_client import client
    from tests import factories

    client().set(keys.LEADER, "bench")
    writer = MirrorWriter(client(), "box", "bench", b"seal")
    names = [(f"s{number:05}", f"ns{number % 50}") for number in range(count)]
    writer.replace_all(SERVICES, (factories.service(*name) for name in names))
    owned = (factories.revision(name, number, namespace) for name, namespace in names for number in (3, 4))
    writer.replace_all(REVISIONS, owned)
    for kind in MIRRORED:
        writer.note(kind, msgspec.json.encode(KindState(time.time() + AHEAD, "1")))


def revisions_of_one(count: int) -> None:
    """Give the first service so many revisions."""
    from console.cluster.resources import REVISIONS
    from console.mirror.store import MirrorWriter
    from console.redis_client import client
    from tests import factories

    writer = MirrorWriter(client(), "box", "bench", b"seal")
    writer.replace_all(REVISIONS, (factories.revision("s00000", number, "ns0") for number in range(1, count + 1)))


def answers(what: str, ask: Callable[[int], Any], rounds: int, target: Target | None) -> Iterator[Figure]:
    """The median and the p95 of the server's time in each round, in milliseconds; the target is one of the p95."""
    middle, slow, worked, status = [], [], [], 0
    for number in range(ANSWERS // 5):  # fills caches
        ask(number)
    for _ in range(rounds):
        taken, began_work = [], time.process_time()
        for number in range(ANSWERS):
            began = time.perf_counter()
            status = ask(number).status_code
            taken.append((time.perf_counter() - began) * 1000)
            assert status in (200, 304), status
        worked.append((time.process_time() - began_work) / ANSWERS * 1000)
        middle.append(quantile(taken, 0.5))
        slow.append(quantile(taken, 0.95))
    note = f"HTTP {status}, {quantile(worked, 0.5):.1f} ms of CPU"
    yield median(f"{what}, server time p50", middle, "ms")
    yield median(f"{what}, server time p95", slow, "ms", target, note)


if __name__ == "__main__":
    figures.main(measure)
