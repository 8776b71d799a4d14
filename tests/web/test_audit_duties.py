"""Separation of duties: who may change and approve, who approved whom how often, and the rule against it."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.access.models import Grant, Membership, Role, Team, User
from console.audit import Outcome
from console.audit.models import Entry
from console.knative.references import ServiceRef
from console.operations.models.protection import ProtectionRule
from tests.web.pages import read
from tests.web.test_protection import ask, at, shown

__all__ = ["at", "shown"]

HERE, THERE = ServiceRef("box", "default", "shop"), ServiceRef("box", "other", "cart")


def exported(client, user: User, **query: str) -> list[dict]:
    client.force_login(user)
    response = client.post(reverse("audit-duties-export", kwargs={"form": "json"}, query=query))
    return json.loads(response.content)["rows"]


@pytest.fixture
def both(people) -> User:
    """The deployer approves too, by another team, in more namespaces; a viewer approves where they change nothing."""
    Role.objects.create(name="approver", permissions=["view", "approve"])
    for name, person, namespace in (("A", "deployer", "def*"), ("B", "viewer", "default"), ("C", "operator", "x")):
        team = Team.objects.create(name=name)
        Grant.objects.create(team=team, role=Role.objects.get(name="approver"), cluster="box", namespace=namespace)
        Membership.objects.create(team=team, user=people[person])
    return people["deployer"]


def test_who_may_change_and_approve_the_same_service_and_which_rule_forbids_it(client, people, both: User) -> None:
    found = exported(client, people["administrator"], namespace="default")
    assert [(one["person"], one["change_role"], one["approve_role"], one["one_grant"]) for one in found] == [
        ("administrator", "administrator", "administrator", True),
        ("deployer", "deployer", "approver", False),
        ("owner", "owner", "owner", True),
        ("releaser", "releaser", "releaser", True),
    ]
    assert {str(one["forbidden_by"]) for one in found} == {"[]"}
    ProtectionRule.objects.create(cluster="box", namespace="default", permissions=["deploy"], approvers="rights")
    found = {
        one["person"]: one["forbidden_by"] for one in exported(client, people["administrator"], namespace="default")
    }
    kept = ["box/default"]
    assert found == {"administrator": kept, "deployer": kept, "owner": kept, "releaser": []}  # who splits traffic alone
    page = read(client.get(reverse("audit-duties", query={"q": "deployer"}))).text
    assert "deployer deploy, traffic, operate: deployer (deployers)" in page
    assert "approver (A)" in page


def test_a_right_that_gives_both_is_told_once_whatever_else_its_person_holds(client, people, both: User) -> None:
    for name in ("owners", "A", "deployers"):
        Membership.objects.create(team=Team.objects.get(name=name), user=people["administrator"])
    found = exported(client, people["administrator"], q="administrator")
    assert [(one["change_role"], one["approve_role"]) for one in found] == [
        ("administrator", "administrator"),
        ("deployer", "approver"),
        ("owner", "owner"),
    ]


def test_what_is_changed_by_one_role_and_approved_by_one_that_changes_less_is_told(client, people) -> None:
    """Who deploys as a deployer approves that as a releaser, who alone splits traffic only."""
    Membership.objects.create(team=Team.objects.get(name="releasers"), user=people["deployer"])
    found = exported(client, people["administrator"], q="deployer")
    assert [(one["change_role"], one["approve_role"], one["change_permissions"]) for one in found] == [
        ("deployer", "releaser", ["deploy", "traffic", "operate"]),
        ("releaser", "releaser", ["traffic"]),
    ]


def test_an_auditor_of_a_namespace_learns_of_no_other(client, people, both: User) -> None:
    assert {one["person"] for one in exported(client, people["auditor"])} == {
        *("administrator", "deployer", "owner", "releaser"),
    }
    assert exported(client, people["auditor"], namespace="other") == []


@pytest.fixture
def decided(people) -> dict[str, Actor]:
    """Dan's three changes: approved twice by Ruth, declined once by Rob; one of Ann in another namespace, long ago."""
    actors = {name: Actor(1000 + number, name) for number, name in enumerate(("ann", "dan", "rob", "ruth"))}

    def record(action: str, who: str, operation: UUID, outcome=Outcome.SUCCEEDED, ref=HERE, text="", at=None) -> None:
        audit.record(action, actor=actors[who], outcome=outcome, ref=ref, operation=operation, text=text, at=at)

    old, first, second, third = (uuid4() for _ in range(4))
    long_ago = timezone.now() - timedelta(days=40)
    record("protect.request", "ann", old, Outcome.REQUESTED, THERE, at=long_ago)
    record("protect.approve", "ruth", old, ref=THERE, at=long_ago)
    for operation in (first, second, third):
        record("protect.request", "dan", operation, Outcome.REQUESTED)
    record("protect.approve", "dan", first, Outcome.REFUSED, text="SetEnv 1d48aaef80436eb7 own change")
    record("protect.approve", "ruth", first)
    record("protect.approve", "ruth", second)
    record("protect.decline", "rob", third, Outcome.REFUSED)
    record("protect.override", "dan", uuid4())
    record("protect.separated", "ann", third, Outcome.REFUSED)
    return actors


