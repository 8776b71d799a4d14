"""How many list pages a second do two web processes deliver to 50 people, and how long does each of them wait?

    python -m tests.bench.throughput

The people are a process of its own (page_load.py): each asks again as soon as the answer is there, over a connection
that stays open.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from tests.bench import figures
from tests.bench.consoles import console_of
from tests.bench.figures import Figure, Options, at_least, at_most, median, quantile
from tests.bench.runs import ROOT

SERVICES, PEOPLE, SECONDS = 1_000, 50, 8.0


def measure(options: Options) -> Iterator[Figure]:
    rates, waits = [], []
    with console_of(SERVICES, people=PEOPLE, environment={"CONSOLE_WEB_PROCESSES": "2"}) as bench:
        for _ in range(options.rounds()):
            command = [sys.executable, "-m", "tests.bench.page_load", bench.at.url, str(SECONDS)]
            environment = {**os.environ, "COOKIES": " ".join(bench.sessions)}
            done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
            seconds: list[float] = json.loads(done.stdout)
            rates.append(len(seconds) / SECONDS)
            waits.append(quantile(seconds, 0.95) * 1000)
    yield median(f"list pages, {PEOPLE} people, two web processes", rates, "a second", at_least(120))
    yield median("the same, p95 of one person's wait", waits, "ms", at_most(500))


if __name__ == "__main__":
    figures.main(measure)
