"""Following what the write made, from where the last turn stopped, until the outcome is known."""

import math

import structlog

from console.cluster import errors
from console.knative import traffic
from console.knative.changes import CreateService
from console.knative.objects import Revision, Service
from console.knative.progress import Follow, Outcome, closing
from console.operations import evidence, faults
from console.operations.meanwhile import last_writer
from console.operations.statuses import Status
from console.operations.turns import Pause, Turn

SLICE_SECONDS = 10.0  # then another turn goes on, so that nobody waits for a worker behind a slow pull
WATCH_SECONDS = 5
BREATH_SECONDS = 0.2  # before the service is read again after a watch that ended early

log = structlog.get_logger(__name__)

STATUS_OF = {
    Outcome.SUCCEEDED: Status.SUCCEEDED,
    Outcome.NOT_SERVING: Status.NOT_SERVING,
    Outcome.FAILED: Status.FAILED,
    Outcome.TIMED_OUT: Status.TIMED_OUT,
    Outcome.SUPERSEDED: Status.SUPERSEDED,
}


def follow(turn: Turn) -> None:
    """Watch until the operation ends (raises Ended) or the slice is over (raises Pause).

    The watch begins where the write, or the last turn, left off, so that no message is missed and none comes twice.
    """
    state = Follow(**turn.operation.follow_state)
    until = turn.clock() + SLICE_SECONDS
    service = _read(turn) if state.outcome else None  # the last turn may have died between knowing and telling
    is_first = True
    while state.outcome is None and turn.clock() < until and not turn.stop.is_set():
        service = _watch(turn, state, service, _watch_seconds(turn, state, is_first=is_first))
        is_first = False
    if state.outcome is None:
        raise Pause
    faults.reach("outcome-known")
    _conclude(turn, state, state.outcome, service)


def _watch(turn: Turn, state: Follow, service: Service | None, seconds: int) -> Service | None:
    """Take in what a few seconds of watching bring; return the service as it was seen last."""
    operation = turn.operation
    is_quiet = True
    try:
        for event in turn.gateway.watch_service(
            operation.namespace, operation.name, operation.watch_from, seconds=seconds, stop=turn.stop
        ):
            if event.type == "BOOKMARK":
                continue
            is_quiet = False
            service = None if event.type == "DELETED" else _ours(turn, Service(event.object))
            _observe(turn, state, service, event.resource_version)
            if state.outcome or seconds > _watch_seconds(turn, state):
                return service
    except errors.ClusterError as error:
        # Cut, expired, not allowed: whatever ails the watch, reading tells as much. When that fails too, it says why.
        log.info("watch_ended_early", operation=str(operation.id), reason=type(error).__name__)
        turn.stop.wait(BREATH_SECONDS)
        is_quiet = True
    if is_quiet:
        service = _read(turn)
    # Time passes even when nothing happens. What was read is newer than what was watched: go on from there.
    _observe(turn, state, service, service.resource_version if service and is_quiet else operation.watch_from)
    return service


def _watch_seconds(turn: Turn, state: Follow, *, is_first: bool = False) -> int:
    """Whole seconds, at least one. While Ready=False is being forgiven, the error window must not be slept over.

    The first watch of a turn is short: when it brings nothing, perhaps nothing was left to happen.
    """
    if state.failing_since is None:
        return 1 if is_first else WATCH_SECONDS
    forgiven = state.error_window - (turn.elapsed - state.failing_since)
    return min(WATCH_SECONDS, max(1, math.ceil(forgiven)))


def _read(turn: Turn) -> Service | None:
    found = turn.read()
    return _ours(turn, found) if found else None


def _ours(turn: Turn, service: Service) -> Service | None:
    """The service, unless it is another one that took the name of a deleted one."""
    return service if turn.operation.uid in ("", service.uid) else None


def _observe(turn: Turn, state: Follow, service: Service | None, version: str) -> None:
    """Let the state machine see the service; save what it learned, and prolong the lease in any case."""
    phases = dict(state.phases)
    revision = _new_revision(turn, state, service)
    told = state.observe(turn.elapsed, service, revision)
    if state.outcome is Outcome.SUCCEEDED and service and not _is_split_as_wished(service):
        state.outcome, told = None, ()  # Ready speaks of the split before: go on until the shares are those of spec
    lines = [turn.line(line.text, phase=line.phase.value, elapsed=line.elapsed) for line in told]
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


def _is_split_as_wished(service: Service) -> bool:
    """status.traffic gives every revision the share that spec.traffic wishes for it."""
    wished: dict[str, int] = {}
    for target in service.spec_traffic:
        name = service.latest_ready_revision if target.is_latest else target.revision
        if target.percent and name:
            wished[name] = wished.get(name, 0) + target.percent
    return wished == traffic.shares(service.status_traffic)


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
        # Asked again: another one of the name may have come while the deletion was taken in.
        turn.end(Status.FAILED, cause={"code": "recreated-meanwhile" if turn.read() else "deleted-meanwhile"})
    if status in (Status.FAILED, Status.TIMED_OUT):
        turn.end(status, cause=evidence.gather(turn.gateway, service, state))
    if status == Status.SUPERSEDED:
        facts = last_writer(turn.operation.seen, service).to_facts()
        turn.end(status, cause={"code": "superseded", "facts": facts})
    sentence, url = closing(service, state, created=isinstance(turn.operation.change, CreateService))
    lines = [turn.line(sentence, level="closing"), turn.line(url, level="url")]
    turn.end(status, *lines, cause={"code": "not-serving"} if status == Status.NOT_SERVING else {})
