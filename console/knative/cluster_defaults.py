"""What Knative does where a service says nothing: its built-in defaults, and what a cluster's settings make of them."""

from collections.abc import Mapping
from dataclasses import dataclass

AUTOSCALER, DEFAULTS = "config-autoscaler", "config-defaults"
# Field of the forms: (config map, its key, Knative's built-in value); Serving 0.42, pkg/autoscaler and pkg/apis/config.
_SETTINGS: Mapping[str, tuple[str, str, str]] = {
    "min": (AUTOSCALER, "min-scale", "0"),
    "max": (AUTOSCALER, "max-scale", "0"),
    "initial": (AUTOSCALER, "initial-scale", "1"),
    "activation": (AUTOSCALER, "activation-scale", "1"),
    "target": (AUTOSCALER, "container-concurrency-target-default", "100"),
    "utilization": (AUTOSCALER, "container-concurrency-target-percentage", "70"),
    "window": (AUTOSCALER, "stable-window", "60s"),
    "concurrency": (DEFAULTS, "container-concurrency", "0"),
    "timeout": (DEFAULTS, "revision-timeout-seconds", "300"),
    "cpu_request": (DEFAULTS, "revision-cpu-request", ""),
    "cpu_limit": (DEFAULTS, "revision-cpu-limit", ""),
    "memory_request": (DEFAULTS, "revision-memory-request", ""),
    "memory_limit": (DEFAULTS, "revision-memory-limit", ""),
}
_LIMITS: Mapping[str, tuple[str, str, int]] = {
    "timeout": (DEFAULTS, "max-revision-timeout-seconds", 600),
    "concurrency": (DEFAULTS, "container-concurrency-max-limit", 1000),
}


@dataclass(frozen=True, slots=True)
class ClusterDefaults:
    """`settings` are the data of Serving's config maps by their names; None where the cluster does not show them."""

    settings: Mapping[str, Mapping[str, str]] | None = None

    @property
    def is_known(self) -> bool:
        """The cluster's own settings were read; else Knative's built-in values are used."""
        return self.settings is not None

    def of(self, field: str) -> str:
        """Return the value that an empty field of a form means; empty when there is none."""
        config, key, built_in = _SETTINGS[field]
        return self._set(config, key) or built_in

    def is_set(self, field: str) -> bool:
        """The cluster's administrators chose the value."""
        config, key, _built_in = _SETTINGS[field]
        return bool(self._set(config, key))

    def most(self, field: str) -> int:
        """Return the largest value that the cluster accepts for a field."""
        config, key, built_in = _LIMITS[field]
        text = self._set(config, key)
        return int(text) if text.isdecimal() else built_in

    def _set(self, config: str, key: str) -> str:
        return str(((self.settings or {}).get(config) or {}).get(key, "")).strip()


FIELDS = tuple(_SETTINGS)
