"""Splitting traffic; a rollback is a split that was there before."""

from dataclasses import dataclass, replace
from typing import ClassVar

from console.knative.changes.base import Act, Change, edited
from console.knative.objects import Service
from console.knative.paths import TRAFFIC, FieldPath
from console.knative.traffic import TrafficTarget


@dataclass(frozen=True, slots=True)
class SplitTraffic(Change):
    """Set spec.traffic entry by entry: each target is its `raw` entry with what differs from it.

    A target without one takes the present entry of the same revision and tag, so that its unknown fields stay.
    """

    targets: tuple[TrafficTarget, ...]
    permission: ClassVar[str] = "traffic"
    act: ClassVar[Act] = Act.ROUTE

    def apply(self, service: Service) -> Service:
        raw = edited(service)
        present = [TrafficTarget.read(entry) for entry in service.spec.get("traffic") or ()]
        if not present and self.targets == service.spec_traffic:
            return Service(raw)  # a default that nobody wrote stays unwritten
        free = [target for target in present if target.raw not in [one.raw for one in self.targets]]
        raw.setdefault("spec", {})["traffic"] = [_based_on(target, free).to_spec() for target in self.targets]
        return Service(raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({TRAFFIC})


def _based_on(target: TrafficTarget, free: list[TrafficTarget]) -> TrafficTarget:
    """The target with the present entry that it means; takes that off the list, for each is meant once."""
    if target.raw:
        return target
    found = next((one for one in free if (one.name, one.tag) == (target.name, target.tag)), None)
    if found is None:
        return target
    free.remove(found)
    return replace(target, raw=found.raw)
