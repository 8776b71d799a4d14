"""Giving an operation's next turn to a worker, through the broker."""

from datetime import timedelta
from typing import Any

import structlog
from celery import Task, current_app
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from kombu import pools
from kombu.exceptions import LimitExceeded, OperationalError

from console.operations.models import Operation
from console.operations.models.statuses import ACTIVE, Status

log = structlog.get_logger(__name__)

# Redis priorities of kombu: 0 first. Changes that wait to be written go before those that are only followed.
FIRST, LATER = 0, 6
NOT_SENT = (OperationalError, OSError, LimitExceeded)
PUBLISH_SECONDS = 1.5
NEVER_QUEUED = timedelta(seconds=5)  # what was not handed over for so long did not reach the broker
# What was handed over so long ago and not begun is perhaps lost with a worker that had fetched it. A copy does no
# harm: the first that is taken makes the others void.
LOST = timedelta(seconds=5)
# One more try takes care of a connection that a restart of the broker left dead in the pool.
RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}


def enqueue(operation: Operation, *, delay: float = 0.0) -> bool:
    """Send the message for the next turn, to be taken after `delay` seconds; returns whether the broker took it.

    When the broker is away or hangs, the sweep does it later: somebody may be waiting for a page here.
    """
    from console.operations.tasks import perform

    priority = LATER if operation.is_written else FIRST
    try:
        send(perform, [str(operation.id), operation.attempt], countdown=delay or None, priority=priority)
    except NOT_SENT as error:
        log.warning("hand_over_postponed", operation=str(operation.id), reason=type(error).__name__)
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


def send(task: Task, arguments: list[Any], **options: Any) -> None:
    """Send a message within about three PUBLISH_SECONDS; raises one of NOT_SENT when that fails.

    The settings' timeouts are those of a consumer, which may wait; a publisher has its own.
    """
    connection = current_app.connection_for_write()
    timeouts = {"socket_timeout": PUBLISH_SECONDS, "socket_connect_timeout": PUBLISH_SECONDS}
    connection.transport_options = {**connection.transport_options, **timeouts, "retry_on_timeout": False}
    with pools.producers[connection].acquire(block=True, timeout=PUBLISH_SECONDS) as producer:
        task.apply_async(arguments, producer=producer, retry=True, retry_policy=RETRY_POLICY, **options)


def enqueue_next(operation: Operation) -> None:
    """Hand over the operation that waits longest behind this one on the same service, if any."""
    waiting = Operation.objects.filter(
        cluster=operation.cluster, namespace=operation.namespace, name=operation.name, status=Status.QUEUED
    )
    following = waiting.exclude(id=operation.id).order_by("submitted_at").first()
    if following:
        enqueue(following)
