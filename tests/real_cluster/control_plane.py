"""Starting and stopping the control plane.

with control_plane(pods=True) as box:
    box.url, box.ca, box.token, box.ingress_port, box.kubeconfig(path), box.restart_api_server()
"""

from __future__ import annotations

import fcntl
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.console_process import free_port
from tests.real_cluster import programs
from tests.real_cluster.answering import Answering
from tests.real_cluster.box import APPLY, START_SECONDS, ControlPlane, apply, is_ready, object_path
from tests.real_cluster.ingress import StandInIngress
from tests.real_cluster.knative_parts import install_knative, start_knative
from tests.real_cluster.kubelet.network import check
from tests.real_cluster.kubernetes_parts import start_kubernetes
from tests.real_cluster.node_parts import NodeParts
from tests.waiting import eventually

__all__ = ["APPLY", "SERVICES", "ControlPlane", "apply", "control_plane", "is_ready", "object_path"]

WAIT_SECONDS = 300
MOST_RESTARTS = 10
SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"
PROBE = {
    "apiVersion": "serving.knative.dev/v1",
    "kind": "Service",
    "metadata": {"name": "probe", "namespace": "default"},
    "spec": {"template": {"spec": {"containers": [{"image": "gcr.io/knative-samples/helloworld-go"}]}}},
}


@contextmanager
def control_plane(*, pods: bool = False) -> Iterator[ControlPlane]:
    """Compile what is missing, start everything, wait until a Service can become ready, stop everything at the end.

    With `pods` there is a node: revisions start with one pod, scale to zero when idle, and come back through the
    activator. Raises NotPossible where the machine gives no network namespaces. Without, revisions become ready with
    no pod, as on the recorded cluster, and the ingress answers by itself.
    """
    if pods:
        check()
    binaries = programs.build()
    with _one_at_a_time():
        box = ControlPlane(Path(tempfile.mkdtemp(prefix="control-plane-")), free_port())
        (box.folder / "logs").mkdir()
        yield from _running(box, binaries, pods)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait for the end of another control plane: Knative's autoscaler insists on port 8080."""
    with (Path(tempfile.gettempdir()) / "control-plane.lock").open("a") as lock:

        def is_mine() -> bool:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        eventually(is_mine, timeout=WAIT_SECONDS, message="another control plane is running (make cluster?)")
        message = "port 8080, which Knative's autoscaler insists on, is taken by another program"
        eventually(_autoscaler_port_is_free, timeout=START_SECONDS, message=message)
        yield


def _running(box: ControlPlane, binaries: Path, pods: bool) -> Iterator[ControlPlane]:
    began = time.monotonic()
    with ExitStack() as ending:
        ending.callback(shutil.rmtree, box.folder, ignore_errors=True)
        ending.callback(box.stop_all)
        try:
            _start(box, binaries, pods, ending)
            seconds = time.monotonic() - began
            print(f"control plane ready after {seconds:.0f} s: {box.url}, logs in {box.folder}/logs", flush=True)
            yield box
        except BaseException:
            print(box.report(), flush=True)
            raise


def _start(box: ControlPlane, binaries: Path, pods: bool, ending: ExitStack) -> None:
    node = NodeParts(box, binaries) if pods else None
    if node:
        ending.callback(node.stop)
    start_kubernetes(box, binaries)
    install_knative(box, with_pods=pods)
    box.ingress = StandInIngress(box, node.services if node else Answering(box))
    ending.callback(box.ingress.stop)
    box.ingress.start()
    if node:
        node.start(box.ingress)
    box.keep_running()
    start_knative(box, binaries, node)
    _wait_for_webhook(box)
    _wait_for_a_ready_service(box)


def _autoscaler_port_is_free() -> bool:
    """Its statistics server has a fixed port: two control planes on one machine wait for one another."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", 8080))
        except OSError:
            return False
    return True


def _wait_for_webhook(box: ControlPlane) -> None:
    """Ready when a dry run of a Service passes through the webhooks and comes back with their defaults."""

    def defaulted() -> bool:
        if len(box.restarts) > MOST_RESTARTS:
            raise RuntimeError(f"these end again and again: {box.restarts}")
        answer = box.ask("POST", f"{SERVICES}?dryRun=All", PROBE)
        return answer.status == 201 and b"serving.knative.dev/creator" in answer.data

    eventually(defaulted, timeout=START_SECONDS, message=box.last_words("webhook"))


def _wait_for_a_ready_service(box: ControlPlane) -> None:
    """See a Service become ready, which takes the controller, the autoscaler and the ingress; then delete it."""
    assert box.ask("POST", SERVICES, PROBE).status == 201
    eventually(lambda: is_ready(box, f"{SERVICES}/probe"), timeout=START_SECONDS, message="no service becomes ready")
    box.ask("DELETE", f"{SERVICES}/probe")
    eventually(lambda: box.ask("GET", f"{SERVICES}/probe").status == 404, timeout=START_SECONDS)
