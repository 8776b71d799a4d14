"""Run the benchmarks and print one table: `make bench`, `make bench-quick`.

    python -m tests.bench [--quick] [--minutes N] [--only NAME ...] [--json FILE]

Each benchmark runs in a process of its own, one after the other. One that fails is named at the end, and the exit code
is 1; a target that is missed is no failure.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from tests.bench import speed
from tests.bench.figures import Figure
from tests.bench.runs import ROOT, Run, new_run

# In the order of the table.
BENCHMARKS = (
    "request_cost",
    "pages",
    "throughput",
    "cold_start",
    "revision_list",
    "live",
    "browser",
    "update_latency",
    "api_load",
    "memory",
    "churn",
)
QUICK = ("request_cost", "pages", "throughput", "live", "browser", "update_latency")
PATIENCE = 900.0  # seconds for one benchmark, beside the minutes that it is told to last
LAST_LINES = 15


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help=f"less of everything, of {', '.join(QUICK)}")
    parser.add_argument("--minutes", type=float, help="how long an open page and the churn last (30 for the whole)")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, metavar="NAME")
    parser.add_argument("--json", type=Path, help="write the run there, for python -m tests.bench.compare")
    chosen = parser.parse_args()
    run = new_run(" ".join(["python -m tests.bench", *sys.argv[1:]]))
    for name in chosen.only or (QUICK if chosen.quick else BENCHMARKS):
        run.speeds.append(speed.work_ms())
        _benchmark(name, chosen, run)
    if chosen.json:
        chosen.json.write_bytes(msgspec.json.encode(run))
    print(f"\n{run.table()}")
    return 1 if run.failed else 0


def _benchmark(name: str, chosen: argparse.Namespace, run: Run) -> None:
    """Run one, and add what it measured to the run."""
    began = time.monotonic()
    print(f"--- {name}", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        kept = Path(folder) / "figures.json"
        command = [sys.executable, "-m", f"tests.bench.{name}", "--json", str(kept)]
        command += ["--quick"] if chosen.quick else []
        command += [] if chosen.minutes is None else ["--minutes", str(chosen.minutes)]
        if trouble := _finished(command, PATIENCE + 60 * (chosen.minutes or 0)):
            run.failed[name] = trouble
        run.figures.extend(msgspec.json.decode(kept.read_bytes(), type=list[Figure]) if kept.exists() else [])
    print(f"    {time.monotonic() - began:.0f} s", flush=True)


def _finished(command: list[str], seconds: float) -> str:
    """Run the command, its output passed on; return why it failed, or nothing."""
    with tempfile.TemporaryFile("w+") as complaints:
        try:
            done = subprocess.run(command, cwd=ROOT, timeout=seconds, stderr=complaints)
        except subprocess.TimeoutExpired:
            return f"not finished after {seconds:.0f} s"
        complaints.seek(0)
        text = "".join(complaints.readlines()[-LAST_LINES:])
    return text or f"exit code {done.returncode}" if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
