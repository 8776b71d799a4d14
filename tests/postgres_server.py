"""A private PostgreSQL, for what must hold on both databases.

`python -m tests.postgres_server COMMAND...` runs the command with CONSOLE_DATABASE_URL pointing at a fresh server.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import eventually

START_SECONDS = 60
STOP_SECONDS = 60


class PostgresServer:
    """One server on a unix socket; its files survive `kill` and `start`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        # PostgreSQL refuses to run as root.
        self._user = _servant() if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "--auth=trust", "--username=sluice", "--no-sync", "--pgdata", str(folder / "data"))

    @property
    def url(self) -> str:
        return f"postgres://sluice@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [program("postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder)]
        command += ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"]
        with (self.folder / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, user=self._user, cwd=self.folder)
        eventually(self._answers, timeout=START_SECONDS, message="PostgreSQL does not answer")

    def stop(self) -> None:
        """Stop it at once: open transactions are rolled back, clients are cut off."""
        if self.process is not None and self.process.poll() is None:
            self._run("pg_ctl", "stop", "-D", str(self.folder / "data"), "-m", "immediate", "-t", str(STOP_SECONDS))
            self.process.wait(STOP_SECONDS)

    def _answers(self) -> bool:
        ready = subprocess.run([program("pg_isready"), "-h", str(self.folder), "-q"], check=False, timeout=60)
        return ready.returncode == 0

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [program(name), *arguments], check=True, user=self._user, cwd=self.folder, capture_output=True, timeout=60
        )


def is_installed() -> bool:
    """Whether this machine has PostgreSQL's server programs."""
    return _find("initdb") is not None


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs; raises RuntimeError when it is not installed."""
    found = _find(name)
    if found is None:
        raise RuntimeError(f"{name} was not found; install PostgreSQL")
    return found


def _find(name: str) -> str | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # Debian does not put them on the path
    return shutil.which(name) or next((str(f / name) for f in folders if (f / name).exists()), None)


def _servant() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def running() -> Iterator[PostgresServer]:
    """Start a PostgreSQL in a folder of its own; stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        server = PostgresServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(command: list[str]) -> int:
    """Run the command against a fresh server and return its exit code."""
    with running() as server:
        environment = {**os.environ, "CONSOLE_DATABASE_URL": server.url}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
