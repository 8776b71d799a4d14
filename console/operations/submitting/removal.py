"""Operations that are kept no longer: those that ended long ago, but for what a legal hold covers."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from console.audit import chain, policy
from console.operations.models import Operation

BATCH_SIZE = 500  # operations deleted in a transaction


def removable_operations(days: int) -> QuerySet[Operation]:
    """Return the operations that ended longer ago than `days` and that no legal hold covers."""
    held = Q(pk__in=())
    for hold in policy.active_holds():
        held |= Q(pk__in=Operation.objects.filter(policy.operations_of(hold)).values("pk"))
    return Operation.objects.filter(finished_at__lt=timezone.now() - timedelta(days=days)).exclude(held)


def forget_old_operations() -> int:
    """Delete operations that ended longer ago than what is set, those that no legal hold covers; returns how many.

    Their audit entries stay. A hold is placed with its entry: while this has the log, none comes between what is found
    and what is deleted.
    """
    removed = 0
    while True:
        with transaction.atomic():
            chain.hold()
            old = removable_operations(policy.policy().operations_days)
            found = list(old.values_list("pk", flat=True)[:BATCH_SIZE])
            removed += Operation.objects.filter(pk__in=found).delete()[0]
        if len(found) < BATCH_SIZE:
            return removed
