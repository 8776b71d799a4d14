"""Following what the write made, from where the last turn stopped, until the outcome is known."""

import math

import structlog

from console.cluster import errors
from console.knative.causes import MAX_RAW, Cause, Code
from console.knative.changes import Change, Verb
from console.knative.objects import Revision, Service
from console.knative.progress import Follow, Line, Outcome, closing
from console.operations import faults
from console.operations.engine import diagnosis
from console.operations.engine.last_writer import last_writer
from console.operations.engine.replay import Replay
from console.operations.engine.turns import Pause, Turn
from console.operations.models import TimelineLine
from console.operations.models.statuses import Status

SLICE_SECONDS = 10.0  # then another turn continues, so that no operation waits for a worker behind a slow pull
WATCH_SECONDS = 5
RETRY_PAUSE = 0.2  # seconds before the service is read again after a watch that ended early
MAX_LOOKS = 3  # at a service that changes while the evidence of its failure is gathered

log = structlog.get_logger(__name__)

STATUS_OF = {
    Outcome.SUCCEEDED: Status.SUCCEEDED,
    Outcome.NOT_SERVING: Status.NOT_SERVING,
    Outcome.NOT_READY: Status.SUCCEEDED,
    Outcome.FAILED: Status.FAILED,
    Outcome.TIMED_OUT: Status.TIMED_OUT,
    Outcome.SUPERSEDED: Status.SUPERSEDED,
    Outcome.GONE: Status.FAILED,
}


# The end comes with the next reading, in some milliseconds, and announces itself. A page that was told of the lines
# before it would be busy with them when the end comes.
_ENDS_AT_ONCE = frozenset({Outcome.SUCCEEDED, Outcome.NOT_SERVING})


def follow(turn: Turn) -> None:
    """Watch until the operation ends (raises Ended) or the slice is over (raises Pause).

    1. Watch from where the write, or the last turn, left off: no message is missed and none comes twice.
    2. Take lines and phases from each event. One that arrives late has the time at which it happened.
    3. When an event, a quiet watch or the clock may mean the end, read the service.
    4. Claim what that reading shows, and nothing that an event showed: what the watch replays to a worker that took
       over may be long past. A reading that shows no end leads back to 1.
    """
    state = Follow(**turn.operation.follow_state)
    replay = Replay(turn)
    until = turn.clock() + SLICE_SECONDS
    is_first = True
    while turn.clock() < until and not turn.stop.is_set():
        may_have_ended = _watch(turn, state, replay, _watch_seconds(turn, state, is_first=is_first))
        is_first = False
        if may_have_ended:
            faults.reach("outcome-known")
            _conclude(turn, state, replay)
            turn.announce_held_back()
    raise Pause


def _watch(turn: Turn, state: Follow, replay: Replay, seconds: int) -> bool:
    """Take in what a few seconds of watching bring; return whether it is time to read the service."""
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
            _observe(turn, state, service, event.resource_version, replay)
            if state.outcome or seconds > _watch_seconds(turn, state):
                return state.outcome is not None
    except errors.ClusterError as error:
        # Cut, expired, not allowed: a read shows the service all the same. If it fails too, it says why.
        log.info("watch_ended_early", operation=str(operation.id), reason=type(error).__name__)
        turn.stop.wait(RETRY_PAUSE)
        is_quiet = True
    return is_quiet or turn.is_late or state.failing_since is not None


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


