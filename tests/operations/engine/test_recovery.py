"""Workers that die, messages that come twice, clusters that do not answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from console.access.actors import Actor
from console.access.models import User
from console.access.refusals import NotNow, PreviewGone
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations import faults
from console.operations.engine import run
from console.operations.engine.leases import AlreadyHeld, LeaseLost, lease, save
from console.operations.models import Operation
from console.operations.models.statuses import Notice, Status
from console.operations.submitting import submission
from console.operations.tasks import perform
from tests.operations.factories import World
from tests.operations.steps import Died, die_once_at, finish, submit

pytestmark = pytest.mark.django_db

SECOND = SetEnv("app", (EnvEntry("TARGET", "Second"),))


@pytest.mark.parametrize("step", faults.STEPS)
def test_a_worker_that_dies_at_any_step_is_followed_by_another(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch, step: str
):
    operation = submit(SECOND, ref, deployer)
    die_once_at(step, monkeypatch)
    with pytest.raises(Died):
        finish(operation)
    operation = finish(operation)
    assert operation.status == Status.SUCCEEDED
    assert world.get(ref.name)["metadata"]["generation"] == 2
    lines = list(operation.lines.all())
    assert [line.sequence for line in lines] == list(range(1, len(lines) + 1))
    assert [line.level for line in lines].count("header") == 1
    assert lines[-1].level == "url"


def test_a_message_that_comes_again_is_void(world: World, ref: ServiceRef, deployer: Actor):
    """Else each copy would begin a chain of turns of its own, for as long as the operation lasts."""
    submit(SECOND, ref, deployer)
    waiting = submit(SetEnv("app", (EnvEntry("OTHER", "x"),)), ref, deployer)
    for _ in range(5):
        perform(str(waiting.id), 0)
    assert Operation.objects.get(id=waiting.id).attempt == 1
    perform(str(waiting.id), 1)
    assert Operation.objects.get(id=waiting.id).attempt == 2


def test_a_lease_keeps_others_out_until_it_runs_out(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    with lease(operation.id, "one") as held:
        with pytest.raises(AlreadyHeld), lease(operation.id, "two"):
            pass
        Operation.objects.filter(id=operation.id).update(lease_until=timezone.now() - timedelta(seconds=1))
        with lease(operation.id, "two"), pytest.raises(LeaseLost):
            save(held, status=Status.RUNNING)
    assert Operation.objects.get(id=operation.id).status == Status.QUEUED


def test_an_end_is_final_in_the_database(world: World, ref: ServiceRef, deployer: Actor):
    operation = finish(submit(SECOND, ref, deployer))
    with pytest.raises(DatabaseError), transaction.atomic():
        Operation.objects.filter(id=operation.id).update(status=Status.FOLLOWING)


def test_two_operations_on_one_service_write_one_after_the_other(world: World, ref: ServiceRef, deployer: Actor):
    first = submit(SECOND, ref, deployer)
    second = submit(SetEnv("app", (EnvEntry("OTHER", "x"),)), ref, deployer)
    perform(str(second.id))
    second.refresh_from_db()
    assert second.status == Status.QUEUED
    assert second.lines.get().text == "queued-behind"
    assert second.lines.get().facts == {"operation": str(first.id)}
    assert finish(first).status == Status.SUCCEEDED
    assert finish(second).status == Status.SUCCEEDED
    assert world.env(ref.name)["OTHER"] == "x"
    assert world.env(ref.name)["TARGET"] == "Second"


def test_only_one_operation_of_a_service_can_be_writing(world: World, ref: ServiceRef, deployer: Actor):
    first, second = (submit(SECOND, ref, deployer) for _ in range(2))
    Operation.objects.filter(id=first.id).update(status=Status.RUNNING)
    with pytest.raises(IntegrityError), transaction.atomic():
        Operation.objects.filter(id=second.id).update(status=Status.RUNNING)


def test_a_queued_operation_can_be_cancelled_and_writes_nothing(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    submission.cancel(operation, actor=deployer)
    assert finish(operation).status == Status.CANCELLED
    assert world.get(ref.name)["metadata"]["generation"] == 1
    with pytest.raises(NotNow):
        submission.cancel(operation, actor=deployer)


def test_a_cancellation_that_comes_while_a_worker_prepares_counts(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    operation = submit(SECOND, ref, deployer)

    def cancel_now(where: str) -> None:
        if where == "claimed":
            submission.cancel(operation, actor=deployer)

    monkeypatch.setattr(faults, "reach", cancel_now)
    assert finish(operation).status == Status.CANCELLED
    assert world.get(ref.name)["metadata"]["generation"] == 1


def test_an_old_intent_is_never_written(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    Operation.objects.filter(id=operation.id).update(elapsed=601)
    operation = finish(operation)
    assert (operation.status, operation.cause["code"]) == (Status.TIMED_OUT, "never-written")
    assert world.get(ref.name)["metadata"]["generation"] == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"verb": "update", "code": 500},
        {"verb": "update", "code": 409},
        {"verb": "update", "cut": "before"},
        {"verb": "update", "cut": "after"},
        {"verb": "get", "code": 503, "times": 2},
        {"verb": "watch", "code": 410},
        {"verb": "watch", "code": 403, "times": 3},
        {"verb": "watch", "cut": "after"},
        {"verb": "update", "code": 429, "retry_after": 1},
    ],
    ids=lambda fault: "-".join(f"{value}" for value in fault.values()),
)
def test_a_bad_day_of_the_api_server_neither_loses_nor_doubles_the_write(
    world: World, ref: ServiceRef, deployer: Actor, fault: dict
):
    operation = submit(SECOND, ref, deployer)
    world.box.fault(**{"resource": "services", **fault})
    operation = finish(operation)
    assert operation.status == Status.SUCCEEDED
    assert world.get(ref.name)["metadata"]["generation"] == 2
    assert operation.lines.filter(level="header").count() == 1


def test_throttling_is_told_in_the_timeline(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    world.box.fault(verb="update", resource="services", code=429, retry_after=1)
    operation = finish(operation)
    assert [line.text for line in operation.lines.filter(level="notice")] == ["throttled"]


def test_an_unexpected_error_ends_the_operation_instead_of_retrying_forever(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    operation = submit(SECOND, ref, deployer)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(run, "write", broken)
    operation = finish(operation)
    assert (operation.status, operation.cause) == (Status.FAILED, {"code": "internal", "raw": "ZeroDivisionError"})


def test_pressing_twice_makes_one_operation(world: World, ref: ServiceRef, deployer: Actor):
    from console.operations.submitting.previewing import preview

    user = User.objects.get(pk=deployer.user_id)
    shown = preview(SECOND, user=user, ref=ref).preview
    first = submission.submit(shown.id, user=user, actor=deployer)
    second = submission.submit(shown.id, user=user, actor=deployer, reason="pressed again")
    assert (second.id, second.reason) == (first.id, "")
    assert Operation.objects.count() == 1
    with pytest.raises(PreviewGone):
        submission.submit(shown.id, user=User.objects.create_user("another"), actor=deployer)


def test_what_is_written_between_reading_and_writing_is_not_lost(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    operation = submit(SECOND, ref, deployer)
    edits: list[str] = []

    def edit_just_before(where: str) -> None:
        if where == "before-write" and not edits:
            edits.append(where)
            world.edit(ref.name, lambda service: service["spec"]["template"]["spec"].update(timeoutSeconds=79))

    monkeypatch.setattr(faults, "reach", edit_just_before)
    assert finish(operation).status == Status.SUCCEEDED
    assert world.get(ref.name)["spec"]["template"]["spec"]["timeoutSeconds"] == 79
    assert world.env(ref.name)["TARGET"] == "Second"


def test_a_service_that_goes_between_reading_and_writing_was_deleted_meanwhile(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    operation = submit(SECOND, ref, deployer)
    monkeypatch.setattr(faults, "reach", lambda where: where == "before-write" and world.delete(ref.name))
    operation = finish(operation)
    assert (operation.status, operation.cause["code"]) == (Status.FAILED, "deleted-meanwhile")


def test_a_clock_that_is_set_changes_neither_times_nor_leases(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    """The wall clock leaps by hours between and within turns, in both directions."""
    operation = submit(SECOND, ref, deployer)
    real = timezone.now
    jumps = iter([3, -5, 7, -2] * 50)
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(hours=next(jumps)))
    operation = finish(operation)
    assert operation.status == Status.SUCCEEDED
    assert all(0 <= line.elapsed < 60 for line in operation.lines.all())


def test_an_api_server_that_refuses_for_a_moment_is_asked_again(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    world.box.fault(verb="get", resource="services", code=403, times=3)  # it has just started: no rules loaded yet
    operation = finish(operation)
    assert operation.status == Status.SUCCEEDED
    assert [line.text for line in operation.lines.all()].count(Notice.REFUSED_FOR_NOW) == 1


def test_an_api_server_that_goes_on_refusing_is_believed(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(run, "REFUSED_SECONDS", 0.0)
    operation = submit(SECOND, ref, deployer)
    world.box.fault(verb="get", resource="services", code=403, times=1000)
    operation = finish(operation)
    assert (operation.status, operation.cause["code"]) == (Status.FAILED, "forbidden")
