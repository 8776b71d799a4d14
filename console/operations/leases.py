"""One worker at a time for an operation: a lease in the database with a fencing token."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from console.operations.models import Operation, TimelineLine
from console.operations.statuses import ACTIVE

LEASE = timedelta(seconds=25)  # longer than the longest single call to a cluster (transport: 3 + 20 s)


class AlreadyHeld(Exception):
    """Somebody else has the lease, or the operation has ended: nothing to do here."""


class LeaseLost(Exception):
    """The lease ran out and another worker took it: whatever this one wanted to write is void."""


@contextmanager
def lease(operation_id: UUID | str, owner: str, *, turn: int | None = None) -> Iterator[Operation]:
    """Hold the operation; raises AlreadyHeld. The time is the database's, which all workers share.

    `turn` is the fencing token that the message was sent with: a message that was delivered again, or whose turn was
    taken by another one, finds a larger token and is void.
    """
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    if turn is not None:
        free &= Q(attempt=turn)
    taken = Operation.objects.filter(free, id=operation_id, status__in=ACTIVE).update(
        lease_owner=owner, lease_until=Now() + LEASE, attempt=F("attempt") + 1
    )
    if not taken:
        raise AlreadyHeld
    operation = Operation.objects.get(id=operation_id)
    try:
        yield operation
    finally:
        Operation.objects.filter(id=operation_id, attempt=operation.attempt).exclude(lease_until=None).update(
            lease_until=None, lease_owner=""
        )


def save(operation: Operation, *lines: TimelineLine, only_if: Q | None = None, **fields: Any) -> None:
    """Write fields and timeline lines at once and prolong the lease.

    Raises LeaseLost when the token is old, the operation has ended, or `only_if` does not hold.
    """
    with transaction.atomic():
        held = Operation.objects.filter(only_if or Q(), id=operation.id, attempt=operation.attempt, status__in=ACTIVE)
        last = operation.last_sequence + len(lines)
        if not held.update(**{"lease_until": Now() + LEASE, "last_sequence": last, **fields}):
            raise LeaseLost
        for sequence, line in enumerate(lines, start=operation.last_sequence + 1):
            line.operation_id, line.sequence = operation.id, sequence
            line.save(force_insert=True)
    operation.last_sequence = last
    for name, value in fields.items():
        setattr(operation, name, value)
