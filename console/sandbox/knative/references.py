"""Secrets, config maps and claims that a pod refers to: what is missing, and the values it would see."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from console.sandbox.knative.objects import Object
from console.sandbox.resources import CLAIMS, CONFIGMAPS, SECRETS, Resource
from console.sandbox.store import Store

_KINDS: dict[str, tuple[Resource, str, str]] = {
    "secretKeyRef": (SECRETS, "secret", "Secret"),
    "secretRef": (SECRETS, "secret", "Secret"),
    "configMapKeyRef": (CONFIGMAPS, "configmap", "ConfigMap"),
    "configMapRef": (CONFIGMAPS, "configmap", "ConfigMap"),
}


def container_error(store: Store, namespace: str, container: Object) -> str:
    """Why the kubelet cannot make the container's environment, as it says it; empty when it can."""
    for source in container.get("envFrom") or []:
        for field, reference in source.items():
            problem = _problem(store, namespace, field, reference)
            if problem:
                return problem
    for variable in container.get("env") or []:
        for field, reference in (variable.get("valueFrom") or {}).items():
            problem = _problem(store, namespace, field, reference)
            if problem:
                return problem
    return ""


def claims_of(pod_spec: Object) -> list[str]:
    """The names of the claims that its volumes use."""
    sources = [volume.get("persistentVolumeClaim") for volume in pod_spec.get("volumes") or []]
    return [source["claimName"] for source in sources if source]


def claim_error(store: Store, namespace: str, pod_spec: Object) -> str:
    """Why the scheduler cannot place the pod, as it says it; empty when each claim is bound."""
    for name in claims_of(pod_spec):
        claim = store.find(CLAIMS, namespace, name)
        if claim is None:
            return f'persistentvolumeclaim "{name}" not found'
        if (claim.get("status") or {}).get("phase") != "Bound":
            return "pod has unbound immediate PersistentVolumeClaims"
    return ""


def volume_error(store: Store, namespace: str, pod_spec: Object) -> str:
    """Why a volume cannot be mounted, as the kubelet says it; empty when all can."""
    for volume in pod_spec.get("volumes") or []:
        for field, resource, name_field, word in (
            ("secret", SECRETS, "secretName", "secret"),
            ("configMap", CONFIGMAPS, "name", "configmap"),
        ):
            source = volume.get(field)
            if (
                source
                and not source.get("optional")
                and not store.find(resource, namespace, source.get(name_field, ""))
            ):
                name = source.get(name_field, "")
                return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {word} "{name}" not found'
    return ""


def environment(store: Store, namespace: str, container: Object) -> dict[str, str]:
    """The variables that the container sees; references to what is missing are left out."""
    seen: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        prefix = source.get("prefix", "")
        for field, reference in source.items():
            if field in _KINDS:
                data = _data(store, namespace, field, reference.get("name", ""))
                seen |= {f"{prefix}{key}": value for key, value in data.items()}
    for variable in container.get("env") or []:
        if "valueFrom" not in variable:
            seen[variable.get("name", "")] = variable.get("value", "")
            continue
        for field, reference in variable["valueFrom"].items():
            if field in _KINDS:
                data = _data(store, namespace, field, reference.get("name", ""))
                if reference.get("key") in data:
                    seen[variable.get("name", "")] = data[reference["key"]]
    return seen


def _problem(store: Store, namespace: str, field: str, reference: Any) -> str:
    if field not in _KINDS or not isinstance(reference, dict) or reference.get("optional"):
        return ""
    resource, word, kind = _KINDS[field]
    name, key = reference.get("name", ""), reference.get("key")
    found = store.find(resource, namespace, name)
    if found is None:
        return f'{word} "{name}" not found'
    if key is not None and key not in {**(found.get("data") or {}), **(found.get("binaryData") or {})}:
        return f"couldn't find key {key} in {kind} {namespace}/{name}"
    return ""


def _data(store: Store, namespace: str, field: str, name: str) -> dict[str, str]:
    resource = _KINDS[field][0]
    found = store.find(resource, namespace, name)
    data: dict[str, str] = (found or {}).get("data") or {}
    return {key: _decoded(value) for key, value in data.items()} if resource is SECRETS else dict(data)


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value).decode(errors="replace")
    except binascii.Error:
        return value
