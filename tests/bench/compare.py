"""Compare two runs of the benchmarks: python -m tests.bench.compare BEFORE.json AFTER.json"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.bench.figures import Figure, number
from tests.bench.runs import Run


def main(before: Path, after: Path) -> None:
    runs = [msgspec.json.decode(path.read_bytes(), type=Run) for path in (before, after)]
    for run in runs:
        print(f"{run.commit}, {run.at:%Y-%m-%d %H:%M}: {run.machine}", run.speed, sep="\n    ")
    print("\n".join(rows(*({figure.name: figure for figure in run.figures} for run in runs))))


def rows(before: dict[str, Figure], after: dict[str, Figure]) -> Iterator[str]:
    """Yield a line for each figure of either run, in the order of the newer one."""
    for name in [*after, *(name for name in before if name not in after)]:
        old, new = before.get(name), after.get(name)
        values = [number(figure.value) if figure else "-" for figure in (old, new)]
        unit = (new or old or Figure(name, 0, "")).unit
        change = f"{new.value / old.value:.2f} times" if old and new and old.value else ""
        verdicts = " -> ".join(dict.fromkeys(figure.verdict for figure in (old, new) if figure and figure.verdict))
        yield f"{name:<66} {values[0]:>10} {values[1]:>10} {unit:<10} {change:>12}  {verdicts}".rstrip()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
