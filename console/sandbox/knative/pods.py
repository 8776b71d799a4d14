"""Pod objects: what a Deployment of Knative makes of a Revision, and the states that a kubelet writes."""

from __future__ import annotations

from typing import Any

from console.sandbox.knative import queue_proxy, registry
from console.sandbox.knative.objects import REVISION_LABEL, Key, Object, controller_reference, labels_of

QUEUE_PROXY = queue_proxy.NAME
MAX_GENERATED = 58  # characters of a generated name before its suffix
_NOT_READY_SECONDS = 300  # how long a pod stays on a node that is gone
_TOLERATIONS = [
    {"effect": "NoExecute", "key": f"node.kubernetes.io/{trouble}", "operator": "Exists",
     "tolerationSeconds": _NOT_READY_SECONDS}
    for trouble in ("not-ready", "unreachable")
]  # fmt: skip
Status = dict[str, Any]


def pod_for(replica_set: Object, suffix: str) -> Object:
    """A Pod of the ReplicaSet before anything happened to it."""
    template, name = replica_set["spec"]["template"], replica_set["metadata"]["name"]
    metadata = template["metadata"] | {
        "name": f"{name}-"[:MAX_GENERATED] + suffix,
        "generateName": f"{name}-",
        "namespace": replica_set["metadata"]["namespace"],
        "ownerReferences": [controller_reference(replica_set)],
    }
    tolerations = [*(template["spec"].get("tolerations") or []), *_TOLERATIONS]
    spec = template["spec"] | {
        "preemptionPolicy": "PreemptLowerPriority", "priority": 0, "tolerations": tolerations,
    }  # fmt: skip
    status = {"phase": "Pending", "qosClass": "Burstable"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def revision_key(pod: Object) -> Key | None:
    """The Revision that a Pod belongs to, or None for somebody else's pod."""
    name = labels_of(pod).get(REVISION_LABEL)
    return (pod["metadata"]["namespace"], name) if name else None


def is_terminating(pod: Object) -> bool:
    """Whether it is on its way out."""
    return "deletionTimestamp" in pod["metadata"]


def is_ready(pod: Object) -> bool:
    """Whether it takes requests."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and not is_terminating(pod)


def serving_name(pod: Object) -> str:
    """The name of the container that answers requests."""
    containers = [each for each in pod["spec"]["containers"] if each["name"] != QUEUE_PROXY]
    return str(next((each for each in containers if each.get("ports")), containers[0])["name"])


def container_state(pod: Object, name: str) -> Status:
    """The status of one container, or an empty one."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return next((each for each in statuses if each["name"] == name), {})


def crashing_name(pod: Object) -> str:
    """The name of the container that waits between two crashes; empty when none does."""
    for status in (pod.get("status") or {}).get("containerStatuses") or []:
        waits = status.get("state", {}).get("waiting") or {}
        if waits.get("reason") == "CrashLoopBackOff":
            return str(status["name"])
    return ""


def unscheduled(status: Status, message: str, now: str) -> Status:
    """Pending, and no node takes it."""
    condition = _condition("PodScheduled", "False", now) | {"reason": "Unschedulable", "message": message}
    return status | {"phase": "Pending", "conditions": [condition]}


def waiting(pod: Object, now: str, reason: str = "ContainerCreating", message: str = "", name: str = "") -> Status:
    """Scheduled, its containers waiting; `reason` and `message` are those of the container `name` (or of all)."""
    statuses = []
    for container in pod["spec"]["containers"]:
        is_meant = not name or container["name"] == name
        state = {"reason": reason if is_meant else "ContainerCreating"} | (
            {"message": message} if message and is_meant else {}
        )
        statuses.append(_container(container, {"waiting": state}, is_ready=False, is_started=False))
    unready = {"reason": "ContainersNotReady", "message": _unready_message(pod)}
    conditions = [
        _condition("PodReadyToStartContainers", "True", now),
        _condition("Initialized", "True", now),
        _condition("Ready", "False", now) | unready,
        _condition("ContainersReady", "False", now) | unready,
        _condition("PodScheduled", "True", now),
    ]
    return _placed(pod) | {"phase": "Pending", "conditions": conditions, "containerStatuses": statuses}


def running(pod: Object, now: str, *, ready: bool) -> Status:
    """Running; `ready` when the probes of all containers succeed."""
    status = _placed(pod)
    unready = {} if ready else {"reason": "ContainersNotReady", "message": _unready_message(pod)}
    word = "True" if ready else "False"
    started = {container["name"]: container_state(pod, container["name"]) for container in pod["spec"]["containers"]}
    status["containerStatuses"] = [
        _container(
            container,
            {"running": started[container["name"]].get("state", {}).get("running") or {"startedAt": now}},
            is_ready=ready,
            is_started=True,
            restarts=started[container["name"]].get("restartCount", 0),
        )
        for container in pod["spec"]["containers"]
    ]
    status["conditions"] = [
        _condition("PodReadyToStartContainers", "True", now),
        _condition("Initialized", "True", now),
        _condition("Ready", word, now) | unready,
        _condition("ContainersReady", word, now) | unready,
        _condition("PodScheduled", "True", now),
    ]
    return status | {"phase": "Running"}


def crashed(pod: Object, now: str, name: str, *, restarts: int, backoff: str, message: str) -> Status:
    """Running as a whole, one container between two crashes with exit code 1: a sidecar alone is not ready."""
    status = running(pod, now, ready=False)
    is_serving = name == serving_name(pod)
    ended = {
        "terminated": {
            "exitCode": 1, "reason": "Error", "message": message, "startedAt": now, "finishedAt": now,
            "containerID": f"containerd://{'0' * 64}",
        }
    }  # fmt: skip
    why = f"back-off {backoff} restarting failed container={name} pod={pod['metadata']['name']}"
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": why}}
    status["containerStatuses"] = [
        each | {"state": state, "lastState": ended, "restartCount": restarts, "ready": False, "started": False}
        if each["name"] == name
        else each | {"ready": not is_serving}
        for each in status["containerStatuses"]
    ]
    return status


def _placed(pod: Object) -> Status:
    status = {key: value for key, value in (pod.get("status") or {}).items() if key != "message"}
    octets = sum(pod["metadata"]["name"].encode()) % 250 + 2
    address = f"10.244.1.{octets}"
    host = "192.0.2.11"
    return {"hostIP": host, "hostIPs": [{"ip": host}], "podIP": address, "podIPs": [{"ip": address}]} | status


def _unready_message(pod: Object) -> str:
    names = " ".join(container["name"] for container in pod["spec"]["containers"])
    return f"containers with unready status: [{names}]"


def _condition(kind: str, status: str, now: str) -> Status:
    return {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": now}


def _container(container: Object, state: Status, *, is_ready: bool, is_started: bool, restarts: int = 0) -> Status:
    status: Status = {
        "name": container["name"],
        "image": container["image"],
        "imageID": container["image"] if is_started else "",
        "state": state,
        "lastState": {},
        "ready": is_ready,
        "started": is_started,
        "restartCount": restarts,
    }
    if is_started:
        status["containerID"] = f"containerd://{registry.digest_of(container['name'] + container['image'])}"
    return status
