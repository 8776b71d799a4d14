"""What does each page cost where a cluster has 10,000 services and the log a year? The dearest first.

    python -m tests.bench.all_pages [services] [entries] [part of a page's name]

For an administrator, and for a person with grants on a few namespaces and on a label. Each page is asked for in one
process: time and CPU in ms, the first time and the p50 and p95 of later ones, once with a change in the cluster before
each; queries, commands of Redis and KB that it answered, KB of the page as it is sent.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tests.bench.figures import quantile
from tests.redis_server import running

SERVICES, REVISIONS_EACH, ENTRIES, OPERATIONS = 10_000, 5, 50_000, 5_000
TIMES = 8  # each page is asked for
# Addresses with parameters, beside those of the table of addresses.
MORE = {
    "services, searched": "/?q=s07",
    "services, last page": "/?page=200",
    "services, by namespace": "/?sort=namespace",
    "find s": "/find/?q=s",
    "find s07123": "/find/?q=s07123",
    "find nothing": "/find/?q=nothing-has-this-name",
    "find traffic s07123": "/find/?q=traffic%20s07123",
    "all-revisions, sorted": "/revisions/?sort=age",
    "audit, a rare service": "/audit/?cluster=cluster-1&namespace=ns-57&service=service-57-3",
    "audit, a text": "/audit/?q=needle",
    "audit-person, busy": "/audit/people/?name=person-17",
    "audit-access, places": "/audit/access/?view=places",
    "audit-duties, decisions": "/audit/duties/?view=decisions",
    "audit-service, a moment": "/audit/service/?cluster=box&namespace=default&service=shop&at=2026-11-24",
}


class Cost(NamedTuple):
    """What a page costs one person."""

    cpu: float
    cpu_p95: float
    changed: float
    first: float
    wall: float
    wall_p95: float
    queries: int
    commands: int
    read: float
    sent: float
    status: int
    who: str
    name: str

    def __str__(self) -> str:
        numbers = "".join(f"{value:9.1f}" for value in self[:6])
        return f"{numbers}{self.queries:8}{self.commands:8}{self.read:9.1f}{self.sent:8.1f}{self.status:6}  " + (
            f"{self.name} ({self.who})"
        )


HEADINGS = f"{'CPU':>9}{'p95':>9}{'changed':>9}{'first':>9}{'wall':>9}{'p95':>9}{'queries':>8}{'Redis':>8}" + (
    f"{'KB read':>9}{'KB out':>8}"
)


def main(services: int, entries: int, part: str) -> None:
    import django
    from django.conf import settings

    django.setup()
    from django.test.utils import setup_databases

    setup_databases(verbosity=0, interactive=False)
    with running() as server:
        settings.REDIS_URL = server.url
        addresses = filled(services, entries)
        people = {"administrator": _administrator(), "scoped": _scoped()}
        found = [
            cost(name, path, who, person)
            for name, path in addresses.items()
            if part in name
            for who, person in people.items()
        ]
    print(HEADINGS)
    print("\n".join(map(str, sorted(found, reverse=True))))


def filled(services: int, entries: int) -> dict[str, str]:
    """Fill the mirror, the log and the tables; returns the address of each page."""
    from django.urls import reverse

    from tests.bench import audit_scale
    from tests.web.test_access import TABLE
    from tests.web.test_query_budget import pages

    _mirror(services)
    audit_scale.fill(entries)
    own = _things()
    addresses = {}
    for name in pages():
        arguments = TABLE[name][1] | own.get(name, {})
        addresses[name] = reverse(name, kwargs=arguments)
    return addresses | MORE


def _mirror(services: int) -> None:
    from console.cluster.resources import NAMESPACES, REVISIONS, SERVICES
    from console.redis_client import client
    from tests import factories
    from tests.bench import pages

    pages.fill(1)
    writer = _writer()
    names = [(f"s{number:05}", f"ns{number % 50}") for number in range(services)]

    def labelled(name: str, namespace: str) -> dict[str, Any]:
        made = factories.service(name, namespace)
        made["metadata"]["labels"]["app"] = name[-2:]
        return made

    writer.replace_all(SERVICES, [factories.service(), *(labelled(*name) for name in names)])
    owned = (
        factories.revision(name, number, namespace)
        for name, namespace in [("shop", "default"), *names]
        for number in range(1, REVISIONS_EACH + 1)
    )
    writer.replace_all(REVISIONS, owned)
    writer.replace_all(NAMESPACES, ({"metadata": {"name": f"ns{number}"}} for number in range(50)))
    client().ping()


def _writer() -> Any:
    from console.mirror.store import MirrorWriter
    from console.redis_client import client

    return MirrorWriter(client(), "box", "bench", b"seal")


def _things() -> dict[str, dict[str, Any]]:
    """People, teams, operations, decisions; returns the arguments of the addresses that name one of them."""
    from console import audit
    from console.access.actors import Actor
    from console.access.models import Grant, Membership, Role, Team, User
    from console.knative.references import ServiceRef
    from console.operations.models import Operation
    from console.sealing import seal
    from tests import factories
    from tests.web import test_access

    teams = Team.objects.bulk_create(Team(name=f"team {number}") for number in range(100))
    people = User.objects.bulk_create(User(username=f"person-{number}") for number in range(500))
    role = Role.objects.get(name="deployer")
    Membership.objects.bulk_create(
        Membership(user=person, team=teams[number % 100]) for number, person in enumerate(people)
    )
    Grant.objects.bulk_create(
        Grant(team=teams[number % 100], role=role, cluster="*", namespace=f"ns{number % 50}") for number in range(300)
    )
    change, seen = seal({"kind": "SplitTraffic", "targets": []}), seal(factories.service())
    Operation.objects.bulk_create(
        Operation(
            id=uuid.UUID(int=number + 10), cluster="box", namespace=f"ns{number % 50}", name=f"s{number:05}",
            kind="SplitTraffic", sealed_change=change, sealed_seen=seen, actor=f"person-{number % 500}",
            status="failed" if number % 10 == 0 else "succeeded", finished_at="2026-11-24T10:00:00Z",
        )
        for number in range(OPERATIONS)
    )  # fmt: skip
    test_access.make_things({"administrator": User.objects.create_superuser("somebody")})
    for number in range(2_000):
        last = audit.record(
            "protect.approve", actor=Actor(None, f"person-{number % 20}"), outcome=audit.Outcome.SUCCEEDED,
            ref=ServiceRef("box", f"ns{number % 50}", f"s{number:05}"), text="SplitTraffic " + "0" * 64,
            operation=uuid.UUID(int=number + 10),
        )  # fmt: skip
    return {"audit-decision": {"sequence": last.sequence}}


def _administrator() -> Any:
    from console.access.models import User

    return User.objects.create_superuser("admin")


def _scoped() -> Any:
    """Five namespaces, and in all others the services of a label."""
    from console.access.models import Grant, Membership, Role, Team, User

    person, team = User.objects.create_user("scoped"), Team.objects.create(name="scoped")
    Membership.objects.create(user=person, team=team)
    role = Role.objects.create(name="everything", permissions=[*Role.objects.get(name="owner").permissions, "audit"])
    places = ["default", "ns1", "ns2", "ns3*", "ns-5*", "ns-1"]
    for namespace in places:
        Grant.objects.create(team=team, role=role, namespace=namespace)
    Grant.objects.create(team=team, role=role, namespace="*", selector="app=07")
    return person


def cost(name: str, path: str, who: str, person: Any) -> Cost:
    """Ask for the page: first, then again, then with a change of one service before each."""
    from django.test import Client

    from tests.web.test_access import CALLS, token_for

    client = Client(headers={"Accept-Encoding": "gzip, br"})
    if name in CALLS:
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token_for(person)[1]}"
    else:
        client.force_login(person)
    first = _asked(client, path)
    again = [_asked(client, path) for _ in range(TIMES)]
    changed = []
    for number in range(4):
        _change(number)
        changed.append(_asked(client, path)[1])
    answer, queries, commands, read = _counted(client, path)
    wall, cpu = [[one[place] for one in again] for place in (0, 1)]
    sent = len(answer.getvalue() if answer.streaming else answer.content) / 1000
    return Cost(
        quantile(cpu, 0.5), quantile(cpu, 0.95), quantile(changed, 0.5), first[1], quantile(wall, 0.5),
        quantile(wall, 0.95), queries, commands, read, sent, answer.status_code, who, name,
    )  # fmt: skip


def _asked(client: Any, path: str) -> tuple[float, float]:
    began, began_work = time.perf_counter(), time.process_time()
    answer = client.get(path)
    if answer.streaming:
        answer.getvalue()
    return (time.perf_counter() - began) * 1000, (time.process_time() - began_work) * 1000


def _change(number: int) -> None:
    from console.cluster.resources import REVISIONS, SERVICES
    from tests import factories

    made = factories.service(f"s{number:05}", f"ns{number % 50}")
    made["metadata"]["resourceVersion"] = str(time.monotonic_ns())
    _writer().put(SERVICES, made)
    _writer().put(REVISIONS, factories.revision(f"s{number:05}", 1, f"ns{number % 50}"))


def _counted(client: Any, path: str) -> tuple[Any, int, int, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from console.redis_client import client as redis

    before = redis().info()
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    after = redis().info()
    commands = int(after["total_commands_processed"]) - int(before["total_commands_processed"]) - 1
    read = (int(after["total_net_output_bytes"]) - int(before["total_net_output_bytes"])) / 1000
    return answer, len(queries), commands, read


def _arguments(given: list[str]) -> Iterator[Any]:
    for place, default in enumerate((SERVICES, ENTRIES, "")):
        yield type(default)(given[place]) if len(given) > place else default


if __name__ == "__main__":
    main(*_arguments(sys.argv[1:]))
