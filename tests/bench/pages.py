"""How long do the services list and the palette take to answer? Prints figures; asserts nothing.

    python -m tests.bench.pages [services]

The list is measured with a hundredth of the services, as 50 rows of a page; the palette with all of them. Each answer
is the whole request: middleware, the person's rights, Redis, database, template.
"""

from __future__ import annotations

import os
import statistics
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tests.redis_server import running

ANSWERS = 200
SEARCHES = ("s", "s07", "s07123", "ns7", "shop", "operations", "nothing-has-this-name")


def main(count: int) -> None:
    import django
    from django.conf import settings

    django.setup()
    from django.test.utils import setup_databases, setup_test_environment

    setup_test_environment()
    setup_databases(verbosity=0, interactive=False)
    with running() as server:
        settings.REDIS_URL = server.url
        measure(count)


def measure(count: int) -> None:
    from django.test import Client

    from console.access.models import Grant, Membership, Role, Team, User
    from console.web import rows

    user = User.objects.create_user("bench")
    team = Team.objects.create(name="bench")
    Membership.objects.create(user=user, team=team)
    for namespace in ("ns1*", "ns2*", "*"):
        Grant.objects.create(team=team, role=Role.objects.get(name="deployer"), namespace=namespace)
    client = Client()
    client.force_login(user)
    fill(count // 100)
    assert client.get("/").content.count(b"row-uid-") >= 50
    answers(f"list of 50 rows, {count // 100} services", lambda _number: client.get("/"))
    answers("the same, each row rendered", lambda _number: (rows.rendered.cache_clear(), client.get("/"))[1])
    fill(count)
    asked = [f"/find/?q={text}" for text in SEARCHES]
    htmx = {"HX-Request": "true"}
    answers(f"palette, {count} services", lambda number: client.get(asked[number % len(asked)], headers=htmx))


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
        writer.note(kind, msgspec.json.encode(KindState(time.time(), "1")))


def answers(what: str, ask) -> None:
    taken, worked = [], []
    for number in range(ANSWERS):
        began, began_work = time.perf_counter(), time.process_time()
        response = ask(number)
        worked.append((time.process_time() - began_work) * 1000)
        taken.append((time.perf_counter() - began) * 1000)
        assert response.status_code == 200, response.status_code
    taken = sorted(taken[ANSWERS // 10 :])  # the first ones fill caches
    p95 = taken[len(taken) * 95 // 100]
    worked = sorted(worked[ANSWERS // 10 :])
    work = f"CPU median {statistics.median(worked):.1f} ms, p95 {worked[len(worked) * 95 // 100]:.1f} ms"
    print(f"{what}: median {statistics.median(taken):.1f} ms, p95 {p95:.1f} ms; {work}")


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["10000"])[0]))
