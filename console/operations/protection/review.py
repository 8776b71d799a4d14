"""What an approver looks at: the effect of a waiting change on the service as its author saw it."""

from dataclasses import dataclass

from console.knative import traffic
from console.knative.changes import DeleteRevision, DeleteService
from console.knative.traffic import TrafficTruth
from console.operations import patches
from console.operations.models import Operation


@dataclass(frozen=True, slots=True)
class Review:
    """The same facts as those of the author's preview. `truth` is None for what has no traffic any more."""

    truth: TrafficTruth | None
    patch: str
    generation: int

    def is_of(self, generation: int) -> bool:
        """Whether the service still has the spec that the author saw."""
        return self.generation == generation


def review(operation: Operation) -> Review:
    """Return what the operation would do to the service that its author saw."""
    before = operation.seen
    if isinstance(operation.change, DeleteService | DeleteRevision):
        return Review(None, "", before.generation)
    after = operation.change.apply(before)
    truth = traffic.truth(after.spec_traffic, after.status_traffic, after.latest_ready_revision)
    return Review(truth, patches.as_yaml(before.raw, after.raw), before.generation)
