"""Rules that keep people who make changes from approving them: by what they may do, or did, wherever they decide."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from console.access.actors import Actor
from console.access.authorization import rights_of
from console.access.models import Role
from console.access.refusals import Separated
from console.audit.models import Entry
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.operations.protection import approvals, separation
from tests.operations.conftest import person
from tests.operations.factories import World
from tests.operations.protection.test_protection import SECOND, approve, joins, now_is, protect, user_of
from tests.operations.steps import finish, submit

pytestmark = pytest.mark.django_db
RIGHTS, ACTED = "rights", "acted"


@pytest.fixture
def both(db) -> Actor:
    """May deploy and approve, by two teams."""
    user = person("bea", "deployer")
    actor = Actor(user.pk, user.username, "192.0.2.11", "request-5")
    joins(actor, "approving", "releaser")
    return actor


@pytest.fixture
def approver(db) -> Actor:
    """May approve, and change nothing: the built-in role releaser splits traffic too."""
    user = person("ruth", "viewer")
    actor = Actor(user.pk, user.username)
    Role.objects.create(name="approver", permissions=["view", "approve"])
    joins(actor, "approvers", "approver")
    return actor


def may(actor: Actor, operation: Operation) -> tuple[bool, bool]:
    """Whether the page offers a decision, and whether the list has it."""
    user = user_of(actor)
    rights = rights_of(user)
    return approvals.may_decide(user, rights, operation), operation in approvals.waiting_for(user, rights)


def wrote(actor: Actor, ref: ServiceRef, days: int = 0, **more: object) -> None:
    """An operation of theirs that changed the service so long ago."""
    Operation.objects.create(
        cluster=ref.cluster, namespace=ref.namespace, name=ref.name, kind="SetEnv", sealed_change=b"", sealed_seen=b"",
        user_id=actor.user_id, actor=actor.name, status=Status.SUCCEEDED, is_written=True,
    )  # fmt: skip
    newest = Operation.objects.filter(user_id=actor.user_id).latest("submitted_at")
    Operation.objects.filter(pk=newest.pk).update(submitted_at=timezone.now() - timedelta(days=days), **more)


def test_without_the_setting_another_person_is_enough(world: World, ref: ServiceRef, deployer: Actor, both: Actor):
    protect()
    operation = submit(SECOND, ref, deployer)
    assert may(both, operation) == (True, True)
    approve(operation, both)
    assert finish(now_is(operation)).status == Status.SUCCEEDED


@pytest.mark.parametrize("decide", ["approve", "decline"])
def test_who_may_make_such_a_change_decides_on_none(
    world: World, ref: ServiceRef, deployer: Actor, both: Actor, approver: Actor, decide: str
):
    protect(approvers=RIGHTS)
    operation = submit(SECOND, ref, deployer)
    assert may(both, operation) == (False, False)
    decisions = {
        "approve": partial(approve, operation, both),
        "decline": partial(approvals.decline, operation, user=user_of(both), actor=both, comment="no"),
    }
    with pytest.raises(Separated):
        decisions[decide]()
    entry = Entry.objects.get(action="protect.separated")
    assert (entry.actor, entry.outcome, entry.operation) == ("bea", "refused", operation.id)
    assert entry.text.endswith(f"{decide}: */default rights")
    assert now_is(operation).status == Status.WAITING
    assert may(approver, operation) == (True, True)
    approve(operation, approver)
    assert finish(now_is(operation)).status == Status.SUCCEEDED


def test_administrators_may_make_every_change_and_so_decide_on_none_there(
    world: World, ref: ServiceRef, deployer: Actor
):
    protect(approvers=RIGHTS)
    operation = submit(SECOND, ref, deployer)
    root = person("root", "owner")
    root.is_superuser = True
    root.save()
    assert not approvals.may_decide(root, rights_of(root), operation)


def test_rights_that_an_approver_got_before_the_write_stop_it(
    world: World, ref: ServiceRef, deployer: Actor, approver: Actor
):
    protect(approvers=RIGHTS)
    operation = submit(SECOND, ref, deployer)
    approve(operation, approver)
    joins(approver, "late", "deployer")
    operation = finish(now_is(operation))
    assert (operation.status, operation.cause["code"]) == (Status.STOPPED, "approver-gone")
    assert world.get(ref.name)["metadata"]["generation"] == 1


@pytest.mark.parametrize(
    ("where", "days", "more", "is_kept"),
    [
        ("default", 0, {}, True),
        ("default", separation.PERIOD.days - 1, {}, True),
        ("default", separation.PERIOD.days + 1, {}, False),
        ("other", 0, {}, False),
        ("default", 0, {"is_written": False}, False),
    ],
)
def test_who_changed_something_in_the_scope_approves_nothing_there_for_a_while(
    world: World, ref: ServiceRef, deployer: Actor, both: Actor, where: str, days: int, more: dict, is_kept: bool
):
    protect(approvers=ACTED)
    wrote(both, ServiceRef(ref.cluster, where, "cart"), days, **more)
    operation = submit(SECOND, ref, deployer)
    assert may(both, operation) == (not is_kept, not is_kept)


def test_a_rule_of_other_services_keeps_nobody(world: World, ref: ServiceRef, deployer: Actor, both: Actor):
    protect()
    protect(approvers=RIGHTS, service="another")
    protect(approvers=RIGHTS, namespace="other")
    protect(approvers=RIGHTS, selector="app=another")
    protect(approvers=RIGHTS, permissions=["delete"])
    operation = submit(SECOND, ref, deployer)
    assert may(both, operation) == (True, True)
