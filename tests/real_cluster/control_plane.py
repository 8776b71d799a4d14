"""Starting and stopping the control plane.

with control_plane(pods=True) as box:
    box.url, box.ca, box.token, box.ingress_port, box.kubeconfig(path), box.restart_api_server()
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import urllib3

from tests.real_cluster import machine, programs
from tests.real_cluster.answering import Answering
from tests.real_cluster.box import APPLY, ControlPlane, apply, is_ready, object_path
from tests.real_cluster.ingress import StandInIngress
from tests.real_cluster.knative_parts import ACTIVATOR_PORTS, AUTOSCALER_PORT, install_knative, start_knative
from tests.real_cluster.kubelet.network import NotPossible, check
from tests.real_cluster.kubernetes_parts import start_kubernetes
from tests.real_cluster.node_parts import NodeParts
from tests.real_cluster.releases import NEWEST
from tests.real_cluster.supervisor import START_SECONDS
from tests.waiting import eventually

__all__ = ["APPLY", "SERVICES", "ControlPlane", "apply", "control_plane", "is_ready", "object_path", "once_more"]

T = TypeVar("T")

WAIT_SECONDS = 300
# Knative's programs insist on these; the others take what is free.
PORTS = (AUTOSCALER_PORT, *(target for _, target in ACTIVATOR_PORTS.values()))
SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"
PROBE = {
    "apiVersion": "serving.knative.dev/v1",
    "kind": "Service",
    "metadata": {"name": "probe", "namespace": "default"},
    "spec": {"template": {"spec": {"containers": [{"image": "gcr.io/knative-samples/helloworld-go"}]}}},
}


@contextmanager
def control_plane(release: str = NEWEST, *, pods: bool = False) -> Iterator[ControlPlane]:
    """Compile what is missing, start everything, wait until a Service can become ready, stop everything at the end.

    Knative Serving is that of `release`, one of releases.py. With `pods` there is a node: revisions start with one pod,
    scale to zero when idle, and come back through the activator. Raises NotPossible where the machine gives no network
    namespaces. Without, revisions become ready with no pod, as on the recorded cluster, and the ingress answers by
    itself.
    """
    if pods:
        check()
    binaries = programs.build(release)
    with _one_at_a_time(), ExitStack() as ending:
        began = time.monotonic()
        box = once_more(partial(_start, binaries, release, pods), ending)
        seconds = time.monotonic() - began
        where = f"{box.url}, logs in {box.folder}/logs"
        print(f"control plane with Knative {release} ready after {seconds:.0f} s: {where}", flush=True)
        try:
            yield box
        except BaseException:
            print(box.report(), flush=True)
            raise


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait for the end of another control plane, and clear away what one that was killed has left."""
    with (Path(tempfile.gettempdir()) / "control-plane.lock").open("a") as lock:

        def is_mine() -> bool:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        eventually(is_mine, timeout=WAIT_SECONDS, message="another control plane is running (make cluster?)")
        machine.remove_leftovers()
        for port in PORTS:
            _wait_until_free(port)
        yield


def _wait_until_free(port: int) -> None:
    def told() -> str:
        return f"port {port}, which Knative insists on, is taken: {machine.who_listens(port)}"

    eventually(lambda: machine.is_free(port), timeout=START_SECONDS, message=told)


def once_more(start: Callable[[ExitStack], T], ending: ExitStack) -> T:
    """Start something; when that fails, end what was started, say so, and try a second and last time."""
    try:
        return _whole(start, ending)
    except NotPossible:
        raise
    except (AssertionError, RuntimeError, OSError, urllib3.exceptions.HTTPError) as error:
        print(f"!!! THE FIRST START FAILED, a second one follows: {error}", flush=True)
    return _whole(start, ending)


def _whole(start: Callable[[ExitStack], T], ending: ExitStack) -> T:
    """Start it, and leave its end to `ending`; or fail and leave nothing."""
    with ExitStack() as parts:
        started = start(parts)
        ending.push(parts.pop_all())
    return started


def _start(binaries: Path, release: str, pods: bool, ending: ExitStack) -> ControlPlane:
    box = ControlPlane(Path(tempfile.mkdtemp(prefix=machine.FOLDERS)), release=release)
    ending.callback(shutil.rmtree, box.folder, ignore_errors=True)
    ending.callback(box.stop_all)
    try:
        _start_parts(box, binaries, pods, ending)
    except BaseException:
        print(box.full_report(), flush=True)
        _keep_logs(box)
        raise
    return box


def _keep_logs(box: ControlPlane) -> None:
    """Copy the whole logs to $SLUICE_ARTIFACTS, when that is set."""
    folder = os.environ.get("SLUICE_ARTIFACTS")
    if folder and (box.folder / "logs").exists():
        shutil.copytree(box.folder / "logs", Path(folder) / "logs" / box.folder.name, dirs_exist_ok=True)


def _start_parts(box: ControlPlane, binaries: Path, pods: bool, ending: ExitStack) -> None:
    of_knative = binaries / box.release
    node = NodeParts(box, of_knative) if pods else None
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
    start_knative(box, of_knative, node)
    _wait_for_webhook(box)
    wait_for_a_ready_service(box)


def _wait_for_webhook(box: ControlPlane) -> None:
    """Ready when a dry run of a Service passes through the webhooks and comes back with their defaults."""

    def defaulted() -> bool:
        answer = box.ask("POST", f"{SERVICES}?dryRun=All", PROBE)
        return answer.status == 201 and b"serving.knative.dev/creator" in answer.data

    box.wait_for(defaulted, "the webhooks do not answer")


def wait_for_a_ready_service(box: ControlPlane) -> None:
    """See a Service become ready, which takes the controller, the autoscaler and the ingress; then delete it."""
    assert box.ask("POST", SERVICES, PROBE).status == 201
    box.wait_for(lambda: is_ready(box, f"{SERVICES}/probe"), "no service becomes ready")
    box.ask("DELETE", f"{SERVICES}/probe")
    box.wait_for(lambda: box.ask("GET", f"{SERVICES}/probe").status == 404, "a deleted service does not go")
