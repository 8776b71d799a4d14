"""The engine: write the change once, follow what it made, end with the truth. It may die anywhere.

Each step first asks the database and the cluster what is already true, so any worker can go on where another stopped.
"""

import threading

from console.cluster import errors
from console.cluster.errors import ClusterError
from console.operations.following import follow
from console.operations.models import Operation
from console.operations.statuses import Status
from console.operations.turns import Ended, Pause, Turn
from console.operations.writing import RETRY_SECONDS, write


def take_turn(operation: Operation, stop: threading.Event) -> float | None:
    """Work on an operation whose lease is held, for a slice of time.

    Returns the seconds after which another turn should follow, or None when the operation has ended.
    Raises LeaseLost when another worker took over.
    """
    turn = Turn(operation, stop)
    try:
        _work(turn)
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
        turn.fail(Status.FAILED, "unauthorized", error)
    except errors.Forbidden as error:
        turn.fail(Status.FAILED, "forbidden", error)
    except (errors.Unreachable, errors.Uncertain, errors.ServerFailed, errors.Throttled, errors.Expired) as error:
        if turn.is_late:
            turn.fail(Status.TIMED_OUT, "cluster-away", error)
        turn.notice_away(error)
        raise Pause(RETRY_SECONDS) from error
    except ClusterError as error:
        turn.fail(Status.FAILED, "cluster", error)
