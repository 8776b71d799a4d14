"""The node: it registers itself, keeps its lease, takes the pods of Knative revisions, and gives out their logs."""

from __future__ import annotations

import logging
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import urllib3

from tests.real_cluster.kubelet.containers import Container, now
from tests.real_cluster.kubelet.logs import LogServer
from tests.real_cluster.kubelet.network import ADDRESS, Bridge
from tests.real_cluster.kubelet.pods import MERGE, Pod
from tests.real_cluster.watching import Key, Object, Watched, key_of

if TYPE_CHECKING:
    from tests.real_cluster.control_plane import ControlPlane

logger = logging.getLogger(__name__)

NAME = "stand-in"
REVISION = "serving.knative.dev/revision"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
LEASE_SECONDS, RENEW_SECONDS = 40, 10
REMOVE_SECONDS = 5


class Node:
    """The only node of the cluster. `start` and `stop` it; `programs` is the folder with the real queue-proxy."""

    def __init__(self, box: ControlPlane, programs: Path) -> None:
        self.box = box
        self.programs = programs
        self.logs = box.folder / "pods"
        self.pods: dict[str, Pod] = {}  # by uid
        self.bridge = Bridge(self._start_quietly)
        self._log_server = LogServer(self, ADDRESS, box.folder)
        self._watched = Watched(box, "/api/v1/pods", self._take)
        self._ended = threading.Event()

    def start_serving(self) -> None:
        """Register, and take pods from now on."""
        self._log_server.start()
        self._register()
        threading.Thread(target=self._renew_forever, name="node lease", daemon=True).start()
        self._watched.start()

    def stop(self) -> None:
        """Kill every pod's processes and take the network away; the API server need not be there any more."""
        self._ended.set()
        self._watched.stop()
        self._log_server.stop()
        pods = list(self.pods.values())
        for pod in pods:
            pod.remove()
        for pod in pods:
            pod.join(REMOVE_SECONDS)
        self.bridge.remove()

    def start(self, command: list[str], output: BinaryIO | int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start a process that ends with this one, its output to `output`."""
        starting = self.box.starter.submit(
            subprocess.Popen,
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
        return starting.result()

    def container(self, namespace: str, pod: str, container: str) -> Container | None:
        """Return a container of a pod on this node by their names."""
        for one in list(self.pods.values()):
            if (one.namespace, one.name) == (namespace, pod):
                return next((found for found in one.containers if found.name == container), None)
        return None

    def _start_quietly(self, command: list[str]) -> subprocess.Popen[bytes]:
        return self.start(command, subprocess.DEVNULL, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def _take(self, found: Object, is_gone: bool) -> None:
        uid = found["metadata"]["uid"]
        if pod := self.pods.get(uid):
            pod.raw = found
            if is_gone:
                self.pods.pop(uid).remove()
            return
        if is_gone or self._ended.is_set() or REVISION not in found["metadata"].get("labels", {}):
            return  # other pods stay unscheduled: they are not Knative's
        if found["spec"].get("nodeName") is None and not self._bind(key_of(found)):
            return
        self.pods[uid] = Pod(self, found)
        self.pods[uid].start()

    def _bind(self, key: Key) -> bool:
        """What a scheduler does; there is one node, with resources for everything."""
        namespace, name = key
        target = {"apiVersion": "v1", "kind": "Node", "name": NAME}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
        answer = self.box.ask("POST", f"/api/v1/namespaces/{namespace}/pods/{name}/binding", body)
        if answer.status not in (201, 404, 409):
            raise RuntimeError(f"pod {name} cannot be bound: {answer.data[:500]!r}")
        return answer.status == 201

    def _register(self) -> None:
        known = self.box.ask("POST", "/api/v1/nodes", {"metadata": {"name": NAME, "labels": {"name": NAME}}})
        assert known.status == 201, known.data
        room = {"cpu": "64", "memory": "64Gi", "pods": "500"}
        states = {"Ready": "True", "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False"}
        conditions = [
            {"type": kind, "status": state, "reason": "StandIn", "lastTransitionTime": now()}
            for kind, state in states.items()
        ]
        status = {
            "capacity": room,
            "allocatable": room,
            "conditions": conditions,
            "addresses": [{"type": "InternalIP", "address": ADDRESS}],  # no name: it would be looked up
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._log_server.port}},
        }
        answer = self.box.ask("PATCH", f"/api/v1/nodes/{NAME}/status", {"status": status}, content_type=MERGE)
        assert answer.status == 200, answer.data

    def _renew_forever(self) -> None:
        """A node whose lease is old is taken for dead, and its pods away."""
        while not self._ended.wait(RENEW_SECONDS if self._renew() else 1):
            pass

    def _renew(self) -> bool:
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": NAME, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": moment}
        try:
            answer = self.box.ask("PATCH", f"{LEASES}/{NAME}", {"spec": spec}, content_type=MERGE)
            if answer.status == 404:
                answer = self.box.ask("POST", LEASES, {"metadata": {"name": NAME}, "spec": spec})
        except urllib3.exceptions.HTTPError:
            return False  # the API server is away
        return answer.status in (200, 201)
