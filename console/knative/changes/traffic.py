"""Splitting traffic, rolling back to a split of before, and what the revision gets that a change makes."""

from dataclasses import dataclass, replace
from typing import ClassVar

from console.knative.changes.base import Act, Change, ChangeRefused, edited
from console.knative.next_revision import needs_ready_revision, split_for_next
from console.knative.objects import Service
from console.knative.paths import TRAFFIC, FieldPath
from console.knative.problems import Problem
from console.knative.traffic import TrafficTarget, served_shares

SHARE = "share"  # the field of a form that a problem with the new revision's share belongs to


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


@dataclass(frozen=True, slots=True)
class RollBack(SplitTraffic):
    """The split that an operation found, again."""

    act: ClassVar[Act] = Act.ROLL_BACK

    def leads_back_to(self, service: Service) -> dict[str, int]:
        return served_shares(self.targets, service.latest_ready_revision)


@dataclass(frozen=True, slots=True)
class RouteNewRevision(Change):
    """Give the revision that the other parts make its share, 0 to 100 percent, and a tag unless that is empty.

    The split is worked out of the service as it is when the change is written: what serves then keeps the rest.
    """

    percent: int
    tag: str = ""
    permission: ClassVar[str] = "traffic"
    act: ClassVar[Act] = Act.ROUTE
    is_companion: ClassVar[bool] = True

    def apply(self, service: Service) -> Service:
        spec, latest = service.spec_traffic, service.latest_ready_revision
        if latest is None and needs_ready_revision(spec, self.percent):
            raise ChangeRefused(Problem("no-ready-revision", field=SHARE))
        wanted = split_for_next(spec, latest, self.percent, self.tag)
        return service if wanted == spec else SplitTraffic(wanted).apply(service)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({TRAFFIC})

    @property
    def withholds_traffic(self) -> bool:
        return self.percent == 0
