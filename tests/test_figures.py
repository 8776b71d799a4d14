"""The arithmetic of the benchmarks: what a figure says of its target, and two runs side by side."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from tests.bench import compare
from tests.bench.figures import Figure, at_least, at_most, line, median, middle_minute, number, quantile
from tests.bench.runs import Run, new_run


@pytest.mark.parametrize(
    ("value", "target", "verdict"),
    [(12.0, at_most(12), "met"), (12.1, at_most(12), "missed"), (119, at_least(120), "missed"), (5, None, "")],
)
def test_a_figure_at_its_limit_is_met_and_one_beyond_it_is_missed(value, target, verdict) -> None:
    assert Figure("list", value, "ms", target).verdict == verdict


def test_a_p95_is_the_value_that_nineteen_of_twenty_do_not_exceed() -> None:
    assert quantile(range(1, 101), 0.95) == 95
    assert quantile(range(1, 101), 0.99) == 99
    assert quantile([7], 0.99) == 7
    assert quantile([3, 1, 2], 0.5) == 2


def test_one_slow_round_of_five_does_not_move_the_figure() -> None:
    assert median("list", [10, 11, 900, 10, 12], "ms").value == 11


def test_a_line_shows_the_target_the_verdict_and_the_conditions() -> None:
    shown = line(median("growth", [7.0], "%", at_most(5), "2 minutes instead of 30"))
    assert shown.split() == ["growth", "7", "%", "≤", "5", "missed", "(2", "minutes", "instead", "of", "30)"]
    assert number(12345.6) == "12,346"


def test_two_runs_are_compared_by_name_and_none_of_their_figures_is_left_out() -> None:
    before = {"a": Figure("a", 10, "ms", at_most(12)), "gone": Figure("gone", 1, "s")}
    after = {"new": Figure("new", 2, "s"), "a": Figure("a", 15, "ms", at_most(12))}
    rows = list(compare.rows(before, after))
    assert [row.split()[0] for row in rows] == ["new", "a", "gone"]
    assert rows[1].split()[1:] == ["10", "15", "ms", "1.50", "times", "met", "->", "missed"]


def test_a_run_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    run = new_run("python -m tests.bench")
    run.figures.append(median("list", [1.5, 2.5, 3.5], "ms", at_most(3)))
    run.failed["live"] = "not finished after 900 s"
    run.speeds.extend([104.2, 131.0])
    assert msgspec.json.decode(msgspec.json.encode(run), type=Run) == run
    assert "1 of 1 targets met" in run.table()
    assert "NOT MEASURED: live" in run.table()
    assert "took 104 to 131 ms (reference" in run.table()


@pytest.mark.parametrize("phase", range(0, 61, 6))
def test_a_minute_has_one_round_of_what_is_asked_each_minute_wherever_it_begins(phase: int) -> None:
    """The rounds come a little late, as those of a timer do; one is of 22 requests, five of one."""
    of_22 = [phase + 60.7 * number for number in range(4)] * 22
    asked = of_22 + [61.0 * (number % 4) + number // 4 for number in range(20)]
    moments = [half / 2 for half in range(30, 210)]
    readings = [(now, Counter(asked=sum(one <= now for one in asked))) for now in moments]
    assert middle_minute(readings).total() == 27


def test_a_benchmark_that_breaks_off_keeps_what_it_measured_and_fails(tmp_path: Path) -> None:
    """As tests/bench/__main__.py runs one: figures to a file, complaints on stderr, an exit code."""
    module, kept = tmp_path / "broken.py", tmp_path / "figures.json"
    module.write_text(
        "from tests.bench import figures\n"
        "def measure(options):\n"
        "    yield figures.median('first', [1.0], 'ms')\n"
        "    raise RuntimeError('no cluster')\n"
        "figures.main(measure)\n"
    )
    command = [sys.executable, str(module), "--json", str(kept)]
    done = subprocess.run(command, env={"PYTHONPATH": "."}, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "no cluster" in done.stderr
    (first,) = msgspec.json.decode(kept.read_bytes(), type=list[Figure])
    assert (first.name, first.command) == ("first", "python -m tests.bench.broken")
