"""The engine: write the change once, follow the result, end with the real outcome. It may die anywhere.

Each step first asks the database and the cluster what is already true, so that any worker can continue for another.
"""

import threading
from typing import NoReturn

from console.cluster import errors
from console.cluster.connections import SourceUnavailable, UnknownCluster
from console.cluster.errors import ClusterError
from console.knative.causes import Cause, Code
from console.operations.engine.finish import finish
from console.operations.engine.following import follow
from console.operations.engine.turns import RETRY_SECONDS, Ended, Pause, Turn
from console.operations.engine.writing import write
from console.operations.models import Operation
from console.operations.models.statuses import Notice, Status
from console.operations.queue import enqueue_next
from console.sealing import InvalidToken

# An API server that has just started refuses for some seconds what its rules allow: they are not loaded yet.
# Seen on a real one (tests/real_cluster/test_restart.py).
REFUSED_SECONDS = 15.0
# What may be over in a moment: it is tried again until the operation's deadline.
TRANSIENT = (
    *(errors.Unreachable, errors.Uncertain, errors.ServerFailed, errors.Throttled, errors.Expired),
    SourceUnavailable,
)
_CODES: dict[type[ClusterError], Code] = {
    errors.Unreachable: Code.CLUSTER_AWAY,
    errors.Uncertain: Code.CLUSTER_AWAY,
    errors.Expired: Code.CLUSTER_AWAY,
    errors.ServerFailed: Code.CLUSTER_FAILING,
    errors.Throttled: Code.CLUSTER_BUSY,
    SourceUnavailable: Code.DATABASE_AWAY,
    UnknownCluster: Code.CLUSTER_UNKNOWN,
    errors.NotFound: Code.NOT_FOUND,
    errors.Refused: Code.REFUSED,
}


def take_turn(operation: Operation, stop: threading.Event) -> float | None:
    """Work on an operation whose lease is held, for a slice of time.

    Returns the seconds after which another turn should follow, or None when the operation has ended.
    Raises LeaseLost when another worker took over.
    """
    turn = Turn(operation, stop)
    try:
        _work(turn)
    except InvalidToken:
        return _wait_for_key(turn)
    except Ended:
        return None
    except Pause as pause:
        return pause.delay
    return 0.0


def _work(turn: Turn) -> None:
    try:
        if not turn.operation.is_written:
            write(turn)
        follow(turn)
    except errors.Unauthorized as error:
        _doubt(turn, Code.UNAUTHORIZED, error)
    except errors.Forbidden as error:
        _doubt(turn, Code.FORBIDDEN, error)
    except TRANSIENT as error:
        if turn.is_late:
            turn.fail(Status.TIMED_OUT, cause_code(error), error)
        turn.notice_away(error)
        raise Pause(RETRY_SECONDS) from error
    except ClusterError as error:
        turn.fail(Status.FAILED, cause_code(error), error)


def _wait_for_key(turn: Turn) -> float | None:
    """What was typed is encrypted with a key that this worker lacks; what `take_turn` returns.

    A worker that has the key may come, as during a rotation, until the deadline. Nothing was sent by this turn, and its
    end has no message of a cluster, of which nobody could tell what is secret.
    """
    operation = turn.operation
    is_unsent = not operation.is_written and not operation.base_version
    if operation.cancel_requested and is_unsent:
        finish(operation, Status.CANCELLED)
    elif turn.is_late:
        finish(operation, Status.FAILED if is_unsent else Status.TIMED_OUT, cause=Cause(Code.UNDECRYPTABLE))
    else:
        turn.notice(Notice.UNDECRYPTABLE)
        return RETRY_SECONDS
    enqueue_next(operation)
    return None


def cause_code(error: ClusterError) -> Code:
    """Return the code of the cause that an answer of the cluster is, by its class."""
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), Code.CLUSTER)


def _doubt(turn: Turn, code: Code, error: ClusterError) -> NoReturn:
    """Try again for a while before a refusal is believed; always raises Ended or Pause."""
    last = turn.operation.lines.order_by("-sequence").first()
    if last is not None and last.text == Notice.REFUSED_FOR_NOW and turn.elapsed - last.elapsed >= REFUSED_SECONDS:
        turn.fail(Status.FAILED, code, error)
    turn.notice(Notice.REFUSED_FOR_NOW, raw=turn.without_secrets(error.raw)[:500])
    raise Pause(RETRY_SECONDS) from error
