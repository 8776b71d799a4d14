"""Labels that decide who may do what: a deployer raises nobody's permissions by them, and leaves no rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from console.access.actors import Actor
from console.access.attempts import record_not_allowed
from console.access.authorization import rights_of
from console.access.models import Grant, Membership, Role, Team, User
from console.access.refusals import LabelNotAllowed, NotAllowed
from console.audit.models import Entry
from console.knative.changes import Change, Combined, CreateService, ReplaceManifest, SetLabels, SetTimeout
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.operations.rights.relabelling import relabelling
from console.operations.submitting import previewing
from tests.operations.conftest import person
from tests.operations.factories import World, manifest
from tests.operations.protection.test_protection import freeze, protect
from tests.operations.steps import finish, submit

pytestmark = pytest.mark.django_db

REF = ServiceRef("box", "default", "shop")
FRONT = {"team": "front"}


def role(*permissions: str) -> Role:
    found, _made = Role.objects.get_or_create(name="-".join(permissions), defaults={"permissions": list(permissions)})
    return found


def grant(team: str, *permissions: str, selector: str = "", namespace: str = "default") -> Grant:
    found, _made = Team.objects.get_or_create(name=team)
    return Grant.objects.create(
        team=found, role=role(*permissions), cluster="box", namespace=namespace, selector=selector
    )


def member(name: str, team: str, until: Any = None) -> User:
    user, _made = User.objects.get_or_create(username=name)
    Membership.objects.create(user=user, team=Team.objects.get(name=team), expires_at=until)
    return user


def judged(user: User, before: dict[str, str], after: dict[str, str]) -> tuple[tuple[str, ...], set[str]] | None:
    found = relabelling(rights_of(user), REF, (before, after), is_new=False)
    return (found.keys, set(found.lacks)) if found else None


def created(user: User, labels: dict[str, str]) -> tuple[tuple[str, ...], set[str]] | None:
    found = relabelling(rights_of(user), REF, (labels,), is_new=True)
    return (found.keys, set(found.lacks)) if found else None


@pytest.fixture
def dora() -> User:
    """She deploys in default, and her team has more on services of the front."""
    grant("doras", "view", "deploy")
    grant("doras", "reveal", "delete", selector="team=front")
    return member("dora", "doras")


def test_nobody_raises_their_own_rights_by_a_label(dora: User) -> None:
    assert judged(dora, {}, FRONT) == (("team",), {"reveal", "delete", "manage"})
    assert judged(dora, {"team": "back"}, FRONT) == (("team",), {"reveal", "delete", "manage"})
    assert created(dora, FRONT) == (("team",), {"reveal", "delete", "manage"})


def test_nobody_raises_the_rights_of_others_by_a_label(dora: User) -> None:
    grant("auditors", "audit", selector="audited=yes")
    assert judged(dora, {}, {"audited": "yes"}) == (("audited",), {"audit", "manage"})
    assert created(dora, {"audited": "yes"}) == (("audited",), {"audit", "manage"})


def test_nobody_takes_a_service_out_of_the_sight_of_others(dora: User) -> None:
    grant("approvers", "view", "approve", selector="tier=gold,team=front")
    before = {"tier": "gold", **FRONT}
    assert judged(dora, before, {"tier": "silver", **FRONT}) == (("tier",), {"approve", "manage"})
    assert judged(dora, before, FRONT) == (("tier",), {"approve", "manage"})


def test_labels_that_select_nothing_here_are_free(dora: User) -> None:
    grant("auditors", "audit", selector="audited=yes", namespace="other")
    protect(selector="tier=gold", namespace="other")
    for labels in ({"audited": "yes"}, {"tier": "gold"}, {"color": "blue"}, {"team": "back"}):
        assert judged(dora, {}, labels) is None
        assert judged(dora, labels, {}) is None
        assert created(dora, labels) is None
    assert judged(dora, FRONT, {**FRONT, "color": "blue"}) is None


@pytest.mark.parametrize("kind", [protect, freeze])
def test_nobody_leaves_a_rule_or_a_freeze_that_they_could_not_remove(kind, dora: User) -> None:
    kind(selector="tier=gold", permissions=["traffic"])
    assert judged(dora, {"tier": "gold"}, {}) == (("tier",), {"manage"})
    assert judged(dora, {}, {"tier": "gold"}) == (("tier",), {"manage"})
    grant("owners", "manage")
    owner = member("olga", "owners")
    assert judged(owner, {}, {"tier": "gold"}) is None
    assert judged(owner, {"tier": "gold"}, {}) == (("tier",), {"manage"})  # the rule is of every cluster


@pytest.mark.parametrize("kind", [protect, freeze])
def test_a_rule_of_another_service_holds_no_label_of_this_one(kind, dora: User) -> None:
    kind(selector="tier=gold", service="another", permissions=["traffic"])
    assert judged(dora, {"tier": "gold"}, {}) is None
    kind(selector="tier=gold", service=REF.name, permissions=["traffic"])
    assert judged(dora, {"tier": "gold"}, {}) == (("tier",), {"manage"})


def test_an_owner_of_all_that_the_rule_covers_takes_a_service_out_of_it() -> None:
    protect(selector="tier=gold", cluster="box")
    grant("owners", "manage")
    assert judged(member("olga", "owners"), {"tier": "gold"}, {}) is None


def test_a_new_service_may_come_under_a_rule() -> None:
    """It is nobody's loss; the rule holds for making it."""
    protect(selector="tier=gold")
    grant("doras", "view", "deploy")
    assert created(member("dora", "doras"), {"tier": "gold"}) is None


