"""What an approver looks at: the effect of a waiting change on the service as its author saw it."""

from dataclasses import dataclass

from console.knative.objects import Service
from console.operations import patches
from console.operations.models import Operation


@dataclass(frozen=True, slots=True)
class Review:
    """The same facts as those of the author's preview; `after` is what the change makes of the service then."""

    after: Service
    patch: str
    generation: int

    def is_of(self, generation: int) -> bool:
        """Whether the service still has the spec that the author saw."""
        return self.generation == generation


def review(operation: Operation) -> Review:
    """Return what the operation would do to the service that its author saw."""
    before = operation.seen
    after = operation.wanted or before
    patch = "" if operation.change.verb.removes else patches.as_yaml(before.raw, after.raw)
    return Review(after, patch, before.generation)
