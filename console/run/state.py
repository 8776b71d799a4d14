"""The private folder of the embedded default: made, locked, and cleared of what a killed supervisor left running."""

import fcntl
import os
import secrets
import signal
import time
from pathlib import Path
from typing import TextIO

from console.run.supervisor import STOP_TIMEOUT, CannotStart, say


def prepare_state(state: Path) -> None:
    """Make the folder and the secret key that it keeps; raises CannotStart when it cannot be written."""
    try:
        _prepare(state)
    except OSError as error:
        raise CannotStart(
            f"{state} cannot be used ({error.strerror}). Set CONSOLE_STATE_DIR to a folder that you may write to."
        ) from error


def _prepare(state: Path) -> None:
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in ("logs", "pids"):
        (state / folder).mkdir(exist_ok=True)
    if "CONSOLE_SECRET_KEY" not in os.environ:
        key = state / "secret.key"
        if not key.exists():
            key.touch(mode=0o600)
        if not key.read_text():  # a full disk once left it empty
            key.write_text(secrets.token_urlsafe(48))
        os.environ["CONSOLE_SECRET_KEY"] = key.read_text()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, also where one with other rights was."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


def lock(state: Path) -> TextIO:
    """Return the locked file that keeps a second supervisor from this folder for as long as it is open."""
    file = (state / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        raise CannotStart(
            f"Sluice is already running with {state} (process {file.read().strip()}). "
            "Stop it first, or set CONSOLE_STATE_DIR to another folder."
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def end_leftovers(state: Path) -> None:
    """End what a supervisor that was killed left behind: two Redis must not write to one folder.

    A process is ours when its environment names this folder, or, as of Redis, which writes its title over that, when it
    works in this folder. On systems without /proc this is unknown, and it is left running.
    """
    left = [pid for file in (state / "pids").iterdir() if (pid := _pid(file)) and _is_ours(pid, state)]
    if left:
        say(f"Ending {len(left)} processes that an earlier run left behind ...")
    for pid in left:
        _send(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT
    while not all(map(_has_ended, left)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        if _is_ours(pid, state):
            _send(pid, signal.SIGKILL)


def _pid(file: Path) -> int:
    text = file.read_text().strip()
    return int(text) if text.isdigit() else 0


def _is_ours(pid: int, state: Path) -> bool:
    process = Path(f"/proc/{pid}")
    try:
        variables = (process / "environ").read_bytes().split(b"\0")
        works_in = (process / "cwd").readlink()
    except OSError:
        return False  # it ended, or is somebody else's
    return f"CONSOLE_STATE_DIR={state}".encode() in variables or works_in.is_relative_to(state.resolve())


def _has_ended(pid: int) -> bool:
    """A zombie has: its sockets and files are closed. (Its environment is gone a moment before they are.)"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
