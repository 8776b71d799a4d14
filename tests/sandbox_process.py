"""The sandbox as a process of its own, for every test folder that needs a cluster.

with sandbox(speed=50, seed="demo") as box:
    box.url, box.ingress_port, box.token, box.kubeconfig(tmp_path / "config")
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.waiting import eventually

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
STOP_SECONDS = 60


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox: where it answers and the tokens that it knows, by user name."""

    url: str
    tls_url: str
    certificate: str
    ingress_host: str
    ingress_port: int
    token: str
    tokens: Mapping[str, str]
    process: subprocess.Popen[bytes]
    output: Path
    state: Path | None = field(default=None)

    @property
    def ingress_url(self) -> str:
        """The ingress, without a trailing slash; ask it with the service's name in the Host header."""
        return f"http://{self.ingress_host}:{self.ingress_port}"

    def kubeconfig(self, path: Path, *, user: str = "admin", namespace: str = "default") -> Path:
        """Write a kubeconfig for `user` with one context named sandbox, and return its path."""
        authority = base64.b64encode(self.certificate.encode()).decode()
        # kubectl sends no token over plain HTTP.
        cluster = {"server": self.tls_url, "certificate-authority-data": authority}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "sandbox",
            "clusters": [{"name": "sandbox", "cluster": cluster}],
            "users": [{"name": user, "user": {"token": self.tokens[user]}}],
            "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": user, "namespace": namespace}}],
        }
        path.write_text(yaml.safe_dump(config))
        return path

    def post(self, path: str, body: Mapping[str, Any], *, user: str = "admin") -> dict[str, Any]:
        """POST JSON and return the JSON answer; raises urllib.error.HTTPError."""
        return self._ask("POST", path, body, user)

    def put(self, path: str, body: Mapping[str, Any], *, user: str = "admin") -> dict[str, Any]:
        """PUT JSON and return the JSON answer; raises urllib.error.HTTPError."""
        return self._ask("PUT", path, body, user)

    def delete(self, path: str, *, user: str = "admin") -> dict[str, Any]:
        """DELETE a path and return the JSON answer; raises urllib.error.HTTPError."""
        return self._ask("DELETE", path, None, user)

    def get(self, path: str, *, user: str = "admin") -> dict[str, Any]:
        """GET a path and return the JSON answer; raises urllib.error.HTTPError."""
        return self._ask("GET", path, None, user)

    def fault(self, **fault: Any) -> dict[str, Any]:
        """Make the next requests fail as docs/sandbox.md says: fault(verb="update", resource="services", code=500)."""
        return self.post("/sandbox/faults", fault)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None, user: str) -> dict[str, Any]:
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {self.tokens[user]}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@contextmanager
def sandbox(
    *,
    speed: float = 50,
    seed: str = "",
    users: Mapping[str, Sequence[str]] | None = None,
    state: Path | None = None,
    **options: Any,
) -> Iterator[Sandbox]:
    """Start a sandbox on free ports, wait until it is ready, stop it at the end.

    `users` are further users with their groups (admin, of system:masters, is always there); each gets the token
    `token-of-<user>`. Other keyword arguments become command line options: idle_seconds=2 is `--idle-seconds 2`.
    """
    with tempfile.TemporaryDirectory(prefix="sandbox-") as folder:
        ready, tokens_file, output = (Path(folder) / name for name in ("ready.json", "tokens.json", "output.txt"))
        everyone = {"admin": ["system:masters"], **(users or {})}
        tokens_file.write_text(
            json.dumps(
                [
                    {"token": f"token-of-{user}", "user": user, "uid": user, "groups": list(groups)}
                    for user, groups in everyone.items()
                ]
            )
        )
        arguments = {"speed": speed, "seed": seed, "state": state, "token_file": tokens_file, **options}
        command = [sys.executable, "-m", "console.sandbox", "--port", "0", "--ingress-port", "0"]
        command += ["--ready-file", str(ready)]
        for name, value in arguments.items():
            if value not in (None, ""):
                command += [f"--{name.replace('_', '-')}", str(value)]
        with output.open("wb") as sink:
            process = subprocess.Popen(command, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT)
        try:
            facts = eventually(lambda: _facts(ready, process, output), timeout=START_SECONDS)
            yield Sandbox(
                url=facts["url"],
                tls_url=facts["tls_url"],
                certificate=facts["certificate"],
                ingress_host=facts["ingress_host"],
                ingress_port=facts["ingress_port"],
                token=facts["token"],
                tokens={user: f"token-of-{user}" for user in everyone},
                process=process,
                output=output,
                state=state,
            )
        finally:
            _stop(process)


def _facts(ready: Path, process: subprocess.Popen[bytes], output: Path) -> dict[str, Any] | None:
    if process.poll() is not None:
        raise RuntimeError(f"The sandbox ended with {process.returncode}: {output.read_text()[-2000:]}")
    return json.loads(ready.read_text()) if ready.exists() else None


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
