"""The end of an operation: its terminal state, its audit entry and its last lines, in one transaction."""

import logging

import structlog
from django.db import transaction
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.audit import Outcome
from console.audit.chain import acting_in
from console.knative.causes import Cause
from console.operations import totals
from console.operations.announce import tell
from console.operations.engine.leases import save
from console.operations.models import Operation, TimelineLine
from console.operations.models.statuses import SUCCESSFUL, Status

log = structlog.get_logger(__name__)

_OUTCOMES = {
    **dict.fromkeys(SUCCESSFUL, Outcome.SUCCEEDED),
    **dict.fromkeys((Status.REFUSED, Status.STOPPED), Outcome.REFUSED),
}


def finish(operation: Operation, status: Status, *lines: TimelineLine, cause: Cause | None = None) -> None:
    """Write the end; raises LeaseLost when another worker holds the operation now."""
    finished_at = timezone.now()  # before the transaction: what is claimed was read just now, and a lock may be far off
    stored, code = (cause.to_json(), cause.name) if cause else ({}, "")
    with transaction.atomic():
        save(operation, *lines, status=status, cause=stored, finished_at=finished_at, lease_until=None, lease_owner="")
        actor = Actor(operation.user_id, operation.actor, operation.ip, operation.request_id)
        audit.record(
            f"operation.{status.value}",
            actor=actor,
            ref=operation.ref,
            acting=acting_in(operation.id),
            outcome=_OUTCOMES.get(status, Outcome.FAILED),
            text=" ".join(filter(None, (operation.kind, operation.revision, code))),
            operation=operation.id,
        )
        totals.count_timed_end(operation)
    tell("operation", operation)
    log.log(
        logging.INFO if status in (*SUCCESSFUL, Status.CANCELLED) else logging.WARNING,
        "operation_finished",
        operation=str(operation.id),
        request_id=operation.request_id,
        service=str(operation.ref),
        kind=operation.kind,
        outcome=status.value,
        cause=code,
        seconds=round(operation.seconds or 0.0, 3),
    )
