"""Taking back what an operation did to the traffic: the revisions that served before serve again."""

from console.knative import paths, traffic
from console.knative.changes import RollBack
from console.operations.models import Operation


def is_possible(operation: Operation) -> bool:
    """It was written, it may have moved traffic, and what served before is known."""
    if operation.is_active or not operation.is_written or not operation.is_readable:
        return False
    if not operation.seen.status_traffic:
        return False
    touched = operation.change.touches()
    return operation.makes_revision or any(paths.overlap(path, paths.TRAFFIC) for path in touched)


def change_of(operation: Operation) -> RollBack:
    """Return the split of before the operation. After one that made a revision, @latest becomes what it meant then."""
    seen = operation.seen
    if operation.makes_revision:
        return RollBack(traffic.as_served(seen.spec_traffic, seen.latest_ready_revision))
    return RollBack(seen.spec_traffic)


def served_before(operation: Operation) -> dict[str, int]:
    """Return percent by revision that served before the operation."""
    return traffic.served_shares(change_of(operation).targets, operation.seen.latest_ready_revision)
