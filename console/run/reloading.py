"""`make dev`: start the console's processes again as their code changes, and show all their logs in one terminal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from console.run import supervisor
from console.run.supervisor import ROOT, Process, say

STOP_TIMEOUT = 3.0  # seconds; the developer who saved a file waits for the restart
COLORS = (36, 32, 33, 35, 34, 31)  # of terminals; one for each process


@dataclass
class LogTail:
    """What a process logs from now on, line by line."""

    name: str
    path: Path
    color: int
    _file: IO[str] | None = field(default=None, init=False)
    _rest: str = field(default="", init=False)

    def new_lines(self) -> list[str]:
        """Return the whole lines that were logged since the last call, each with the process's name before it."""
        if self._file is None:
            try:
                self._file = self.path.open(errors="replace")
            except FileNotFoundError:
                return []
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        return [f"\033[{self.color}m{self.name:>10} |\033[0m {line}" for line in lines]


def supervise_and_reload(processes: Sequence[Process], reloaded: Sequence[Process]) -> None:
    """Keep the processes running and print what they log; start `reloaded` again when Python code or texts change.

    Returns when a signal arrives.
    """
    from watchfiles import PythonFilter, watch  # a development dependency

    changes = watch(
        ROOT / "console",
        ROOT / "locale",
        watch_filter=PythonFilter(extra_extensions=(".mo",)),
        rust_timeout=int(supervisor.LOOK_EVERY * 1000),
        yield_on_timeout=True,
        raise_interrupt=False,  # a signal ends the loop, whatever our handler for it raised
    )
    tails = [LogTail(process.name, process.log, COLORS[n % len(COLORS)]) for n, process in enumerate(processes)]
    for changed in changes:
        if changed:
            restart(reloaded, {Path(path) for _, path in changed})
        supervisor.look(processes)
        for line in (line for tail in tails for line in tail.new_lines()):
            say(line)
    say("Stopping ...")


def restart(processes: Sequence[Process], because_of: Iterable[Path]) -> None:
    """Stop the processes and start them again at once, saying which files changed."""
    say(f"Reloading: {', '.join(sorted(path.name for path in because_of))}")
    supervisor.stop(processes, STOP_TIMEOUT)
    for process in processes:
        process.failures = 0
        process.start()
