"""The tasks of operations: perform one's next turn, sweep up what was left behind, see what others changed."""

import os
import socket
import threading

import redis
import structlog
from celery.signals import worker_ready
from django.db import InterfaceError, OperationalError

from console import worker
from console.knative.causes import Cause, Code
from console.mirror.read import MirrorUnavailable
from console.operations import worker_heartbeat
from console.operations.engine import lease_keeper
from console.operations.engine.finish import finish
from console.operations.engine.leases import AlreadyHeld, LeaseLost, lease
from console.operations.engine.run import take_turn
from console.operations.external import detection
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.operations.protection.approvals import expire_requests
from console.operations.queue import enqueue, left_behind
from console.operations.submitting import drafts
from console.operations.submitting.previewing import forget_old_previews
from console.operations.submitting.removal import forget_old_operations
from console.queue import TaskName, task
from console.registry import reports

log = structlog.get_logger(__name__)


@worker_ready.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _keep_leases(**_kwargs: object) -> None:
    lease_keeper.start(worker.stopping)


@task(TaskName.PERFORM)
def perform(operation_id: str, turn: int | None = None) -> None:
    """Work on the operation for one turn; quiet when another worker has it, had this turn, or it has ended."""
    owner = f"{socket.gethostname()}/{os.getpid()}/{threading.get_ident()}"
    structlog.contextvars.bind_contextvars(operation=operation_id)
    try:
        with lease(operation_id, owner, turn=turn) as operation:
            structlog.contextvars.bind_contextvars(request_id=operation.request_id, service=str(operation.ref))
            again_after = _take_turn(operation)
        if again_after is not None:
            enqueue(operation, delay=again_after)
    except AlreadyHeld:
        log.debug("turn_void")
    except LeaseLost:
        log.warning("lease_lost")
    except (OperationalError, InterfaceError, redis.RedisError, MirrorUnavailable) as error:
        log.warning("turn_interrupted", reason=type(error).__name__)  # the sweep finds it when the lease runs out
    finally:
        structlog.contextvars.unbind_contextvars("operation", "request_id", "service")


def _take_turn(operation: Operation) -> float | None:
    """Take the turn. An unexpected error ends the operation as internal error instead of being retried without end."""
    try:
        return take_turn(operation, worker.stopping)
    except (LeaseLost, OperationalError, InterfaceError, redis.RedisError, MirrorUnavailable):
        raise
    except Exception as error:
        log.exception("turn_failed")
        finish(operation, Status.FAILED, cause=Cause(Code.INTERNAL, type(error).__name__))
        return None


@task(TaskName.SWEEP)
def sweep() -> None:
    """Hand over every active operation that nobody works on: its worker died, or its message was lost.

    Requests for approval that nobody decided in time end as well.
    """
    worker_heartbeat.mark()
    expire_requests()
    for operation in left_behind().only("id", "attempt", "is_written", "request_id"):
        with structlog.contextvars.bound_contextvars(operation=str(operation.id), request_id=operation.request_id):
            log.info("operation_found", turn=operation.attempt)
            if not enqueue(operation):
                return


@task(TaskName.DETECT_EXTERNAL)
def detect_external() -> None:
    """Write what others changed in the clusters into the audit log."""
    try:
        detection.look()
    except (MirrorUnavailable, OperationalError, InterfaceError) as error:
        log.warning("detection_interrupted", reason=type(error).__name__)  # the next one sees all of it


@task(TaskName.TIDY)
def tidy() -> None:
    """Forget previews and drafts that nobody submitted, and operations of long ago; the audit log keeps its entries."""
    drafts.forget_old()
    log.info(
        "tidied",
        previews=forget_old_previews(),
        operations=forget_old_operations(),
    )


@task(TaskName.EXAMINE_CLUSTERS)
def examine_clusters() -> None:
    """Find out which clusters answer, which versions run there and what the console's account may do."""
    reports.refresh_all()
