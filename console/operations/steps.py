"""The steps of an operation from its submission until it serves: which are passed, and how long each took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from console.knative.progress import Phase
from console.operations.models import Operation
from console.operations.models.statuses import SUCCESSFUL, Status
from console.operations.queries import Usual


class Name(StrEnum):
    """What is passed, in this order."""

    SUBMITTED = "submitted"
    WRITTEN = "written"
    REVISION = "revision"
    READY = "ready"
    TRAFFIC = "traffic"
    SERVING = "serving"
    DELETED = "deleted"


class State(StrEnum):
    """Where an operation is with a step."""

    DONE = "done"
    CURRENT = "current"
    FAILED = "failed"  # the one that was not passed
    OPEN = "open"  # not reached


@dataclass(frozen=True, slots=True)
class Step:
    """`seconds` from the step before to this one, and what that usually is on this service; None: not known."""

    name: Name
    state: State
    seconds: float | None = None
    usual: float | None = None


# The phases that lie between a step and the one before; the last of them is the step.
_PHASES: Mapping[Name, tuple[Phase, ...]] = {
    Name.REVISION: (Phase.REVISION_CREATED,),
    Name.READY: (Phase.IMAGE_RESOLVED, Phase.PODS_STARTING, Phase.READY),
    Name.TRAFFIC: (Phase.TRAFFIC_MOVED,),
    Name.SERVING: (Phase.LOAD_BALANCER,),
}
_FIRST = (Name.SUBMITTED, Name.WRITTEN)


def steps(operation: Operation, usual: Usual | None) -> tuple[Step, ...]:
    """Return the steps of an operation of its kind."""
    names = _names(operation)
    passed = _passed(operation)
    found, before, is_next = [], 0.0, True
    for name in names:
        at = passed.get(name)
        if at is None:
            found.append(Step(name, _state(operation) if is_next else State.OPEN, usual=_usual(name, usual)))
            is_next = False
            continue
        took = None if name is Name.SUBMITTED else max(0.0, at - before)
        found.append(Step(name, State.DONE, took, _usual(name, usual)))
        before = at
    return tuple(found)


def _names(operation: Operation) -> Sequence[Name]:
    if operation.verb.removes:
        return (*_FIRST, Name.DELETED)
    new = (Name.REVISION, Name.READY) if operation.makes_revision else ()
    if operation.status == Status.NOT_SERVING:
        return (*_FIRST, *new)  # it ends here: no traffic moved
    return (*_FIRST, *new, Name.TRAFFIC, Name.SERVING)


def _passed(operation: Operation) -> dict[Name, float]:
    """The steps that were passed, by the seconds since the submission; without the wait for an approval.

    The approval sets the operation's clock to zero (protection.approvals), so its phases are without the wait already.
    """
    began = operation.began_at
    found = {Name.SUBMITTED: 0.0}
    if operation.is_written:
        found[Name.WRITTEN] = max(0.0, (operation.written_at - began).total_seconds()) if operation.written_at else 0.0
    for name, phases in _PHASES.items():
        at = operation.phases.get(phases[-1].value)
        if at is not None:
            found[name] = at
    if operation.verb.removes and operation.status == Status.SUCCEEDED:
        found[Name.DELETED] = operation.seconds or 0.0
    return found


def _state(operation: Operation) -> State:
    """What becomes of the first step that was not passed."""
    if operation.is_active:
        return State.CURRENT
    return State.OPEN if operation.is_open or operation.status in SUCCESSFUL else State.FAILED


def _usual(name: Name, usual: Usual | None) -> float | None:
    phases = _PHASES.get(name, ())
    known = [usual.phases[phase.value] for phase in phases if phase.value in usual.phases] if usual else []
    return sum(known) if phases and len(known) == len(phases) else None
