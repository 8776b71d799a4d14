"""A change applied to a service, once: everybody who asks what it does reads it here, and nobody applies it again."""

from dataclasses import dataclass
from functools import cached_property

from console.knative.changes.base import Change, ChangeRefused, Step
from console.knative.diff import FieldChange, diff
from console.knative.objects import Service


@dataclass(frozen=True)
class Applied:
    """What each part made of the service, in order. With a `refusal` the change does nothing."""

    change: Change
    before: Service
    steps: tuple[Step, ...]
    refusal: ChangeRefused | None = None

    @property
    def after(self) -> Service:
        """The service with the change made; raises ChangeRefused."""
        if self.refusal:
            raise self.refusal
        return self.steps[-1].after if self.steps else self.before

    @property
    def known_after(self) -> Service:
        """The service with the change made; as it was where that is refused."""
        return self.before if self.refusal else self.after

    @cached_property
    def difference(self) -> tuple[FieldChange, ...]:
        """The fields that the change makes other ones."""
        if len(self.steps) == 1:
            return self.steps[0].difference
        return diff(self.before.raw, self.known_after.raw)


def apply_to(change: Change, service: Service) -> Applied:
    """Apply the change to the service; the refusal of one that cannot be applied is kept, and raised by `after`."""
    try:
        return Applied(change, service, tuple(change.steps(service)))
    except ChangeRefused as refusal:
        return Applied(change, service, (), refusal)
