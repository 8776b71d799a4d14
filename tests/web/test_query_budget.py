"""How often each page asks the database: at most its budget, and not more often for more rows."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.access.models import Grant, Membership, Role, SavedView, Team, User
from console.audit.models import SavedFilter
from console.cluster.resources import REVISIONS, SERVICES
from console.knative.references import ServiceRef
from console.operations.models import Operation, TimelineLine
from console.operations.models.protection import FreezeWindow, ProtectionRule
from console.operations.models.statuses import Status
from console.redis_client import client as redis_client
from console.registry.models import Cluster
from console.request_tests.models import AccessTest
from console.sealing import seal
from tests import factories
from tests.sweeps import sample, sweep
from tests.web.test_access import TABLE, ask, enter, no_wrong_tokens_yet, things
from tests.web.test_home import failed

__all__ = ["no_wrong_tokens_yet", "things"]

ROWS = 12
# Queries of a page for an administrator, with those of session, person and rights (3), or of a token.
BUDGET = {
    "services": 9,
    "all-revisions": 9,
    "find": 4,
    "bulk": 9,
    "create": 9,
    "service": 12,
    "revisions": 9,
    "history": 19,
    "revision": 9,
    "delete-revision": 9,
    "logs": 10,
    "serve": 4,
    "clone": 12,
    "operate": 9,
    "deploy": 9,
    "deploy-reveal": 3,
    "env": 9,
    "reveal": 3,
    "image": 9,
    "traffic": 9,
    "settings": 9,
    "yaml": 9,
    "delete": 9,
    "access-test": 10,
    "access-test-result": 9,
    "operations": 6,
    "activity": 9,
    "meanwhile": 4,
    "operation": 11,
    "approvals": 6,
    "waiting": 5,
    "protection": 6,
    "protection-add": 6,
    "protection-edit": 8,
    "protection-remove": 5,
    "audit": 10,
    "audit-person": 12,
    "audit-retention": 12,
    "audit-redact": 6,
    "audit-entry": 6,
    "teams": 10,
    "team-create": 6,
    "team": 18,
    "team-edit": 10,
    "team-delete": 9,
    "member": 9,
    "roles": 5,
    "role-create": 5,
    "role": 8,
    "people": 7,
    "person-create": 5,
    "person": 8,
    "why": 16,
    "clusters": 5,
    "cluster-add": 5,
    "cluster": 5,
    "cluster-edit": 6,
    "cluster-remove": 6,
    "audit-bypasses": 16,
    "audit-service": 6,
    "audit-decisions": 10,
    "audit-decision": 9,
    "audit-summary": 6,
    "audit-access": 22,
    "audit-duties": 15,
    "audit-rights": 14,
    "audit-proof": 5,
    "audit-verifier": 5,
    "audit-export-progress": 5,
    "audit-export-file": 5,
    "tokens": 7,
    "create-token": 6,
    "api": 4,
    "api-whoami": 3,
    "api-clusters": 4,
    "api-services": 4,
    "api-all-revisions": 4,
    "api-service": 3,
    "api-revisions": 3,
    "api-revision": 3,
    "api-operations": 5,
    "api-operation": 6,
    "api-audit": 10,
    "api-audit-entry": 8,
    "api-roles": 4,
    "api-grants": 4,
    "api-people": 16,
    "api-rules": 4,
    "api-freezes": 4,
}


def more_of_everything(mirror, people) -> None:
    """More rows of all that a page may list."""
    for number in range(ROWS):
        mirror.put(SERVICES, failed(f"broken-{number}") if number % 2 else factories.service(f"well-{number}"))
        mirror.put(REVISIONS, factories.revision(number=number + 10))
        person = User.objects.create_user(f"person-{number}")
        team = Team.objects.create(name=f"team-{number}")
        role = Role.objects.create(name=f"role-{number}", permissions=["view", "deploy"])
        Membership.objects.create(team=team, user=person)
        Membership.objects.create(team=Team.objects.get(pk=9001), user=person)
        Grant.objects.create(team=team, role=role, cluster="box", namespace=f"ns-{number}")
        Grant.objects.create(team=Team.objects.get(pk=9001), role=role, cluster="box", namespace=f"ns-{number}")
        ProtectionRule.objects.create(cluster="box", namespace=f"ns-{number}", permissions=["deploy"])
        FreezeWindow.objects.create(
            namespace=f"ns-{number}", permissions=["deploy"], begins="2026-01-01T00:00", ends="2036-01-01T00:00"
        )
        Cluster.objects.create(
            name=f"edge-{number}", url="https://127.0.0.1:9", sealed_credential=seal({"token": "t"}), added_by="x"
        )
        SavedView.objects.create(user=people["administrator"], name=f"view-{number}", query="q=a")
        SavedFilter.objects.create(user=people["administrator"], name=f"filter-{number}", query="q=a")
        operation(number, f"broken-{number}", Status.WAITING if number % 2 else Status.FOLLOWING)
        operation(number, "shop", Status.SUCCEEDED if number % 2 else Status.FAILED)
        AccessTest.objects.create(
            cluster="box", namespace="default", name="shop", url="http://shop.default.example.com", count=1
        )


def operation(number: int, name: str, status: Status) -> None:
    ref = ServiceRef("box", "default", name)
    made = Operation.objects.create(
        cluster=ref.cluster,
        namespace=ref.namespace,
        name=ref.name,
        kind="SplitTraffic",
        sealed_change=seal({"kind": "SplitTraffic", "targets": []}),
        sealed_seen=seal(factories.service()),
        actor=f"person-{number}",
        uid=f"uid-default-{name}",
        status=status,
        revision=f"shop-{number + 10:05}",
        finished_at=None if status in (Status.WAITING, Status.FOLLOWING) else timezone.now(),
    )
    TimelineLine.objects.create(operation=made, sequence=1, elapsed=1.0, text="Ready to serve.")
    audit.record(
        "protect.approve",
        actor=Actor(None, "somebody"),
        ref=ref,
        outcome=audit.Outcome.SUCCEEDED,
        text=f"SplitTraffic {'0' * 64}",
        operation=made.id,
    )
    audit.record(
        "traffic", actor=Actor(None, f"person-{number}"), ref=ref, outcome=audit.Outcome.SUCCEEDED, operation=made.id
    )


def pages() -> list[str]:
    """What is read at an address of its own; the stream asks as it goes (test_stream.py)."""
    return [
        name for name, (mark, _, method) in TABLE.items() if method == "get" and mark != "public" and name != "stream"
    ]


def test_every_page_has_a_budget() -> None:
    assert BUDGET.keys() == set(pages())


def queries(client, name: str, person: User) -> list[str]:
    enter(client, name, person)
    with CaptureQueriesContext(connection) as asked:
        ask(client, name)
    return [one["sql"] for one in asked if one["sql"].startswith("SELECT")]


@sweep
def test_no_page_asks_more_than_its_budget_nor_more_often_for_more_rows(client, mirror, things) -> None:
    """Some pages ask once more where there is something: to what the rows on them belong."""
    person, names = things["administrator"], sample(BUDGET, one_in=6)
    queries(client, "services", person)  # reads, once for a process, which clusters are configured
    few = {name: queries(client, name, person) for name in names}
    more_of_everything(mirror, things)
    queries(client, "services", person)  # the clusters are others now
    for name in names:
        many = queries(client, name, person)
        assert len(many) <= BUDGET[name], f"{name} asks {len(many)} times: {many}"
        assert len(many) <= len(few[name]) + 1, f"{name} asks for each row: {many}"


def test_operations_ask_the_mirror_no_more_often_for_more_services(client, mirror, people) -> None:
    """Who sees services by their labels made the console ask Redis for the labels of each, one by one."""
    person = people["viewer"]
    Grant.objects.create(
        team=Team.objects.get(name="viewers"),
        role=Role.objects.get(name="viewer"),
        namespace="*",
        selector="tier=front",
    )
    names = ("operations", "activity", "approvals", "api-operations")
    few = [commands(client, name, person) for name in names]
    for number in range(ROWS):
        mirror.put(SERVICES, factories.service(f"well-{number}", "other"))
        operation(number, f"well-{number}", Status.SUCCEEDED)
    Operation.objects.filter(name__startswith="well").update(namespace="other")
    Operation.objects.filter(name="well-0").update(name="gone")
    many = [commands(client, name, person) for name in names]
    assert max(now - before for now, before in zip(many, few, strict=True)) <= 4, (few, many)
    client.force_login(person)
    assert b"well-1" in ask(client, "operations").content


def commands(client, name: str, person: User) -> int:
    """How many commands of Redis a page takes when it is asked for again."""
    enter(client, name, person)
    ask(client, name)
    before = redis_client().info("stats")["total_commands_processed"]
    ask(client, name)
    return int(redis_client().info("stats")["total_commands_processed"]) - before
