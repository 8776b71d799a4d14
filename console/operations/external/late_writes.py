"""A write that arrived after its operation had ended as not written: recorded in the timeline and in the audit log."""

from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.audit import Outcome
from console.knative.objects import OPERATION, Service
from console.operations.announce import tell
from console.operations.models import Operation, TimelineLine
from console.operations.models.statuses import TERMINAL

CODE = "written-late"

log = structlog.get_logger(__name__)


def notice(cluster: str, service: Service) -> bool:
    """Tell of it if the service carries the annotation of an operation that ended unwritten; returns whether it does.

    Recorded once, by the first to find it: the worker that wrote, or the scan for external changes.
    """
    if (signed := _signature(service)) is None:
        return False
    unwritten = Operation.objects.filter(
        id=signed,
        cluster=cluster,
        namespace=service.namespace,
        name=service.name,
        is_written=False,
        status__in=TERMINAL,
    )
    with transaction.atomic():
        operation = unwritten.select_for_update().first()
        if operation is None:
            return False
        _write_down(operation, service)
    tell("operation", operation)
    log.warning("operation_written_late", operation=str(operation.id), service=str(operation.ref))
    return True


def _write_down(operation: Operation, service: Service) -> None:
    now = timezone.now()
    # What it meant to make; somebody may have written since.
    generation = service.generation if operation.generation is None else operation.generation
    sequence = operation.last_sequence + 1
    elapsed = max(operation.elapsed, (now - operation.submitted_at).total_seconds())
    TimelineLine.objects.create(operation=operation, sequence=sequence, elapsed=elapsed, level="notice", text=CODE)
    facts = {"was": operation.cause.get("code", "")}
    Operation.objects.filter(id=operation.id).update(
        is_written=True,
        written_at=now,
        uid=service.uid,
        generation=generation,
        last_sequence=sequence,
        cause={**operation.cause, "code": CODE, "facts": {**(operation.cause.get("facts") or {}), **facts}},
    )
    audit.record(
        f"operation.{CODE}",
        actor=Actor(operation.user_id, operation.actor, operation.ip, operation.request_id),
        ref=operation.ref,
        labels=service.labels,
        outcome=Outcome.SUCCEEDED,
        text=f"{operation.kind} generation {generation}",
        operation=operation.id,
    )


def _signature(service: Service) -> UUID | None:
    try:
        return UUID(service.annotations.get(OPERATION, ""))
    except ValueError:
        return None
