"""The task of the audit log: sending its entries elsewhere."""

import structlog
from django.db import InterfaceError, OperationalError

from console.audit import forwarding
from console.queue import TaskName, task

log = structlog.get_logger(__name__)


@task(TaskName.FORWARD_ENTRIES)
def forward() -> None:
    """Send what was recorded since the last time, when a destination is set."""
    try:
        forwarding.forward()
    except (OperationalError, InterfaceError) as error:
        log.warning("audit_not_forwarded", reason=type(error).__name__)  # the next call begins where this one stopped
