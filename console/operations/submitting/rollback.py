"""Taking back what an operation did to the traffic: the revisions that served before serve again."""

from console.knative import traffic
from console.knative.changes import SplitTraffic
from console.operations.models import Operation


def is_possible(operation: Operation) -> bool:
    """It was written, it may have moved traffic, and something served before."""
    moved = operation.makes_revision or operation.kind in ("SplitTraffic", "Combined", "ReplaceManifest")
    return operation.is_written and not operation.is_active and moved and bool(operation.seen.status_traffic)


def change_of(operation: Operation) -> SplitTraffic:
    """Return the split of before the operation. After one that made a revision, @latest becomes what it meant then."""
    seen = operation.seen
    if operation.makes_revision:
        return SplitTraffic(traffic.as_served(seen.spec_traffic, seen.latest_ready_revision))
    return SplitTraffic(seen.spec_traffic)
