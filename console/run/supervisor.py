"""Processes that are started again when they end, and ended together."""

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
STOP_TIMEOUT = 10.0  # seconds that processes may take together after SIGTERM; a worker hands over what it does
READY_TIMEOUT = 60.0  # seconds a process may take to be ready for the first time
FIRST_PAUSE = 0.5  # seconds before the first new start; doubled with each that did not last
MAX_PAUSE = 60.0  # seconds
LASTED = 60.0  # seconds after which a process counts as well again
LOOK_EVERY = 0.3  # seconds


class CannotStart(Exception):
    """Something that the console needs is missing or refused; the message says what to do."""


def say(text: str) -> None:
    """Print a line at once. A full disk or a closed terminal behind it ends nothing."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def always() -> bool:
    """The readiness check of a process that has none."""
    return True


def nothing_to_mend() -> bool:
    return False


@dataclass
class Process:
    """A child of ours: how to start it, where it logs, and how often in a row it did not last.

    `ready` says whether it works now. When it ended before it ever did, `mend` may change what it starts with, and
    returns whether it did: then it is started again at once.
    """

    name: str
    command: list[str]
    log: Path
    ready: Callable[[], bool] = always
    mend: Callable[[], bool] = nothing_to_mend
    popen: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0  # when it may be started again
    failures: int = 0
    was_ready: bool = False
    _is_ended: bool = field(default=False, init=False)

    def start(self) -> None:
        """Start it; raises OSError."""
        self.started_at, self.was_ready, self._is_ended = time.monotonic(), False, False
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches this supervisor only, which stops the others in order.
            self.popen = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT, start_new_session=True
            )
        with contextlib.suppress(OSError):  # it runs even if the disk is too full to store its number
            (self.log.parent.parent / "pids" / self.name).write_text(str(self.popen.pid))

    @property
    def is_running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def look(self) -> None:
        """Keep it running: note that it ended, and start it again when its pause is over."""
        now = time.monotonic()
        if self.is_running:
            self.was_ready = self.was_ready or self.ready()
            if now - self.started_at > LASTED:
                self.failures = 0
        elif not self._is_ended:
            self._note_end(now)
        elif now >= self.start_at:
            self._start_again()

    def _note_end(self, now: float) -> None:
        self._is_ended = True
        if not self.was_ready and self.mend():
            self.start_at = now
            return
        self.failures += 1
        pause = pause_after(self.failures)
        self.start_at = now + pause
        code = self.popen.returncode if self.popen else None
        last = self.tail(1) if code and code > 0 else ""  # who was killed had no time to say why
        say(f"{self.name} ended ({_how(code)}) and restarts in {pause:.1f} s. {last}".rstrip())

    def _start_again(self) -> None:
        try:
            self.start()
        except OSError as error:  # a full disk: a log cannot be written either
            self._is_ended = True
            self.failures += 1
            self.start_at = time.monotonic() + pause_after(self.failures)
            say(f"{self.name} cannot be started ({error})")

    def tail(self, lines: int = 15) -> str:
        """The last lines that it logged."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError as error:
            return f"({error})"


def pause_after(failures: int, jitter: Callable[[], float] = random.random) -> float:
    """Return the seconds to wait after so many starts in a row that did not last; never more than MAX_PAUSE."""
    return min(MAX_PAUSE, FIRST_PAUSE * 2.0 ** (min(failures, 30) - 1)) * (0.5 + jitter() / 2)


def launch(process: Process, started: list[Process]) -> None:
    """Start a process, remember it, and wait until it is ready; raises CannotStart with its last lines."""
    process.log.unlink(missing_ok=True)
    started.append(process)
    process.start()
    deadline = time.monotonic() + READY_TIMEOUT
    while not process.ready():
        if not process.is_running and process.mend():
            process.start()
        elif not process.is_running or time.monotonic() > deadline:
            raise CannotStart(f"{process.name} did not start. Its last log lines:\n{process.tail()}")
        time.sleep(0.02)
    process.was_ready = True


def supervise(processes: Sequence[Process]) -> NoReturn:
    """Keep the processes running until a signal raises something."""
    while True:
        look(processes)
        time.sleep(LOOK_EVERY)


def look(processes: Iterable[Process]) -> None:
    for process in processes:
        process.look()


def stop(processes: Sequence[Process], timeout: float = STOP_TIMEOUT) -> None:
    """End processes: SIGTERM to all, and SIGKILL to the whole group of each that has not ended within the timeout.

    The timeout, in seconds, is for all of them together.
    """
    for process in processes:
        if process.popen is not None and process.is_running:
            process.popen.terminate()
    until = time.monotonic() + timeout
    for process in processes:
        if process.popen is None:
            continue
        try:
            process.popen.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            say(f"{process.name} did not stop in {timeout:.0f} s and was killed")
            os.killpg(process.popen.pid, signal.SIGKILL)
            process.popen.wait()


def _how(code: int | None) -> str:
    if code is None:
        return "not started"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
