"""What Knative does where a service says nothing: its built-in defaults, and what a cluster's settings make of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

AUTOSCALER, DEFAULTS, NETWORK, GC = "config-autoscaler", "config-defaults", "config-network", "config-gc"
Settings = Mapping[str, Mapping[str, str] | None]


class Key(NamedTuple):
    """A key of one of Serving's config maps, and Knative's built-in value."""

    config: str
    name: str
    built_in: str


# By field of the forms; serving 0.42 to 0.50, pkg/autoscaler/config and pkg/apis/config; networking pkg/config.
FIELDS: Mapping[str, Key] = {
    "min": Key(AUTOSCALER, "min-scale", "0"),
    "max": Key(AUTOSCALER, "max-scale", "0"),
    "initial": Key(AUTOSCALER, "initial-scale", "1"),
    "target": Key(AUTOSCALER, "container-concurrency-target-default", "100"),
    "utilization": Key(AUTOSCALER, "container-concurrency-target-percentage", "70"),
    "window": Key(AUTOSCALER, "stable-window", "60s"),
    "concurrency": Key(DEFAULTS, "container-concurrency", "0"),
    "timeout": Key(DEFAULTS, "revision-timeout-seconds", "300"),
    "response_start": Key(DEFAULTS, "revision-response-start-timeout-seconds", ""),
    "idle": Key(DEFAULTS, "revision-idle-timeout-seconds", "0"),
    "cpu_request": Key(DEFAULTS, "revision-cpu-request", ""),
    "cpu_limit": Key(DEFAULTS, "revision-cpu-limit", ""),
    "memory_request": Key(DEFAULTS, "revision-memory-request", ""),
    "memory_limit": Key(DEFAULTS, "revision-memory-limit", ""),
    "rollout": Key(NETWORK, "rollout-duration", "0"),
}
# What a page of a cluster shows beside them: what no field of a service sets, or what bounds one.
OTHERS: tuple[Key, ...] = (
    Key(AUTOSCALER, "enable-scale-to-zero", "true"),
    Key(AUTOSCALER, "scale-to-zero-grace-period", "30s"),
    Key(AUTOSCALER, "scale-to-zero-pod-retention-period", "0s"),
    Key(AUTOSCALER, "scale-down-delay", "0s"),
    Key(AUTOSCALER, "requests-per-second-target-default", "200"),
    Key(AUTOSCALER, "max-scale-limit", "0"),
    Key(AUTOSCALER, "allow-zero-initial-scale", "false"),
    Key(AUTOSCALER, "pod-autoscaler-class", "kpa.autoscaling.knative.dev"),
    Key(DEFAULTS, "max-revision-timeout-seconds", "600"),
    Key(DEFAULTS, "container-concurrency-max-limit", "1000"),
    Key(DEFAULTS, "allow-container-concurrency-zero", "true"),
    Key(NETWORK, "ingress-class", "istio.ingress.networking.knative.dev"),
    Key(NETWORK, "external-domain-tls", "disabled"),
    Key(GC, "retain-since-create-time", "48h"),
    Key(GC, "retain-since-last-active-time", "15h"),
    Key(GC, "min-non-active-revisions", "20"),
    Key(GC, "max-non-active-revisions", "1000"),
)
_FIXED: Mapping[str, str] = {"activation": "1"}  # a default that no setting changes
HINTED = (*FIELDS, *_FIXED)  # fields whose emptiness means a default


@dataclass(frozen=True, slots=True)
class ClusterDefaults:
    """`settings` are the data of Serving's config maps by their names; None for one that the cluster does not show."""

    settings: Settings

    def is_known(self, field: str) -> bool:
        """The setting of the field was read; else nobody knows what an empty field means on this cluster."""
        return field in _FIXED or self.settings.get(FIELDS[field].config) is not None

    def of(self, field: str) -> str:
        """Return the value that an empty field of a form means; empty when there is none, or it is not known."""
        if field in _FIXED:
            return _FIXED[field]
        if not self.is_known(field):
            return ""
        return self.value(FIELDS[field]) or (self.of("timeout") if field == "response_start" else "")

    def built_in(self, field: str) -> str:
        """Return what Knative takes where its settings say nothing."""
        return FIELDS[field].built_in or (self.built_in("timeout") if field == "response_start" else "")

    def is_set(self, field: str) -> bool:
        """The cluster's administrators chose the value."""
        return field not in _FIXED and self.chosen(FIELDS[field]) is not None

    def value(self, key: Key) -> str:
        """Return what a setting is: as it was chosen, else Knative's own; empty when it is not known."""
        return "" if self.settings.get(key.config) is None else self.chosen(key) or key.built_in

    def chosen(self, key: Key) -> str | None:
        """Return the value that the cluster's administrators chose; None where they chose none, or nobody knows."""
        return str((self.settings.get(key.config) or {}).get(key.name, "")).strip() or None
