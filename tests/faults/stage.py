"""The console's worker side as real processes: Redis, a database, the sandbox, workers and beat, each of which can die.

The test process shares the database and the Redis, so it submits and reads with the console's own functions.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import environ
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from console.redis_client import client
from tests.broker import broker
from tests.operations.factories import World
from tests.postgres_server import PostgresServer
from tests.postgres_server import running as running_postgres
from tests.redis_server import RedisServer
from tests.redis_server import running as running_redis
from tests.sandbox_process import Sandbox, sandbox
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 30
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
}


@dataclass
class Stage:
    """Everything that runs, and the environment that its processes get."""

    folder: Path
    redis: RedisServer
    box: Sandbox
    postgres: PostgresServer | None
    environment: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def world(self) -> World:
        return World(self.box)

    def worker(self, *, threads: int = 8, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a worker; it is ready once it consumes, which nobody has to wait for."""
        command = [sys.executable, "-m", "celery", "-A", "console", "worker", "-P", "threads", "-c", str(threads)]
        return self._start("worker", [*command, "--without-gossip", "--without-mingle"], environment)

    def beat(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "console", "beat", "--pidfile", ""]
        return self._start("beat", [*command, "--schedule", str(self.folder / f"beat-{len(self.processes)}")])

    def background(self) -> subprocess.Popen[bytes]:
        """Start a worker of the queue for what may take long."""
        command = [sys.executable, "-m", "celery", "-A", "console", "worker", "-P", "threads", "-c", "4"]
        queue = ["-Q", "background", "-n", f"background-{len(self.processes)}@%h"]
        return self._start("background", [*command, *queue, "--without-gossip", "--without-mingle"])

    def watcher(self) -> subprocess.Popen[bytes]:
        return self._start("watcher", [sys.executable, "manage.py", "watch"])

    def web(self, port: int) -> subprocess.Popen[bytes]:
        """Start a web server of one process. Its pages need the static files: `manage.py collectstatic`."""
        command = [sys.executable, "-m", "console.serve", "--port", str(port)]
        return self._start("web", command, {"CONSOLE_WEB_PROCESSES": "1"})

    def log(self, name: str) -> str:
        """Everything that processes of this name logged so far."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob(f"{name}-*.log")))

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End it as a deployment does: SIGTERM, then SIGKILL."""
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def end_processes(self) -> None:
        """Kill every worker and beat."""
        for process in self.processes:
            kill(process)

    def _start(
        self, name: str, command: list[str], environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        path = self.folder / f"{name}-{len(self.processes):03d}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env={**self.environment, **(environment or {})}, stdout=log, stderr=log
            )
        self.processes.append(process)
        return process


@contextmanager
def stage(*, database: str = "sqlite", speed: float = 50, **of_sandbox: Any) -> Iterator[Stage]:
    """Build the stage, migrate its database, point this process at it; take everything down at the end."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    with (
        running_redis() as redis,
        sandbox(speed=speed, **of_sandbox) as box,
        fresh_database(folder, database) as (database_url, postgres),
    ):
        clusters = json.dumps([cluster(box)])
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("CONSOLE_", "DJANGO_"))},
            "CONSOLE_STATE_DIR": str(folder),
            "CONSOLE_SECRET_KEY": settings.SECRET_KEY,
            "CONSOLE_DATABASE_URL": database_url,
            "CONSOLE_REDIS_URL": redis.url,
            "CONSOLE_CLUSTERS": clusters,
            "CONSOLE_OPERATION_ERROR_WINDOW": "0.2",
            "CONSOLE_FAULTS": "1",
            "CONSOLE_LOG_LEVEL": "INFO",
        }
        running = Stage(folder, redis, box, postgres, environment)
        with _settings(redis, clusters):
            try:
                yield running
            finally:
                for process in running.processes:
                    kill(process)
                _keep_logs(folder)
    shutil.rmtree(folder, ignore_errors=True)


def cluster(box: Sandbox) -> dict[str, Any]:
    """The entry of CONSOLE_CLUSTERS for the sandbox."""
    ingress = f"{box.ingress_host}:{box.ingress_port}"
    return {"name": "box", "url": box.url, "token": box.token, "ingress": ingress}


@contextmanager
def _settings(redis: RedisServer, clusters: str) -> Iterator[None]:
    before = {name: getattr(settings, name) for name in ("REDIS_URL", "CLUSTERS", "OPERATION_ERROR_WINDOW")}
    settings.REDIS_URL, settings.CLUSTERS, settings.OPERATION_ERROR_WINDOW = redis.url, clusters, 0.2
    client.cache_clear()
    try:
        with broker(redis.url.replace("unix://", "redis+socket://", 1)):
            yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)
        client.cache_clear()


@contextmanager
def fresh_database(folder: Path, kind: str) -> Iterator[tuple[str, PostgresServer | None]]:
    """A fresh, migrated database that this process uses too: its URL, and the server when it has one."""
    original = dict(connections.settings["default"])
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running_postgres()) if kind == "postgresql" else None
        url = server.url if server else f"sqlite:///{folder / 'console.sqlite3'}"
        options = {"connect_timeout": 5} if server else SQLITE_OPTIONS
        config = environ.Env.db_url_config(url)
        _use({**original, **config, "OPTIONS": {**config.get("OPTIONS", {}), **options}, "CONN_HEALTH_CHECKS": True})
        try:
            call_command("migrate", verbosity=0)
            yield url, server
        finally:
            _use(original)


def _use(database: dict[str, Any]) -> None:
    connections["default"].close()
    del connections["default"]
    connections.settings["default"] = database


def _keep_logs(folder: Path) -> None:
    """Copy the logs to $SLUICE_ARTIFACTS, when that is set, so that a failure can be read afterwards."""
    if target := os.environ.get("SLUICE_ARTIFACTS"):
        kept = Path(target) / "faults" / folder.name
        kept.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.log"):
            shutil.copy(path, kept)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End it as kill -9 does."""
    if process.poll() is None:
        process.kill()
        process.wait()


def wait_for_death(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a process that kills itself."""
    return int(eventually(lambda: (process.poll() is not None) and (process.returncode or 1)))
