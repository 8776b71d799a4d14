"""Protected services: a second person, freezes, the emergency override; and attempts to bypass them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.utils import timezone

from console.access.actors import Actor
from console.access.authorization import rights_of
from console.access.models import Grant, Membership, Role, Team, User
from console.access.refusals import Frozen, NotAllowed, NotNow, OwnChange, ReasonNeeded
from console.access.rights_history.rows import is_of_rights
from console.audit.models import Entry
from console.knative.changes import (
    Change,
    CreateService,
    DeleteRevision,
    DeleteService,
    EnvEntry,
    ReplaceManifest,
    SetEnv,
    SetImage,
    SetLabels,
    SetScale,
    SplitTraffic,
)
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.operations.models import Operation, Preview
from console.operations.models.protection import Approval, FreezeWindow, ProtectionRule
from console.operations.models.statuses import Status
from console.operations.protection import approvals, rules
from console.operations.protection.approval_digest import digest
from console.operations.protection.rules import manages
from console.operations.submitting import previewing, submission
from console.operations.tasks import perform, sweep
from console.sealing import seal
from tests.operations.conftest import person
from tests.operations.factories import RUST, World, manifest
from tests.operations.steps import finish, submit

pytestmark = pytest.mark.django_db

SECOND = SetEnv("app", (EnvEntry("TARGET", "Second"),))
ALL = ["deploy", "traffic", "operate", "delete"]


def protect(**more: Any) -> ProtectionRule:
    return ProtectionRule.objects.create(**{"permissions": ALL, "namespace": "default", "needs_reason": False, **more})


def freeze(**more: Any) -> FreezeWindow:
    """A freeze that began an hour ago and lasts another one."""
    now = timezone.now().astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None)
    begins, ends = (f"{now + timedelta(hours=hours):%Y-%m-%dT%H:%M}" for hours in (-1, 2))
    return FreezeWindow.objects.create(
        **{"permissions": ALL, "begins": begins, "ends": ends, "zone": "Europe/Berlin", "note": "Release day", **more}
    )


@pytest.fixture
def approver(db) -> Actor:
    user = person("ruth", "releaser")
    return Actor(user.pk, user.username, "192.0.2.10", "request-4")


def user_of(actor: Actor) -> User:
    return User.objects.get(pk=actor.user_id)


def approve(operation: Operation, actor: Actor, **more: Any) -> None:
    shown = Approval.objects.get(operation=operation).digest
    approvals.approve(operation, user=user_of(actor), actor=actor, **{"seen_digest": shown, **more})


def now_is(operation: Operation) -> Operation:
    return Operation.objects.get(pk=operation.pk)


def actions(operation: Operation) -> list[tuple[str, str, str]]:
    found = Entry.objects.filter(operation=operation.id).order_by("sequence")
    return [(entry.action, entry.outcome, entry.actor) for entry in found]


def test_a_protected_change_waits_and_runs_once_when_a_second_person_approves(
    world: World, ref: ServiceRef, deployer: Actor, approver: Actor
):
    protect()
    operation = submit(SECOND, ref, deployer, reason="ticket 12")
    assert operation.status == Status.WAITING
    perform(str(operation.id))  # a message that came from nowhere
    sweep()
    assert now_is(operation).status == Status.WAITING
    assert world.get(ref.name)["metadata"]["generation"] == 1
    approve(operation, approver, comment="looks right")
    operation = finish(now_is(operation))
    assert operation.status == Status.SUCCEEDED
    assert world.env(ref.name)["TARGET"] == "Second"
    assert world.get(ref.name)["metadata"]["generation"] == 2
    assert actions(operation) == [
        ("deploy.SetEnv", "requested", "dora"),
        ("protect.request", "requested", "dora"),
        ("protect.approve", "succeeded", "ruth"),
        ("operation.succeeded", "succeeded", "dora"),
    ]


def joins(actor: Actor, team: str, role: str) -> None:
    """Let the person have the role for one more team, whose name comes before those of the others."""
    made = Team.objects.create(name=team)
    Membership.objects.create(user_id=actor.user_id, team=made)
    Grant.objects.create(team=made, role=Role.objects.get(name=role), cluster="*", namespace="*")


def told(operation: Operation) -> list[tuple[str, str, str]]:
    found = Entry.objects.filter(operation=operation.id).order_by("sequence")
    return [(entry.action, entry.roles, entry.team) for entry in found]


def test_each_entry_names_the_role_and_the_team_that_made_it_possible(
    world: World, ref: ServiceRef, deployer: Actor, approver: Actor
):
    protect()
    joins(deployer, "a team that only looks", "viewer")
    joins(approver, "a team that deploys", "operator")
    operation = submit(SECOND, ref, deployer)
    approve(operation, approver)
    finish(now_is(operation))
    theirs = ("deployer", "team of dora")
    assert told(operation) == [
        ("deploy.SetEnv", *theirs),
        ("protect.request", *theirs),
        ("protect.approve", "releaser", "team of ruth"),
        ("operation.succeeded", *theirs),
    ]


def test_an_override_names_the_role_that_manages(world: World, ref: ServiceRef, owner: Actor):
    protect()
    joins(owner, "a team that only looks", "viewer")
    operation = submit(SECOND, ref, owner, reason="it burns", break_glass=True)
    assert [role for action, role, _team in told(operation) if action == "protect.override"] == ["owner"]


def test_the_time_that_it_waited_is_not_the_changes_own(
    world: World, ref: ServiceRef, deployer: Actor, approver: Actor
):
    """Else a request of yesterday would have timed out the moment it is approved."""
    protect()
    operation = submit(SECOND, ref, deployer)
    long_ago = timezone.now() - timedelta(hours=20)
    Operation.objects.filter(id=operation.id).update(submitted_at=long_ago, saved_at=long_ago, clock_stamp="")
    approve(now_is(operation), approver)
    operation = finish(now_is(operation))
    assert operation.status == Status.SUCCEEDED
    assert operation.seconds is not None
    assert operation.seconds < 3600


CHANGES: dict[str, Callable[[ServiceRef], Change]] = {
    "env": lambda ref: SECOND,
    "image": lambda ref: SetImage("app", RUST),
    "scale": lambda ref: SetScale({"min": "1"}),
    "split or rollback": lambda ref: SplitTraffic((TrafficTarget(f"{ref.name}-00001", 100),)),
    "yaml": lambda ref: ReplaceManifest(manifest(ref.name, image=RUST)),
    "delete": lambda ref: DeleteService(),
    "delete revision": lambda ref: DeleteRevision(f"{ref.name}-00001"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_kind_of_change_goes_through_the_gate(world: World, ref: ServiceRef, owner: Actor, name: str):
    if name == "delete revision":
        finish(submit(SetImage("app", RUST), ref, owner))
    before = Operation.objects.count()
    protect()
    operation = submit(CHANGES[name](ref), ref, owner)
    assert operation.status == Status.WAITING
    ProtectionRule.objects.all().delete()
    freeze()
    with pytest.raises(Frozen):
        submit(CHANGES[name](ref), ref, owner)
    assert Operation.objects.count() == before + 1


def test_creating_a_service_goes_through_the_gate(world: World, ref: ServiceRef, owner: Actor, approver: Actor):
    protect(selector="tier=gold")
    new = ServiceRef("box", "default", f"gold-{ref.name}")
    operation = submit(CreateService(manifest(new.name, labels={"tier": "gold"})), new, owner)
    assert operation.status == Status.WAITING
    approve(operation, approver)
    assert finish(now_is(operation)).status == Status.SUCCEEDED
    assert world.get(new.name)


@pytest.mark.parametrize("label", [{"tier": "gold"}, {"tier": "silver"}])
def test_taking_off_the_label_that_protects_needs_approval_and_so_does_putting_it_on(
    world: World, ref: ServiceRef, owner: Actor, label: dict[str, str]
):
    world.edit(ref.name, lambda service: service["metadata"].update(labels=label))
    protect(selector="tier=gold")
    other = {"tier": "silver" if label["tier"] == "gold" else "gold"}
    assert submit(SetLabels(other), ref, owner).status == Status.WAITING
    assert submit(SetLabels({"unrelated": "x"}), ref, owner).status == (
        Status.WAITING if label["tier"] == "gold" else Status.QUEUED
    )


@pytest.mark.parametrize(
    ("rule", "waits"),
    [
        ({"permissions": ["deploy"]}, True),
        ({"permissions": ["traffic", "delete"]}, False),
        ({"namespace": "prod-*"}, False),
        ({"cluster": "b*"}, True),
        ({"cluster": "other"}, False),
        ({"selector": "app=shop"}, False),
        ({"service": "another"}, False),
        ({"service": ""}, True),
        ({"service": None}, True),
    ],
)
def test_a_rule_covers_its_scope_and_its_kinds_only(
    world: World, ref: ServiceRef, deployer: Actor, rule: dict[str, Any], waits: bool
):
    protect(**rule)
    assert (submit(SECOND, ref, deployer).status == Status.WAITING) is waits


@pytest.mark.parametrize("kind", ["rule", "window"])
def test_a_rule_or_freeze_of_one_service_stops_this_one_and_no_other(
    world: World, ref: ServiceRef, deployer: Actor, kind: str
):
    other = ServiceRef("box", "default", f"other-{ref.name}")
    world.create(other.name)
    if kind == "rule":
        protect(service=ref.name)
        assert submit(SECOND, ref, deployer).status == Status.WAITING
    else:
        freeze(service=ref.name)
        with pytest.raises(Frozen):
            submit(SECOND, ref, deployer)
    assert submit(SECOND, other, deployer).status == Status.QUEUED


def test_a_service_that_is_created_under_a_protected_name_goes_through_the_gate(
    world: World, ref: ServiceRef, owner: Actor
):
    new = ServiceRef("box", "default", f"new-{ref.name}")
    protect(service=new.name)
    assert submit(CreateService(manifest(new.name)), new, owner).status == Status.WAITING


def test_a_rule_of_one_service_that_comes_before_the_write_stops_it(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    protect(service=ref.name)
    assert finish(operation).status == Status.STOPPED


def test_a_manifest_that_moves_traffic_is_held_by_a_rule_on_traffic(world: World, ref: ServiceRef, owner: Actor):
    protect(permissions=["traffic"])
    raw = {**manifest(ref.name), "spec": {**manifest(ref.name)["spec"]}}
    raw["spec"]["traffic"] = [{"revisionName": f"{ref.name}-00001", "percent": 100}]
    assert submit(ReplaceManifest(raw), ref, owner).status == Status.WAITING


def test_many_at_once_go_through_the_gate(world: World, ref: ServiceRef, deployer: Actor):
    free = ServiceRef("box", "default", f"free-{ref.name}")
    world.create(free.name)
    world.edit(ref.name, lambda service: service["metadata"].update(labels={"tier": "gold"}))
    protect(selector="tier=gold")
    user = user_of(deployer)
    previews = [previewing.preview(SECOND, user=user, ref=each).preview.id for each in (ref, free)]
    _batch, made = submission.submit_all(previews, user=user, actor=deployer)
    assert [operation.status for operation in made] == [Status.WAITING, Status.QUEUED]
    freeze(selector="tier=gold")
    previews = [previewing.preview(SECOND, user=user, ref=each).preview.id for each in (free, ref)]
    with pytest.raises(Frozen):
        submission.submit_all(previews, user=user, actor=deployer)
    assert Operation.objects.count() == 2, "all or none"


def test_a_retry_is_shown_afresh_and_waits(world: World, ref: ServiceRef, deployer: Actor, approver: Actor):
    failed = finish(submit(SetImage("app", "example.com/shop/missing:1"), ref, deployer))
    protect()
    world.edit(ref.name, lambda service: service["spec"]["template"]["spec"].update(timeoutSeconds=77))
    again = submission.retry(failed, user=user_of(deployer), actor=deployer)
    assert (again.status, again.retry_of_id) == (Status.WAITING, failed.id)
    assert [row["path"][-1] for row in again.changes] == ["client.knative.dev/updateTimestamp"], "the image is there"
    world.edit(ref.name, lambda service: service["spec"]["template"]["spec"]["containers"][0].update(image=RUST))
    approve(again, approver)
    assert finish(now_is(again)).status == Status.CONFLICTED, "an approval never goes on top of what nobody saw"


def test_a_retry_during_a_freeze_is_refused(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    submission.cancel(operation, actor=deployer)
    operation = finish(operation)
    freeze()
    with pytest.raises(Frozen):
        submission.retry(operation, user=user_of(deployer), actor=deployer)
    assert Entry.objects.order_by("-sequence").first().action == "protect.frozen"


def test_a_reason_is_needed_where_a_rule_says_so_and_nothing_is_lost(world: World, ref: ServiceRef, deployer: Actor):
    protect(needs_reason=True, valid_hours=3)
    protect()
    with pytest.raises(ReasonNeeded):
        submit(SECOND, ref, deployer, reason="  ")
    kept = Preview.objects.get()
    operation = submission.submit(kept.id, user=user_of(deployer), actor=deployer, reason="ticket 12")
    assert operation.expires_at - operation.submitted_at < timedelta(hours=3, minutes=1), "the strictest rule counts"


def test_nobody_approves_a_change_of_their_own(world: World, ref: ServiceRef, owner: Actor):
    protect()
    operation = submit(SECOND, ref, owner)
    with pytest.raises(OwnChange):
        approve(operation, owner)
    assert now_is(operation).status == Status.WAITING
    assert actions(operation)[-1] == ("protect.approve", "refused", "olga")


def test_an_approver_needs_the_right_on_that_service(world: World, ref: ServiceRef, deployer: Actor, viewer: Actor):
    protect()
    operation = submit(SECOND, ref, deployer)
    stranger = person("sven", "owner")
    Grant.objects.filter(team__memberships__user=stranger).update(namespace="elsewhere")
    for each in (viewer, Actor(stranger.pk, stranger.username)):
        for decide in (approve, decline):
            with pytest.raises(NotAllowed):
                decide(operation, each)
        assert approvals.waiting_for(user_of(each), rights_of(user_of(each))) == []
    assert now_is(operation).status == Status.WAITING


def decline(operation: Operation, actor: Actor) -> None:
    approvals.decline(operation, user=user_of(actor), actor=actor, comment="not today")


def withdraw(operation: Operation, actor: Actor) -> None:
    approvals.withdraw(operation, user=user_of(actor), actor=actor)


def test_a_declined_change_tells_why_and_is_never_written(
    world: World, ref: ServiceRef, deployer: Actor, approver: Actor
):
    protect()
    operation = submit(SECOND, ref, deployer)
    decline(operation, approver)
    operation = now_is(operation)
    assert operation.status == Status.DECLINED
    assert operation.cause["facts"] == {"who": "ruth", "comment": "not today"}
    assert actions(operation)[-1] == ("protect.decline", "refused", "ruth")
    with pytest.raises(NotNow):
        approve(operation, approver)
    perform(str(operation.id))
    assert world.get(ref.name)["metadata"]["generation"] == 1


def test_its_author_and_nobody_else_withdraws_a_request(
    world: World, ref: ServiceRef, deployer: Actor, approver: Actor
):
    protect()
    operation = submit(SECOND, ref, deployer)
    with pytest.raises(NotNow):
        withdraw(operation, approver)
    withdraw(operation, deployer)
    assert now_is(operation).status == Status.CANCELLED
    assert actions(operation)[-1] == ("protect.withdraw", "succeeded", "dora")


def test_a_request_expires_for_good(world: World, ref: ServiceRef, deployer: Actor, approver: Actor):
    protect()
    operation = submit(SECOND, ref, deployer)
    Operation.objects.filter(id=operation.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(NotNow):
        approve(now_is(operation), approver)  # the sweep has not come yet
    sweep()
    operation = now_is(operation)
    assert operation.status == Status.EXPIRED
    assert operation.finished_at is not None
    assert actions(operation)[-1] == ("protect.expire", "failed", "sluice")
    sweep()
    assert [action for action, _, _ in actions(operation)].count("protect.expire") == 1


@pytest.mark.parametrize("final", [Status.DECLINED, Status.EXPIRED, Status.STOPPED])
def test_the_new_ends_are_final_in_the_database(world: World, ref: ServiceRef, deployer: Actor, final: Status):
    operation = submit(SECOND, ref, deployer)
    Operation.objects.filter(id=operation.id).update(status=final)
    with pytest.raises(DatabaseError), transaction.atomic():
        Operation.objects.filter(id=operation.id).update(status=Status.QUEUED)


DECISIONS: tuple[Callable[[Operation, Actor, Actor], None], ...] = (
    lambda operation, author, approver: approve(operation, approver),
    lambda operation, author, approver: decline(operation, approver),
    lambda operation, author, approver: withdraw(operation, author),
    lambda operation, author, approver: expire(operation),
)


def expire(operation: Operation) -> None:
    Operation.objects.filter(id=operation.id, status=Status.WAITING).update(
        expires_at=timezone.now() - timedelta(days=1)
    )
    if not approvals.expire_requests():
        raise NotNow(operation.id)


@pytest.mark.parametrize("order", list(itertools.permutations(range(len(DECISIONS)), 2)))
def test_of_two_decisions_at_once_the_first_wins(
    world: World, ref: ServiceRef, deployer: Actor, approver: Actor, order: tuple[int, int]
):
    """Both read the request while it waited; only the database tells the second that it came too late."""
    protect()
    operation = submit(SECOND, ref, deployer)
    first, second = (now_is(operation) for _ in order)
    DECISIONS[order[0]](first, deployer, approver)
    became = now_is(operation).status
    with pytest.raises(NotNow):
        DECISIONS[order[1]](second, deployer, approver)
    assert now_is(operation).status == became != Status.WAITING
    decided = [action for action, _, _ in actions(operation) if action.startswith("protect.")]
    assert len(decided) == 2, "the request and one decision"


def test_an_approval_is_of_what_was_shown(world: World, ref: ServiceRef, deployer: Actor, approver: Actor):
    protect()
    operation = submit(SECOND, ref, deployer)
    with pytest.raises(NotNow):
        approve(operation, approver, seen_digest="0" * 64)
    approve(operation, approver)
    other = seal({"kind": "SetImage", "container": "app", "image": RUST})
    Operation.objects.filter(id=operation.id).update(sealed_change=other)
    operation = finish(now_is(operation))
    assert (operation.status, operation.cause["code"]) == (Status.STOPPED, "not-as-approved")
    assert world.get(ref.name)["metadata"]["generation"] == 1


@pytest.mark.parametrize("is_salted", [True, False], ids=["salted", "from before there was a salt"])
def test_a_rotation_of_keys_voids_no_waiting_approval(
    world: World, ref: ServiceRef, deployer: Actor, approver: Actor, settings, is_salted: bool
):
    protect()
    operation = submit(SECOND, ref, deployer)
    if not is_salted:
        Operation.objects.filter(id=operation.id).update(sealed_salt=None)
        Approval.objects.filter(operation=operation).update(digest=digest(now_is(operation)))
    else:
        settings.ENCRYPTION_KEYS = ["newer", settings.SECRET_KEY]
        call_command("reseal", stdout=StringIO())
        assert now_is(operation).sealed_change != operation.sealed_change
    approve(now_is(operation), approver)
    assert finish(now_is(operation)).status == Status.SUCCEEDED


def theirs(service: dict) -> None:
    service["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "Theirs"


def other_field(service: dict) -> None:
    service["spec"]["template"]["spec"].update(timeoutSeconds=77)


def pinned(service: dict) -> None:
    service["spec"]["traffic"] = [{"revisionName": f"{service['metadata']['name']}-00001", "percent": 100}]


@pytest.mark.parametrize(
    ("edit", "status"), [(theirs, Status.CONFLICTED), (pinned, Status.CONFLICTED), (other_field, Status.SUCCEEDED)]
)
def test_what_matters_to_the_approval_must_not_have_changed(
    world: World, ref: ServiceRef, deployer: Actor, approver: Actor, edit: Callable[[dict], None], status: Status
):
    """The fields that are set; and the split, of which the approver was told what the new revision gets."""
    protect()
    operation = submit(SECOND, ref, deployer)
    world.edit(ref.name, edit)
    approve(operation, approver)
    assert finish(now_is(operation)).status == status


def test_a_split_of_latest_is_not_applied_to_a_latest_that_nobody_saw(
    world: World, ref: ServiceRef, deployer: Actor, approver: Actor
):
    finish(submit(SplitTraffic((TrafficTarget(f"{ref.name}-00001", 100),)), ref, deployer))
    protect()
    operation = submit(SplitTraffic((TrafficTarget(None, 100, follows_latest=True),)), ref, deployer)
    world.edit(ref.name, other_field)
    approve(operation, approver)
    assert finish(now_is(operation)).status == Status.CONFLICTED


def lose_right(approver: User) -> None:
    Grant.objects.filter(team__memberships__user=approver).delete()


def leave_team(approver: User) -> None:
    Membership.objects.filter(user=approver).update(expires_at=timezone.now() - timedelta(seconds=1))


def leave(approver: User) -> None:
    User.objects.filter(pk=approver.pk).update(is_active=False)


def vanish(approver: User) -> None:
    approver.delete()


@pytest.mark.parametrize("lose", [lose_right, leave_team, leave, vanish])
def test_the_approvers_right_counts_at_the_write(
    world: World, ref: ServiceRef, deployer: Actor, approver: Actor, lose: Callable[[User], None]
):
    protect()
    operation = submit(SECOND, ref, deployer)
    approve(operation, approver)
    lose(user_of(approver))
    operation = finish(now_is(operation))
    assert (operation.status, operation.cause["code"]) == (Status.STOPPED, "approver-gone")
    assert world.get(ref.name)["metadata"]["generation"] == 1


def test_the_authors_right_counts_at_the_write(world: World, ref: ServiceRef, deployer: Actor, approver: Actor):
    protect()
    operation = submit(SECOND, ref, deployer)
    approve(operation, approver)
    Grant.objects.filter(team__memberships__user_id=deployer.user_id).delete()
    operation = finish(now_is(operation))
    assert (operation.status, operation.cause["code"]) == (Status.REFUSED, "not-allowed")


def test_what_becomes_protected_or_frozen_before_the_write_is_not_written(
    world: World, ref: ServiceRef, deployer: Actor, approver: Actor
):
    operation = submit(SECOND, ref, deployer)
    rule = protect()
    operation = finish(operation)
    assert (operation.status, operation.cause["code"]) == (Status.STOPPED, "protected-meanwhile")
    assert Entry.objects.order_by("-sequence").first().outcome == "refused"
    waiting = submit(SECOND, ref, deployer)
    approve(waiting, approver)
    freeze()
    stopped = finish(now_is(waiting))
    assert (stopped.status, stopped.cause["code"]) == (Status.STOPPED, "frozen")
    assert stopped.cause["facts"]["note"] == "Release day"
    assert stopped.cause["facts"]["until"].endswith("Europe/Berlin")
    FreezeWindow.objects.all().delete()
    strict = submit(SECOND, ref, deployer)
    approve(strict, approver)
    ProtectionRule.objects.filter(id=rule.id).update(needs_reason=True)
    assert finish(now_is(strict)).cause["code"] == "reason-missing"
    assert world.get(ref.name)["metadata"]["generation"] == 1


def test_a_service_that_gets_the_label_meanwhile_is_protected(world: World, ref: ServiceRef, deployer: Actor):
    protect(selector="tier=gold")
    operation = submit(SECOND, ref, deployer)
    world.edit(ref.name, lambda service: service["metadata"].update(labels={"tier": "gold"}))
    operation = finish(operation)
    assert operation.cause["code"] == "protected-meanwhile"
    again = submission.retry(operation, user=user_of(deployer), actor=deployer)
    assert again.status == Status.WAITING, "else trying again would be stopped again and again"


def test_a_rule_that_goes_does_not_let_a_request_loose(world: World, ref: ServiceRef, deployer: Actor, approver: Actor):
    rule = protect()
    operation = submit(SECOND, ref, deployer)
    rules.delete(rule, actor=deployer)
    sweep()
    assert now_is(operation).status == Status.WAITING
    approve(operation, approver)
    assert finish(now_is(operation)).status == Status.SUCCEEDED


def test_a_freeze_refuses_and_nothing_is_written(world: World, ref: ServiceRef, deployer: Actor, approver: Actor):
    protect()
    operation = submit(SECOND, ref, deployer)
    window = freeze(permissions=["deploy"])
    with pytest.raises(Frozen) as refused:
        submit(SECOND, ref, deployer)
    assert refused.value.until.startswith(window.ends.replace("T", " "))
    with pytest.raises(Frozen):
        approve(operation, approver)
    assert now_is(operation).status == Status.WAITING
    assert Operation.objects.count() == 1
    targets = (TrafficTarget(f"{ref.name}-00001", 100),)
    assert submit(SplitTraffic(targets), ref, deployer).status == Status.WAITING, "a rollback is no deploy"


def test_the_emergency_override_passes_both_and_is_recorded_everywhere(world: World, ref: ServiceRef, owner: Actor):
    protect()
    freeze()
    with pytest.raises(ReasonNeeded):
        submit(SECOND, ref, owner, break_glass=True)
    operation = submit(SECOND, ref, owner, break_glass=True, reason="the shop is down")
    assert (operation.status, operation.broke_glass) == (Status.QUEUED, True)
    operation = finish(operation)
    assert operation.status == Status.SUCCEEDED
    assert [action for action, _, _ in actions(operation)] == [
        "deploy.SetEnv", "protect.override", "operation.succeeded",
    ]  # fmt: skip
    loud = Entry.objects.get(action="protect.override")
    assert "*/default" in loud.text
    assert "the shop is down" in loud.text
    events = world.box.get("/api/v1/namespaces/default/events")["items"]
    event = next(each for each in events if str(operation.id) in each.get("message", ""))
    assert event["type"] == "Warning"
    assert "emergency override of approval or freeze: the shop is down" in event["message"]


def test_only_a_manager_of_the_service_uses_the_emergency_override(
    world: World, ref: ServiceRef, deployer: Actor, owner: Actor
):
    protect()
    with pytest.raises(NotAllowed):
        submit(SECOND, ref, deployer, break_glass=True, reason="in a hurry")
    assert Entry.objects.order_by("-sequence").first().action == "manage.refused"
    operation = submit(SECOND, ref, owner, break_glass=True, reason="the shop is down")
    Grant.objects.filter(team__memberships__user_id=owner.user_id).update(role=role("deployer"))
    operation = finish(operation)
    assert (operation.status, operation.cause["code"]) == (Status.STOPPED, "not-allowed")


@pytest.mark.parametrize("wider", [protect, freeze], ids=["a rule", "a freeze"])
def test_nobody_passes_by_what_they_could_not_remove(
    world: World, ref: ServiceRef, owner: Actor, wider: Callable[..., Any]
):
    """An owner of one namespace, before a rule or a freeze of the whole cluster: it is not theirs to pass by."""
    Grant.objects.filter(team__memberships__user_id=owner.user_id).update(cluster="*", namespace="default")
    protect()
    wider(namespace="*")
    with pytest.raises(NotAllowed):
        submit(SECOND, ref, owner, break_glass=True, reason="the shop is down")
    assert not Operation.objects.exists()


def test_what_became_wider_meanwhile_is_not_passed_by(world: World, ref: ServiceRef, owner: Actor):
    Grant.objects.filter(team__memberships__user_id=owner.user_id).update(cluster="*", namespace="default")
    protect()
    operation = submit(SECOND, ref, owner, break_glass=True, reason="the shop is down")
    freeze(namespace="*")
    operation = finish(operation)
    assert (operation.status, operation.cause["code"]) == (Status.STOPPED, "not-allowed")
    assert world.get(ref.name)["metadata"]["generation"] == 1


def role(name: str) -> Any:
    from console.access.models import Role

    return Role.objects.get(name=name)


def test_without_protection_there_is_nothing_to_override(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer, break_glass=True, reason="to be sure")
    assert not operation.broke_glass
    assert finish(operation).status == Status.SUCCEEDED


def test_a_waiting_change_is_in_nobodys_way(world: World, ref: ServiceRef, deployer: Actor, approver: Actor):
    protect(permissions=["deploy"])
    waiting = submit(SECOND, ref, deployer)
    free = submit(SplitTraffic((TrafficTarget(f"{ref.name}-00001", 100),)), ref, deployer)
    assert finish(free).status == Status.SUCCEEDED
    assert now_is(waiting).status == Status.WAITING
    with pytest.raises(NotNow):
        submission.cancel(waiting, actor=deployer)


def test_changes_of_rules_and_windows_are_in_the_log_with_before_and_after(db, owner: Actor):
    rule = ProtectionRule(cluster="box", namespace="prod-*", permissions=["deploy"])
    rules.save(rule, {}, actor=owner)
    before = rule.facts()
    rule.permissions, rule.valid_hours = ["deploy", "delete"], 4
    rules.save(rule, before, actor=owner)
    rules.delete(rule, actor=owner)
    window = FreezeWindow(begins="2026-12-24T18:00", ends="2026-12-27T00:00", permissions=["deploy"])
    rules.save(window, {}, actor=owner)
    found = list(Entry.objects.filter(action__startswith="protect.").order_by("sequence"))
    assert [entry.action for entry in found] == [
        "protect.rule-add", "protect.rule-change", "protect.rule-remove", "protect.window-add",
    ]  # fmt: skip
    told = [row for row in found[1].changes if not is_of_rights(row["field"])]
    assert [(row["field"], row["before"], row["after"]) for row in told] == [
        ("permissions", "deploy", "deploy, delete"), ("valid_hours", "24", "4"),
    ]  # fmt: skip
    assert all(row["after"] is None for row in found[2].changes)


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        ({}, "box/prod"),
        ({"service": "shop"}, "box/prod/shop"),
        ({"selector": "b=2,a=1"}, "box/prod [a=1,b=2]"),
        ({"service": "shop", "selector": "a=1"}, "box/prod/shop [a=1]"),
    ],
)
def test_two_scopes_that_differ_are_written_differently(scope: dict[str, str], text: str):
    assert ProtectionRule(cluster="box", namespace="prod", **scope).place == text


@pytest.mark.parametrize(
    ("scope", "yes"),
    [
        (("box", "prod-shop", "app=shop,tier=gold"), True),
        (("box", "prod-*", "app=shop"), True),
        (("box", "prod-*", ""), False),
        (("box", "*", "app=shop"), False),
        (("*", "prod-*", "app=shop"), False),
        (("box", "prod*", "app=shop"), False),
    ],
)
def test_a_rule_is_managed_by_managers_of_all_of_its_scope(db, scope: tuple[str, str, str], yes: bool):
    user = person("mona", "owner")
    Grant.objects.filter(team__memberships__user=user).update(cluster="box", namespace="prod-*", selector="app=shop")
    cluster, namespace, selector = scope
    rule = ProtectionRule(cluster=cluster, namespace=namespace, selector=selector)
    assert manages(rights_of(user), rule) is yes


def test_a_freeze_in_a_named_zone_is_judged_by_that_zones_clock(world: World, ref: ServiceRef, deployer: Actor):
    """The same wall-clock times, half a world away, are over or yet to come."""
    now = timezone.now().astimezone(ZoneInfo("Pacific/Kiritimati")).replace(tzinfo=None)
    begins, ends = (f"{now + timedelta(hours=hours):%Y-%m-%dT%H:%M}" for hours in (-1, 1))
    window = freeze(begins=begins, ends=ends, zone="Pacific/Kiritimati")
    with pytest.raises(Frozen):
        submit(SECOND, ref, deployer)
    FreezeWindow.objects.filter(id=window.id).update(zone="Pacific/Niue")
    assert submit(SECOND, ref, deployer).status == Status.QUEUED
    assert datetime.fromisoformat(begins) < datetime.fromisoformat(ends)
