"""What went round an approval: each kind with who, when and which rule; decided from the log, not from the tables."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from console import audit
from console.access import grants, members, roles, snapshots
from console.access.actors import Actor
from console.access.models import Membership, Team, User
from console.access.scopes import Scope
from console.audit import Outcome, service_history
from console.audit.models import Entry
from console.knative.diff import FieldChange
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.operations.models.protection import FreezeWindow, ProtectionRule
from console.operations.protection import rules
from tests import factories
from tests.web.pages import read

SHOP, CART = ServiceRef("box", "default", "shop"), ServiceRef("box", "other", "cart")
IMAGE = (FieldChange(("spec", "template", "spec", "containers", "app", "image"), "a", "b"),)
SPLIT = (FieldChange(("spec", "traffic"), "100% @latest", "100% shop-00001"),)


class Console:
    """Does what is told about, as the administrator."""

    def __init__(self, client: Any, people: Any) -> None:
        self.client, self.people = client, people
        self.boss: User = people["administrator"]
        self.actor = Actor(self.boss.pk, self.boss.username, "192.0.2.1")

    def rule(self, **more: Any) -> ProtectionRule:
        rule = ProtectionRule(**{"namespace": "default", "permissions": ["deploy"], **more})
        rules.save(rule, {}, actor=self.actor)
        return rule

    def outside(
        self, ref: ServiceRef = SHOP, changes: Any = IMAGE, action: str = "outside.change", **more: Any
    ) -> Entry:
        bob = Actor(None, "bob")
        return audit.record(action, actor=bob, ref=ref, outcome=Outcome.SUCCEEDED, changes=changes, **more)

    def rows(self, query: str = "", person: User | None = None) -> list[dict[str, Any]]:
        return self.file(query, person)["rows"]

    def file(self, query: str = "", person: User | None = None) -> dict[str, Any]:
        self.client.force_login(person or self.boss)
        address = reverse("audit-bypasses-export", kwargs={"form": "json"})
        found: dict[str, Any] = json.loads(self.client.post(address + query).content)
        return found

    def kinds(self, query: str = "", person: User | None = None) -> list[str]:
        return [row["kind"] for row in self.rows(query, person)]


@pytest.fixture
def console(client, mirror, people) -> Console:
    return Console(client, people)


def test_an_outside_change_counts_while_the_service_is_protected_and_says_by_what(console: Console) -> None:
    console.outside()
    rule = console.rule(note="two people")
    during = console.outside()
    rules.delete(rule, actor=console.actor)
    console.outside()
    ProtectionRule.objects.all().delete()
    outside = [row for row in console.rows() if row["kind"] == "outside"]
    assert [(row["entry"], row["who"], row["went_round"]) for row in outside] == [
        (during.sequence, "bob", ["*/default (rule)"])
    ]
    assert outside[0]["is_sure"] == "yes"


def test_a_rule_that_is_written_into_the_database_today_protects_nothing_in_the_past_for_sure(console: Console) -> None:
    console.outside()
    ProtectionRule.objects.create(namespace="default", permissions=["deploy"])
    assert [row["is_sure"] for row in console.rows()] == ["no"]


def test_an_outside_change_counts_only_for_what_the_rule_covers(console: Console) -> None:
    console.rule(permissions=["traffic"])
    console.outside(changes=IMAGE)
    split = console.outside(changes=SPLIT)
    console.outside(action="outside.delete", changes=())
    unknown = console.outside(changes=())
    console.outside(ref=CART, changes=SPLIT)
    assert [row["entry"] for row in console.rows()] == [unknown.sequence, split.sequence]


def test_the_labels_of_then_decide_for_a_rule_with_a_selector(console: Console) -> None:
    console.rule(selector="tier=front")
    unknown, now, kept = console.outside(), timezone.now(), None
    for hours, tier in ((1, "back"), (2, "middle"), (4, "front")):
        raw = factories.service()
        raw["metadata"]["labels"] = {"tier": tier}
        kept = service_history.note(SHOP, Service(raw), now + timedelta(hours=hours), kept, key="k")
    console.outside(at=now + timedelta(hours=3))
    front = console.outside(at=now + timedelta(hours=4))
    assert [(row["entry"], row["is_sure"]) for row in console.rows("?since=2020-01-01&until=2100-01-01")] == [
        (front.sequence, "yes"),
        (unknown.sequence, "no"),
    ]


def test_a_freeze_and_its_removal(console: Console) -> None:
    now = timezone.now()
    begins, ends = (f"{now + timedelta(hours=hours):%Y-%m-%dT%H:%M}" for hours in (-1, 2))
    window = FreezeWindow(permissions=["deploy"], begins=begins, ends=ends)
    rules.save(window, {}, actor=console.actor)
    console.outside()
    before, window.ends = window.facts(), f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    rules.save(window, before, actor=console.actor)
    rules.delete(window, actor=console.actor)
    assert console.kinds() == ["freeze-removed", "freeze-narrowed", "outside"]
    assert console.rows("?kind=outside")[0]["went_round"] == ["*/* (freeze)"]


def test_rules_narrowed_and_removed_are_told_by_effect(console: Console) -> None:
    rule = console.rule(permissions=["deploy", "traffic"])
    for change in ({"permissions": ["deploy"]}, {"permissions": ["deploy", "delete"]}, {"namespace": "*"}):
        before = rule.facts()
        for name, value in change.items():
            setattr(rule, name, value)
        rules.save(rule, before, actor=console.actor)
    rules.delete(rule, actor=console.actor)
    removed, narrowed = console.rows()
    assert (removed["kind"], removed["who"], removed["about"]) == ("rule-removed", "administrator", "*/*")
    assert (narrowed["kind"], narrowed["before"], narrowed["after"]) == (
        "rule-narrowed",
        "permissions=deploy, traffic",
        "permissions=deploy",
    )


def test_roles_raised_and_rights_given_are_told_by_whom_they_reach(console: Console) -> None:
    boss, actor = console.boss, console.actor
    role, team = roles.create("tuner", ["view"], user=boss, actor=actor), Team.objects.create(name="late")
    snapshots.check()
    grants.add(team, role, Scope("box", "default"), user=boss, actor=actor)
    roles.edit(role, "tuner", ["view", "approve"], user=boss, actor=actor)
    members.add(team, console.people["viewer"], is_owner=True, expires_at=None, user=boss, actor=actor)
    given, raised = [row for row in console.rows() if row["action"].startswith("manage.")]
    assert (raised["kind"], raised["about"], raised["before"], raised["after"]) == (
        "role-raised",
        "tuner",
        "view",
        "approve, view",
    )
    assert (given["kind"], given["after"]) == ("rights-given", "viewer: approve box/default")


def test_rights_that_somebody_gave_without_an_entry_are_told_and_those_taken_away_are_not(console: Console) -> None:
    team = Team.objects.create(name="Shop")
    membership = Membership.objects.create(team=team, user=console.people["viewer"])
    snapshots.check()
    membership.delete()
    assert snapshots.check()
    assert not [row for row in console.rows() if row["action"] == "rights.snapshot"]
    User.objects.filter(pk=console.people["viewer"].pk).update(is_superuser=True)
    assert snapshots.check()
    (told,) = [row for row in console.rows() if row["action"] == "rights.snapshot"]
    assert (told["kind"], told["is_sure"]) == ("rights-given", "no")
    assert told["after"] == f"changed person {console.people['viewer'].pk}"


def test_an_override_names_the_rules_that_it_passed_by(console: Console) -> None:
    text = f"SetEnv {'0' * 64} box/prod-*, box/default: the shop is down: all of it"
    audit.record("protect.override", actor=console.actor, ref=SHOP, outcome=Outcome.SUCCEEDED, text=text)
    (row,) = console.rows()
    assert (row["went_round"], row["after"]) == (["box/prod-*", "box/default"], "the shop is down: all of it")


def test_a_log_that_was_made_shorter_is_told(console: Console) -> None:
    lower = (FieldChange(("days",), "400", "30"),)
    higher = (FieldChange(("days",), "30", "400"),)
    audit.record("audit.retain", actor=console.actor, outcome=Outcome.SUCCEEDED, text="entries to 9, hash x")
    for changes in (lower, higher):
        audit.record("audit.retention", actor=console.actor, outcome=Outcome.SUCCEEDED, changes=changes)
    assert [(row["kind"], row["after"]) for row in console.rows()] == [
        ("log-shortened", "days=30"),
        ("log-shortened", ""),
    ]


def test_the_page_counts_by_kind_and_filters_by_period_and_place(console: Console) -> None:
    console.rule()
    console.outside()
    console.outside(ref=CART)
    found = console.file()
    assert found["counts"]["outside"] == 1
    assert console.kinds("?namespace=other") == []
    assert console.kinds("?namespace=default") == ["outside"]
    assert console.kinds("?until=2026-01-01") == []
    page = read(console.client.get(reverse("audit-bypasses")))
    assert "External change of a protected service 1" in page.text
    assert "*/default (rule)" in page.text
    assert page.inline == []
    assert console.client.get(reverse("audit-bypasses") + "?since=soon").status_code == 422
    table = console.client.post(reverse("audit-bypasses-export", kwargs={"form": "csv"})).content.decode()
    assert "bob" in table


def test_an_auditor_of_one_namespace_sees_its_changes_alone_and_is_told_so(console: Console) -> None:
    rule = console.rule(namespace="*")
    console.outside()
    console.outside(ref=CART)
    rules.delete(rule, actor=console.actor)
    assert console.kinds(person=console.people["auditor"]) == ["outside"]
    assert [row["namespace"] for row in console.rows(person=console.people["stranger"])] == ["other"]
    console.client.force_login(console.people["auditor"])
    assert "belong to no namespace" in read(console.client.get(reverse("audit-bypasses"))).text
