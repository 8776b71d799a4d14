"""Following what the write made, from where the last turn stopped, until the outcome is known."""

from console.cluster import errors
from console.knative.changes import CreateService
from console.knative.objects import Revision, Service
from console.knative.progress import Follow, Outcome, closing
from console.operations import evidence, faults
from console.operations.statuses import Status
from console.operations.turns import Pause, Turn
from console.operations.writing import CHANGED_BY

SLICE_SECONDS = 10.0  # then another turn goes on, so that nobody waits for a worker behind a slow pull
WATCH_SECONDS = 5

STATUS_OF = {
    Outcome.SUCCEEDED: Status.SUCCEEDED,
    Outcome.NOT_SERVING: Status.NOT_SERVING,
    Outcome.FAILED: Status.FAILED,
    Outcome.TIMED_OUT: Status.TIMED_OUT,
    Outcome.SUPERSEDED: Status.SUPERSEDED,
}


def follow(turn: Turn) -> None:
    """Watch until the operation ends (raises Ended) or the slice is over (raises Pause)."""
    state = Follow(**turn.operation.follow_state)
    until = turn.clock() + SLICE_SECONDS
    service = turn.read()
    _observe(turn, state, service, turn.operation.watch_from)
    while state.outcome is None and turn.clock() < until and not turn.stop.is_set():
        service = _watch(turn, state, service)
    if state.outcome is None:
        raise Pause
    faults.reach("outcome-known")
    _conclude(turn, state, state.outcome, service)


def _watch(turn: Turn, state: Follow, service: Service | None) -> Service | None:
    """Take in what a few seconds of watching bring; return the service as it was seen last."""
    operation = turn.operation
    # While Ready=False is being forgiven the error window must not be slept over.
    seconds = 1 if state.failing_since is not None else WATCH_SECONDS
    try:
        for event in turn.gateway.watch_service(
            operation.namespace, operation.name, operation.watch_from, seconds=seconds, stop=turn.stop
        ):
            if event.type == "BOOKMARK":
                continue
            service = None if event.type == "DELETED" else Service(event.object)
            _observe(turn, state, service, event.resource_version)
            if state.outcome:
                return service
    except errors.Expired:
        service = turn.read()
        _observe(turn, state, service, service.resource_version if service else "")
    _observe(turn, state, service, operation.watch_from)  # time passes even when nothing happens
    return service


def _observe(turn: Turn, state: Follow, service: Service | None, version: str) -> None:
    """Let the state machine see the service; save what it learned, and prolong the lease in any case."""
    phases = dict(state.phases)
    revision = _new_revision(turn, state, service)
    lines = [
        turn.line(line.text, phase=line.phase.value, elapsed=line.elapsed)
        for line in state.observe(turn.elapsed, service, revision)
    ]
    turn.save(
        *lines,
        announce=bool(lines) or phases != state.phases,
        watch_from=version,
        follow_state=state.state,
        phases=state.phases,
        revision=state.revision or "",
    )
    if lines:
        faults.reach("line-written")


def _new_revision(turn: Turn, state: Follow, service: Service | None) -> Revision | None:
    """The revision that the change made, while its own conditions still tell something new."""
    name = service.latest_created_revision if service else None
    if not (state.makes_revision and name and name != state.previous_revision) or "ready" in state.phases:
        return None
    try:
        return turn.gateway.revision(turn.operation.namespace, name)
    except errors.NotFound:
        return None  # announced before it exists; the next event finds it


def _conclude(turn: Turn, state: Follow, outcome: Outcome, service: Service | None) -> None:
    status = STATUS_OF[outcome]
    if service is None:
        turn.end(Status.FAILED, cause={"code": "deleted-meanwhile"})
    if status in (Status.FAILED, Status.TIMED_OUT):
        turn.end(status, cause=evidence.gather(turn.gateway, service, state))
    if status == Status.SUPERSEDED:
        who = service.annotations.get(CHANGED_BY) or service.last_modifier
        turn.end(status, cause={"code": "superseded", "facts": {"who": who}})
    sentence, url = closing(service, state, created=isinstance(turn.operation.change, CreateService))
    lines = [turn.line(sentence, level="closing"), turn.line(url, level="url")]
    turn.end(status, *lines, cause={"code": "not-serving"} if status == Status.NOT_SERVING else {})
