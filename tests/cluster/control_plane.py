"""Starting and stopping the control plane.

with control_plane() as box:
    box.url, box.ca, box.token, box.ingress_port, box.kubeconfig(path), box.restart_api_server()
"""

from __future__ import annotations

import fcntl
import json
import logging
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.cluster import programs
from tests.cluster.ingress import StandInIngress
from tests.console_process import free_port
from tests.waiting import eventually

logger = logging.getLogger(__name__)

TOKENS = {"admin": ["system:masters"], "viewer": [], "console": []}
START_SECONDS = 120
WAIT_SECONDS = 300
STOP_SECONDS = 3
APPLY = "application/apply-patch+yaml"
SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"
PROBE = {
    "apiVersion": "serving.knative.dev/v1",
    "kind": "Service",
    "metadata": {"name": "probe", "namespace": "default"},
    "spec": {"template": {"spec": {"containers": [{"image": "gcr.io/knative-samples/helloworld-go"}]}}},
}


@dataclass
class ControlPlane:
    """A running control plane: the interface of tests.sandbox_process.Sandbox, and a few things only this one can."""

    folder: Path
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    commands: dict[str, tuple[list[str], dict[str, str]]] = field(default_factory=dict)
    ingress: StandInIngress | None = None
    tokens: Mapping[str, str] = field(default_factory=lambda: {user: f"token-of-{user}" for user in TOKENS})
    ingress_host: str = "127.0.0.1"
    starter: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    restarts: list[str] = field(default_factory=list)
    _changing: threading.RLock = field(default_factory=threading.RLock)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        """The API server's own certificate, which vouches for it."""
        return self.folder / "apiserver" / "apiserver.crt"

    @property
    def token(self) -> str:
        return self.tokens["admin"]

    @property
    def ingress_port(self) -> int:
        assert self.ingress is not None
        return self.ingress.port

    def kubeconfig(self, path: Path, *, user: str = "admin", namespace: str = "default") -> Path:
        """Write a kubeconfig for `user` with one context named real, and return its path."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "real",
            "clusters": [{"name": "real", "cluster": {"server": self.url, "certificate-authority": str(self.ca)}}],
            "users": [{"name": user, "user": {"token": self.tokens[user]}}],
            "contexts": [{"name": "real", "context": {"cluster": "real", "user": user, "namespace": namespace}}],
        }
        path.write_text(yaml.safe_dump(config))
        return path

    def ask(
        self, method: str, path: str, body: Any = None, *, user: str = "admin", content_type: str = "", token: str = ""
    ) -> urllib3.BaseHTTPResponse:
        """Send one request to the API server and return the answer."""
        headers = {"Authorization": f"Bearer {token or self.tokens[user]}"}
        if body is not None:
            headers["Content-Type"] = content_type or "application/json"
        data = body if isinstance(body, str | bytes | None) else json.dumps(body)
        with urllib3.PoolManager(ca_certs=str(self.ca)) as pool:
            return pool.request(method, self.url + path, body=data, headers=headers, timeout=20, retries=False)

    def start(self, name: str, command: list[str], environment: dict[str, str] | None = None) -> None:
        """Start one of the programs; its output goes to <folder>/logs/<name>.log."""
        self.commands[name] = (command, environment or {})
        with self._changing, (self.folder / "logs" / f"{name}.log").open("ab") as log:
            # A program ends with the thread that started it: with this process, however that ends, and none before.
            self.processes[name] = self.starter.submit(
                subprocess.Popen,
                ["setpriv", "--pdeathsig", "TERM", *command],
                stdout=log,
                stderr=log,
                env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), **(environment or {})},
            ).result()

    def keep_running(self) -> None:
        """Start again what ends by itself, as a kubelet does: Knative's programs end when they lose their leases."""
        threading.Thread(target=self._keep, daemon=True).start()

    def _keep(self) -> None:
        while not self._ended.wait(0.5):
            with self._changing:
                for name, process in list(self.processes.items()):
                    if not self._ended.is_set() and process.poll() is not None:
                        logger.warning(
                            "%s ended with %s and is started again: %s", name, process.returncode, self.last_words(name)
                        )
                        self.restarts.append(name)
                        self.start(name, *self.commands[name])

    def stop_all(self) -> None:
        """End every program at once: nothing here outlives the folder, and Knative's webhook would drain for 45 s."""
        self._ended.set()
        with self._changing:
            self._stop_all()
        self.starter.shutdown()

    def _stop_all(self) -> None:
        for process in self.processes.values():
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def kill_api_server(self) -> None:
        """End the API server as a crash does; `start_api_server` brings it back with all its data."""
        with self._changing:
            process = self.processes.pop("apiserver")
            process.kill()
            process.wait()

    def restart_api_server(self) -> None:
        """Crash it and bring it back; returns once it is ready again."""
        self.kill_api_server()
        self.start_api_server()

    def start_api_server(self) -> None:
        self.start("apiserver", *self.commands["apiserver"])
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        eventually(self._is_ready, timeout=START_SECONDS, message=self.last_words("apiserver"))

    def report(self) -> str:
        """Return what each program said last: what a failed test shows."""
        return "\n".join([f"started again: {self.restarts}", *map(self.last_words, self.commands)])

    def last_words(self, name: str) -> str:
        log = self.folder / "logs" / f"{name}.log"
        return f"{name}: " + "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else name

    def _is_ready(self) -> bool:
        process = self.processes["apiserver"]
        if process.poll() is not None:
            raise RuntimeError(f"kube-apiserver ended: {self.last_words('apiserver')}")
        if not self.ca.exists():
            return False
        try:
            return self.ask("GET", "/readyz").status == 200
        except urllib3.exceptions.HTTPError:
            return False


