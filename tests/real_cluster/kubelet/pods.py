"""One pod from its binding to its removal: its namespace, its containers, its status on the API server."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3

from tests.real_cluster.kubelet import probes
from tests.real_cluster.kubelet.containers import Container, now
from tests.real_cluster.kubelet.environment import environment
from tests.real_cluster.kubelet.images import Image, pull
from tests.real_cluster.kubelet.network import ADDRESS, PodNetwork

if TYPE_CHECKING:
    from tests.real_cluster.kubelet.node import Node

logger = logging.getLogger(__name__)

STEP_SECONDS = 0.1
MERGE = "application/merge-patch+json"


class Pod:
    """A pod on this node, with a thread that brings it forward until it is gone."""

    def __init__(self, node: Node, found: dict[str, Any]) -> None:
        self.raw = found
        self._node = node
        self._removed = threading.Event()  # from the API server, or with the node
        self._written: dict[str, Any] = {}
        metadata = found["metadata"]
        self.namespace, self.name, self.uid = metadata["namespace"], metadata["name"], metadata["uid"]
        self._path = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"
        self._started = now()
        self._ends_at: float | None = None
        self._stopping: ThreadPoolExecutor | None = None
        self._network: PodNetwork | None = None
        self.containers: list[Container] = []
        self._thread = threading.Thread(target=self._run, name=f"pod {self.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def remove(self) -> None:
        """Kill what still runs and forget the pod: it is gone from the API server, or its node ends."""
        self._removed.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            self._network = self._node.bridge.join()
            self.containers = [self._container(spec) for spec in self.raw["spec"]["containers"]]
            while not self._removed.is_set():
                with suppress(urllib3.exceptions.HTTPError):  # the API server is away: the next round writes
                    self._step()
                self._removed.wait(STEP_SECONDS)
        except Exception:
            logger.exception("pod %s ends", self.name)
        finally:
            for container in self.containers:
                container.kill()
            if self._network:
                self._network.remove()

    def _container(self, spec: dict[str, Any]) -> Container:
        logs = self._node.logs / f"{self.namespace}_{self.name}_{self.uid}"
        logs.mkdir(parents=True, exist_ok=True)
        image = pull(spec, self._node.programs)
        return Container(spec, image, logs, self._launch, f"{self.name}_{self.namespace}({self.uid})")

    def _launch(self, spec: dict[str, Any], image: Image, log: Path) -> subprocess.Popen[bytes]:
        assert self._network is not None
        variables = environment(self._node.box, self.raw, spec, self._network.address)
        command = self._network.inside([*image.command])
        with log.open("wb") as output:
            return self._node.start(command, output, {"PATH": "/usr/bin:/bin", **variables})

    def _step(self) -> None:
        assert self._network is not None
        if self.raw["metadata"].get("deletionTimestamp"):
            self._end()
        else:
            for container in self.containers:
                container.step(self._network.address)
        self._write()

    def _end(self) -> None:
        """preStop hooks and SIGTERM, SIGKILL after the grace period, and then the pod object itself."""
        if self._ends_at is None:
            self._ends_at = time.monotonic() + self.raw["metadata"].get("deletionGracePeriodSeconds", 30)
            self._stopping = ThreadPoolExecutor(len(self.containers))
            for container in self.containers:
                self._stopping.submit(self._stop, container)
        if time.monotonic() >= self._ends_at:
            for container in self.containers:
                container.kill()
        still_running = [container for container in self.containers if not container.has_ended()]
        if not still_running:
            self._write()
            options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
            self._node.box.ask("DELETE", self._path, options)
            self._removed.set()

    def _stop(self, container: Container) -> None:
        """Knative's hook of the user's container is a request to the queue-proxy that waits for the last answers."""
        assert self._network is not None
        assert self._ends_at is not None
        hook = (container.spec.get("lifecycle") or {}).get("preStop") or {}
        if action := hook.get("httpGet"):
            probes.get(action, self._network.address, max(1.0, self._ends_at - time.monotonic()))
        container.stop()

    def _write(self) -> None:
        """Write the status when it has changed."""
        status = self._status()
        if status == self._written:
            return
        answer = self._node.box.ask("PATCH", f"{self._path}/status", {"status": status}, content_type=MERGE)
        if answer.status == 404:
            self._removed.set()
        elif answer.status == 200:
            self._written = status
        else:
            raise RuntimeError(f"the status of {self.name} was refused: {answer.data[:500]!r}")

    def _status(self) -> dict[str, Any]:
        assert self._network is not None
        statuses = [container.status() for container in self.containers]
        unready = [one["name"] for one in statuses if not one["ready"]]
        state: dict[str, str] = {"status": "True"}
        if unready:
            message = f"containers with unready status: [{' '.join(unready)}]"
            state = {"status": "False", "reason": "ContainersNotReady", "message": message}
        started = {"status": "True"}
        states = {"PodScheduled": started, "Initialized": started, "ContainersReady": state, "Ready": state}
        has_run = all(one["restartCount"] or "waiting" not in one["state"] for one in statuses)
        return {
            "phase": "Running" if has_run or self._written.get("phase") == "Running" else "Pending",
            "conditions": [self._condition(kind, one) for kind, one in states.items()],
            "hostIP": ADDRESS,
            "hostIPs": [{"ip": ADDRESS}],
            "podIP": self._network.address,
            "podIPs": [{"ip": self._network.address}],
            "startTime": self._started,
            "containerStatuses": statuses,
        }

    def _condition(self, kind: str, state: dict[str, str]) -> dict[str, Any]:
        """The condition, with the time at which its status last changed."""
        before = next((one for one in self._written.get("conditions", ()) if one["type"] == kind), None)
        same = before is not None and before["status"] == state["status"]
        return {"type": kind, "lastTransitionTime": before["lastTransitionTime"] if same and before else now(), **state}
