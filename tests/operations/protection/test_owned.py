"""Rules on services that another tool owns: a warning to acknowledge, a lock, whichever way a change came."""

from __future__ import annotations

from typing import Any

import pytest

from console.access.actors import Actor
from console.access.models import User
from console.access.refusals import NotAcknowledged, OwnedElsewhere
from console.audit.models import Entry
from console.knative.causes import Code
from console.knative.changes import (
    Change,
    DeleteService,
    EnvEntry,
    ReplaceManifest,
    SetAnnotations,
    SetEnv,
    SetScale,
    SplitTraffic,
)
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.operations.models import Operation
from console.operations.models.protection import ProtectionRule
from console.operations.models.statuses import Status
from console.operations.submitting import previewing, submission
from tests.operations.conftest import person
from tests.operations.factories import World
from tests.operations.steps import finish, submit

pytestmark = pytest.mark.django_db

SECOND = SetEnv("app", (EnvEntry("TARGET", "Second"),))
ALL = ["deploy", "traffic", "operate", "delete"]
ARGO = {"argocd.argoproj.io/tracking-id": "shop:serving.knative.dev/Service:default/shop"}
FLAGGER = {"flagger.app/primary-revision": "shop-00001"}


def rule(owned: str, **more: Any) -> ProtectionRule:
    return ProtectionRule.objects.create(**{"permissions": ALL, "namespace": "default", "owned": owned, **more})


def own(world: World, ref: ServiceRef, marks: dict[str, str]) -> None:
    world.edit(ref.name, lambda raw: raw["metadata"].setdefault("annotations", {}).update(marks))


def split(ref: ServiceRef) -> SplitTraffic:
    latest = f"{ref.name}-00001"
    return SplitTraffic((TrafficTarget(latest, 100, follows_latest=False),))


def entries(action: str) -> list[tuple[str, str]]:
    return [(entry.actor, entry.text) for entry in Entry.objects.filter(action=action)]


def test_a_lock_refuses_every_way_in_and_names_the_tool(world: World, ref: ServiceRef, deployer: Actor) -> None:
    own(world, ref, ARGO)
    rule("lock", note="Change the repository")
    manifest = world.get(ref.name)
    manifest["spec"]["template"]["spec"]["timeoutSeconds"] = 77
    ways: tuple[Change, ...] = (
        SECOND,
        split(ref),
        SetScale({"min": "2"}),
        SetAnnotations(dict.fromkeys(ARGO), "service"),  # the mark itself
        ReplaceManifest(manifest),
    )
    for change in ways:
        with pytest.raises(OwnedElsewhere) as refused:
            submit(change, ref, deployer)
        assert (refused.value.tool, refused.value.note) == ("Argo CD", "Change the repository")
    assert entries("protect.locked") == [("dora", "Argo CD. Change the repository")] * len(ways)
    assert not Operation.objects.exists()


def test_the_mark_of_a_tool_is_not_taken_away_to_get_past_a_lock_of_one_kind_of_change(
    world: World, ref: ServiceRef, deployer: Actor
) -> None:
    own(world, ref, ARGO)
    rule("lock", permissions=["traffic"])
    submit(SECOND, ref, deployer)
    with pytest.raises(OwnedElsewhere):
        submit(SetAnnotations(dict.fromkeys(ARGO), "service"), ref, deployer)
    submit(SetAnnotations({"shop.example.com/note": "mine"}, "service"), ref, deployer)


def test_several_changes_are_all_or_none_of_them(world: World, ref: ServiceRef, deployer: Actor) -> None:
    own(world, ref, ARGO)
    rule("lock")
    user = User.objects.get(pk=deployer.user_id)
    preview = previewing.preview(SECOND, user=user, ref=ref).preview
    with pytest.raises(OwnedElsewhere):
        submission.submit_all([preview.id], user=user, actor=deployer)
    assert entries("protect.locked") == [("dora", "Argo CD.")]


def test_a_rule_on_owned_services_leaves_the_others_alone(world: World, ref: ServiceRef, deployer: Actor) -> None:
    rule("lock")
    rule("warn")
    assert finish(submit(SECOND, ref, deployer)).status == Status.SUCCEEDED


def test_who_controls_the_traffic_locks_splits_and_nothing_else(world: World, ref: ServiceRef, deployer: Actor) -> None:
    own(world, ref, FLAGGER)
    rule("lock")
    with pytest.raises(OwnedElsewhere, match=ref.name):
        submit(split(ref), ref, deployer)
    assert submit(SECOND, ref, deployer).status == Status.QUEUED


def test_a_warning_wants_to_be_acknowledged_and_the_log_says_that_it_was(
    world: World, ref: ServiceRef, deployer: Actor
) -> None:
    own(world, ref, ARGO)
    rule("warn")
    with pytest.raises(NotAcknowledged):
        submit(SECOND, ref, deployer)
    with pytest.raises(NotAcknowledged):
        submit(SECOND, ref, deployer, acknowledged=["Flux"])
    operation = finish(submit(SECOND, ref, deployer, acknowledged=["Argo CD"]))
    assert operation.status == Status.SUCCEEDED
    assert operation.acknowledged == ["Argo CD"]
    ((who, text),) = entries("protect.acknowledge")
    assert who == "dora"
    assert text.endswith(" Argo CD")


def test_a_retry_needs_no_second_tick_for_the_same_tools_and_one_for_others(
    world: World, ref: ServiceRef, deployer: Actor
) -> None:
    own(world, ref, ARGO)
    rule("warn")
    operation = submit(SECOND, ref, deployer, acknowledged=["Argo CD"])
    Operation.objects.filter(pk=operation.pk).update(status=Status.FAILED)
    user = User.objects.get(pk=deployer.user_id)
    operation.refresh_from_db()
    again = submission.retry(operation, user=user, actor=deployer)
    assert again.acknowledged == ["Argo CD"]
    Operation.objects.filter(pk__in=(operation.pk, again.pk)).update(status=Status.FAILED, acknowledged=["Helm"])
    operation.refresh_from_db()
    with pytest.raises(NotAcknowledged):
        submission.retry(operation, user=user, actor=deployer)


def test_a_lock_that_came_in_the_meantime_stops_the_write(world: World, ref: ServiceRef, deployer: Actor) -> None:
    own(world, ref, ARGO)
    operation = submit(SECOND, ref, deployer)
    rule("lock", note="Change the repository")
    operation = finish(operation)
    assert operation.status == Status.STOPPED
    assert operation.why.code == Code.LOCKED
    assert world.env(ref.name)["TARGET"] == "First"


def test_the_emergency_override_passes_a_lock_and_is_recorded(world: World, ref: ServiceRef, deployer: Actor) -> None:
    own(world, ref, ARGO)
    rule("lock")
    owner = person("olga", "owner")
    actor = Actor(owner.pk, owner.username, "192.0.2.11", "request-5")
    operation = finish(submit(SECOND, ref, actor, reason="outage", break_glass=True))
    assert operation.status == Status.SUCCEEDED
    assert [who for who, _text in entries("protect.override")] == ["olga"]


def test_a_deletion_is_undone_by_who_makes_the_service_and_not_by_who_splits_it(
    world: World, ref: ServiceRef, deployer: Actor
) -> None:
    rule("lock")
    owner = person("olga", "owner")
    actor = Actor(owner.pk, owner.username, "192.0.2.11", "request-5")
    own(world, ref, FLAGGER)
    assert submit(DeleteService(), ref, actor).status == Status.QUEUED
    own(world, ref, ARGO)
    with pytest.raises(OwnedElsewhere):
        submit(DeleteService(), ref, actor)
