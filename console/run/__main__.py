"""The order in which everything starts, and what is printed meanwhile. See the package's docstring."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import urllib3
from django.core.exceptions import ImproperlyConfigured

from console.deadlines import TimedHttpPool, within
from console.run import supervisor
from console.run.embedded_redis import redis_process
from console.run.embedded_sandbox import embedded_cluster, kubectl_and_kn
from console.run.environment import keep_environment
from console.run.reloading import supervise_and_reload
from console.run.state import end_leftovers, lock, prepare_state
from console.run.supervisor import READY_TIMEOUT, ROOT, CannotStart, Process, launch, say
from console.serve import PROCESSES
from console.start_checks import is_loopback, refuse_unsafe_start

ASK_SECONDS = 5.0  # for one look at our own web process
MAX_ANSWER = 64 * 1024  # bytes of it that are read
MIRROR_TIMEOUT = 10.0  # seconds until the first page may be shown without the clusters' objects
TRUE = {"1", "true", "yes", "on", "y", "ok"}  # as console.settings reads it
EMBEDDED = ("redis", "sandbox")
EMBEDDED_STOP_TIMEOUT = 3.0  # seconds


class Stopping(Exception):
    """SIGINT, SIGTERM or SIGHUP arrived."""


def main() -> int:
    """Do what the command line says: start everything, wait, stop everything. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m console.run", description="The whole console in one command.")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--dev", action="store_true", help="debug pages, reload on changes, all logs in this terminal")
    mode.add_argument("--seed", action="store_true", help="prepare the database and the demo's people, then end")
    mode.add_argument("--reset", action="store_true", help="remove the embedded default's data, then end")
    chosen = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _raise_stopping)
    with contextlib.ExitStack() as held:
        if chosen.seed or chosen.reset:
            return _once(seed if chosen.seed else reset, held)
        return _run_to_the_end(held, dev=chosen.dev)


def _once(work: Callable[[Path], None], held: contextlib.ExitStack) -> int:
    """Do some work on the state folder while nobody else has it."""
    state = state_folder()
    try:
        if work is reset:
            refuse_foreign_folder(state)
        prepare_state(state)
        held.enter_context(lock(state))
        end_leftovers(state)
        work(state)
    except (CannotStart, OSError) as reason:
        say(str(reason))
        return 2
    except Stopping:
        return 1
    return 0


def seed(state: Path) -> None:
    """Bring the database up to date, and make the demo's people and teams unless real clusters are configured."""
    if "CONSOLE_CLUSTERS" not in os.environ:
        os.environ.setdefault("CONSOLE_DEMO", "1")
    prepare_django()
    keep_environment(state)
    say(f"The database in {state} is ready.")


def refuse_foreign_folder(state: Path) -> None:
    """Raise CannotStart when the folder was not made by the embedded default: what is in it is somebody's."""
    if state.exists() and any(state.iterdir()) and not (state / "secret.key").exists():
        raise CannotStart(f"{state} does not look like a state folder of Sluice (no secret.key); nothing was removed.")


def reset(state: Path) -> None:
    """Remove what the embedded default keeps: the database, Redis' data, keys and logs."""
    for path in state.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    say(f"{state} is empty.")


def state_folder() -> Path:
    """Return the absolute path of the state folder, and set it for all processes."""
    state = Path(os.environ.get("CONSOLE_STATE_DIR", str(ROOT / "var"))).absolute()
    os.environ["CONSOLE_STATE_DIR"] = str(state)
    return state


def _run_to_the_end(held: contextlib.ExitStack, *, dev: bool = False) -> int:
    started: list[Process] = []
    try:
        _run(started, held, dev=dev)
    except Stopping:
        say("Stopping ...")
    except (CannotStart, OSError) as reason:
        say(f"Sluice cannot start. {reason}")
        return 2
    finally:
        _ignore_signals()
        # The console's processes first: each of them would complain of a Redis that is gone.
        supervisor.stop([process for process in started if process.name not in EMBEDDED])
        supervisor.stop([process for process in started if process.name in EMBEDDED], EMBEDDED_STOP_TIMEOUT)
    return 0


def _run(started: list[Process], held: contextlib.ExitStack, *, dev: bool) -> None:
    began = time.monotonic()
    # Else glibc keeps memory for each of a process's many threads, and the memory of large answers once it met some.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "2097152")  # bytes, above the pages; where it is not set it grows
    state = state_folder()
    if dev:
        os.environ["DJANGO_SETTINGS_MODULE"] = "console.development.settings"
        os.environ[PROCESSES] = "1"  # one debugger, one toolbar
    host, port = os.environ.get("CONSOLE_HOST", "127.0.0.1"), port_of("CONSOLE_PORT", "8000")
    prepare_state(state)
    held.enter_context(lock(state))
    end_leftovers(state)
    refuse_taken_port(host, port, "CONSOLE_PORT")
    if "CONSOLE_REDIS_URL" not in os.environ:
        say("Starting Redis ...")
        launch(redis_process(state), started)
    if "CONSOLE_CLUSTERS" not in os.environ:
        refuse_taken_port("127.0.0.1", port_of("CONSOLE_INGRESS_PORT", "8081"), "CONSOLE_INGRESS_PORT")
        say("Starting the sandbox cluster ...")
    box = embedded_cluster(state, started)
    refuse_unsafe_address(host)
    os.environ.setdefault("CONSOLE_URL", f"http://{host if is_loopback(host) else 'localhost'}:{port}")
    say("Preparing the database and the static files ...")
    prepare_django()
    keep_environment(state)
    say("Starting web, workers, watcher and beat ...")
    of_console = console_processes(state, host, port)
    for process in of_console:
        launch(process, started)
    web = TimedHttpPool(host, port, retries=False, timeout=ASK_SECONDS)
    wait_for(web, "/healthz/live", started)
    wait_for_mirror(web, "/healthz/ready")
    say(welcome(host, port, box, time.monotonic() - began, state))
    if not is_demo():
        say(first_administrator())
    if dev:
        supervise_and_reload(started, of_console)
    else:
        supervisor.supervise(started)


