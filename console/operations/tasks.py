"""The Celery tasks: perform an operation's next slice, sweep up what was left behind, send an access test."""

import os
import socket
import threading
from datetime import timedelta

import structlog
from celery import shared_task
from celery.signals import worker_shutting_down
from django.db.models import Q
from django.db.models.functions import Now

from console.operations import access_tests
from console.operations.engine import take_turn
from console.operations.leases import AlreadyHeld, LeaseLost, lease
from console.operations.models import Operation
from console.operations.previewing import forget_old_previews
from console.operations.statuses import ACTIVE
from console.operations.submission import forget_old_operations, hand_over

KEEP_OPERATIONS = timedelta(days=180)
SWEEP_SECONDS = 5.0
NEVER_QUEUED = timedelta(seconds=5)  # what has no lease for so long probably never reached the queue

log = structlog.get_logger(__name__)
_stopping = threading.Event()


@worker_shutting_down.connect
def _stop(**_kwargs: object) -> None:
    """Following ends at the next event; what is open is handed to the next worker by the sweep."""
    _stopping.set()


@shared_task
def perform(operation_id: str) -> None:
    """Work on the operation for one slice; quiet when another worker has it or it has ended."""
    owner = f"{socket.gethostname()}/{os.getpid()}/{threading.get_ident()}"
    try:
        with lease(operation_id, owner) as operation:
            structlog.contextvars.bind_contextvars(operation=operation_id)
            delay = take_turn(operation, _stopping)
    except AlreadyHeld:
        return
    except LeaseLost:
        log.warning("lease_lost", operation=operation_id)
        return
    finally:
        structlog.contextvars.unbind_contextvars("operation")
    if delay is not None:
        hand_over(operation.id, delay=delay)


@shared_task
def sweep() -> None:
    """Hand over every active operation that nobody holds: its worker died, or the broker never got it."""
    quiet = Q(lease_until=None, submitted_at__lt=Now() - NEVER_QUEUED) | Q(lease_until__lt=Now())
    for operation in Operation.objects.filter(quiet, status__in=ACTIVE).only("id"):
        hand_over(operation.id)


@shared_task
def tidy() -> None:
    """Forget previews that nobody submitted and operations of long ago; the audit log keeps its entries."""
    log.info("tidied", previews=forget_old_previews(), operations=forget_old_operations(KEEP_OPERATIONS))


@shared_task
def send_requests(test_id: str) -> None:
    access_tests.send(test_id, _stopping)
