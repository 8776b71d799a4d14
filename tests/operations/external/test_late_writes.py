"""A worker that is stopped between its intent and its request, and wakes when all is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from console.access.actors import Actor
from console.access.models import Grant
from console.audit.models import Entry
from console.audit.verification import verify
from console.cluster.gateway import Gateway
from console.knative.changes import CreateService, DeleteService, EnvEntry, SetEnv, SplitTraffic
from console.knative.changes.base import Change
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.operations import faults
from console.operations.engine import leases
from console.operations.external import late_writes
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.operations.submitting import submission
from console.operations.tasks import perform
from tests.operations.factories import World, manifest
from tests.operations.steps import finish, submit

pytestmark = pytest.mark.django_db

SECOND = SetEnv("app", (EnvEntry("TARGET", "Second"),))
WRITES = ("replace_service", "create_service", "delete_service")


def wake_late(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> list[str]:
    """Stop the first worker when its request is about to leave; let all else happen; then send the request."""
    stopped: list[str] = []

    def stopping(real: Callable[..., Any]) -> Callable[..., Any]:
        def write(gateway: Gateway, *arguments: Any, dry_run: bool = False, **more: Any) -> Any:
            if not stopped and not dry_run:
                stopped.append(real.__name__)
                Operation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
                meanwhile()
            return real(gateway, *arguments, dry_run=dry_run, **more)

        return write

    for name in WRITES:
        monkeypatch.setattr(Gateway, name, stopping(getattr(Gateway, name)))
    return stopped


def cancel_and_finish(operation: Operation, deployer: Actor) -> Callable[[], None]:
    def act() -> None:
        submission.cancel(operation, actor=deployer)
        assert finish(operation).status == Status.CANCELLED

    return act


@pytest.mark.parametrize("change", [SECOND, SplitTraffic((TrafficTarget(None, 100, "blue"),))], ids=["env", "split"])
def test_after_a_cancellation_the_old_write_cannot_happen(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch, change: Change
):
    operation = submit(change, ref, deployer)
    stopped = wake_late(monkeypatch, cancel_and_finish(operation, deployer))
    perform(str(operation.id))
    assert stopped == ["replace_service"]
    now = world.get(ref.name)
    assert now["metadata"]["generation"] == 1
    assert "sluice.dev/operation" not in now["metadata"]["annotations"]
    operation.refresh_from_db()
    assert (operation.status, operation.is_written) == (Status.CANCELLED, False)


def test_after_a_cancellation_the_old_deletion_cannot_happen(
    world: World, ref: ServiceRef, owner: Actor, monkeypatch: pytest.MonkeyPatch
):
    operation = submit(DeleteService(), ref, owner)
    stopped = wake_late(monkeypatch, cancel_and_finish(operation, owner))
    perform(str(operation.id))
    assert stopped == ["delete_service"]
    assert world.get(ref.name)["metadata"]["name"] == ref.name


def test_a_right_that_was_taken_away_while_the_worker_was_stopped_counts(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    """Not only a cancellation says that nothing was written."""
    operation = submit(SECOND, ref, deployer)

    def take_away() -> None:
        Grant.objects.all().delete()
        assert finish(operation).status == Status.REFUSED

    stopped = wake_late(monkeypatch, take_away)
    perform(str(operation.id))
    assert stopped == ["replace_service"]
    assert world.get(ref.name)["metadata"]["generation"] == 1


def test_a_deadline_that_passed_while_the_worker_was_stopped_counts(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    operation = submit(SECOND, ref, deployer)

    def too_late() -> None:
        Operation.objects.filter(id=operation.id).update(elapsed=601)
        ended = finish(operation)
        assert (ended.status, ended.cause["code"]) == (Status.TIMED_OUT, "never-written")

    wake_late(monkeypatch, too_late)
    perform(str(operation.id))
    assert world.get(ref.name)["metadata"]["generation"] == 1


def test_a_write_that_is_under_way_when_it_is_cancelled_is_found_out(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    """It arrived before the fence: then it was not cancelled, and the operation ends as the write does."""
    operation = submit(SECOND, ref, deployer)
    real, arrived = Gateway.replace_service, []

    def write(gateway: Gateway, *arguments: Any, dry_run: bool = False) -> Any:
        answer = real(gateway, *arguments, dry_run=dry_run)
        if not arrived and not dry_run:
            arrived.append(answer)
            Operation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
            submission.cancel(operation, actor=deployer)
            assert finish(operation).status == Status.SUCCEEDED
        return answer

    monkeypatch.setattr(Gateway, "replace_service", write)
    perform(str(operation.id))
    operation.refresh_from_db()
    assert operation.status == Status.SUCCEEDED
    assert not operation.lines.filter(text=late_writes.CODE)


def test_a_fence_is_nobodys_conflict_and_nobodys_change(
    world: World, ref: ServiceRef, deployer: Actor, owner: Actor, monkeypatch: pytest.MonkeyPatch
):
    operation = submit(SECOND, ref, deployer)
    wake_late(monkeypatch, cancel_and_finish(operation, deployer))
    theirs = submit(SetEnv("app", (EnvEntry("TARGET", "Theirs"),)), ref, owner)
    Operation.objects.filter(id=theirs.id).update(submitted_at=operation.submitted_at)
    perform(str(operation.id))
    theirs = finish(theirs)
    assert theirs.status == Status.SUCCEEDED
    assert not theirs.lines.filter(text="merged")


def test_a_creation_that_arrives_late_is_told(
    world: World, ref: ServiceRef, owner: Actor, monkeypatch: pytest.MonkeyPatch
):
    """Nothing can prevent it but the lease; the sender finds out and records it, once."""
    new = ServiceRef("box", "default", f"late-{ref.name}")
    operation = submit(CreateService(manifest(new.name)), new, owner)
    stopped = wake_late(monkeypatch, cancel_and_finish(operation, owner))
    perform(str(operation.id))
    assert stopped == ["create_service"]
    assert world.get(new.name)
    assert_told_late(operation)


def test_a_late_write_of_a_worker_that_never_came_back_is_told_by_the_look_at_the_cluster(
    world: World, ref: ServiceRef, owner: Actor
):
    from console.knative.objects import Service

    new = ServiceRef("box", "default", f"late-{ref.name}")
    operation = submit(CreateService(manifest(new.name)), new, owner)
    submission.cancel(operation, actor=owner)
    assert finish(operation).status == Status.CANCELLED
    made = Service(world.create(new.name, annotations={"sluice.dev/operation": str(operation.id)}))
    assert late_writes.notice("box", made)
    assert not late_writes.notice("box", made), "once"
    assert not late_writes.notice("elsewhere", made)
    assert_told_late(operation)


def assert_told_late(operation: Operation) -> None:
    operation.refresh_from_db()
    assert (operation.status, operation.is_written) == (Status.CANCELLED, True)
    assert operation.cause["code"] == late_writes.CODE
    lines = list(operation.lines.all())
    assert [line.text for line in lines].count(late_writes.CODE) == 1
    assert [line.sequence for line in lines] == list(range(1, len(lines) + 1))
    entries = Entry.objects.filter(operation=operation.id).order_by("sequence")
    assert [entry.action for entry in entries][-2:] == ["operation.cancelled", f"operation.{late_writes.CODE}"]
    assert verify()


def test_a_worker_that_slept_does_not_write(
    world: World, ref: ServiceRef, owner: Actor, monkeypatch: pytest.MonkeyPatch
):
    """Also where nobody has taken over yet: what was decided before the sleep does not hold any more."""
    new = ServiceRef("box", "default", f"slept-{ref.name}")
    operation = submit(CreateService(manifest(new.name)), new, owner)
    real, asleep = leases._clock, [0.0]
    monkeypatch.setattr(leases, "_clock", lambda: real() + asleep[0])

    def sleep(where: str) -> None:
        if where == "before-write":
            asleep[0] += 3600.0

    monkeypatch.setattr(faults, "reach", sleep)
    perform(str(operation.id))
    operation.refresh_from_db()
    assert operation.status == Status.RUNNING
    assert not [each for each in services(world) if each == new.name]
    monkeypatch.setattr(faults, "reach", lambda _where: None)
    assert finish(operation).status == Status.SUCCEEDED


def test_a_lease_is_renewed_while_a_call_lasts(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    with leases.lease(operation.id, "one"):
        Operation.objects.filter(id=operation.id).update(lease_until=timezone.now() + timedelta(seconds=1))
        assert leases.renew(older_than=0.0) == 1
        operation.refresh_from_db()
        assert operation.lease_until is not None
        assert operation.lease_until > timezone.now() + timedelta(seconds=3)
        assert leases.renew(older_than=60.0) == 0, "it was renewed just now"
    assert leases.renew(older_than=0.0) == 0, "it was given back"


def test_a_lease_that_another_worker_took_is_not_renewed(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    with leases.lease(operation.id, "one") as held:
        Operation.objects.filter(id=operation.id).update(attempt=held.attempt + 1, lease_owner="two")
        assert leases.renew(older_than=0.0) == 0


def test_a_write_without_an_answer_is_told_and_looked_after(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    world.box.fault(verb="update", resource="services", cut="after")
    operation = finish(operation)
    assert operation.status == Status.SUCCEEDED
    assert [line.text for line in operation.lines.filter(level="notice")] == ["write-uncertain"]
    assert world.get(ref.name)["metadata"]["generation"] == 2


def services(world: World) -> list[str]:
    found = world.box.get("/apis/serving.knative.dev/v1/namespaces/default/services")["items"]
    return [each["metadata"]["name"] for each in found]
