"""The nodes of the cluster, the addresses of its Services, and the Service that leads to its API server."""

from __future__ import annotations

import hashlib
from typing import Any

NODE_NAMES = ("sandbox-worker", "sandbox-worker2", "sandbox-worker3")  # pods run on the first
_CONDITIONS = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}


def cluster_address(namespace: str, name: str) -> str:
    """A Service's address inside the cluster, made up but stable."""
    digest = hashlib.sha256(f"{namespace}/{name}".encode()).digest()
    return f"10.96.{digest[0]}.{digest[1] % 250 + 2}"


def own_service() -> dict[str, Any]:
    """The Service that leads to the API server itself."""
    address = "10.96.0.1"
    spec = {
        "clusterIP": address, "clusterIPs": [address], "internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack", "sessionAffinity": "None", "type": "ClusterIP",
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
    }  # fmt: skip
    labels = {"component": "apiserver", "provider": "kubernetes"}
    metadata = {"name": "kubernetes", "namespace": "default", "labels": labels}
    return {"metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}}


def node(name: str, address: str, now: str) -> dict[str, Any]:
    """A node that the pods of the demo fit on."""
    facts = {
        "architecture": "amd64", "containerRuntimeVersion": "containerd://2.1.4", "kernelVersion": "6.12.0",
        "kubeProxyVersion": "", "kubeletVersion": "v1.36.3", "operatingSystem": "linux", "osImage": "Sandbox",
        "bootID": "", "machineID": "", "systemUUID": "",
    }  # fmt: skip
    capacity = {"cpu": "8", "ephemeral-storage": "100Gi", "memory": "32Gi", "pods": "110"}
    conditions = [_condition(kind, *words, now) for kind, words in _CONDITIONS.items()]
    labels = {"kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    addresses = [{"address": address, "type": "InternalIP"}, {"address": name, "type": "Hostname"}]
    status = {"addresses": addresses, "allocatable": capacity, "capacity": capacity, "conditions": conditions}
    return {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": status | {"nodeInfo": facts}}


def _condition(kind: str, status: str, reason: str, message: str, now: str) -> dict[str, Any]:
    times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    return {"type": kind, "status": status, **times, "reason": reason, "message": message}
