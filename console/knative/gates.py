"""Knative's feature gates (config-features): which release knows each, and what it is where nobody has set it.

Source: serving pkg/apis/config/features.go of the branches release-1.15 to release-1.23.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from console.knative.releases import Version


class Setting(StrEnum):
    """What a gate is on a cluster. `allowed` lets a service have the field, as `enabled` does."""

    ENABLED = "enabled"
    ALLOWED = "allowed"
    DISABLED = "disabled"
    ROOT_BOUNDED = "allowrootbounded"  # of secure-pod-defaults alone
    NOT_KNOWN_TO_IT = "not-known-to-it"  # this release has no such gate
    UNKNOWN = "unknown"  # the cluster does not show it


_OPENS = frozenset({Setting.ENABLED, Setting.ALLOWED})


_FIRST = Version(1, 0)


@dataclass(frozen=True, slots=True)
class Gate:
    """A key of config-features; `since` the first release that has it, `until` the first one that has it no more."""

    key: str
    default: Setting = Setting.DISABLED
    since: Version = _FIRST
    until: Version | None = None

    def of(self, data: Mapping[str, str] | None, version: Version | None) -> Setting:
        """Return what it is by the data of config-features; None for data that may not be read."""
        if data is None:
            return Setting.UNKNOWN
        if version and (version < self.since or (self.until and version >= self.until)):
            return Setting.NOT_KNOWN_TO_IT
        text = str(data.get(self.key, "")).strip().lower()
        return Setting(text) if text in _WORDS else self.default


_WORDS = frozenset({Setting.ENABLED, Setting.ALLOWED, Setting.DISABLED, Setting.ROOT_BOUNDED})


def opens(setting: Setting) -> bool:
    """Whether a service may have what the gate is about; also where nobody knows, as the cluster itself will say."""
    return setting in _OPENS or setting is Setting.UNKNOWN


NODE_SELECTOR = Gate("kubernetes.podspec-nodeselector")
TOLERATIONS = Gate("kubernetes.podspec-tolerations")
EMPTY_DIR = Gate("kubernetes.podspec-volumes-emptydir", Setting.ENABLED)
CLAIM = Gate("kubernetes.podspec-persistent-volume-claim")
CLAIM_WRITE = Gate("kubernetes.podspec-persistent-volume-write")
IMAGE_VOLUME = Gate("kubernetes.podspec-volumes-image", since=Version(1, 19))
EPHEMERAL = Gate("kubernetes.podspec-volumes-ephemeral", since=Version(1, 23))
SIDECAR_PROBES = Gate("multi-container-probing", since=Version(1, 12))
SECURE_DEFAULTS = Gate("secure-pod-defaults")
GATES = (
    Gate("multi-container", Setting.ENABLED),
    SIDECAR_PROBES,
    Gate("kubernetes.podspec-init-containers"),
    NODE_SELECTOR,
    TOLERATIONS,
    Gate("kubernetes.podspec-affinity"),
    Gate("kubernetes.podspec-topologyspreadconstraints"),
    Gate("kubernetes.podspec-schedulername"),
    Gate("kubernetes.podspec-priorityclassname"),
    Gate("kubernetes.podspec-runtimeclassname"),
    EMPTY_DIR,
    CLAIM,
    CLAIM_WRITE,
    IMAGE_VOLUME,
    EPHEMERAL,
    Gate("kubernetes.podspec-volumes-csi", since=Version(1, 18)),
    Gate("kubernetes.podspec-volumes-hostpath", since=Version(1, 17)),
    Gate("kubernetes.podspec-volumes-mount-propagation", since=Version(1, 18)),
    Gate("kubernetes.podspec-fieldref"),
    Gate("kubernetes.podspec-securitycontext"),
    Gate("kubernetes.containerspec-addcapabilities"),
    SECURE_DEFAULTS,
    Gate("kubernetes.podspec-shareprocessnamespace"),
    Gate("kubernetes.podspec-hostaliases"),
    Gate("kubernetes.podspec-hostipc", since=Version(1, 16)),
    Gate("kubernetes.podspec-hostpid", since=Version(1, 16)),
    Gate("kubernetes.podspec-hostnetwork", since=Version(1, 16)),
    Gate("kubernetes.podspec-dnspolicy"),
    Gate("kubernetes.podspec-dnsconfig"),
    Gate("kubernetes.podspec-dryrun", Setting.ALLOWED, until=Version(1, 20)),
    Gate("tag-header-based-routing"),
    Gate("autodetect-http2"),
    Gate("queueproxy.mount-podinfo"),
    Gate("queueproxy.resource-defaults"),
)
