"""What containers printed: bounded line buffers that the simulated kubelet writes and `pods/log` reads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

LINES_KEPT = 500

ContainerKey = tuple[str, str, str]  # namespace, pod, container


class LogLine(NamedTuple):
    """One line with the moment at which it was printed (RFC 3339, UTC, microseconds) and its number since the start."""

    number: int
    at: str
    text: str


class PodLogs:
    """The lines of every container, newest `LINES_KEPT` of each; a restart moves them to `previous`."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lines: dict[ContainerKey, deque[LogLine]] = {}
        self._previous: dict[ContainerKey, deque[LogLine]] = {}
        self._printed = 0

    def append(self, namespace: str, pod: str, container: str, text: str) -> None:
        """Add what a container printed; several lines at once may be joined by newlines."""
        lines = self._lines.setdefault((namespace, pod, container), deque(maxlen=LINES_KEPT))
        at = self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for line in text.splitlines():
            self._printed += 1
            lines.append(LogLine(self._printed, at, line))

    def restart(self, namespace: str, pod: str, container: str) -> None:
        """The container started again: what it printed is from now on its previous log."""
        key = (namespace, pod, container)
        self._previous[key] = self._lines.pop(key, deque())

    def discard(self, namespace: str, pod: str) -> None:
        """The pod is gone, and its logs with it."""
        for kept in (self._lines, self._previous):
            for key in [key for key in kept if key[:2] == (namespace, pod)]:
                del kept[key]

    def read(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> list[LogLine] | None:
        """The lines, oldest first; None for a previous log of a container that never restarted."""
        key = (namespace, pod, container)
        if previous:
            return list(self._previous[key]) if key in self._previous else None
        return list(self._lines.get(key, ()))

    def dump(self) -> dict[str, Any]:
        """JSON-ready, for the state file."""
        return {"/".join(key): [[line.at, line.text] for line in lines] for key, lines in self._lines.items()}

    def load(self, dumped: dict[str, Iterable[tuple[str, str]]]) -> None:
        """Take over what `dump` gave."""
        for name, lines in dumped.items():
            namespace, pod, container = name.split("/")
            kept = self._lines.setdefault((namespace, pod, container), deque(maxlen=LINES_KEPT))
            for at, text in lines:
                self._printed += 1
                kept.append(LogLine(self._printed, at, text))
