"""The whole console as `make run` starts it, for browser, fault and timing tests.

with console(sandbox_speed=20) as running:
    running.url, running.ingress, running.state, running.pid("worker")
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import eventually

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120
STOP_SECONDS = 40
SERVER_PORTS = (10_000, 32_000)  # below what Linux gives to connections
_given: set[int] = set()  # by free_port, in this process


@dataclass(frozen=True)
class RunningConsole:
    """Where a console started by `console()` answers, and where its files are."""

    url: str
    ingress_port: int
    state: Path
    supervisor: subprocess.Popen[bytes]
    output: Path

    def pid(self, name: str) -> int:
        """The process id of redis, sandbox, web, worker, watcher or beat, as the supervisor started it last."""
        return int((self.state / "pids" / name).read_text())

    def web_pids(self) -> list[int]:
        """The process ids of those that answer, without the one that starts them (when there are several)."""
        web = self.pid("web")
        return [pid for pid in descendants(web) if b"spawn_main" in _command(pid)] or [web]

    def log(self, name: str) -> str:
        return (self.state / "logs" / f"{name}.log").read_text(errors="replace")

    def welcome(self) -> str:
        return self.output.read_text(errors="replace")


def descendants(pid: int) -> Iterator[int]:
    """The processes that a process started, and those that they started. Linux only."""
    try:
        children = [(task / "children").read_text().split() for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:  # it ended
        return
    for child in map(int, itertools.chain(*children)):
        yield child
        yield from descendants(child)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it ended
        return b""


@contextmanager
def console(*, environment: Mapping[str, str] | None = None, sandbox_speed: float = 1.0) -> Iterator[RunningConsole]:
    """Start the console on free ports with a state folder of its own; stop it with SIGTERM at the end."""
    state = Path(tempfile.mkdtemp(prefix="sluice-"))
    output = state / "supervisor.txt"
    port, ingress_port = free_port(), free_port()
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("CONSOLE_", "DJANGO_"))},
        "CONSOLE_STATE_DIR": str(state),
        "CONSOLE_PORT": str(port),
        "CONSOLE_INGRESS_PORT": str(ingress_port),
        "CONSOLE_SANDBOX_SPEED": str(sandbox_speed),
        "CONSOLE_DEMO_HISTORY": "0",  # tests count what they did themselves
        **(environment or {}),
    }
    with output.open("wb") as sink:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "console.run"], cwd=ROOT, env=variables, stdout=sink, stderr=subprocess.STDOUT
        )
    running = RunningConsole(f"http://127.0.0.1:{port}", ingress_port, state, supervisor, output)
    try:
        eventually(lambda: _is_ready(running), timeout=START_SECONDS, message=lambda: f"not ready: {running.welcome()}")
        yield running
    finally:
        keep_logs(running)
        supervisor.send_signal(signal.SIGTERM)
        try:
            supervisor.wait(STOP_SECONDS)
        finally:
            if supervisor.poll() is None:
                supervisor.kill()
            shutil.rmtree(state, ignore_errors=True)


def free_port() -> int:
    """A port that was free a moment ago, on every address, and that no outgoing connection is given meanwhile.

    The kernel hands ports of net.ipv4.ip_local_port_range to connections: a server that starts a second later on one of
    those now and then finds it taken. No port is given twice: who asked before may not have started yet.
    """
    while True:
        port = random.SystemRandom().randint(*SERVER_PORTS)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        _given.add(port)
        return port


def keep_logs(running: RunningConsole) -> None:
    """Copy the logs to $SLUICE_ARTIFACTS, when that is set, so that a failure can be read afterwards."""
    if folder := os.environ.get("SLUICE_ARTIFACTS"):
        target = Path(folder) / "logs" / running.state.name
        shutil.copytree(running.state / "logs", target, dirs_exist_ok=True)
        shutil.copy(running.output, target)


def _is_ready(running: RunningConsole) -> bool:
    text = running.welcome()
    if running.supervisor.poll() is not None:
        raise RuntimeError(f"The console ended with {running.supervisor.returncode}:\n{text}")
    return "Sluice is ready" in text
