"""A write that arrived after its operation had ended as not written: recorded in the timeline and in the audit log."""

from dataclasses import replace
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.audit import Outcome
from console.audit.chain import acting_in
from console.knative.causes import Cause, Code, Late, Writer
from console.knative.objects import OPERATION, Service
from console.operations.announce import tell
from console.operations.models import Operation, TimelineLine
from console.operations.models.statuses import TERMINAL, Notice

CODE = Code.WRITTEN_LATE.value

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
    log.warning(
        "operation_written_late",
        operation=str(operation.id),
        request_id=operation.request_id,
        service=str(operation.ref),
    )
    return True


def _write_down(operation: Operation, service: Service) -> None:
    now = timezone.now()
    # What it meant to make; somebody may have written since.
    generation = service.generation if operation.generation is None else operation.generation
    sequence = operation.last_sequence + 1
    elapsed = max(operation.elapsed, (now - operation.submitted_at).total_seconds())
    TimelineLine.objects.create(
        operation=operation, sequence=sequence, elapsed=elapsed, level="notice", text=Notice.WRITTEN_LATE.value
    )
    Operation.objects.filter(id=operation.id).update(
        is_written=True,
        written_at=now,
        uid=service.uid,
        generation=generation,
        last_sequence=sequence,
        cause=_after(operation.why).to_json(),
    )
    audit.record(
        f"operation.{CODE}",
        actor=Actor(operation.user_id, operation.actor, operation.ip, operation.request_id),
        ref=operation.ref,
        labels=service.labels,
        acting=acting_in(operation.id),
        outcome=Outcome.SUCCEEDED,
        text=f"{operation.kind} generation {generation}",
        operation=operation.id,
    )


def _after(end: Cause | None) -> Cause:
    """The cause of an end that the late write belies: with all that was known then."""
    if end is None:
        return Cause(Code.WRITTEN_LATE)
    writer = end.facts if isinstance(end.facts, Writer) else Writer()
    return replace(end, code=Code.WRITTEN_LATE, facts=Late(writer.who, writer.at, writer.operation, was=end.name))


def _signature(service: Service) -> UUID | None:
    try:
        return UUID(service.annotations.get(OPERATION, ""))
    except ValueError:
        return None
