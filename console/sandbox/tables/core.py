"""The cells of Services, claims, nodes, Deployments and ReplicaSets, as Kubernetes' printers compute them."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
NONE, UNKNOWN, UNSET = "<none>", "<unknown>", "<unset>"
ROLE_LABEL = "node-role.kubernetes.io/"
_SHORT_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def service_address(service: Object) -> str:
    """Its address inside the cluster."""
    addresses = service["spec"].get("clusterIPs") or [NONE]
    return str(addresses[0])


def service_external(service: Object) -> str:
    """Where it leads to, or from outside the cluster."""
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    if spec.get("type") == "LoadBalancer":
        return ",".join(spec.get("externalIPs") or ()) or "<pending>"
    return ",".join(spec.get("externalIPs") or ()) or NONE


def service_ports(service: Object) -> str:
    """Each port with its protocol."""
    return ",".join(_port(each) for each in service["spec"].get("ports") or ()) or NONE


def _port(port: Object) -> str:
    outside = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{outside}/{port.get('protocol', 'TCP')}"


def service_selector(service: Object) -> str:
    """The labels of the pods that it leads to."""
    return _labels(service["spec"].get("selector") or {})


def claim_status(claim: Object) -> str:
    """Its phase, or that it is on its way out."""
    return "Terminating" if "deletionTimestamp" in claim["metadata"] else (claim.get("status") or {}).get("phase", "")


def claim_capacity(claim: Object) -> str:
    """The size of its volume."""
    is_bound = bool(claim["spec"].get("volumeName"))
    return ((claim.get("status") or {}).get("capacity") or {}).get("storage", "") if is_bound else ""


def claim_modes(claim: Object) -> str:
    """How its volume may be mounted."""
    is_bound = bool(claim["spec"].get("volumeName"))
    modes = ((claim.get("status") or {}).get("accessModes") or ()) if is_bound else ()
    return ",".join(_SHORT_MODES.get(each, each) for each in modes)


def claim_class(claim: Object) -> str:
    """Its storage class."""
    return claim["spec"].get("storageClassName") or ""


def attributes_class(claim: Object) -> str:
    """The class of its volume's attributes."""
    return claim["spec"].get("volumeAttributesClassName") or UNSET


def volume_mode(claim: Object) -> str:
    """A file system or a device."""
    return claim["spec"].get("volumeMode") or UNSET


def node_status(node: Object) -> str:
    """Whether it is ready, and whether it takes pods."""
    ready = next((each for each in node["status"].get("conditions") or () if each["type"] == "Ready"), None)
    words = ["Unknown"] if ready is None else ["Ready" if ready.get("status") == "True" else "NotReady"]
    return ",".join([*words, *(["SchedulingDisabled"] if node["spec"].get("unschedulable") else [])])


def node_roles(node: Object) -> str:
    """Its roles, which are labels."""
    labels = node["metadata"].get("labels") or {}
    roles = sorted(key.removeprefix(ROLE_LABEL) for key in labels if key.startswith(ROLE_LABEL))
    return ",".join(roles) or NONE


def node_address(kind: str, node: Object) -> str:
    """Its first address of that kind."""
    addresses = node["status"].get("addresses") or ()
    return next((each["address"] for each in addresses if each["type"] == kind), NONE)


def node_fact(name: str, otherwise: str, node: Object) -> str:
    """What its kubelet says of itself."""
    return (node["status"].get("nodeInfo") or {}).get(name) or otherwise


def deployment_ready(deployment: Object) -> str:
    """How many of its pods are ready."""
    return f"{_count(deployment, 'readyReplicas')}/{deployment['spec'].get('replicas', 0)}"


def deployment_updated(deployment: Object) -> int:
    """How many of its pods are of the newest template."""
    return _count(deployment, "updatedReplicas")


def deployment_available(deployment: Object) -> int:
    """How many of its pods have been ready for long enough."""
    return _count(deployment, "availableReplicas")


def desired(replica_set: Object) -> int:
    """How many pods it wants."""
    return int(replica_set["spec"].get("replicas", 0))


def current(replica_set: Object) -> int:
    """How many pods it has."""
    return _count(replica_set, "replicas")


def ready(replica_set: Object) -> int:
    """How many of its pods are ready."""
    return _count(replica_set, "readyReplicas")


def containers(workload: Object) -> str:
    """The names of its containers."""
    return ",".join(each["name"] for each in workload["spec"]["template"]["spec"]["containers"])


def images(workload: Object) -> str:
    """The images of its containers."""
    return ",".join(each.get("image", "") for each in workload["spec"]["template"]["spec"]["containers"])


def workload_selector(workload: Object) -> str:
    """The labels of its pods."""
    return _labels(workload["spec"]["selector"].get("matchLabels") or {})


def _count(workload: Object, field: str) -> int:
    return int((workload.get("status") or {}).get(field, 0))


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) or NONE
