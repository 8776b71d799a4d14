"""Programs that run beside one another: started in their order, started again when they end, ended together."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

from tests.real_cluster import machine
from tests.waiting import eventually

logger = logging.getLogger(__name__)

# For any program to answer: about 2 s on a machine of its own, much more on one that does other work beside.
START_SECONDS = 180
STOP_SECONDS = 3
LOOK_SECONDS = 0.5
MAX_RESTARTS = 10
LAST_LINES = 8  # beside a failed test; MANY_LINES where nothing started, and the log is all there is
MANY_LINES = 50


@dataclass(frozen=True)
class Program:
    """How to start a program, and what must be true before each of its starts."""

    command: list[str]
    environment: Mapping[str, str]
    after: Callable[[], bool]


@dataclass
class Supervisor:
    """Keeps the programs of `folder`, their output in <folder>/logs/<name>.log."""

    folder: Path
    programs: dict[str, Program] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    restarts: list[str] = field(default_factory=list)
    starter: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _changing: threading.RLock = field(default_factory=threading.RLock)
    _ended: threading.Event = field(default_factory=threading.Event)

    def start(
        self,
        name: str,
        command: list[str],
        environment: Mapping[str, str] | None = None,
        after: Callable[[], bool] = lambda: True,
    ) -> None:
        """Start a program once `after` is true, which every later start of it waits for too."""
        self.programs[name] = Program(command, environment or {}, after)
        self.wait_for(after, f"{name} cannot start")
        self._launch(name)

    def _launch(self, name: str) -> None:
        program = self.programs[name]
        (self.folder / "logs").mkdir(exist_ok=True)
        with self._changing, (self.folder / "logs" / f"{name}.log").open("ab") as log:
            # A program ends with the thread that started it: with this process, however that ends, and none before.
            # At once: Knative's programs answer TERM with 45 s in which they keep their ports from the next run.
            self.processes[name] = self.starter.submit(
                subprocess.Popen,
                ["setpriv", "--pdeathsig", "KILL", *program.command],
                stdout=log,
                stderr=log,
                env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), **program.environment},
                start_new_session=True,  # a Ctrl-C is for this process, which ends the others in order
            ).result()

    def keep_running(self) -> None:
        """Start again what ends by itself, as a kubelet does: Knative's programs end when they lose their leases."""
        threading.Thread(target=self._keep, name="supervisor", daemon=True).start()

    def _keep(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            with self._changing:
                for name in self._to_start_again():
                    self._start_again(name)

    def _to_start_again(self) -> list[str]:
        gone = [name for name, process in self.processes.items() if process.poll() is not None]
        return [name for name in gone if not self._ended.is_set() and self.programs[name].after()]

    def _start_again(self, name: str) -> None:
        code = self.processes[name].returncode
        logger.warning("%s ended with %s and is started again: %s", name, code, self.log_tail(name))
        self.restarts.append(name)
        self._launch(name)

    def stop_all(self) -> None:
        """End every program at once: nothing here outlives the folder, and Knative's webhook would drain for 45 s."""
        self._ended.set()
        with self._changing:
            self._stop_all()
        self.starter.shutdown()

    def _stop_all(self) -> None:
        for process in self.processes.values():
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def wait_for(self, is_so: Callable[[], bool], otherwise: str) -> None:
        """Wait until it is so.

        Raises AssertionError with `otherwise` and how the programs are; RuntimeError when they end again and again.
        """

        before = len(self.restarts)

        def is_so_meanwhile() -> bool:
            if len(self.restarts) - before > MAX_RESTARTS:
                raise RuntimeError(f"{otherwise}: programs end again and again: {self.states()}")
            try:
                return is_so()
            except urllib3.exceptions.HTTPError:
                return False  # who is asked is away, or too busy

        def told() -> str:
            return f"{otherwise} after {START_SECONDS} s: {self.states()}"

        # Not more often: Knative's programs log each question that they answer with no, and that alone would be read.
        eventually(is_so_meanwhile, timeout=START_SECONDS, message=told, interval=LOOK_SECONDS)

    def states(self) -> str:
        """Return on one line which programs run, how the others ended, and what was started again."""
        codes = {name: process.poll() for name, process in self.processes.items()}
        states = [f"{name} {'runs' if code is None else f'ended with {code}'}" for name, code in codes.items()]
        return f"{', '.join(states)}; started again: {self.restarts}"

    def report(self, lines: int = LAST_LINES) -> str:
        """Return how the programs are and what each said last: what a failed test shows."""
        return "\n".join([self.states(), *(self.log_tail(name, lines) for name in self.programs)])

    def full_report(self) -> str:
        """Return all that tells why something did not start: longer last words, who listens where, the network."""
        return f"{self.report(MANY_LINES)}\n{machine.report()}"

    def log_tail(self, name: str, lines: int = LAST_LINES) -> str:
        log = self.folder / "logs" / f"{name}.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        return "\n".join([f"--- {name} said last:", *text.splitlines()[-lines:]])
