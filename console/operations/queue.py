"""Giving an operation's next turn to a worker, and finding the operations that no worker has."""

from datetime import timedelta

import structlog
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from console import queue
from console.operations.models import Operation
from console.operations.models.statuses import ACTIVE, Status
from console.queue import FIRST, LATER, NOT_SENT, TaskName

log = structlog.get_logger(__name__)

NEVER_QUEUED = timedelta(seconds=5)  # what was not enqueued for so long did not reach the broker
# What was enqueued so long ago and not begun is perhaps lost with a worker that had fetched it. A copy does no
# harm: the first that is taken makes the others void.
LOST = timedelta(seconds=5)


def enqueue(operation: Operation, *, delay: float = 0.0) -> bool:
    """Send the message for the next turn, to be taken after `delay` seconds; returns whether the broker took it.

    When the broker is away or hangs, the sweep does it later: somebody may be waiting for a page here.
    """
    priority = LATER if operation.is_written else FIRST
    try:
        queue.enqueue(TaskName.PERFORM, [str(operation.id), operation.attempt], delay=delay, priority=priority)
    except NOT_SENT as error:
        log.warning("enqueue_postponed", operation=str(operation.id), reason=type(error).__name__)
        return False
    sent = Operation.objects.filter(id=operation.id, attempt=operation.attempt, status__in=ACTIVE)
    sent.update(handed_over_at=Now() + timedelta(seconds=delay))
    return True


def left_behind() -> QuerySet[Operation]:
    """Return the active operations that nobody works on: their worker died, or their message was lost."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    unsent = Q(handed_over_at=None, submitted_at__lt=Now() - NEVER_QUEUED)
    # A turn that ends gives its lease back. One that ran out belonged to a worker that died, or was stopped.
    abandoned = Q(lease_until__lt=Now(), handed_over_at__lt=F("lease_until"))
    lost = Q(handed_over_at__lt=Now() - LOST)
    return Operation.objects.filter(free, unsent | abandoned | lost, status__in=ACTIVE)


def enqueue_next(operation: Operation) -> None:
    """Enqueue the operation that waits longest behind this one on the same service, if any."""
    waiting = Operation.objects.filter(
        cluster=operation.cluster, namespace=operation.namespace, name=operation.name, status=Status.QUEUED
    )
    following = waiting.exclude(id=operation.id).order_by("submitted_at").first()
    if following:
        enqueue(following)
