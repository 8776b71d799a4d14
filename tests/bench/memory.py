"""How much memory does each process of the console hold at rest, and what did its start cost?

    python -m tests.bench.memory [services] [revisions of each]   (default 1,000 and 10)

Starts the console on a sandbox with so many services, waits until the mirror is whole, asks for pages for a while and
rests. Then, for each process: its share of memory (PSS), what it alone holds, and the CPU that its start took, with the
first reading of the cluster. One round. Linux only.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.bench import figures
from tests.bench.figures import Figure, Options, at_most
from tests.bench.stream_backends import pages, sign_in
from tests.console_process import RunningConsole, console, descendants
from tests.sandbox_process import Sandbox, sandbox
from tests.waiting import eventually

MEGABYTE = 1024  # kB, as /proc counts them
TICKS = os.sysconf("SC_CLK_TCK")
REST_SECONDS = 10.0
MAX_OF_WEB, MAX_OF_OTHERS = 120, 100  # MB, of one process
START_SECONDS = 120.0
PAGES_A_SECOND = 5
LOOK_SECONDS = 20
NOT_OURS = {"redis", "sandbox"}


class Usage(NamedTuple):
    """Memory in MB, CPU in seconds since the process began."""

    pss: float
    private: float
    cpu: float


def usage(pid: int) -> Usage:
    """What a process uses, its children included."""
    found = [own_usage(one) for one in (pid, *descendants(pid))]
    return Usage(*(sum(column) for column in zip(*found, strict=True)))


def own_usage(pid: int) -> Usage:
    """What a process uses without its children."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in rollup)}
    private = kilobytes["Private_Dirty"] + kilobytes["Private_Clean"]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Usage(kilobytes["Pss"] / MEGABYTE, private / MEGABYTE, (int(fields[11]) + int(fields[12])) / TICKS)


def processes(running: RunningConsole) -> dict[str, int]:
    """The console's processes by name, each of web too, without Redis and the sandbox."""
    files = (running.state / "pids").iterdir()
    found = {file.name: int(file.read_text()) for file in sorted(files) if file.name not in NOT_OURS}
    for number, pid in enumerate(running.web_pids(), 1):
        found[f"web {number}"] = pid
    return {**found, "web": running.pid("web")}


def cluster(box: Sandbox, folder: Path) -> str:
    """Return the text of CONSOLE_CLUSTERS for a sandbox of ours."""
    token = folder / "bench.token"
    token.write_text(box.token)
    ingress = f"{box.ingress_host}:{box.ingress_port}"
    return json.dumps([{"name": "sandbox", "url": box.url, "token_file": str(token), "ingress": ingress}])


def is_whole(running: RunningConsole) -> bool:
    with urllib.request.urlopen(f"{running.url}/healthz/ready", timeout=10) as answer:
        return json.load(answer)["mirror_age_seconds"] is not None


def measure(options: Options) -> Iterator[Figure]:
    services, revisions = (*options.numbers, *(1000, 10)[len(options.numbers) :])
    with tempfile.TemporaryDirectory() as folder, sandbox(seed=f"capacity:{services},{revisions}", speed=1) as box:
        # A package for developing that structlog loads where it is installed, 5 MB in each process.
        Path(folder, "rich.py").write_text("raise ImportError('not in requirements.txt')\n")
        environment = {"CONSOLE_CLUSTERS": cluster(box, Path(folder)), "CONSOLE_DEMO": "1", "PYTHONPATH": folder}
        with console(environment=environment) as running:
            eventually(lambda: is_whole(running), timeout=START_SECONDS)
            started = {name: own_usage(pid).cpu for name, pid in processes(running).items()}
            sessions = sign_in(4, {"CONSOLE_STATE_DIR": str(running.state)})
            asyncio.run(pages(running.url, sessions, PAGES_A_SECOND, LOOK_SECONDS))
            time.sleep(REST_SECONDS)
            for name, pid in processes(running).items():
                found = own_usage(pid)
                target = at_most(MAX_OF_WEB if name.startswith("web") else MAX_OF_OTHERS)
                note = f"{found.private:.0f} MB of its own, {started[name]:.1f} s of CPU to start"
                yield Figure(f"{name} at rest, {services:,} services", found.pss, "MB", target, note)


if __name__ == "__main__":
    figures.main(measure)
