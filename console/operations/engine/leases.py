"""One worker at a time for an operation: a lease in the database with a fencing token.

1. `lease` takes it if nobody has it, in one statement, and increments the token. The clock is the database's.
2. Each `save` is conditional on the token, and renews the lease; so does `renew`, while a call lasts.
3. A worker that was stopped for longer finds that `is_held` is false before it writes to a cluster, and its token old
   when it saves.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from console.database import Prepared
from console.operations.models import Operation, TimelineLine
from console.operations.models.statuses import ACTIVE

# A worker that dies is missed when its lease runs out, so it is short. A worker that lives renews it, also while it
# waits for a cluster: console.operations.engine.lease_keeper.
LEASE = timedelta(seconds=6)


_held_since: dict[tuple[UUID, int], float] = {}  # by operation and token: when this process last renewed the lease


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
    taken_at = _clock()
    taken = Operation.objects.filter(free, id=operation_id, status__in=ACTIVE).update(
        lease_owner=owner, lease_until=Now() + LEASE, attempt=F("attempt") + 1
    )
    if not taken:
        raise AlreadyHeld
    [operation] = _held.instances(Operation, UUID(str(operation_id)))
    _mark(operation, taken_at)
    try:
        yield operation
    finally:
        _held_since.pop((operation.id, operation.attempt), None)
        Operation.objects.filter(id=operation_id, attempt=operation.attempt).exclude(lease_until=None).update(
            lease_until=None, lease_owner=""
        )


_held = Prepared(
    lambda id: Operation.objects.filter(id=id).values_list(*(one.attname for one in Operation._meta.concrete_fields))
)


def is_held(operation: Operation) -> bool:
    """Whether nobody else can have taken the lease yet, judged by a clock that counts while this machine sleeps."""
    since = _held_since.get((operation.id, operation.attempt))
    return since is not None and _clock() - since < LEASE.total_seconds()


def renew(older_than: float) -> int:
    """Renew the leases of this process that were not renewed in the last `older_than` seconds; returns how many."""
    count = 0
    for key, since in list(_held_since.items()):
        now = _clock()
        if now - since < older_than:
            continue
        held = Operation.objects.filter(id=key[0], attempt=key[1], status__in=ACTIVE)
        if held.update(lease_until=Now() + LEASE) and key in _held_since:
            _held_since[key] = now
            count += 1
    return count


def has_any() -> bool:
    """Whether this process holds a lease."""
    return bool(_held_since)


def _mark(operation: Operation, at: float) -> None:
    _held_since[operation.id, operation.attempt] = at


def _clock() -> float:
    """Seconds of a clock that keeps running while the machine is suspended, where there is one (Linux)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def save(operation: Operation, *lines: TimelineLine, only_if: Q | None = None, **fields: Any) -> None:
    """Write fields and timeline lines at once and renew the lease.

    Raises LeaseLost when the token is old, the operation has ended, or `only_if` does not hold.
    """
    saved_at = _clock()
    with transaction.atomic():
        held = Operation.objects.filter(only_if or Q(), id=operation.id, attempt=operation.attempt, status__in=ACTIVE)
        last = operation.last_sequence + len(lines)
        if not held.update(**{"lease_until": Now() + LEASE, "last_sequence": last, **fields}):
            raise LeaseLost
        for sequence, line in enumerate(lines, start=operation.last_sequence + 1):
            line.operation_id, line.sequence = operation.id, sequence
            line.save(force_insert=True)
    if (operation.id, operation.attempt) in _held_since:
        _mark(operation, saved_at)
    operation.last_sequence = last
    for name, value in fields.items():
        setattr(operation, name, value)
