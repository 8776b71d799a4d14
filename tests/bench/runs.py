"""One run of all benchmarks: where and when it was, and its figures, as JSON that another run can be compared with."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.bench import speed
from tests.bench.figures import Figure, line

ROOT = Path(__file__).resolve().parent.parent.parent
MAX_LOAD = 0.5  # processes that want a core while nothing is measured; above it the machine was not quiet


class Machine(msgspec.Struct, frozen=True):
    """What the figures depend on beside the code."""

    cores: int
    processor: str
    memory_gb: float
    system: str
    python: str
    load: float  # processes that wanted to run, in the minute before

    @property
    def is_quiet(self) -> bool:
        return self.load <= MAX_LOAD

    def __str__(self) -> str:
        busy = "" if self.is_quiet else "; NOT QUIET"
        hardware = f"{self.cores} cores ({self.processor}), {self.memory_gb:.0f} GB"
        return f"{hardware}, {self.system}, Python {self.python}, load {self.load:.2f}{busy}"


class Run(msgspec.Struct, frozen=True):
    """All figures of one command, and the benchmarks that failed, with the last lines that they wrote."""

    commit: str
    at: datetime
    command: str
    machine: Machine
    figures: list[Figure]
    failed: dict[str, str]
    speeds: list[float] = []  # ms of tests.bench.speed, before each benchmark

    @property
    def speed(self) -> str:
        """How fast the machine was, from the first benchmark to the last."""
        if not self.speeds:
            return ""
        least, most = (f"{one:.0f}" for one in (min(self.speeds), max(self.speeds)))
        return f"a fixed loop of JSON and texts took {least} to {most} ms (reference {speed.REFERENCE_MS:.0f} ms)"

    def table(self) -> str:
        """Return what is printed: the conditions, a line for each figure, and what was not measured."""
        head = [f"{self.command} at {self.commit}, {self.at:%Y-%m-%d %H:%M} UTC", str(self.machine), self.speed, ""]
        missed = [figure for figure in self.figures if figure.verdict == "missed"]
        judged = sum(figure.target is not None for figure in self.figures)
        foot = ["", f"{judged - len(missed)} of {judged} targets met, medians of five unless said otherwise"]
        foot += [f"NOT MEASURED: {name}\n{text}" for name, text in self.failed.items()]
        return "\n".join([*head, *map(line, self.figures), *foot])


def machine() -> Machine:
    """Describe this machine (Linux)."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    load = os.getloadavg()[0]
    return Machine(len(os.sched_getaffinity(0)), _processor(), memory, system, platform.python_version(), load)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    found = (one.partition(":")[2].strip() for one in lines if one.startswith("model name"))
    return next(found, platform.machine())


def new_run(command: str) -> Run:
    return Run(_commit(), datetime.now(UTC), command, machine(), [], {})


def _commit() -> str:
    """The commit that is measured, with a + where files were changed since."""
    said = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=ROOT, capture_output=True, text=True)
    return said.stdout.strip() or "unknown"
