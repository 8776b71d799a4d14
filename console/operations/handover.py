"""Giving an operation's next turn to a worker, through the broker."""

from datetime import timedelta

import structlog
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from console.operations.models import Operation
from console.operations.statuses import ACTIVE, Status

log = structlog.get_logger(__name__)

# Redis priorities of kombu: 0 first. Changes that wait to be written go before those that are only followed.
FIRST, LATER = 0, 6


def hand_over(operation: Operation, *, delay: float = 0.0) -> bool:
    """Send the message for the next turn, to be taken after `delay` seconds; returns whether the broker took it.

    When the broker is away the sweep does it later; nobody waits here longer than the few retries of
    CELERY_TASK_PUBLISH_RETRY_POLICY.
    """
    from console.operations.tasks import perform

    try:
        perform.apply_async(
            [str(operation.id), operation.attempt],
            countdown=delay or None,
            priority=LATER if operation.is_written else FIRST,
        )
    except (OperationalError, OSError) as error:
        log.warning("hand_over_postponed", operation=str(operation.id), reason=type(error).__name__)
        return False
    sent = Operation.objects.filter(id=operation.id, attempt=operation.attempt, status__in=ACTIVE)
    sent.update(handed_over_at=Now() + timedelta(seconds=delay))
    return True


def wake_next(operation: Operation) -> None:
    """Hand over the operation that waits longest behind this one on the same service, if any."""
    waiting = Operation.objects.filter(
        cluster=operation.cluster, namespace=operation.namespace, name=operation.name, status=Status.QUEUED
    )
    following = waiting.exclude(id=operation.id).order_by("submitted_at").first()
    if following:
        hand_over(following)
