"""How often operations ended and how, how long they took, and what went round the console's rules: for metrics."""

from bisect import bisect_left

from console.audit import totals
from console.operations.models import Operation

ENDED, SECONDS, SECONDS_SUM = "operations_ended", "operation_seconds", "operation_seconds_sum"
OVERRIDES, OUTSIDE = "overrides", "outside_changes"
BUCKETS = ("1", "2", "5", "10", "20", "30", "60", "120", "300", "600", "1800", "+Inf")  # upper limits in seconds
_LIMITS = [float(limit) for limit in BUCKETS]
OUTSIDE_CHANGES = ("create", "change", "delete")


def count_end(operation: Operation) -> None:
    """Count the end that was recorded just now, without how long it took: it ended while it waited for a person."""
    totals.add({(ENDED, (operation.kind, operation.status)): 1})


def count_timed_end(operation: Operation) -> None:
    """Count the end of an operation that a worker had, and how long it took."""
    seconds = operation.seconds or 0.0
    bucket = BUCKETS[bisect_left(_LIMITS, seconds)]
    totals.add(
        {
            (ENDED, (operation.kind, operation.status)): 1,
            (SECONDS, (operation.kind, bucket)): 1,
            (SECONDS_SUM, (operation.kind,)): seconds,
        }
    )


def count_override() -> None:
    totals.add({(OVERRIDES, ()): 1})


def count_outside(action: str) -> None:
    """Count a change that was made outside the console, by the action of its entry (`outside.change`)."""
    totals.add({(OUTSIDE, (action.partition(".")[2],)): 1})
