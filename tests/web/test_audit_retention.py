"""Retention and legal holds: who may change them, what lowering shows first, and what is never removed."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from console import audit
from console.access.actors import CONSOLE, Actor
from console.audit import Outcome, chain, policy
from console.audit.models import Entry, LegalHold, RetentionPolicy
from console.audit.verification import verify
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.submitting.removal import forget_old_operations
from console.sealing import seal
from tests.web.pages import read

SHOP, CART = ServiceRef("box", "default", "shop"), ServiceRef("box", "other", "cart")
AGO = timedelta(days=200)


@pytest.fixture
def old(mirror, people, monkeypatch) -> None:
    """Four entries and two operations of 200 days ago, on shop and on cart, and an entry of today."""
    now = timezone.now()
    monkeypatch.setattr(chain.timezone, "now", lambda: now - AGO)
    for ref in (SHOP, CART, SHOP, CART):
        audit.record("deploy.SetEnv", actor=Actor(None, "dora", "192.0.2.1"), ref=ref, outcome=Outcome.REQUESTED)
    monkeypatch.undo()
    audit.record("session.sign-in", actor=CONSOLE, outcome=Outcome.SUCCEEDED)
    for ref in (SHOP, CART):
        Operation.objects.create(
            cluster=ref.cluster, namespace=ref.namespace, name=ref.name, kind="SetEnv", actor="dora",
            sealed_change=seal({}), sealed_seen=seal({}), status="succeeded", finished_at=now - AGO,
        )  # fmt: skip


def change(client, **fields: object):
    given = {"entries_days": 400, "operations_days": 180, "reason": "policy 7", **fields}
    return client.post(reverse("audit-retention-change"), given)


def place(client, **fields: object):
    return client.post(reverse("audit-hold-add"), {"reason": "case 12", **fields})


def retain(path, *more: str) -> str:
    out = StringIO()
    call_command("audit", "retain", "--archive", str(path), *more, stdout=out, stderr=out)
    return out.getvalue()


def test_an_auditor_reads_it_and_only_an_administrator_changes_it(client, old, people) -> None:
    client.force_login(people["auditor"])
    text = read(client.get(reverse("audit-retention"))).text
    assert "400 days" in text
    assert "180 days" in text
    assert "Place the hold" not in text
    assert change(client, entries_days=500).status_code == 403
    assert place(client, everything="on").status_code == 403
    assert not RetentionPolicy.objects.exists()
    assert not LegalHold.objects.exists()


def test_lowering_shows_what_goes_and_when_and_is_done_and_recorded_only_after_that(client, old, people) -> None:
    client.force_login(people["administrator"])
    shown = read(change(client, entries_days=100, operations_days=150)).text
    assert "Entries older than 100 days: 4 (up to entry 4)" in shown
    assert "ended more than 150 days ago: 2 are removed within an hour" in shown
    assert not RetentionPolicy.objects.exists()
    change(client, entries_days=100, operations_days=90, confirm="100 150")  # what was shown was another
    assert not RetentionPolicy.objects.exists()
    change(client, entries_days=100, operations_days=150, confirm="100 150")
    entry = Entry.objects.get(action="audit.retention")
    assert [(row["field"], row["before"], row["after"]) for row in entry.changes] == [
        ("entries_days", "400", "100"), ("operations_days", "180", "150"),
    ]  # fmt: skip
    assert entry.text == "policy 7"
    for too_few in ({"entries_days": 29}, {"operations_days": 29}):
        assert change(client, **too_few).status_code == 422


def test_a_hold_keeps_what_it_covers_until_it_is_lifted_and_the_chain_holds(client, old, people, tmp_path) -> None:
    client.force_login(people["administrator"])
    assert place(client, cluster="box", namespace="other").status_code == 302
    RetentionPolicy.objects.create(pk=1, entries_days=100, operations_days=100)
    assert "covers entry 2" in retain(tmp_path / "first")
    assert Entry.objects.order_by("sequence").first().sequence == 2
    forget_old_operations()
    assert [one.ref for one in Operation.objects.all()] == [CART]
    hold = LegalHold.objects.get()
    for reason in ("", "x" * 501):
        refused = client.post(reverse("audit-hold-lift", kwargs={"id": hold.pk}), {"reason": reason})
        assert refused.status_code == 422
        assert "Enter a reason of at most 500 characters." in read(refused).text
    client.post(reverse("audit-hold-lift", kwargs={"id": hold.pk}), {"reason": "closed"})
    told = Entry.objects.filter(action__startswith="audit.hold").order_by("sequence")
    assert [(one.action, one.text, one.namespace) for one in told] == [
        ("audit.hold-add", "box/other: case 12", "other"), ("audit.hold-lift", "box/other: closed", "other"),
    ]  # fmt: skip
    retain(tmp_path / "second")
    assert Entry.objects.order_by("sequence").first().sequence == 5
    forget_old_operations()
    assert not Operation.objects.exists()
    assert verify() == Entry.objects.count()


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        ({"everything": "on"}, 1), ({"person": "dora"}, 1), ({"person": "nobody"}, None),
        ({"cluster": "box", "namespace": "other", "service": "cart"}, 2),
        ({"everything": "on", "since": "2026-11-01"}, None),
    ],
)  # fmt: skip
def test_a_hold_covers_a_service_a_person_or_everything_from_a_day_on(client, old, people, fields, first) -> None:
    client.force_login(people["administrator"])
    assert place(client, **fields).status_code == 302
    assert policy.first_held(4) == first


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"namespace": "other"},
        {"cluster": "box", "person": "dora"},
        {"reason": ""},
        {"cluster": "box", "since": "9999-01-01"},
    ],
)
def test_a_hold_that_says_not_what_it_covers_or_why_is_refused(client, old, people, fields) -> None:
    client.force_login(people["administrator"])
    assert place(client, **fields).status_code == 422
    assert not LegalHold.objects.exists()


def test_an_auditor_of_one_namespace_sees_the_holds_of_that_namespace_only(client, old, people) -> None:
    client.force_login(people["administrator"])
    place(client, cluster="box", namespace="default")
    place(client, cluster="box", namespace="other")
    place(client, person="dora")
    client.force_login(people["auditor"])
    text = read(client.get(reverse("audit-retention"))).text
    assert "box/default" in text
    assert "box/other" not in text
    assert "dora" not in text


def test_to_keep_less_than_what_is_set_needs_a_yes_and_never_less_than_the_minimum(old, tmp_path) -> None:
    with pytest.raises(CommandError, match=r"pass --yes\. Nothing was removed"):
        retain(tmp_path / "a", "--days", "0")
    assert Entry.objects.count() == 5
    said = retain(tmp_path / "b", "--days", "0", "--yes")
    assert "at least 30 days" in said
    assert "4 entries archived" in said