def pairs(found: list[dict]) -> dict[tuple[str, str], tuple[int, int, int, int, bool]]:
    names = ("approved", "declined", "denied", "overrides", "same_person")
    return {(one["approver"], one["author"]): tuple(one[name] for name in names) for one in found}


def test_who_approved_whom_how_often_in_a_period(client, people, decided) -> None:
    since = f"{timezone.now() - timedelta(days=30):%Y-%m-%d}"
    recent = {
        ("dan", "dan"): (0, 0, 1, 1, True),
        ("ruth", "dan"): (2, 0, 0, 0, False),
        ("rob", "dan"): (0, 1, 0, 0, False),
        ("ann", "dan"): (0, 0, 1, 0, False),
    }
    root = people["administrator"]
    assert pairs(exported(client, root, view="decisions", since=since)) == recent
    ever = pairs(exported(client, root, view="decisions"))
    assert ever == {**recent, ("ruth", "ann"): (1, 0, 0, 0, False)}
    assert pairs(exported(client, people["auditor"], view="decisions")) == recent  # of default alone
    text = read(client.get(reverse("audit-duties", query={"view": "decisions"}))).text
    assert "ruth dan 2 0 0 0" in text
    assert "dan dan the same person 0 0 1 1" in text
    wrong = client.get(reverse("audit-duties", query={"view": "decisions", "since": "yesterday"}))
    assert wrong.status_code == 422


def test_the_rule_is_set_on_its_form_and_told_in_the_log_and_to_who_is_kept(shown, at, people, both: User) -> None:
    rule = ProtectionRule.objects.get()
    owner = at("owner")
    address = reverse("protection-edit", kwargs={"kind": "rule", "id": rule.id})
    form = {
        "cluster": "box",
        "namespace": "default",
        "permissions": ["deploy"],
        "valid_hours": "24",
        "approvers": "rights",
    }
    owner.post(address, {**form, "covers": "box/default"})
    changes = Entry.objects.get(action="protect.rule-change").changes
    assert {"field": "approvers", "before": None, "after": "rights"} in changes
    assert "Only people who cannot make such changes" in read(owner.get(reverse("protection"))).text
    operation = ask(shown)
    releaser, kept = at("viewer"), at("owner")
    page = reverse("operation", kwargs={"id": operation.id})
    assert reverse("approve", kwargs={"id": operation.id}) not in read(kept.get(page)).posts
    digest = operation.approval.digest
    said = kept.post(reverse("approve", kwargs={"id": operation.id}), {"digest": digest}, follow=True)
    assert "The rule box/default keeps people who may make such changes from deciding on them." in read(said).text
    operation.refresh_from_db()
    assert operation.status == "waiting"
    releaser.post(reverse("approve", kwargs={"id": operation.id}), {"digest": digest})
    operation.refresh_from_db()
    assert operation.status == "queued"


def test_a_decision_whose_request_is_not_in_the_log_accuses_nobody(client, people) -> None:
    """After retention the request is in an archive: its author is unknown, not who decided."""
    audit.record("protect.approve", actor=Actor(1, "ruth"), outcome=Outcome.SUCCEEDED, ref=HERE, operation=uuid4())
    found = exported(client, people["administrator"], view="decisions")
    assert pairs(found) == {("ruth", ""): (1, 0, 0, 0, False)}
    page = read(client.get(reverse("audit-duties", query={"view": "decisions"}))).text
    assert "ruth unknown 1 0 0 0" in page
