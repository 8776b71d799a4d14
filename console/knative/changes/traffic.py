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
            known = TrafficTarget(
                target.revision, target.percent, target.tag, raw=present.get((target.name, target.tag), {})
            )
            written.append(known.to_spec())
        raw.setdefault("spec", {})["traffic"] = written
        return Service(raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({TRAFFIC})

    def kn(self, service: Service) -> tuple[str, ...]:
        """Tags come off first, then on, then percents: the order in which kn reads its flags."""
        before = {target.tag for target in service.spec_traffic if target.tag}
        wanted = {target.tag for target in self.targets if target.tag}
        flags = [f"--untag {tag}" for tag in sorted(before - wanted)]
        flags += [
            f"--tag {target.name}={target.tag}" for target in self.targets if target.tag and target.tag not in before
        ]
        percents: dict[str, int] = {}
        for target in self.targets:
            percents[target.name] = percents.get(target.name, 0) + (target.percent or 0)
        shares = ",".join(f"{name}={percent}" for name, percent in percents.items())
        return (*flags, f"--traffic {shares}")