@contextmanager
def control_plane() -> Iterator[ControlPlane]:
    """Compile what is missing, start everything, wait until a Service can become ready, stop everything at the end."""
    binaries = programs.build()
    with _one_at_a_time():
        box = ControlPlane(Path(tempfile.mkdtemp(prefix="control-plane-")), free_port())
        (box.folder / "logs").mkdir()
        yield from _running(box, binaries)


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


def _running(box: ControlPlane, binaries: Path) -> Iterator[ControlPlane]:
    began = time.monotonic()
    try:
        _start_kubernetes(box, binaries)
        _install_knative(box)
        box.ingress = StandInIngress(box)
        box.ingress.start()
        _start_knative(box, binaries)
        _wait_for_webhook(box)
        box.keep_running()
        _wait_for_a_ready_service(box)
        print(
            f"control plane ready after {time.monotonic() - began:.0f} s: {box.url}, logs in {box.folder}/logs",
            flush=True,
        )
        yield box
    except BaseException:
        print(box.report(), flush=True)
        raise
    finally:
        if box.ingress:
            box.ingress.stop()
        box.stop_all()
        shutil.rmtree(box.folder, ignore_errors=True)


def _autoscaler_port_is_free() -> bool:
    """Its statistics server has a fixed port: two control planes on one machine wait for one another."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", 8080))
        except OSError:
            return False
    return True


def _start_kubernetes(box: ControlPlane, binaries: Path) -> None:
    client, peer = free_port(), free_port()
    at, beside = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    etcd = [
        str(binaries / "etcd"),
        "--data-dir",
        str(box.folder / "etcd"),
        "--listen-client-urls",
        at,
        "--advertise-client-urls",
        at,
    ]
    etcd += [
        "--listen-peer-urls",
        beside,
        "--initial-advertise-peer-urls",
        beside,
        "--initial-cluster",
        f"default={beside}",
    ]
    box.start("etcd", [*etcd, "--unsafe-no-fsync"])
    key = _write_key(box.folder / "service-accounts.key")
    tokens = box.folder / "tokens.csv"
    tokens.write_text(
        "".join(f'{box.tokens[user]},{user},{user},"{",".join(groups)}"\n' for user, groups in TOKENS.items())
    )
    box.start(
        "apiserver",
        [
            str(binaries / "kube-apiserver"),
            f"--etcd-servers={at}",
            f"--secure-port={box.port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--cert-dir={box.folder / 'apiserver'}",
            f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--endpoint-reconciler-type=none",
            "--disable-admission-plugins=ServiceAccount",
        ],
    )
    box.wait_until_ready()
    config = box.kubeconfig(box.folder / "kubeconfig")
    manager = [
        str(binaries / "kube-controller-manager"),
        f"--kubeconfig={config}",
        "--leader-elect=false",
        "--secure-port=0",
    ]
    box.start("controller-manager", [*manager, f"--service-account-private-key-file={key}"])


def _write_key(path: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    path.chmod(0o600)
    return path


def _install_knative(box: ControlPlane) -> None:
    """Apply Knative's own YAML from its modules, with the settings that a machine without containers needs."""
    serving = programs.module_folder("serving", "knative.dev/serving") / "config" / "core"
    networking = programs.module_folder("serving", "knative.dev/networking") / "config"
    caching = programs.module_folder("serving", "knative.dev/caching") / "config"
    _apply(box, [serving / "100-namespace.yaml", serving / "200-serviceaccount.yaml", *sorted(caching.glob("*.yaml"))])
    _apply(box, [*sorted((serving / "200-roles").glob("*.yaml")), *sorted((serving / "300-resources").glob("*.yaml"))])
    _apply(box, sorted(networking.glob("*.yaml")))
    _apply(box, sorted((serving / "configmaps").glob("*.yaml")))
    _set(
        box,
        "config-deployment",
        {"registries-skipping-tag-resolving": "gcr.io,registry.example.com,kind.local,ko.local,dev.local"},
    )
    _set(box, "config-autoscaler", {"allow-zero-initial-scale": "true", "initial-scale": "0"})
    _set(box, "config-domain", {"example.com": ""})


