"""Whatever happens while nobody looks: what an operation says at its end is so at that time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from console.access.actors import Actor
from console.cluster.gateway import Gateway
from console.knative.changes import DeleteRevision, DeleteService, EnvEntry, SetEnv, SetImage, SetLabels, SplitTraffic
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.operations import faults
from console.operations.engine import following
from console.operations.engine.replay import Replay
from console.operations.engine.turns import Turn
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.operations.tasks import perform
from tests.operations.factories import RUST, World, manifest
from tests.operations.steps import finish, submit
from tests.waiting import eventually

pytestmark = pytest.mark.django_db

SECOND = SetEnv("app", (EnvEntry("TARGET", "Second"),))
CRASH = "example.com/shop/crash:1"
# The steps at which what was learned is about to be said.
LOOKED = ("line-written", "outcome-known", "before-end")


class Died(BaseException):
    """Stands for the end of the process: nothing catches it."""


def pin_away(world: World, name: str) -> None:
    pinned = [{"revisionName": f"{name}-00001", "percent": 100}]
    world.edit(name, lambda service: service["spec"].update(traffic=pinned))


def set_a_crashing_image(world: World, name: str) -> None:
    world.edit(name, lambda service: service["spec"]["template"]["spec"]["containers"][0].update(image=CRASH))


def put_the_value_back(world: World, name: str) -> None:
    def back(service: dict) -> None:
        service["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "First"

    world.edit(name, back)


def delete(world: World, name: str) -> None:
    world.delete(name)


def make_another(world: World, name: str) -> None:
    """It goes, and another one takes its name."""
    world.delete(name)
    eventually(lambda: world.box.post("/apis/serving.knative.dev/v1/namespaces/default/services", manifest(name)))
    eventually(lambda: world.settled(name))


@pytest.mark.parametrize("step", LOOKED)
@pytest.mark.parametrize(
    ("outside", "status", "code"),
    [
        (pin_away, Status.SUPERSEDED, "superseded-when-ready"),
        (set_a_crashing_image, Status.SUPERSEDED, "superseded-when-ready"),
        (put_the_value_back, Status.SUPERSEDED, "superseded-when-ready"),
        (delete, Status.FAILED, "deleted-meanwhile"),
        (make_another, Status.FAILED, "recreated-meanwhile"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_was_so_when_the_worker_died_is_not_said_by_the_next(
    world: World,
    ref: ServiceRef,
    deployer: Actor,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    outside: Callable[[World, str], None],
    status: Status,
    code: str,
):
    """The worker dies, the service becomes ready, somebody changes it; the next worker is told all of it at once."""
    operation = submit(SECOND, ref, deployer)
    die_at(step, monkeypatch)
    with pytest.raises(Died):
        finish(operation)
    eventually(lambda: world.settled(ref.name))
    outside(world, ref.name)
    operation = finish(operation)
    assert operation.status == status
    assert operation.cause["code"].removesuffix("-when-ready") == code.removesuffix("-when-ready")


def test_a_service_that_was_ready_before_the_newer_change_is_said_to_have_been(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    operation = submit(SECOND, ref, deployer)
    die_at("written", monkeypatch)
    with pytest.raises(Died):
        finish(operation)
    eventually(lambda: world.settled(ref.name))
    pin_away(world, ref.name)
    operation = finish(operation)
    assert (operation.status, operation.cause["code"]) == (Status.SUPERSEDED, "superseded-when-ready")
    assert operation.cause["facts"]["who"] == "admin"


def test_a_pin_that_came_while_the_evidence_was_gathered_counts(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    """Between the look at a failure and its claim there are calls that may take seconds."""
    operation = submit(SetImage("app", "example.com/shop/missing:1"), ref, deployer)
    real, done = Gateway.route, []

    def slow_route(gateway: Gateway, namespace: str, name: str):
        if not done:
            done.append(name)
            world.edit(ref.name, lambda service: service["spec"]["template"]["spec"].update(timeoutSeconds=71))
        return real(gateway, namespace, name)

    monkeypatch.setattr(Gateway, "route", slow_route)
    operation = finish(operation)
    assert operation.status == Status.SUPERSEDED


def test_traffic_that_moved_is_said_to_have_moved_though_the_newest_revision_failed(
    world: World, ref: ServiceRef, deployer: Actor
):
    """A rescue: the service stays not ready for its failed revision, and the traffic is where it was sent."""
    finish(submit(SECOND, ref, deployer))
    assert finish(submit(SetImage("app", "example.com/shop/missing:1"), ref, deployer)).status == Status.FAILED
    operation = finish(submit(SplitTraffic((TrafficTarget(f"{ref.name}-00001", 100),)), ref, deployer))
    assert (operation.status, operation.cause["code"]) == (Status.SUCCEEDED, "not-ready")
    assert "Unable to fetch image" in operation.cause["raw"]
    now = Service(world.get(ref.name))
    assert [(each.revision, each.percent) for each in now.status_traffic] == [(f"{ref.name}-00001", 100)]


def test_a_label_is_set_also_on_a_service_that_is_not_ready(world: World, ref: ServiceRef, deployer: Actor):
    assert finish(submit(SetImage("app", "example.com/shop/missing:1"), ref, deployer)).status == Status.FAILED
    operation = finish(submit(SetLabels({"team": "shop"}), ref, deployer))
    assert (operation.status, operation.cause["code"]) == (Status.SUCCEEDED, "not-ready")
    assert world.get(ref.name)["metadata"]["labels"]["team"] == "shop"


def test_a_deletion_is_said_to_be_done_when_the_service_is_gone(
    world: World, ref: ServiceRef, owner: Actor, monkeypatch: pytest.MonkeyPatch
):
    """A finalizer holds it: until that goes, the API still shows the service."""
    world.edit(ref.name, lambda service: service["metadata"].update(finalizers=["shop.example/backup"]))
    operation = submit(DeleteService(), ref, owner)
    perform(str(operation.id))
    operation.refresh_from_db()
    assert operation.is_active
    assert [line.text for line in operation.lines.all()] == ["still-deleting"]
    world.edit(ref.name, lambda service: service["metadata"].pop("finalizers"))
    operation = finish(operation)
    assert operation.status == Status.SUCCEEDED


def test_a_deletion_that_something_holds_beyond_the_deadline_is_not_a_success(
    world: World, ref: ServiceRef, owner: Actor
):
    world.edit(ref.name, lambda service: service["metadata"].update(finalizers=["shop.example/backup"]))
    operation = submit(DeleteService(), ref, owner)
    perform(str(operation.id))
    Operation.objects.filter(id=operation.id).update(elapsed=601)
    operation = finish(operation)
    assert (operation.status, operation.cause["code"]) == (Status.TIMED_OUT, "still-deleting")
    world.edit(ref.name, lambda service: service["metadata"].pop("finalizers"))


def test_a_revision_is_deleted_only_in_the_state_in_which_it_was_read(
    world: World, ref: ServiceRef, owner: Actor, monkeypatch: pytest.MonkeyPatch
):
    """The worker was slow: somebody put traffic onto the revision after it was found free."""
    finish(submit(SetImage("app", RUST), ref, owner))
    operation = submit(DeleteRevision(f"{ref.name}-00001"), ref, owner)
    done: list[str] = []

    def route_to_it(where: str) -> None:
        if where == "before-write" and not done:
            done.append(where)
            pin_away(world, ref.name)
            eventually(lambda: world.settled(ref.name))

    monkeypatch.setattr(faults, "reach", route_to_it)
    operation = finish(operation)
    assert (operation.status, operation.cause["code"]) == (Status.REFUSED, "revision-is-routed")
    assert world.box.get(f"/apis/serving.knative.dev/v1/namespaces/default/revisions/{ref.name}-00001")


def test_a_line_that_is_told_late_carries_the_time_at_which_it_happened(world: World, ref: ServiceRef, deployer: Actor):
    """The last look was after 5 s, the next 60 s later, and the condition changed 20 s before: that is after 45 s."""
    operation = submit(SECOND, ref, deployer)
    Operation.objects.filter(id=operation.id).update(elapsed=5.0)
    operation.refresh_from_db()
    turn = Turn(operation, threading.Event(), clock=lambda: time.monotonic() + 60.0)
    replay = Replay(turn)
    assert replay.elapsed_of(changed(20.0)) == pytest.approx(45.0, abs=4.0)
    assert replay.elapsed_of(changed(10.0)) == pytest.approx(55.0, abs=4.0)
    assert replay.elapsed_of(changed(300.0)) == pytest.approx(55.0, abs=4.0), "never before what was told already"
    assert replay.elapsed_of(changed(-300.0)) == pytest.approx(65.0, abs=4.0), "the cluster's clock is ahead"
    replay.catch_up(turn.elapsed)
    assert replay.elapsed_of(changed(20.0)) == pytest.approx(65.0, abs=4.0), "what is watched live is timed here"


def test_a_worker_that_was_stopped_in_the_middle_of_a_watch_is_told_late_too(
    world: World, ref: ServiceRef, deployer: Actor
):
    operation = submit(SECOND, ref, deployer)
    Operation.objects.filter(id=operation.id).update(elapsed=5.0)
    operation.refresh_from_db()
    stopped = [0.0]
    turn = Turn(operation, threading.Event(), clock=lambda: time.monotonic() + stopped[0])
    replay = Replay(turn)
    assert replay.elapsed_of(changed(1.0)) == pytest.approx(5.0, abs=4.0)
    stopped[0] = 60.0
    assert replay.elapsed_of(changed(20.0)) == pytest.approx(45.0, abs=4.0)


def test_what_waited_while_a_worker_was_held_up_is_told_late_too(world: World, ref: ServiceRef, deployer: Actor):
    """Saving took 7 s (a locked database): less than a silence, and yet the next event may be 6 s old."""
    operation = submit(SECOND, ref, deployer)
    held_up = [0.0]
    turn = Turn(operation, threading.Event(), clock=lambda: time.monotonic() + held_up[0])
    replay = Replay(turn)
    for note in (replay.took_in, replay.catch_up):
        came_at = turn.elapsed
        held_up[0] += 7.0
        note(came_at)
        assert replay.elapsed_of(changed(6.0)) == pytest.approx(came_at + 1.0, abs=2.0)
        operation.elapsed = turn.elapsed
        replay.catch_up(turn.elapsed)
        assert replay.elapsed_of(changed(6.0)) == pytest.approx(turn.elapsed, abs=2.0), "it waits for events again"


def test_the_timeline_of_a_worker_that_took_over_is_dated_by_the_cluster(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    operation = submit(SECOND, ref, deployer)
    die_at("written", monkeypatch)
    with pytest.raises(Died):
        finish(operation)
    eventually(lambda: world.settled(ref.name))
    eventually(lambda: timezone.now() - Service(world.get(ref.name)).ready.changed_at > timedelta(seconds=3.5))
    operation = finish(operation)
    assert operation.status == Status.SUCCEEDED
    ready = operation.lines.get(text="Ready to serve.")
    assert operation.elapsed - ready.elapsed > 2.0


def changed(seconds_ago: float) -> Service:
    moment = (timezone.now() - timedelta(seconds=seconds_ago)).isoformat()
    ready = {"type": "Ready", "status": "Unknown", "lastTransitionTime": moment}
    return Service({"status": {"conditions": [ready]}})


def die_at(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first worker that comes there dies."""
    reached: list[str] = []

    def die_once(where: str) -> None:
        if where == step and not reached:
            reached.append(where)
            raise Died

    monkeypatch.setattr(faults, "reach", die_once)


def test_a_turn_ends_when_its_slice_is_over(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(following, "SLICE_SECONDS", 0.0)
    operation = submit(SECOND, ref, deployer)
    perform(str(operation.id))
    operation.refresh_from_db()
    assert operation.status == Status.FOLLOWING


def test_a_line_never_comes_before_the_notice_that_was_told_while_it_was_found(
    world: World, ref: ServiceRef, deployer: Actor
):
    """The API server fails when the new revision is read: the notice is told first, and the line after it."""
    operation = submit(SECOND, ref, deployer)
    world.box.fault(verb="watch", resource="services", code=410, times=3)  # so that what is read is Ready at once
    world.box.fault(verb="get", resource="revisions", code=503, times=3)
    operation = finish(operation)
    assert operation.status == Status.SUCCEEDED
    lines = list(operation.lines.all())
    assert "cluster-failing" in [line.text for line in lines]
    assert [line.elapsed for line in lines] == sorted(line.elapsed for line in lines)
