"""What an API server fills into objects of Kubernetes' own kinds, where a client could tell."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from console.sandbox.machines import cluster_address
from console.sandbox.resources import CLAIMS, CORE_SERVICES, PODS, SECRETS, Resource
from console.sandbox.updates import without_status

Object = dict[str, Any]
STORAGE_CLASS = "standard"  # the cluster's default: its claims are bound at once
CLAIM_PROTECTION = "kubernetes.io/pvc-protection"
# The status of a new object, whatever its creator says.
_NEW: Mapping[Resource, Object] = {
    PODS: {"phase": "Pending", "qosClass": "BestEffort"},
    CLAIMS: {"phase": "Pending"},
    CORE_SERVICES: {"loadBalancer": {}},
}


def completed(resource: Resource, obj: Object) -> Object:
    """The object with its kind's defaults."""
    complete = _COMPLETED.get(resource)
    return complete(obj) if complete else obj


def as_new(resource: Resource, obj: Object) -> Object:
    """The object with the status that its kind begins with, and what protects it."""
    if not resource.has_status:
        return obj
    found = without_status(obj) | ({"status": dict(_NEW[resource])} if resource in _NEW else {})
    if resource is CLAIMS:
        finalizers = [*(obj["metadata"].get("finalizers") or ()), CLAIM_PROTECTION]
        found["metadata"] = obj["metadata"] | {"finalizers": list(dict.fromkeys(finalizers))}
    return found


def _secret(obj: Object) -> Object:
    """stringData moves into data."""
    plain = obj.get("stringData") or {}
    data = {**(obj.get("data") or {})}
    data |= {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
    rest = {key: value for key, value in obj.items() if key not in ("stringData", "data")}
    return {"type": "Opaque", **rest, **({"data": data} if data else {})}


def _claim(obj: Object) -> Object:
    return obj | {"spec": {"storageClassName": STORAGE_CLASS, "volumeMode": "Filesystem"} | (obj.get("spec") or {})}


def _service(obj: Object) -> Object:
    given = obj.get("spec") or {}
    spec: Object = {"sessionAffinity": "None", "type": "ClusterIP"} | given
    if given.get("ports"):
        spec["ports"] = [{"protocol": "TCP", "targetPort": each.get("port")} | each for each in given["ports"]]
    if spec["type"] != "ExternalName":
        metadata = obj.get("metadata") or {}
        address = given.get("clusterIP") or cluster_address(metadata.get("namespace", ""), metadata.get("name", ""))
        spec |= {"clusterIP": address, "clusterIPs": [address], "internalTrafficPolicy": "Cluster"}
        spec |= {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
    return obj | {"spec": spec}


_COMPLETED: Mapping[Resource, Callable[[Object], Object]] = {SECRETS: _secret, CLAIMS: _claim, CORE_SERVICES: _service}