def _observe(turn: Turn, state: Follow, service: Service | None, version: str, replay: Replay) -> None:
    """Let the state machine see the service; save what it learned, and renew the lease.

    A second sight of the version with which the operation ends shows nothing new: the end itself checks the lease.
    """
    came_at = turn.elapsed
    phases = dict(state.phases)
    revision = _new_revision(turn, state, service)  # first: it may leave a notice, and lines are in order of time
    elapsed = max(replay.elapsed_of(service), turn.told_until)
    readable = turn.without_secrets_in_status(service) if service else None  # its messages are shown and stored
    told = state.observe(turn.elapsed, readable, revision)
    if replay.is_behind:
        state.phases = {name: phases.get(name, min(at, elapsed)) for name, at in state.phases.items()}
    has_news = bool(told) or phases != state.phases
    if has_news or state.outcome not in _ENDS_AT_ONCE or version != turn.operation.watch_from:
        turn.save(
            *(_line(turn, line, elapsed if replay.is_behind else line.elapsed) for line in told),
            announce=has_news and state.outcome not in _ENDS_AT_ONCE,
            watch_from=version,
            follow_state=state.state,
            phases=state.phases,
            makes_revision=state.makes_revision,
            revision=state.revision or "",
        )
    if told:
        faults.reach("line-written")
    replay.took_in(came_at)


def _line(turn: Turn, line: Line, elapsed: float) -> TimelineLine:
    return turn.line(line.text, phase=line.phase.value, elapsed=elapsed)


def _new_revision(turn: Turn, state: Follow, service: Service | None) -> Revision | None:
    """The revision that the change made, while its own conditions still show something new."""
    name = service.latest_created_revision if service else None
    if not (state.makes_revision and name and name != state.previous_revision) or "ready" in state.phases:
        return None
    try:
        return turn.gateway.revision(turn.operation.namespace, name)
    except errors.NotFound:
        return None  # announced before it exists; the next event finds it


def _conclude(turn: Turn, state: Follow, replay: Replay) -> None:
    """Read the service and end the operation with what it shows now (raises Ended); return when it shows no end."""
    service = _look(turn, state, replay)
    cause: Cause | None = None
    for _ in range(MAX_LOOKS):
        if state.outcome not in (Outcome.FAILED, Outcome.TIMED_OUT) or service is None:
            break
        cause = diagnosis.diagnose(turn.gateway, service, state)
        seen, service = service, _look(turn, state, replay)
        if service is not None and service.resource_version == seen.resource_version:
            break  # nothing happened while the evidence was gathered
    if state.outcome is not None:
        _end(turn, state, state.outcome, service, cause)


def _look(turn: Turn, state: Follow, replay: Replay) -> Service | None:
    """Read the service as it is now and take it in. It is newer than what was watched: the watch continues there."""
    service = _read(turn)
    read_at = turn.elapsed
    _observe(turn, state, service, service.resource_version if service else turn.operation.watch_from, replay)
    replay.catch_up(read_at)
    return service


def _end(turn: Turn, state: Follow, outcome: Outcome, service: Service | None, cause: Cause | None) -> None:
    status = STATUS_OF[outcome]
    if outcome is Outcome.GONE or service is None:
        # Asked again: another one of the name may have come while the deletion was taken in.
        now = turn.read()
        is_another = now is not None and now.uid != turn.operation.uid
        turn.finish(Status.FAILED, cause=Cause(Code.RECREATED_MEANWHILE if is_another else Code.DELETED_MEANWHILE))
    if status in (Status.FAILED, Status.TIMED_OUT):
        turn.finish(status, cause=cause)
    if status == Status.SUPERSEDED:
        code = Code.SUPERSEDED_WHEN_READY if state.was_ready else Code.SUPERSEDED
        turn.finish(status, cause=Cause(code, facts=last_writer(turn.operation.seen, service)))
    sentence, url = closing(service, state, created=turn.operation.change.verb is Verb.CREATE)
    lines = [turn.line(sentence, level="closing"), turn.line(url, level="url")]
    turn.finish(status, *lines, cause=_cause_of_success(turn.operation.change, outcome, service))


def _cause_of_success(change: Change, outcome: Outcome, service: Service) -> Cause | None:
    """What a success still has to say."""
    if outcome is Outcome.NOT_SERVING:
        is_asked = any(part.withholds_traffic for part in change.parts)
        return Cause(Code.HELD_BACK if is_asked else Code.NOT_SERVING)
    return Cause(Code.NOT_READY, service.ready.message[:MAX_RAW]) if outcome is Outcome.NOT_READY else None
