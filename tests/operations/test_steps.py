"""How far an operation came: the steps of its kind, the seconds between them, and the one that was not passed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.operations.models import Operation
from console.operations.queries import Usual
from console.operations.steps import steps

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
PHASES = {
    "accepted": 0.0,
    "revision-created": 1.0,
    "image-resolved": 1.5,
    "pods-starting": 1.5,
    "ready": 4.0,
    "traffic-moved": 4.5,
    "load-balancer": 5.0,
}


def operation(**facts: Any) -> Operation:
    written = {"is_written": True, "submitted_at": AT, "written_at": AT + timedelta(seconds=0.5)}
    return Operation(**{"kind": "SetImage", "status": "succeeded", "makes_revision": True, **written, **facts})


def said(found) -> str:
    return " ".join(f"{step.name}:{step.state}" for step in found)


def test_a_deployment_passes_six_steps_with_their_seconds() -> None:
    found = steps(operation(phases=PHASES), None)
    assert said(found) == "submitted:done written:done revision:done ready:done traffic:done serving:done"
    assert [step.seconds for step in found] == [None, 0.5, 0.5, 3.0, 0.5, 0.5]


def test_a_split_makes_no_revision_and_a_deletion_no_traffic() -> None:
    split = operation(kind="SplitTraffic", makes_revision=False, phases=PHASES)
    assert said(steps(split, None)) == "submitted:done written:done traffic:done serving:done"
    gone = operation(kind="DeleteService", makes_revision=False, finished_at=AT + timedelta(seconds=2))
    assert said(steps(gone, None)) == "submitted:done written:done deleted:done"


@pytest.mark.parametrize(
    ("status", "state"),
    [("following", "current"), ("failed", "failed"), ("timed-out", "failed"), ("queued", "current")],
)
def test_the_first_step_that_is_not_passed_says_how_it_is(status, state) -> None:
    phases = {name: at for name, at in PHASES.items() if at <= 1.5}
    found = steps(operation(status=status, phases=phases), None)
    assert said(found) == f"submitted:done written:done revision:done ready:{state} traffic:open serving:open"


def test_a_revision_without_traffic_is_ready_and_no_traffic_is_said_to_have_moved() -> None:
    found = steps(operation(status="succeeded-not-serving", phases=PHASES), None)
    assert said(found) == "submitted:done written:done revision:done ready:done"


def test_the_wait_for_an_approval_counts_to_no_step() -> None:
    hour = timedelta(hours=1)  # the phases are counted from the approval, which sets the clock to zero
    found = steps(operation(phases=PHASES, released_at=AT + hour, written_at=AT + hour + timedelta(seconds=0.5)), None)
    assert [step.seconds for step in found] == [None, 0.5, 0.5, 3.0, 0.5, 0.5]


def test_a_step_takes_usually_what_its_phases_take_together() -> None:
    usual = Usual(5.0, {"revision-created": 1.0, "image-resolved": 0.5, "pods-starting": 0.0, "ready": 2.5})
    found = steps(operation(phases=PHASES), usual)
    assert [step.usual for step in found] == [None, None, 1.0, 3.0, None, None]
