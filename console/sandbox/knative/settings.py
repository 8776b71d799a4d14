"""What a cluster's config maps say: feature gates, defaults and the autoscaler's limits, as Serving reads them.

The values without config maps are Serving's own (pkg/apis/config, pkg/autoscaler/config).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from console.sandbox.knative.version import OLDEST, knative_version
from console.sandbox.resources import CONFIGMAPS
from console.sandbox.store import Store

SYSTEM_NAMESPACE = "knative-serving"
DEFAULTS, FEATURES, AUTOSCALER = "config-defaults", "config-features", "config-autoscaler"
ENABLED, DISABLED, ALLOWED, ROOT_BOUNDED = "enabled", "disabled", "allowed", "allowrootbounded"

MULTI_CONTAINER, SIDECAR_PROBES = "multi-container", "multi-container-probing"
SECURE_DEFAULTS = "secure-pod-defaults"
EMPTY_DIR = "kubernetes.podspec-volumes-emptydir"
_ON_BY_DEFAULT = (MULTI_CONTAINER, EMPTY_DIR)
_INTEGER = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True, slots=True)
class Settings:
    """The data of the config maps by name; a key that is not there has its default."""

    maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def flag(self, name: str) -> str:
        """A feature gate: one of the values above. Others count as not given."""
        has_bounds = name == SECURE_DEFAULTS and knative_version() > OLDEST
        flags = (ENABLED, DISABLED, ROOT_BOUNDED) if has_bounds else (ENABLED, ALLOWED, DISABLED)
        given = self._given(FEATURES, name).lower()
        return given if given in flags else ENABLED if name in _ON_BY_DEFAULT else DISABLED

    def is_enabled(self, name: str) -> bool:
        return self.flag(name) == ENABLED

    def is_open(self, name: str) -> bool:
        """Whether the gate lets the field through; some rules ask for more."""
        return self.flag(name) != DISABLED

    @property
    def has_secure_defaults(self) -> bool:
        return self.flag(SECURE_DEFAULTS) in (ENABLED, ROOT_BOUNDED)

    @property
    def timeout_seconds(self) -> int:
        return self._number(DEFAULTS, "revision-timeout-seconds", 300)

    @property
    def max_timeout_seconds(self) -> int:
        return self._number(DEFAULTS, "max-revision-timeout-seconds", 600)

    @property
    def response_start_timeout_seconds(self) -> int:
        return self._number(DEFAULTS, "revision-response-start-timeout-seconds", self.timeout_seconds)

    @property
    def idle_timeout_seconds(self) -> int:
        return self._number(DEFAULTS, "revision-idle-timeout-seconds", 0)

    @property
    def concurrency(self) -> int:
        return self._number(DEFAULTS, "container-concurrency", 0)

    @property
    def max_concurrency(self) -> int:
        return self._number(DEFAULTS, "container-concurrency-max-limit", 1000)

    @property
    def allows_concurrency_zero(self) -> bool:
        return self._truth(DEFAULTS, "allow-container-concurrency-zero", if_absent=True)

    @property
    def service_links(self) -> bool | None:
        """Whether links are made by default; None leaves it to Kubernetes."""
        given = self._given(DEFAULTS, "enable-service-links").lower()
        return None if given == "default" else given == "true"

    def container_name(self, kind: str) -> str:
        """The name of a container without one; `kind` is user or init."""
        key = "container-name-template" if kind == "user" else "init-container-name-template"
        return self._given(DEFAULTS, key) or f"{kind}-container"

    def amount(self, kind: str, resource: str) -> str:
        """The request or limit that a container gets of cpu, memory or ephemeral-storage; empty when none."""
        return self._given(DEFAULTS, f"revision-{resource}-{kind}")

    @property
    def allows_initial_scale_zero(self) -> bool:
        return self._truth(AUTOSCALER, "allow-zero-initial-scale", if_absent=False)

    @property
    def initial_scale(self) -> int | None:
        """How many pods a new revision starts with, where the cluster says so."""
        given = self._given(AUTOSCALER, "initial-scale")
        return int(given) if _INTEGER.fullmatch(given) else None

    @property
    def max_scale_limit(self) -> int:
        """The highest max-scale that a revision may ask for; 0 means no limit."""
        return self._number(AUTOSCALER, "max-scale-limit", 0)

    @property
    def autoscaler_class(self) -> str:
        return self._given(AUTOSCALER, "pod-autoscaler-class") or "kpa.autoscaling.knative.dev"

    def _given(self, name: str, key: str) -> str:
        return str(self.maps.get(name, {}).get(key, ""))

    def _number(self, name: str, key: str, if_absent: int) -> int:
        given = self._given(name, key)
        return int(given) if _INTEGER.fullmatch(given) else if_absent

    def _truth(self, name: str, key: str, *, if_absent: bool) -> bool:
        given = self._given(name, key).lower()
        return given in ("1", "t", "true") if given else if_absent


def settings_of(store: Store) -> Settings:
    """What the config maps of the cluster say now."""
    return Settings(
        {name: _data(store.find(CONFIGMAPS, SYSTEM_NAMESPACE, name)) for name in (DEFAULTS, FEATURES, AUTOSCALER)}
    )


def _data(found: dict[str, Any] | None) -> dict[str, str]:
    return (found or {}).get("data") or {}