def test_who_may_give_by_a_grant_may_give_by_a_label() -> None:
    grant("auditors", "audit", selector="audited=yes")
    grant("owners", "manage", "audit")
    assert judged(member("olga", "owners"), {}, {"audited": "yes"}) is None
    grant("managers", "manage")
    assert judged(member("max", "managers"), {}, {"audited": "yes"}) == (("audited",), {"audit"})


def test_what_is_held_only_before_or_only_after_is_not_enough() -> None:
    """The right to manage by the very label that is set, or that is taken away."""
    grant("fronts", "manage", "audit", selector="team=front")
    grant("backs", "manage", "audit", selector="team=back")
    fred = member("fred", "fronts")
    assert judged(fred, {"team": "back"}, FRONT) == (("team",), {"manage", "audit"})
    assert judged(fred, FRONT, {"team": "back"}) == (("team",), {"manage", "audit"})
    assert judged(fred, FRONT, {}) == (("team",), {"manage", "audit"})


def test_who_manages_until_friday_gives_nothing_for_good() -> None:
    grant("auditors", "audit", selector="audited=yes")
    grant("owners", "manage", "audit")
    assert judged(member("tim", "owners", timezone.now() + timedelta(days=1)), {}, {"audited": "yes"}) is not None


def test_who_may_deploy_only_with_a_label_creates_with_it() -> None:
    grant("fronts", "view", "deploy", selector="team=front")
    grant("auditors", "audit", selector="team=front")
    grant("golds", "reveal", selector="tier=gold")
    fred = member("fred", "fronts")
    assert created(fred, FRONT) is None
    assert created(fred, {**FRONT, "tier": "gold"}) == (("tier",), {"reveal", "manage"})


def test_a_way_to_deploy_by_a_label_opens_nothing_to_who_deploys_without_it() -> None:
    grant("doras", "view", "deploy")
    grant("doras", "view", "deploy", "reveal", "manage", selector="team=front")
    assert created(member("dora", "doras"), FRONT) is not None


def test_administrators_set_every_label(dora: User) -> None:
    administrator = User.objects.create_superuser("ada")
    assert judged(administrator, {}, FRONT) is None
    assert created(administrator, FRONT) is None


def as_yaml(service: dict[str, Any], labels: dict[str, str]) -> Change:
    return ReplaceManifest({**service, "metadata": {**service["metadata"], "labels": labels}})


@pytest.mark.parametrize("way", ["settings", "yaml", "beside others"])
def test_the_engine_refuses_it_at_the_preview_and_tells_the_log(
    way: str, world: World, ref: ServiceRef, deployer: Actor
) -> None:
    grant("others", "reveal", selector="team=front")
    change = {
        "settings": SetLabels(dict(FRONT)),
        "yaml": as_yaml(world.get(ref.name), FRONT),
        "beside others": Combined((SetTimeout(7), SetLabels(dict(FRONT)))),
    }[way]
    with pytest.raises(LabelNotAllowed) as refused:
        submit(change, ref, deployer)
    assert refused.value.problem.facts == {"labels": "team", "permissions": "manage"}
    assert refused.value.problem.field == "labels"
    record_not_allowed(refused.value, deployer)
    entry = Entry.objects.latest("sequence")
    assert (entry.action, entry.outcome, entry.text) == ("manage.refused", "refused", "labels: team")


def test_a_new_service_with_such_a_label_is_refused(world: World, ref: ServiceRef, deployer: Actor) -> None:
    grant("others", "audit", selector="team=front")
    new = ServiceRef("box", "default", f"{ref.name}-new")
    with pytest.raises(LabelNotAllowed):
        submit(CreateService(manifest(new.name, labels=FRONT)), new, deployer)


def test_a_grant_that_comes_between_preview_and_submission_counts(
    world: World, ref: ServiceRef, deployer: Actor
) -> None:
    from console.operations.submitting import submission

    user = User.objects.get(pk=deployer.user_id)
    effect = previewing.preview(SetLabels(dict(FRONT)), user=user, ref=ref)
    grant("others", "reveal", selector="team=front")
    with pytest.raises(NotAllowed):
        submission.submit(effect.preview.id, user=user, actor=deployer)
    assert Entry.objects.filter(action="manage.refused", actor="dora").exists()
    assert not Operation.objects.exists()


def test_a_grant_that_comes_before_the_write_counts(world: World, ref: ServiceRef, deployer: Actor) -> None:
    operation = submit(SetLabels(dict(FRONT)), ref, deployer)
    grant("others", "reveal", selector="team=front")
    operation = finish(operation)
    assert (operation.status, operation.cause["code"]) == (Status.REFUSED, "label-decides")
    assert operation.cause["facts"] == {"labels": "team", "permissions": "manage"}
    assert "team" not in world.get(ref.name)["metadata"].get("labels", {})


def test_an_owner_relabels(world: World, ref: ServiceRef) -> None:
    grant("others", "reveal", selector="team=front")
    user = person("otto", "owner")
    operation = finish(submit(SetLabels(dict(FRONT)), ref, Actor(user.pk, "otto", "192.0.2.7", "r")))
    assert operation.status == Status.SUCCEEDED
    assert world.get(ref.name)["metadata"]["labels"] == FRONT
