"""Does a process grow while the cluster changes 50 times a second?

    python -m tests.bench.churn [--minutes 30]

Twenty people have the list open. The memory of each process (its share, PSS) is taken after
half of the time and at its end, and the growth is that of the second half. Without --minutes it lasts one minute,
which shows what leaks fast; the target is about thirty.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench import figures
from tests.bench.consoles import Bench, all_services, changing, console_of, watched
from tests.bench.figures import Figure, Options, at_most
from tests.bench.memory import own_usage, processes
from tests.bench.stream_backends import STREAMS_OF_SESSION

SERVICES = 1000
RATE = 50  # changes a second
VIEWERS = 20
TARGET_MINUTES = 30.0


def memory(bench: Bench) -> dict[str, float]:
    """MB by process."""
    return {name: own_usage(pid).pss for name, pid in processes(bench.at).items()}


def measure(options: Options) -> Iterator[Figure]:
    minutes = options.duration(1.0, quick=0.3)
    note = f"{minutes:g} minutes" + (f" instead of {TARGET_MINUTES:g}" if minutes < TARGET_MINUTES else "")
    with console_of(SERVICES, people=VIEWERS // STREAMS_OF_SESSION + 1) as bench:
        with watched(bench, VIEWERS), changing(bench.box, RATE, all_services(bench.box)):
            time.sleep(minutes * 30)
            half = memory(bench)
            time.sleep(minutes * 30)
            end = memory(bench)
        for name in end:
            growth = (end[name] / half[name] - 1) * 100
            kept = f"{note}, {end[name]:.0f} MB at its end"
            yield Figure(f"growth of {name} in the second half of a churn", growth, "%", at_most(5), kept)


if __name__ == "__main__":
    figures.main(measure)
