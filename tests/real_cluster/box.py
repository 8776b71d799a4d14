"""A running control plane: its programs, and how to ask it."""

from __future__ import annotations

import json
import logging
import subprocess
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3
import yaml

from tests.real_cluster.ingress import StandInIngress
from tests.waiting import eventually

logger = logging.getLogger(__name__)

TOKENS = {"admin": ["system:masters"], "viewer": [], "console": []}
START_SECONDS = 120
STOP_SECONDS = 3
APPLY = "application/apply-patch+yaml"


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
                start_new_session=True,  # a Ctrl-C is for this process, which ends the others in order
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

    eventually(applied, message=f"cannot apply {document['kind']} {document['metadata']['name']}")


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


def is_ready(box: ControlPlane, path: str) -> bool:
    """Whether the Service at the path is ready."""
    status = json.loads(box.ask("GET", path).data).get("status") or {}
    return any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or [])
