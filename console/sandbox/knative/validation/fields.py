"""Fields that Serving does not take in a revision, or only behind a feature gate (pkg/apis/serving/fieldmask.go)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from console.sandbox.knative.problems import Problems, disallowed
from console.sandbox.knative.settings import Settings

# Fields of the pod that are always taken, and those behind a gate `kubernetes.podspec-...`.
_POD_FIELDS = ("serviceAccountName", "containers", "volumes", "imagePullSecrets", "enableServiceLinks")
_REVISION_FIELDS = (
    "containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds",
)  # fmt: skip
_POD_GATES = {
    "affinity": "affinity",
    "topologySpreadConstraints": "topologyspreadconstraints",
    "hostAliases": "hostaliases",
    "nodeSelector": "nodeselector",
    "runtimeClassName": "runtimeclassname",
    "tolerations": "tolerations",
    "securityContext": "securitycontext",
    "shareProcessNamespace": "shareprocessnamespace",
    "priorityClassName": "priorityclassname",
    "schedulerName": "schedulername",
    "initContainers": "init-containers",
    "dnsPolicy": "dnspolicy",
    "dnsConfig": "dnsconfig",
    "hostIPC": "hostipc",
    "hostPID": "hostpid",
    "hostNetwork": "hostnetwork",
}
VOLUME_GATES = {
    "emptyDir": "volumes-emptydir",
    "persistentVolumeClaim": "persistent-volume-claim",
    "hostPath": "volumes-hostpath",
    "csi": "volumes-csi",
    "ephemeral": "volumes-ephemeral",
    "image": "volumes-image",
}
PLAIN_VOLUMES = ("secret", "configMap", "projected")
CLOSED_CONTAINER_FIELDS = ("lifecycle", "stdin", "stdinOnce", "tty", "volumeDevices", "restartPolicy")
CLOSED_PORT_FIELDS = ("hostIP", "hostPort")
_POD_SECURITY_FIELDS = (
    "runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup", "supplementalGroups", "seccompProfile",
)  # fmt: skip


def gate(name: str) -> str:
    """The key of config-features."""
    return f"kubernetes.podspec-{name}"


def closed(value: dict[str, Any], fields: Iterable[str]) -> Problems:
    """One problem that names those of the fields that are set, or none."""
    found = sorted(field for field in fields if field in value)
    return [disallowed(*found)] if found else []


def pod_fields(spec: dict[str, Any], settings: Settings) -> Problems:
    """Fields of the pod that are not taken."""
    return closed(spec, [field for field in spec if not _is_taken(field, spec, settings)])


def _is_taken(field: str, spec: dict[str, Any], settings: Settings) -> bool:
    if field == "automountServiceAccountToken":
        return not spec[field]
    if field == "securityContext" and settings.has_secure_defaults:
        return True
    if field in _POD_GATES:
        return settings.is_open(gate(_POD_GATES[field]))
    return field in _POD_FIELDS or field in _REVISION_FIELDS


def volume_sources(volume: dict[str, Any], settings: Settings) -> Problems:
    """Kinds of volumes that are not taken."""
    return closed(volume, [kind for kind, name in VOLUME_GATES.items() if not settings.is_open(gate(name))])


def env_sources(source: dict[str, Any], settings: Settings) -> Problems:
    """References to the pod's own fields are behind a gate."""
    if settings.is_open(gate("fieldref")):
        return []
    return closed(source, ("fieldRef", "resourceFieldRef"))


def pod_security_fields(context: dict[str, Any], settings: Settings) -> Problems:
    """Fields of the pod's security context that are not taken."""
    taken: tuple[str, ...] = _POD_SECURITY_FIELDS if settings.is_open(gate("securitycontext")) else ()
    profile = context.get("seccompProfile") or {}
    if settings.has_secure_defaults and profile.get("type") in ("RuntimeDefault", "Unconfined"):
        taken = (*taken, "seccompProfile")
    return closed(context, [field for field in context if field not in taken])


def capabilities(given: dict[str, Any], settings: Settings) -> Problems:
    """Capabilities may be dropped; adding them is behind a gate."""
    if settings.is_enabled("kubernetes.containerspec-addcapabilities"):
        return []
    if settings.has_secure_defaults and given.get("add") == ["NET_BIND_SERVICE"]:
        return []
    return closed(given, ("add",))
