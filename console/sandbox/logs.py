"""What containers printed: bounded line buffers that the simulated kubelet writes and `pods/log` reads or follows."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

LINES_KEPT = 500

ContainerKey = tuple[str, str, str]  # namespace, pod, container


class LogLine(NamedTuple):
    """One line with the moment at which it was printed (RFC 3339, UTC, microseconds) and its number since the start."""

    number: int
    at: str
    text: str


@dataclass(eq=False, slots=True)
class _Reader:
    """Somebody who follows one run of a container."""

    is_over: bool
    wakes: asyncio.Event = field(default_factory=asyncio.Event)


class PodLogs:
    """The lines of every container, newest `LINES_KEPT` of each; a restart moves them to `previous`."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lines: dict[ContainerKey, deque[LogLine]] = {}
        self._previous: dict[ContainerKey, deque[LogLine]] = {}
        self._ended: set[ContainerKey] = set()  # between its end and its next start
        self._readers: defaultdict[ContainerKey, set[_Reader]] = defaultdict(set)
        self._printed = 0

    def append(self, namespace: str, pod: str, container: str, text: str) -> None:
        """Add what a container printed; several lines at once may be joined by newlines."""
        lines = self._lines.setdefault((namespace, pod, container), deque(maxlen=LINES_KEPT))
        at = self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for line in text.splitlines():
            self._printed += 1
            lines.append(LogLine(self._printed, at, line))
        self._wake((namespace, pod, container))

    def end(self, namespace: str, pod: str, container: str) -> None:
        """The container ended: nobody who follows it has anything to wait for."""
        self._ended.add((namespace, pod, container))
        self._wake((namespace, pod, container), is_over=True)

    def restart(self, namespace: str, pod: str, container: str) -> None:
        """The container started again: what it printed is from now on its previous log."""
        key = (namespace, pod, container)
        self._ended.discard(key)
        self._previous[key] = self._lines.pop(key, deque())
        self._wake(key, is_over=True)

    def discard(self, namespace: str, pod: str) -> None:
        """The pod is gone, and its logs with it."""
        for kept in (self._lines, self._previous):
            for key in [key for key in kept if key[:2] == (namespace, pod)]:
                del kept[key]
        self._ended -= {key for key in self._ended if key[:2] == (namespace, pod)}
        for key in [key for key in self._readers if key[:2] == (namespace, pod)]:
            self._wake(key, is_over=True)

    def read(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> list[LogLine] | None:
        """The lines, oldest first; None for a previous log of a container that never ended.

        Between a container's end and its next start, its last run is both its log and its previous log.
        """
        key = (namespace, pod, container)
        if previous and key not in self._ended:
            return list(self._previous[key]) if key in self._previous else None
        return list(self._lines.get(key, ()))

    async def follow(self, namespace: str, pod: str, container: str, after: int) -> AsyncIterator[LogLine]:
        """The lines behind number `after` as they come, until the container ends or its pod is gone."""
        key = (namespace, pod, container)
        reader = _Reader(is_over=key in self._ended)
        self._readers[key].add(reader)
        try:
            while True:
                reader.wakes.clear()
                was_over = reader.is_over  # what it printed before its end is still to be read
                for line in tuple(self._lines.get(key, ())):
                    if line.number > after:
                        after = line.number
                        yield line
                if was_over:
                    return
                await reader.wakes.wait()
        finally:
            self._readers[key].discard(reader)
            if not self._readers[key]:
                del self._readers[key]

    def stop_following(self) -> None:
        """End every reader: the server stops."""
        for key in tuple(self._readers):
            self._wake(key, is_over=True)

    def _wake(self, key: ContainerKey, *, is_over: bool = False) -> None:
        for reader in self._readers.get(key, ()):
            reader.is_over = reader.is_over or is_over
            reader.wakes.set()

    def last_number(self) -> int:
        """The number of the line that was printed last, by any container."""
        return self._printed

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
