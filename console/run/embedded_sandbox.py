"""The embedded cluster: the sandbox with demo data, and the kubeconfig with which kubectl and kn reach it."""

import json
import os
import secrets
import shlex
import sys
from pathlib import Path

from console.run.state import write_private
from console.run.supervisor import Process, launch

KUBECONFIG = "sandbox.kubeconfig"


def embedded_cluster(state: Path, started: list[Process]) -> dict[str, str] | None:
    """Start the sandbox unless a cluster is configured; returns what it wrote about itself, or None."""
    if "CONSOLE_CLUSTERS" in os.environ:
        return None
    found = state / "sandbox.json"
    found.unlink(missing_ok=True)
    token = secrets.token_urlsafe(32)
    command = _command(state, found, token)
    ports = ["--port", os.environ.get("CONSOLE_SANDBOX_PORT", "0")]
    process = Process("sandbox", [*command, *ports], state / "logs" / "sandbox.log", found.exists)
    launch(process, started)
    box: dict[str, str] = json.loads(found.read_text())
    # When it is started again it is where it was, with the same token: what has its address need not learn another.
    process.command = [*command, "--port", _port(box["url"]), "--tls-port", _port(box["tls_url"])]
    box["ingress"] = f"{box['ingress_host']}:{box['ingress_port']}"
    _configure(state, box)
    return box


def kubectl_and_kn(state: Path) -> list[str]:
    """Return the command lines that show the sandbox's services with kubectl and with kn."""
    environment = f"KUBECONFIG={shlex.quote(str(state / KUBECONFIG))}"
    return [f"{environment} kubectl get ksvc -A", f"{environment} kn service list -A"]


def _command(state: Path, found: Path, token: str) -> list[str]:
    tokens = state / "sandbox.tokens"
    write_private(tokens, json.dumps([{"token": token, "user": "admin", "uid": "admin", "groups": ["system:masters"]}]))
    command = [sys.executable, "-m", "console.sandbox", "--ready-file", str(found), "--seed", "demo"]
    command += ["--kubeconfig", str(state / KUBECONFIG), "--token-file", str(tokens)]
    command += ["--ingress-port", os.environ.get("CONSOLE_INGRESS_PORT", "8081")]
    command += ["--speed", os.environ.get("CONSOLE_SANDBOX_SPEED", "1")]
    return [*command, "--idle-seconds", os.environ.get("CONSOLE_SANDBOX_IDLE_SECONDS", "60")]


def _configure(state: Path, box: dict[str, str]) -> None:
    """Make it the console's cluster, and the console a demo."""
    token = state / "sandbox.token"
    write_private(token, box["token"])
    cluster = {"name": "sandbox", "url": box["url"], "token_file": str(token), "ingress": box["ingress"]}
    os.environ["CONSOLE_CLUSTERS"] = json.dumps([cluster])
    os.environ.setdefault("CONSOLE_DEMO", "1")
    os.environ.setdefault("CONSOLE_LOOPBACK_CLUSTERS", "1")  # a second sandbox can be added


def _port(url: str) -> str:
    return url.rpartition(":")[2]
