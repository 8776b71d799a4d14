"""Every end of an operation is counted once, with its entry; what the log and the tables forget stays counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from console.access.actors import Actor
from console.access.models import User
from console.audit import totals as log_totals
from console.audit.models import Entry
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations import totals
from console.operations.models import Operation
from console.operations.models.protection import ProtectionRule
from console.operations.protection import approvals
from console.operations.submitting import submission
from console.operations.tasks import sweep
from tests.operations.conftest import person
from tests.operations.factories import World
from tests.operations.steps import finish, submit

pytestmark = pytest.mark.django_db
SECOND = SetEnv("app", (EnvEntry("TARGET", "Second"),))


def ended() -> dict[tuple[str, ...], float]:
    return dict(log_totals.everything().get(totals.ENDED, {}))


def protect() -> None:
    ProtectionRule.objects.create(permissions=["deploy"], namespace="default", needs_reason=False)


def test_what_a_worker_ended_is_counted_with_its_duration(world: World, ref: ServiceRef, deployer: Actor) -> None:
    done = finish(submit(SECOND, ref, deployer))
    cancelled = submit(SetEnv("app", (EnvEntry("TARGET", "Third"),)), ref, deployer)
    submission.cancel(cancelled, actor=deployer)
    finish(cancelled)
    cancelled.refresh_from_db()
    assert ended() == {("SetEnv", "succeeded"): 1, ("SetEnv", "cancelled"): 1}
    found = log_totals.everything()
    assert sum(found[totals.SECONDS].values()) == 2
    assert found[totals.SECONDS_SUM]["SetEnv",] == pytest.approx((done.seconds or 0) + (cancelled.seconds or 0))
    assert Entry.objects.filter(action__startswith="operation.").exclude(outcome="requested").count() == 2


def declined(operation: Operation, author: Actor, approver: Actor) -> None:
    user = User.objects.get(pk=approver.user_id)
    approvals.decline(operation, user=user, actor=approver, comment="not today")


def withdrawn(operation: Operation, author: Actor, approver: Actor) -> None:
    approvals.withdraw(operation, user=User.objects.get(pk=author.user_id), actor=author)


def expired(operation: Operation, author: Actor, approver: Actor) -> None:
    Operation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    sweep()


@pytest.mark.parametrize(
    ("end", "status"),
    [(declined, "declined"), (withdrawn, "cancelled"), (expired, "expired")],
    ids=["declined", "withdrawn", "expired"],
)
def test_what_ended_while_it_waited_for_a_person_is_counted_without_a_duration(
    world: World, ref: ServiceRef, deployer: Actor, end: Any, status: str
) -> None:
    protect()
    ruth = person("ruth", "releaser")
    end(submit(SECOND, ref, deployer), deployer, Actor(ruth.pk, ruth.username, "192.0.2.10", "request-4"))
    assert ended() == {("SetEnv", status): 1}
    assert totals.SECONDS not in log_totals.everything()


def test_an_override_is_counted(world: World, ref: ServiceRef, owner: Actor) -> None:
    protect()
    submit(SECOND, ref, owner, break_glass=True, reason="the shop is down")
    assert log_totals.everything()[totals.OVERRIDES] == {(): 1}


def test_what_was_not_committed_is_not_counted(db) -> None:
    with transaction.atomic():
        totals.count_override()
        transaction.set_rollback(True)
    totals.count_outside("outside.change")
    totals.count_outside("outside.change")
    assert log_totals.everything() == {totals.OUTSIDE: {("change",): 2}}


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0, "1"), (1.0, "1"), (1.1, "2"), (600.0, "600"), (9999.0, "+Inf")])
def test_a_duration_is_in_the_bucket_whose_limit_it_does_not_pass(db, seconds: float, bucket: str) -> None:
    now = timezone.now()
    totals.count_timed_end(
        Operation(kind="SetEnv", status="succeeded", submitted_at=now, finished_at=now + timedelta(seconds=seconds))
    )
    assert list(log_totals.everything()[totals.SECONDS]) == [("SetEnv", bucket)]
