"""Telling where the sandbox is: one line on standard output, the ready file and a kubeconfig."""

from __future__ import annotations

import base64
import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Facts:
    """What a client needs to know; the ready file holds these fields as JSON."""

    url: str
    tls_url: str
    certificate: str  # PEM; the authority for tls_url
    ingress: str
    ingress_host: str
    ingress_port: int
    token: str
    pid: int

    def public(self) -> dict[str, Any]:
        """Without the token, for logs and screens."""
        return {key: value for key, value in asdict(self).items() if key not in ("token", "certificate")}


def announce(facts: Facts, ready_file: Path | None, kubeconfig: Path | None) -> None:
    """Print the public facts; write the files that are wanted, the ready file last. Both are for the owner only."""
    if kubeconfig is not None:
        write_private(kubeconfig, json.dumps(kubeconfig_of(facts), indent=2))
    if ready_file is not None:
        write_private(ready_file, json.dumps(asdict(facts)))
    print(json.dumps(facts.public()), flush=True)


def kubeconfig_of(facts: Facts) -> dict[str, Any]:
    """A kubeconfig (JSON is YAML) with one context, over TLS."""
    authority = base64.b64encode(facts.certificate.encode()).decode()
    cluster = {"server": facts.tls_url, "certificate-authority-data": authority}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "sandbox",
        "clusters": [{"name": "sandbox", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": facts.token}}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "admin", "namespace": "default"}}],
    }


def address(listener: socket.socket, scheme: str = "http") -> str:
    """The URL of a listening socket, without a trailing slash."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, at once and whole."""
    new = path.with_name(path.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
