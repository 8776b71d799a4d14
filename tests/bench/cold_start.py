"""How long does the mirror of a large cluster take to fill, whose time is that, and how much memory does each need?

    python -m tests.bench.cold_start [services] [revisions of each] [clusters]   (default 10,000, 5 and 1)

Clusters are sandboxes, filled before the clock starts; the watcher is a process of its own, as in an installation.
They have come to rest before it, and each round begins with an empty Redis. Wall time says little on a busy machine:
the CPU seconds of each process are printed beside it.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tests.bench import figures
from tests.bench.figures import Figure, Options, at_most
from tests.redis_server import running
from tests.sandbox_process import ROOT, Sandbox, sandbox
from tests.waiting import eventually

FILL_SECONDS = 600.0
IDLE_SECONDS = 0.05  # of CPU in a second
WHOLE_SECONDS = 13 / 3  # a third of what it took before
TICKS = os.sysconf("SC_CLK_TCK")


def measure(options: Options) -> Iterator[Figure]:
    defaults = (1000, 5, 1) if options.is_quick else (10_000, 5, 1)
    services, revisions, clusters = (*options.numbers, *defaults[len(options.numbers) :])
    import django
    from django.conf import settings

    django.setup()
    names = [f"box-{number}" for number in range(1, clusters + 1)]
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running())
        settings.REDIS_URL = server.url
        seed = f"capacity:{services},{revisions}"
        boxes = {name: stack.enter_context(sandbox(speed=1, seed=seed)) for name in names}
        assert server.process is not None
        pids = {"Redis": server.process.pid} | {f"cluster {name}": box.process.pid for name, box in boxes.items()}
        where = f"{services * clusters:,} services, {services * revisions * clusters:,} revisions"
        yield from fill(boxes, server.url, pids, where, options.rounds())
        yield from memory(names, services, revisions)


def fill(boxes: dict[str, Sandbox], url: str, pids: dict[str, int], where: str, rounds: int) -> Iterator[Figure]:
    """Let new watchers fill an empty mirror: when lists are whole, and what each process worked meanwhile."""
    at_rest([pids[f"cluster {name}"] for name in boxes])
    found = [one_round(boxes, url, pids) for _ in range(rounds)]
    target = at_most(WHOLE_SECONDS) if where.startswith("10,000 services, 50,000") else None
    note = "" if rounds >= figures.ROUNDS else f"{rounds} of {figures.ROUNDS} rounds"
    for kind, limit in (("services", None), ("revisions", target)):
        seconds = [one.whole[kind] for one in found]
        yield figures.median(f"cold start, {kind} whole, {where}", seconds, "s", limit, note)
    for name in found[0].cpu:
        held = max(one.held[name] for one in found)
        yield figures.median(
            f"cold start, CPU of {name}, {where}", [one.cpu[name] for one in found], "s", note=f"{held:.0f} MiB at most"
        )


class Round(NamedTuple):
    """By kind, when it was whole in every cluster (seconds); by process, its CPU seconds and the most MiB it held."""

    whole: dict[str, float]
    cpu: dict[str, float]
    held: dict[str, float]


def one_round(boxes: dict[str, Sandbox], url: str, pids: dict[str, int]) -> Round:
    from console.mirror.store import MIRRORED
    from console.redis_client import client

    client().flushall()
    before = {name: cpu(pid) for name, pid in pids.items()}
    wanted = [(name, kind.plural) for name in boxes for kind in MIRRORED]
    whole: dict[tuple[str, str], float] = {}
    began = time.perf_counter()
    with watcher(boxes, url) as pid:

        def note() -> bool:
            for name in boxes:
                whole.update(dict.fromkeys(new_kinds(name, whole), time.perf_counter() - began))
            return len(whole) == len(wanted)

        eventually(note, timeout=FILL_SECONDS, interval=0.1)
        worked = {"watcher": cpu(pid), **{one: cpu(pids[one]) - before[one] for one in pids}}
        held = {name: memory_of(pids.get(name, pid), "VmHWM") for name in worked}
    last = {kind.plural: max(whole[name, kind.plural] for name in boxes) for kind in MIRRORED}
    return Round(last, worked, held)


def at_rest(pids: list[int]) -> None:
    """Wait until the clusters' own controllers have looked at all that is there, as those of a real one have."""
    worked = [-math.inf]

    def is_idle() -> bool:
        worked.append(sum(map(cpu, pids)))
        return worked[-1] - worked[-2] < IDLE_SECONDS

    eventually(is_idle, timeout=FILL_SECONDS, interval=1.0)


def new_kinds(cluster: str, whole: dict[tuple[str, str], float]) -> list[tuple[str, str]]:
    from console.mirror import read

    known = read.states(cluster)
    return [(cluster, kind) for kind, state in known.items() if state.is_whole and (cluster, kind) not in whole]


def memory(names: list[str], services: int, revisions: int) -> Iterator[Figure]:
    """What an object needs in Redis and in a process that serves pages."""
    from console.mirror import keys, read, revision_copies
    from console.redis_client import client

    def size(pattern: str) -> int:
        return sum(client().memory_usage(key, samples=0) or 0 for key in client().scan_iter(pattern, count=1000))

    all_services, all_revisions = services * len(names), services * revisions * len(names)
    root = keys.ROOT
    for what, patterns, count in (
        ("service", ("*:services", "*:summaries", "*:names:services", "*:changes"), all_services),
        ("revision", ("*:revisions:*", "*:names:revisions", "*:replicas", "*:images", "*:revision-*"), all_revisions),
        ("route", ("*:routes:*", "*:names:routes"), all_services),
    ):
        total = sum(size(f"{root}:{pattern}") for pattern in patterns)
        yield Figure(f"Redis, for each {what}", total / count, "bytes", note=f"{total / 2**20:.0f} MiB in all")
    for what, copy, count in (
        ("service", read.copy, all_services),
        ("revision", revision_copies.copy, all_revisions),
    ):
        before = resident(os.getpid())
        kept = [copy(name) for name in names]
        grown = resident(os.getpid()) - before
        yield Figure(f"web process, for each {what} listed", grown * 2**20 / count, "bytes", note=f"{grown:.0f} MiB")
        assert sum(len(one.by_name) for one in kept) == count


@contextlib.contextmanager
def watcher(boxes: dict[str, Sandbox], url: str) -> Iterator[int]:
    """The pid of a new `manage.py watch`."""
    from django.conf import settings

    clusters = [{"name": name, "url": box.url, "token": box.token} for name, box in boxes.items()]
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "CONSOLE_SECRET_KEY": settings.SECRET_KEY,
            "CONSOLE_STATE_DIR": folder,
            "CONSOLE_REDIS_URL": url,
            "CONSOLE_CLUSTERS": json.dumps(clusters),
        }
        with (Path(folder) / "log").open("wb") as log:
            command = [sys.executable, "manage.py", "watch"]
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
            try:
                yield process.pid
            finally:
                process.terminate()
                process.wait()


def cpu(pid: int) -> float:
    """The CPU seconds of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid: int) -> float:
    """The resident memory of a process in MiB (Linux)."""
    return memory_of(pid, "VmRSS")


def memory_of(pid: int, what: str) -> float:
    """Memory of a process in MiB: VmRSS is what it holds, VmHWM the most that it held (Linux)."""
    line = next(one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith(what))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    figures.main(measure)
