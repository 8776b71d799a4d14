"""What one cluster's Knative Serving is and allows: its version, its feature gates, its defaults.

What the cluster does not show is unknown, and never taken for Knative's own default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from console.knative.cluster_defaults import AUTOSCALER, DEFAULTS, GC, NETWORK, ClusterDefaults, Settings
from console.knative.gates import Gate, Setting, opens
from console.knative.releases import Version, parse

FEATURES = "config-features"
CONFIG_MAPS = (FEATURES, DEFAULTS, AUTOSCALER, NETWORK, GC)
_NOT_READ: Mapping[str, Mapping[str, str] | None] = dict.fromkeys(CONFIG_MAPS)


@dataclass(frozen=True)
class Capabilities:
    """`release` is as its label says it (`1.23.0`), empty where there is none; `settings` are by config map."""

    release: str = ""
    settings: Settings = field(default_factory=lambda: _NOT_READ)

    @property
    def version(self) -> Version | None:
        return parse(self.release)

    @cached_property
    def defaults(self) -> ClusterDefaults:
        return ClusterDefaults(self.settings)

    @property
    def unread(self) -> tuple[str, ...]:
        """The config maps that the cluster does not show."""
        return tuple(name for name in CONFIG_MAPS if self.settings.get(name) is None)

    def gate(self, gate: Gate) -> Setting:
        """Return what the gate is on this cluster."""
        return gate.of(self.settings.get(FEATURES), self.version)

    def allows(self, gate: Gate) -> bool:
        """Whether a service may have what the gate is about; also where nobody knows."""
        return opens(self.gate(gate))
