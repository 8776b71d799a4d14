"""What a benchmark hands over: figures, each beside its target. Nothing here or in a benchmark asserts on seconds.

A benchmark is a module with `measure(options)`, which yields figures, and these lines at its end:

    if __name__ == "__main__":
        figures.main(measure)

It runs alone (`python -m tests.bench.NAME`, with --quick, --minutes N, --json FILE) and, once it is listed in
tests/bench/__main__.py, as part of `make bench`, in a process of its own.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

ROUNDS = 5
MINUTE = 60.0  # seconds


class Target(msgspec.Struct, frozen=True):
    """The limit that a figure should keep to."""

    limit: float
    is_least: bool = False  # else the limit is the most

    def is_met_by(self, value: float) -> bool:
        return value >= self.limit if self.is_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {number(self.limit)}"


def at_most(limit: float) -> Target:
    return Target(limit)


def at_least(limit: float) -> Target:
    return Target(limit, is_least=True)


class Figure(msgspec.Struct, frozen=True):
    """One measured value. `name` stays the same from commit to commit: by it two runs are compared."""

    name: str  # "list of 50 rows, 1,000 services, server time p95"
    value: float
    unit: str  # ms, s, KB, MB, %, times, a second, a minute
    target: Target | None = None
    note: str = ""  # under which conditions, where they are not those of the target ("2 minutes instead of 30")
    command: str = ""  # how to measure it alone; filled in by `main`
    rounds: tuple[float, ...] = ()  # the values whose median it is

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "met" if self.target.is_met_by(self.value) else "missed"


@dataclass(frozen=True, slots=True)
class Options:
    """How much time there is. A quick run does less of everything: its figures are for a first look."""

    is_quick: bool = False
    numbers: tuple[int, ...] = ()  # of a benchmark that runs alone: other sizes than its own
    minutes: float | None = None  # for what lasts by design, an open page or a churn; None: the benchmark's own default

    def rounds(self) -> int:
        return 1 if self.is_quick else ROUNDS

    def duration(self, default: float, quick: float = 0.5) -> float:
        """Return the minutes that something lasts."""
        return self.minutes if self.minutes is not None else quick if self.is_quick else default


def median(name: str, rounds: Sequence[float], unit: str, target: Target | None = None, note: str = "") -> Figure:
    """Return the figure that is the median of the rounds."""
    return Figure(name, statistics.median(rounds), unit, target, note, rounds=tuple(rounds))


def quantile(values: Iterable[float], part: float) -> float:
    """Return the smallest value that at least this part (0 to 1) of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(round(len(ordered) * part, 6)) - 1)]


def middle_minute(readings: list[tuple[float, Counter[str]]]) -> Counter[str]:
    """Of the minutes between two readings (seconds, counts so far), the one whose sum is the median."""
    minutes = []
    for began, before in readings:
        after = next((found for at, found in readings if at >= began + MINUTE), None)
        if after is not None:
            minutes.append(after - before)
    return sorted(minutes, key=Counter.total)[len(minutes) // 2]


def main(measure: Callable[[Options], Iterator[Figure]]) -> None:
    """Run one benchmark as its command line says; print the table, and keep the figures where --json is given."""
    module = Path(sys.argv[0]).stem
    parser = argparse.ArgumentParser(
        prog=f"python -m tests.bench.{module}", description=sys.modules["__main__"].__doc__
    )
    parser.add_argument("numbers", type=int, nargs="*", help="other sizes, where the benchmark has some")
    parser.add_argument("--quick", action="store_true", help="less of everything, for a first look")
    parser.add_argument("--minutes", type=float, help="how long what lasts by design lasts")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    chosen = parser.parse_args()
    command = f"python -m tests.bench.{module}"
    with _kept(chosen.json) as found:
        for figure in measure(Options(chosen.quick, tuple(chosen.numbers), chosen.minutes)):
            found.append(msgspec.structs.replace(figure, command=command))
            print(line(found[-1]), flush=True)


@contextmanager
def _kept(path: Path | None) -> Iterator[list[Figure]]:
    """Yield the list of figures; what was measured before a failure is kept too."""
    found: list[Figure] = []
    try:
        yield found
    finally:
        if path:
            path.write_bytes(msgspec.json.encode(found))


def line(figure: Figure) -> str:
    """Return the figure as one line: name, value, target and whether it is met."""
    value = f"{number(figure.value)} {figure.unit}"
    target = str(figure.target or "")
    note = f"  ({figure.note})" if figure.note else ""
    return f"{figure.name:<66} {value:>18}  {target:>10}  {figure.verdict:<6}{note}".rstrip()


def number(value: float) -> str:
    """Return three digits of it, or all of an integer's: 0.123, 12.3, 1,230."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}" if abs(value) < 0.1 else f"{value:.3g}"
