"""The Celery task of this room: sending the log elsewhere."""

import structlog
from celery import shared_task
from django.db import InterfaceError, OperationalError

from console.audit import forwarding

log = structlog.get_logger(__name__)


@shared_task
def forward() -> None:
    """Send what was recorded since the last time, when a destination is set."""
    try:
        forwarding.forward()
    except (OperationalError, InterfaceError) as error:
        log.warning("audit_not_forwarded", reason=type(error).__name__)  # the next call begins where this one stopped
