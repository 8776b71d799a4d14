"""Accepting a change: one transaction for the operation and its audit entry, then the hand-over to a worker."""

import functools
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from console import audit
from console.access.actors import Actor
from console.access.authorization import rights_of
from console.access.models import User
from console.audit import Outcome
from console.knative import changes
from console.knative.diff import FieldChange
from console.knative.objects import Service
from console.operations.announce import tell
from console.operations.models import Operation, Preview
from console.operations.previewing import NotAllowed
from console.operations.sealing import unseal
from console.operations.statuses import ACTIVE, TERMINAL, Status

log = structlog.get_logger(__name__)


class PreviewGone(Exception):
    """The preview was submitted already, is too old, or is somebody else's."""


class NotNow(Exception):
    """The operation is not in a state in which this can be done."""


@transaction.atomic
def submit(
    preview_id: UUID | str, *, user: User, actor: Actor, reason: str = "", batch: UUID | None = None
) -> Operation:
    """Turn what was previewed into an operation; raises PreviewGone or NotAllowed (which is audited)."""
    preview = Preview.objects.filter(id=preview_id, user=user).first()
    if preview is None or not Preview.objects.filter(id=preview.id).delete()[0]:
        raise PreviewGone
    operation = Operation(
        cluster=preview.cluster,
        namespace=preview.namespace,
        name=preview.name,
        sealed_change=bytes(preview.sealed_change),
        sealed_seen=bytes(preview.sealed_seen),
        changes=preview.changes,
        kn=preview.kn,
        makes_revision=preview.makes_revision,
        batch=batch,
    )
    return _accept(operation, user, actor, reason)


@transaction.atomic
def retry(operation: Operation, *, user: User, actor: Actor) -> Operation:
    """Submit the same change again as a new operation, on top of the service as it is now; raises NotNow."""
    if operation.status not in TERMINAL or operation.status in (Status.SUCCEEDED, Status.NOT_SERVING):
        raise NotNow
    again = Operation(
        cluster=operation.cluster,
        namespace=operation.namespace,
        name=operation.name,
        sealed_change=bytes(operation.sealed_change),
        sealed_seen=bytes(operation.sealed_seen),
        changes=operation.changes,
        kn=operation.kn,
        makes_revision=operation.makes_revision,
        retry_of=operation,
        follow_state={"accepts_meanwhile": True},
    )
    return _accept(again, user, actor, "")


def cancel(operation: Operation, *, actor: Actor) -> None:
    """Stop an operation that has not written yet; raises NotNow when it has."""
    with transaction.atomic():
        open_still = Operation.objects.filter(id=operation.id, status__in=ACTIVE, is_written=False)
        if not open_still.update(cancel_requested=True):
            raise NotNow
        audit.record(
            "operation.cancel", actor=actor, ref=operation.ref, outcome=Outcome.REQUESTED, operation=operation.id
        )
        transaction.on_commit(functools.partial(hand_over, operation.id))


def hand_over(operation_id: UUID, *, delay: float = 0.0) -> None:
    """Give the operation to a worker. When the broker is away the sweep does it later; nobody waits here."""
    from console.operations.tasks import perform

    try:
        perform.apply_async([str(operation_id)], countdown=delay or None)
    except (OperationalError, OSError) as error:
        log.warning("hand_over_postponed", operation=str(operation_id), reason=type(error).__name__)


def _accept(operation: Operation, user: User, actor: Actor, reason: str) -> Operation:
    change = changes.load(unseal(operation.sealed_change))
    seen = Service(unseal(operation.sealed_seen))
    rights = rights_of(user)
    missing = {p for p in changes.permissions(change) if not rights.allows(p, operation.ref, seen.labels)}
    if missing:
        raise NotAllowed(frozenset(missing))
    operation.kind = changes.dump(change)["kind"]
    operation.uid = seen.uid
    operation.user, operation.actor, operation.ip = user, actor.name, actor.ip
    operation.request_id, operation.reason = actor.request_id, reason[:500]
    operation.deadline_seconds = settings.OPERATION_DEADLINE
    operation.error_window_seconds = settings.OPERATION_ERROR_WINDOW
    operation.save(force_insert=True)
    audit.record(
        f"{change.permission}.{operation.kind}",
        actor=actor,
        ref=operation.ref,
        roles=rights.roles(operation.ref, seen.labels),
        outcome=Outcome.REQUESTED,
        changes=[FieldChange(tuple(row["path"]), row["before"], row["after"]) for row in operation.changes],
        text=operation.reason,
        operation=operation.id,
    )
    transaction.on_commit(functools.partial(hand_over, operation.id))
    transaction.on_commit(functools.partial(tell, "operation", operation))
    log.info("operation_submitted", operation=str(operation.id), service=str(operation.ref), kind=operation.kind)
    return operation


def forget_old_operations(keep: timedelta) -> int:
    """Delete operations that ended longer ago than `keep`; their audit entries stay. Returns how many."""
    return Operation.objects.filter(finished_at__lt=timezone.now() - keep).delete()[0]
