"""How soon does a change in the cluster come to the lists of many viewers, and what does it cost the web process?

    python -m tests.bench.live [--quick]

Viewers are a process of their own, which holds their streams as browsers do and reads from each row when its change was
made: the time is written into the service. Beside it the figure of pages that fetch themselves at each change, as
browsers did before rows were pushed, in the same run. "Lost" and "twice" are counted over all viewers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import msgspec

from tests.bench import figures
from tests.bench.consoles import Bench, console_of, shown_services
from tests.bench.figures import Figure, Options, at_most
from tests.bench.runs import ROOT
from tests.sandbox.api_client import SERVING, Client

CHANGED_BY = "sluice.dev/changed-by"
VIEWERS = 500  # at most
STREAMS_OF_SESSION = 5  # one of two processes allows six, and may get them all
RATE = 20.0  # changes a second
SECONDS = 20.0  # of changes, for a latency
COUNTED = 10_000  # changes that are counted at each viewer
COUNTED_RATE = 100.0
TICKS = os.sysconf("SC_CLK_TCK")


def measure(options: Options) -> Iterator[Figure]:
    """Yield latencies at 1,000 and 10,000 services, and how many changes were lost or came twice."""
    few = 1_000
    with console_of(few, people=VIEWERS // STREAMS_OF_SESSION) as bench:
        yield from latency(bench, 100, few, "fetch", SECONDS / 4, None)
        pushed = yield from latency(bench, 100, few, "push", SECONDS, at_most(150))
        if not options.is_quick:
            yield from latency(bench, VIEWERS, few, "push", SECONDS, at_most(400))
        yield from counted(bench, 100, 1_000 if options.is_quick else COUNTED)
    if not options.is_quick:
        many = 10_000
        with console_of(many, people=VIEWERS // STREAMS_OF_SESSION) as bench:
            yield from latency(bench, 100, many, "push", SECONDS, at_most(1.3 * pushed))


def latency(
    bench: Bench, viewers: int, services: int, mode: str, seconds: float, target: figures.Target | None
) -> Generator[Figure, None, float]:
    """Change services now and then; yield how soon the viewers see it and what a change costs. Returns the p99, ms."""
    rate = RATE if mode == "push" else 1.0
    found, cpu, made = run(bench, viewers, mode, rate, int(rate * seconds))
    times = sorted(found["seconds"])
    how = "sent as a row" if mode == "push" else "by a page that fetches itself"
    name = f"change to list, {services:,} services, {viewers} viewers, {how}"
    p50, p99 = (1000 * times[min(len(times) - 1, int(len(times) * part))] for part in (0.5, 0.99))
    yield Figure(f"{name}, p50", p50, "ms")
    yield Figure(f"{name}, p99", p99, "ms", target)
    yield Figure(f"{name}, CPU of web for a change", 1000 * cpu / made, "ms")
    return p99


def counted(bench: Bench, viewers: int, changes: int) -> Iterator[Figure]:
    """Count changes at each viewer."""
    found, _, _ = run(bench, viewers, "push", COUNTED_RATE, changes)
    yield Figure(f"{changes:,} changes at {viewers} viewers, lost", found["lost"], "rows", at_most(0))
    yield Figure(f"{changes:,} changes at {viewers} viewers, twice", found["twice"], "rows", at_most(0))


def run(bench: Bench, viewers: int, mode: str, rate: float, changes: int) -> tuple[dict[str, Any], float, int]:
    """Let viewers look while services change; return what they saw, the CPU of web in seconds, and the changes made."""
    command = [sys.executable, "-m", "tests.bench.listeners", bench.at.url, str(viewers), mode, str(changes)]
    environment = {**os.environ, "COOKIES": " ".join(bench.sessions)}
    names = shown_services(bench)
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n", "the viewers did not begin"
        before = cpu_seconds(bench.at.pid("web"))
        change(bench, names, rate, changes)
        said = process.stdout.readline()
        cpu = cpu_seconds(bench.at.pid("web")) - before
    return msgspec.json.decode(said), cpu, changes


def change(bench: Bench, services: list[str], rate: float, changes: int) -> None:
    """Name the number and the moment of each change in its service."""
    admin, began = Client(bench.box.url, bench.box.token), time.monotonic()
    for number in range(changes):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        path = f"{SERVING}/namespaces/{services[number % len(services)].replace('/', '/services/')}"
        admin.merge(path, {"metadata": {"annotations": {CHANGED_BY: f"n{number}-{time.time():.4f}@bench"}}})


def cpu_seconds(pid: int) -> float:
    """Return what the process and its children have used."""
    pids = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    fields = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in pids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS


if __name__ == "__main__":
    figures.main(measure)