def _apply(box: ControlPlane, files: list[Path]) -> None:
    for file in files:
        for document in yaml.safe_load_all(file.read_text()):
            if document:
                apply(box, document)


def apply(box: ControlPlane, document: dict[str, Any]) -> None:
    """Apply one object on the server's side; waits while its kind is still being registered."""

    def applied() -> bool:
        answer = box.ask(
            "PATCH",
            f"{object_path(box, document)}?fieldManager=tests&force=true",
            json.dumps(document),
            content_type=APPLY,
        )
        if answer.status in (404, 503):
            return False
        assert answer.status < 300, f"{document['kind']} {document['metadata']['name']}: {answer.data[:500]!r}"
        return True

    eventually(applied, timeout=30, message=f"cannot apply {document['kind']} {document['metadata']['name']}")


def object_path(box: ControlPlane, document: dict[str, Any]) -> str:
    """Return where the object stands in the API, as discovery tells."""
    version, metadata = document["apiVersion"], document["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    known = box.ask("GET", root)
    kinds = json.loads(known.data)["resources"] if known.status == 200 else []  # 404 until the group is registered
    kind = next((one for one in kinds if one["kind"] == document["kind"] and "/" not in one["name"]), None)
    if kind is None:
        return f"{root}/unknown/{metadata['name']}"
    inside = f"/namespaces/{metadata.get('namespace', 'default')}" if kind["namespaced"] else ""
    return f"{root}{inside}/{kind['name']}/{metadata['name']}"


def _set(box: ControlPlane, name: str, data: dict[str, str]) -> None:
    path = f"/api/v1/namespaces/knative-serving/configmaps/{name}"
    answer = box.ask("PATCH", path, {"data": data}, content_type="application/merge-patch+json")
    assert answer.status == 200, answer.data


def _start_knative(box: ControlPlane, binaries: Path) -> None:
    """The webhook answers on loopback: its Service is an ExternalName, its port stands in the configurations."""
    config = str(box.folder / "kubeconfig")
    webhook_port = free_port()
    for name in ("controller", "webhook", "autoscaler"):
        environment = {
            "SYSTEM_NAMESPACE": "knative-serving",
            "CONFIG_LOGGING_NAME": "config-logging",
            "CONFIG_OBSERVABILITY_NAME": "config-observability",
            "METRICS_DOMAIN": "knative.dev/internal/serving",
            "POD_NAME": name,
            "POD_IP": "192.0.2.10",  # a documentation address: the autoscaler wants one, nothing is sent there
            "METRICS_PROMETHEUS_PORT": str(free_port()),
            "PROFILING_PORT": str(free_port()),
            "KNATIVE_HEALTH_PROBES_PORT": str(free_port()),
        }
        if name == "webhook":
            environment |= {"WEBHOOK_NAME": "webhook", "WEBHOOK_PORT": str(webhook_port)}
        command = [str(binaries / name), f"--kubeconfig={config}"]
        box.start(name, [*command, "-kube-api-qps", "400", "-kube-api-burst", "800"], environment)
    webhooks = programs.module_folder("serving", "knative.dev/serving") / "config" / "core" / "webhooks"
    for file in sorted(webhooks.glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            for hook in (document or {}).get("webhooks", []):
                hook["clientConfig"]["service"]["port"] = webhook_port
            if document:
                apply(box, document)
    service = {"type": "ExternalName", "externalName": "localhost"}
    metadata = {"name": "webhook", "namespace": "knative-serving"}
    apply(box, {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service})


def _wait_for_webhook(box: ControlPlane) -> None:
    """Ready when a dry run of a Service passes through the webhooks and comes back with their defaults."""

    def defaulted() -> bool:
        for name, process in box.processes.items():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended: {box.last_words(name)}")
        answer = box.ask("POST", f"{SERVICES}?dryRun=All", PROBE)
        return answer.status == 201 and b"serving.knative.dev/creator" in answer.data

    eventually(defaulted, timeout=START_SECONDS, message=box.last_words("webhook"))


def _wait_for_a_ready_service(box: ControlPlane) -> None:
    """See a Service become ready, which takes the controller, the autoscaler and the ingress; then delete it."""
    assert box.ask("POST", SERVICES, PROBE).status == 201
    eventually(lambda: is_ready(box, f"{SERVICES}/probe"), timeout=START_SECONDS, message="no service becomes ready")
    box.ask("DELETE", f"{SERVICES}/probe")
    eventually(lambda: box.ask("GET", f"{SERVICES}/probe").status == 404, timeout=START_SECONDS)


def is_ready(box: ControlPlane, path: str) -> bool:
    """Whether the Service at the path is ready."""
    status = json.loads(box.ask("GET", path).data).get("status") or {}
    return any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or [])