def port_of(variable: str, default: str) -> int:
    """Return the port that a variable names; raises CannotStart when it is not one."""
    text = os.environ.get(variable, default)
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise CannotStart(f"{variable} is {text!r}, which is not a port (0 to 65535).")
    return int(text)


def refuse_taken_port(host: str, port: int, variable: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"Port {port} on {host} is not free ({error.strerror}). Try {variable}={port + 1}."
            ) from error


def is_demo() -> bool:
    return os.environ.get("CONSOLE_DEMO", "").lower() in TRUE


def refuse_unsafe_address(host: str) -> None:
    """Raise CannotStart where the address can be reached by others and the demo is on or the key can be guessed."""
    try:
        refuse_unsafe_start({host}, demo=is_demo(), secret_key=os.environ["CONSOLE_SECRET_KEY"])
    except ImproperlyConfigured as error:
        raise CannotStart(str(error)) from error


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
    worker = [*celery, "worker", "-P", "threads", "--without-gossip", "--without-mingle"]
    beat = [*celery, "beat", "--schedule", str(state / "beat-schedule"), "--pidfile", ""]
    commands = {
        "web": [python, "-m", "console.serve", "--host", host, "--port", str(port)],
        "worker": [*worker, "-c", threads],
        "background": [*worker, "-c", "8", "-Q", "background", "-n", "background@%h"],
        "watcher": [python, "manage.py", "watch"],
        "beat": beat,
    }
    return [Process(name, command, state / "logs" / f"{name}.log") for name, command in commands.items()]


def ask(web: TimedHttpPool, path: str) -> tuple[int, bytes]:
    """Return the status and the body; raises an HTTPError of urllib3 when they are not complete in ASK_SECONDS."""
    with within(ASK_SECONDS):
        answer = web.request("GET", path, preload_content=False)
    try:
        return answer.status, answer.read(MAX_ANSWER)
    finally:
        answer.close()


def wait_for(web: TimedHttpPool, path: str, started: list[Process]) -> None:
    """Return once the address answers 200; raises CannotStart when it does not in time, or web does not live."""
    deadline = time.monotonic() + READY_TIMEOUT
    while True:
        try:
            if ask(web, path)[0] == 200:
                return
        except urllib3.exceptions.HTTPError as error:
            dead = [process for process in started if not process.is_running]
            if any(process.name == "web" for process in dead) or time.monotonic() > deadline:
                words = "\n".join(f"--- {process.name}\n{process.tail()}" for process in dead or started)
                raise CannotStart(f"{path} is not responding ({error}).\n{words}") from error
        time.sleep(0.05)


def wait_for_mirror(web: TimedHttpPool, path: str) -> None:
    """Give the watcher a moment to list the clusters, so that the first page has something to show.

    A cluster, Redis or worker that is away must not keep the console from starting: the pages say that it is.
    """
    deadline, told = time.monotonic() + MIRROR_TIMEOUT, False
    while time.monotonic() < deadline:
        try:
            status, body = ask(web, path)
            if status == 200 and json.loads(body).get("mirror_age_seconds") is not None:
                return
            why = f"HTTP {status}"
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            why = str(error)
        if not told:
            say(f"Waiting for the console to be ready ({why}) ...")
            told = True
        time.sleep(0.1)


def welcome(host: str, port: int, box: dict[str, str] | None, seconds: float, state: Path) -> str:
    lines = ["", f"  Sluice is ready after {seconds:.1f} s:  http://{host}:{port}/", ""]
    if box:
        from console.access.demo import DEMO_USERS  # the users that `manage.py demo` made

        lines += [f"  Sign in as {user.username:<9} password {user.password:<16} {user.can}" for user in DEMO_USERS]
        curl = f'curl -H "Host: hello.default.example.com" http://{box["ingress"]}/'
        lines += ["", "  The sandbox cluster's ingress:", f"    {curl}"]
        lines += ["  The sandbox cluster itself:", *(f"    {command}" for command in kubectl_and_kn(state))]
    lines += ["", f"  Logs: {state}/logs    Stop: Ctrl-C", ""]
    return "\n".join(lines)


def first_administrator() -> str:
    """Return the one-time link, told how to use it, while nobody administers the console; else nothing."""
    link = manage("first_admin", "--if-needed").strip()
    words = "  There is no administrator yet. This link creates the first one; it works once, for one hour:"
    return f"{words}\n    {link}\n" if link else ""


def _raise_stopping(_signal: int, _frame: FrameType | None) -> None:
    _ignore_signals()  # once is enough: a second one must not interrupt the stopping
    raise Stopping


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
