"""A running control plane: its programs, and how to ask it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3
import yaml

from tests.console_process import free_port
from tests.real_cluster.ingress import StandInIngress
from tests.real_cluster.releases import NEWEST
from tests.real_cluster.supervisor import START_SECONDS, Supervisor
from tests.waiting import eventually

TOKENS = {"admin": ["system:masters"], "viewer": [], "console": []}
APPLY = "application/apply-patch+yaml"


@dataclass
class ControlPlane(Supervisor):
    """A running control plane: the interface of tests.sandbox_process.Sandbox, and a few things only this one can."""

    release: str = NEWEST
    port: int = field(default_factory=free_port)
    ingress: StandInIngress | None = None
    tokens: Mapping[str, str] = field(default_factory=lambda: {user: f"token-of-{user}" for user in TOKENS})
    ingress_host: str = "127.0.0.1"

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
        self._launch("apiserver")
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        self.wait_for(self._is_ready, "the API server is not ready")

    def _is_ready(self) -> bool:
        process = self.processes["apiserver"]
        if process.poll() is not None:
            raise RuntimeError(f"kube-apiserver ended: {self.log_tail('apiserver')}")
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
        name = f"{document['kind']} {document['metadata']['name']}"
        assert answer.status < 300, f"cannot apply {name}: {answer.status} {answer.data[:500]!r}"
        return True

    eventually(applied, timeout=START_SECONDS)


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
    """Whether the Service at the path is ready as last written: what was ready before a change still says so."""
    found = json.loads(box.ask("GET", path).data)
    status = found.get("status") or {}
    is_settled = status.get("observedGeneration") == found["metadata"].get("generation")
    conditions = status.get("conditions") or []
    return is_settled and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
