"""The audit log's pages, files and addresses against odd input, and against an auditor of one namespace only."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from console import audit
from console.access import snapshots, tokens
from console.access.actors import Actor
from console.access.models import Grant, Membership, Role, Team, User
from console.audit import Outcome
from console.audit.models import Entry, LegalHold
from console.knative.references import ServiceRef
from console.operations.models import FreezeWindow, ProtectionRule

LONG = "x" * 3000
PAGES = {
    "audit": {},
    "audit-summary": {},
    "audit-decisions": {},
    "audit-person": {"name": "dora"},
    "audit-service": {"cluster": "box", "namespace": "default", "service": "shop"},
    "audit-access": {},
    "audit-duties": {"view": "decisions"},
    "audit-rights": {},
    "audit-retention": {},
}
FILES = (
    "audit-decisions-export",
    "audit-service-export",
    "audit-access-export",
    "audit-duties-export",
    "audit-rights-export",
)
EDGES = {
    "america-begins": {"day": "0001-01-01T00:00Z", "zone": "America/New_York"},
    "tokyo-ends": {"day": "9999-12-31T23:59Z", "zone": "Asia/Tokyo"},
    "days-before": {"day": "0001-01-02", "zone": "UTC"},
}


@pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES.keys())
def test_no_moment_at_the_ends_of_the_calendar_breaks_a_page(client, mirror, people, edge: dict[str, str]) -> None:
    client.force_login(people["administrator"])
    day, zone = edge["day"], edge["zone"]
    for name in ("audit-summary", "audit-service", "audit-rights"):
        asked = {**PAGES[name], "until": day, "at": day, "zone": zone}
        assert client.get(reverse(name), asked).status_code == 422, name


def test_a_page_after_the_newest_entry_is_empty(client, mirror, people) -> None:
    client.force_login(people["administrator"])
    for name in ("audit", "audit-decisions", "audit-person"):
        assert client.get(reverse(name), {"name": "nobody", "after": "9" * 18}).status_code == 200, name


def test_no_entry_is_longer_than_its_columns(mirror, people, client) -> None:
    """SQLite takes any length; PostgreSQL answers an error, and a page with it."""
    client.force_login(people["auditor"])
    lone = User.objects.create_user("lone")
    team = Team.objects.create(name="lone")
    Membership.objects.create(team=team, user=lone)
    Grant.objects.create(team=team, role=Role.objects.get(name="auditor"), cluster="box", namespace="default")
    place = {"cluster": LONG, "namespace": LONG, "service": LONG}
    client.force_login(lone)
    client.get(reverse("audit-service"), place)
    client.force_login(people["administrator"])
    page = client.get(reverse("audit-access"), place).context["looked"]
    client.post(reverse("audit-access-review", query=place), {"sha256": page.sha256, "decision": "kept"})
    for name in FILES:
        assert client.post(reverse(name, kwargs={"form": "json"}, query=place)).status_code in (200, 422)
    limits = {field.name: field.max_length for field in Entry._meta.fields if field.max_length}
    for entry in Entry.objects.all():
        assert [name for name, limit in limits.items() if len(str(getattr(entry, name))) > limit] == []
    assert Entry.objects.filter(action="rights.review").exists()


CANARY = "zanzibar"


@pytest.fixture
def narrow(mirror, people) -> User:
    """Who audits box/default; and another namespace, of which everything has a name that must show nowhere."""
    user = User.objects.create_user("narrow")
    team = Team.objects.create(name="narrow")
    Membership.objects.create(team=team, user=user)
    Grant.objects.create(team=team, role=Role.objects.get(name="auditor"), cluster="box", namespace="default")
    other = User.objects.create_user(f"{CANARY}-person")
    theirs = Team.objects.create(name=f"{CANARY}-team", oidc_group=f"{CANARY}-group")
    Membership.objects.create(team=theirs, user=other)
    Grant.objects.create(team=theirs, role=Role.objects.get(name="owner"), cluster="box", namespace=f"{CANARY}-ns")
    ref = ServiceRef("box", f"{CANARY}-ns", f"{CANARY}-service")
    for action in ("deploy.SetEnv", "protect.request", "protect.approve", "protect.override"):
        audit.record(
            action, actor=Actor(other.pk, other.username, "192.0.2.9"), ref=ref, outcome=Outcome.SUCCEEDED,
            operation=uuid4(), text=f"SetEnv {'a' * 64} {CANARY}",
        )  # fmt: skip
    audit.record("manage.AddMember", actor=Actor(other.pk, other.username), outcome=Outcome.SUCCEEDED, text=CANARY)
    for model, more in (
        (ProtectionRule, {}),
        (FreezeWindow, {"begins": "2026-11-24T00:00", "ends": "2026-11-25T00:00"}),
    ):
        model.objects.create(cluster="box", namespace=f"{CANARY}-ns", permissions=["deploy"], note=CANARY, **more)
    LegalHold.objects.create(cluster="box", namespace=f"{CANARY}-ns", reason=CANARY, placed_by=CANARY)
    LegalHold.objects.create(person=f"{CANARY}-person", reason=CANARY, placed_by=CANARY)
    return user


def test_an_auditor_of_one_namespace_finds_nothing_of_another(client, narrow) -> None:
    snapshots.check()
    client.force_login(narrow)
    asked = [{}, {"view": "places", "namespace": "*"}, {"view": "decisions", "q": "zan"}, {"name": "zan", "after": "0"}]
    for name in PAGES:
        for query in asked:
            page = client.get(reverse(name), query)
            assert page.status_code in (200, 422, 403), (name, query)
            assert CANARY not in page.content.decode(), (name, query)
    for name in FILES:
        for form in ("csv", "json"):
            for query in asked:
                page = client.post(reverse(name, kwargs={"form": form}, query=query))
                assert CANARY not in page.content.decode(), (name, query)
    for sequence in Entry.objects.filter(namespace=f"{CANARY}-ns").values_list("sequence", flat=True):
        for name in ("audit-entry", "audit-decision"):
            assert client.get(reverse(name, args=[sequence])).status_code == 404


def test_decisions_whose_operations_are_gone_cost_no_query_each(client, mirror, people) -> None:
    client.force_login(people["administrator"])
    counts = []
    for _ in range(2):
        for _ in range(5):
            audit.record(
                "protect.approve", actor=Actor(1, "ruth"), outcome=Outcome.SUCCEEDED, operation=uuid4(),
                text=f"SetEnv {'a' * 64}", ref=ServiceRef("box", "default", "shop"),
            )  # fmt: skip
        client.get(reverse("audit-decisions"))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("audit-decisions"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_token_of_an_auditor_of_one_namespace_tells_nothing_of_another(narrow) -> None:
    """Neither the answers nor their ETags and totals, whatever the token's own scope is."""
    lists = (
        "audit",
        "protection/rules",
        "protection/freezes",
        "people",
        "grants",
        "operations",
        "services",
        "revisions",
    )
    for namespace in ("*", f"{CANARY}-ns", "z*"):
        _token, text = tokens.issue(
            narrow, name="t", permissions=["view", "audit"], cluster="*", namespace=namespace, days=1,
            actor=Actor(narrow.pk, narrow.username),
        )  # fmt: skip
        client = Client(headers={"Authorization": f"Bearer {text}"})
        answers = {}
        for path in lists:
            found = client.get(f"/api/v1/{path}")
            assert CANARY not in found.content.decode(), (namespace, path)
            answers[path] = found["ETag"]
        ref = ServiceRef("box", f"{CANARY}-ns", "more")
        audit.record("deploy.SetEnv", actor=Actor(None, CANARY), ref=ref, outcome=Outcome.SUCCEEDED)
        ProtectionRule.objects.create(cluster="box", namespace=f"{CANARY}-ns", permissions=["deploy"])
        newcomer = User.objects.create_user(f"{CANARY}-{namespace}")
        Membership.objects.create(team=Team.objects.get(name=f"{CANARY}-team"), user=newcomer)
        for path in lists:
            assert client.head(f"/api/v1/{path}")["ETag"] == answers[path], (namespace, path)
            assert client.get(f"/api/v1/{path}", headers={"If-None-Match": answers[path]}).status_code == 304


@pytest.mark.parametrize("name", ["audit-filters", "audit-access-review"])
def test_a_page_that_a_refused_form_shows_again_is_a_read_as_well(client, mirror, people, name: str) -> None:
    client.force_login(people["auditor"])
    assert client.post(reverse(name)).status_code == 422
    assert Entry.objects.get(action="read.audit").text == f"page {name}"
