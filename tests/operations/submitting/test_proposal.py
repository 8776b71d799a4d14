"""A proposal is worked out once: each further time costs a large manifest 0.2 s of the web process."""

from __future__ import annotations

import pytest

from console.access.actors import Actor
from console.access.models import User
from console.knative import diff
from console.knative.changes import (
    Change,
    Combined,
    CreateService,
    DeleteService,
    EnvEntry,
    ReplaceManifest,
    SetEnv,
    SetTimeout,
    SplitTraffic,
)
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.operations.models.statuses import Status
from console.operations.submitting import submission
from console.operations.submitting.previewing import preview
from tests.operations.factories import World, manifest
from tests.operations.steps import finish, submit
from tests.support.calls import counted

pytestmark = pytest.mark.django_db

ENV = SetEnv("app", (EnvEntry("TARGET", "Second-value"),))


def changed(world: World, ref: ServiceRef) -> dict:
    found = world.get(ref.name)
    found["spec"]["template"]["spec"]["timeoutSeconds"] = 77
    return found


def test_a_preview_applies_each_change_once(world: World, ref: ServiceRef, dora: User):
    split = SplitTraffic((TrafficTarget(f"{ref.name}-00001", 100),))
    for change in (ENV, SetTimeout(9), split, ReplaceManifest(changed(world, ref))):
        with counted(type(change).apply) as calls:
            assert not preview(change, user=dora, ref=ref).is_empty
        assert list(calls.values()) == [1], change
    new = CreateService(manifest("another"))
    with counted(CreateService.apply) as calls:
        assert preview(new, user=dora, ref=ServiceRef(ref.cluster, ref.namespace, "another")).is_new
    assert list(calls.values()) == [1]


def test_a_preview_of_several_changes_applies_each_part_once(world: World, ref: ServiceRef, dora: User):
    with counted(SetEnv.apply, SetTimeout.apply) as calls:
        preview(Combined((ENV, SetTimeout(9))), user=dora, ref=ref)
    assert calls == {"SetEnv.apply": 1, "SetTimeout.apply": 1}


@pytest.mark.parametrize(("change", "most"), [(ENV, 2), (Combined((ENV, SetTimeout(9))), 4)])
def test_a_preview_compares_what_is_sent_and_what_is_answered_once_each(
    world: World, ref: ServiceRef, dora: User, change: Change, most: int
):
    """Of several parts, each part is compared as well: it has permissions of its own."""
    with counted(diff.diff) as calls:
        preview(change, user=dora, ref=ref)
    assert calls["diff"] == most


def test_the_submission_applies_the_change_once(world: World, ref: ServiceRef, dora: User, deployer: Actor):
    shown = preview(ENV, user=dora, ref=ref).preview
    with counted(SetEnv.apply) as calls:
        submission.submit(shown.id, user=dora, actor=deployer)
    assert calls == {"SetEnv.apply": 1}


def test_the_write_applies_the_change_to_what_its_author_saw_and_to_what_is_there_then(
    world: World, ref: ServiceRef, deployer: Actor
):
    """To the first for conflicts and secrets."""
    made = submit(ENV, ref, deployer)
    with counted(SetEnv.apply) as calls:
        made = finish(made)
    assert (made.status, made.attempt) == (Status.SUCCEEDED, 1)
    assert calls["SetEnv.apply"] == 2


def test_a_deletion_has_no_difference_but_what_goes(world: World, ref: ServiceRef, owner: Actor):
    proposal = preview(DeleteService(), user=User.objects.get(pk=owner.user_id), ref=ref)
    assert [(row.path, row.before, row.after) for row in proposal.difference] == [(("service",), ref.name, None)]
