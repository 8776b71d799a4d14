"""Splitting traffic; a rollback is a split that was there before."""

from dataclasses import dataclass
from typing import Any, ClassVar

from console.knative.changes.base import edited
from console.knative.objects import Service
from console.knative.paths import TRAFFIC, FieldPath
from console.knative.traffic import TrafficTarget


@dataclass(frozen=True, slots=True)
class SplitTraffic:
    """Replace spec.traffic. Targets keep the fields that this console does not know (found by name and tag)."""

    targets: tuple[TrafficTarget, ...]
    permission: ClassVar[str] = "traffic"

    def apply(self, service: Service) -> Service:
        raw = edited(service)
        present = {(target.name, target.tag): target.raw for target in service.spec_traffic}
        written: list[dict[str, Any]] = []
        for target in self.targets:
            # A target of status.traffic names the revision that is latest now; it still means to follow.
            revision = None if target.is_latest else target.revision
            known = TrafficTarget(
                revision, target.percent, target.tag, raw=present.get((target.name, target.tag), target.raw)
            )
            written.append(known.to_spec())
        raw.setdefault("spec", {})["traffic"] = written
        return Service(raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({TRAFFIC})

    def kn(self, service: Service) -> tuple[str, ...]:
        """Tags come off first, then on, then percents: the order in which kn reads its flags."""
        before = {target.tag: target.name for target in service.spec_traffic if target.tag}
        wanted = {target.tag: target.name for target in self.targets if target.tag}
        flags = [f"--untag {tag}" for tag, name in before.items() if wanted.get(tag) != name]
        flags += [f"--tag {name}={tag}" for tag, name in wanted.items() if before.get(tag) != name]
        percents: dict[str, int] = {}
        for target in self.targets:
            percents[target.name] = percents.get(target.name, 0) + (target.percent or 0)
        shares = ",".join(f"{name}={percent}" for name, percent in percents.items())
        return (*flags, f"--traffic {shares}")
