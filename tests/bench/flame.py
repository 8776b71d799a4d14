"""Where does a process of the console spend its time? Records a flame graph, by py-spy, while pages are asked for.

    python -m tests.bench.flame [--process web] [--seconds 20] [--changes 0] [--out flame.svg]

A console on a sandbox with 1,000 services; ten pages a second come from this process, and the cluster changes as often
as --changes says. Also `worker` and `watcher` can be recorded. The figures of `make bench` are taken without it.
py-spy reads the memory of the process from outside, which Linux may allow to root alone (kernel.yama.ptrace_scope).
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.bench.consoles import all_services, changing, console_of
from tests.bench.memory import processes
from tests.bench.stream_backends import pages

SERVICES = 1000
PAGES_A_SECOND = 10
SAMPLES_A_SECOND = 200
PY_SPY = Path(sys.executable).with_name("py-spy")


def main(name: str, seconds: int, rate: float, out: Path) -> None:
    with ExitStack() as held:
        bench = held.enter_context(console_of(SERVICES))
        if rate:
            held.enter_context(changing(bench.box, rate, all_services(bench.box)))
        pid = next(pid for process, pid in processes(bench.at).items() if process.startswith(name))
        command = [str(PY_SPY), "record", "--subprocesses", "--pid", str(pid), "--duration", str(seconds)]
        recording = subprocess.Popen([*command, "--rate", str(SAMPLES_A_SECOND), "--output", str(out)])
        asyncio.run(pages(bench.at.url, bench.sessions, PAGES_A_SECOND, seconds))
        if recording.wait(seconds + 60):
            raise SystemExit("py-spy could not record; it may need root (see kernel.yama.ptrace_scope)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.flame", description=__doc__.partition("\n")[0])
    parser.add_argument("--process", default="web", choices=["web", "worker", "watcher"])
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--changes", type=float, default=0, help="changes in the cluster, a second")
    parser.add_argument("--out", type=Path, default=Path("test-artifacts/flame.svg"))
    chosen = parser.parse_args()
    chosen.out.parent.mkdir(exist_ok=True)
    main(chosen.process, chosen.seconds, chosen.changes, chosen.out)
