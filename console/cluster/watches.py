"""List, then watch, for ever: the loop that keeps a copy of one kind of one cluster true.

Pages of 500, bookmarks, a new list on 410, full jitter between attempts, garbage counted and skipped. What the loop
learns is yielded; whoever consumes it decides what to keep.
"""

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from console.cluster import errors
from console.cluster.resources import Resource
from console.cluster.transport import Transport

PAGE = 500
WATCH_SECONDS = 60
MAX_BACKOFF = 60.0
RELIST_JITTER = 1.0  # seconds; many watchers must not list at the same moment


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """ADDED, MODIFIED, DELETED or BOOKMARK, and the object."""

    type: str
    object: dict[str, Any]

    @property
    def resource_version(self) -> str:
        return str((self.object.get("metadata") or {}).get("resourceVersion", ""))


@dataclass(frozen=True, slots=True)
class Listed:
    """The complete present state, replacing all that was known."""

    objects: tuple[dict[str, Any], ...]
    resource_version: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The copy is going stale: why, and how long until the next attempt (seconds)."""

    error: errors.ClusterError
    wait: float


@dataclass(slots=True)
class ListWatch:
    """The loop for one resource. Iterate over `run()`; set `stop` to end it."""

    transport: Transport
    resource: Resource
    stop: threading.Event
    resource_version: str = ""  # resume from here instead of listing
    jitter: Callable[[], float] = random.random
    garbage: int = field(default=0, init=False)

    def run(self) -> Iterator[Listed | WatchEvent | Broken]:
        """Yield the first list, then each event; a Broken before each wait; ends only when `stop` is set."""
        failures = 0
        while not self.stop.is_set():
            try:
                if not self.resource_version:
                    yield self._list()
                for event in self._watch():
                    failures = 0
                    yield event
                failures = 0  # a watch that ended by itself is normal
            except errors.Expired as error:
                self.resource_version = ""
                yield from self._pause(error, RELIST_JITTER * self.jitter())
            except errors.ClusterError as error:
                failures += 1
                if isinstance(error, errors.NotFound | errors.Refused):
                    self.resource_version = ""
                yield from self._pause(
                    error, min(MAX_BACKOFF, 0.5 * 2 ** min(failures, 10)) * (0.5 + self.jitter() / 2)
                )

    def _pause(self, error: errors.ClusterError, wait: float) -> Iterator[Broken]:
        yield Broken(error, wait)
        self.stop.wait(wait)

    def _list(self) -> Listed:
        query: dict[str, Any] = {"limit": PAGE, **self._selector()}
        objects: list[dict[str, Any]] = []
        while True:
            answer = self.transport.call("GET", self.resource.path(), query=query)
            objects += answer.get("items") or ()
            metadata = answer.get("metadata") or {}
            if not metadata.get("continue"):
                self.resource_version = str(metadata.get("resourceVersion", ""))
                return Listed(tuple(objects), self.resource_version)
            query["continue"] = metadata["continue"]

    def _watch(self) -> Iterator[WatchEvent]:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self.resource_version,
            "timeoutSeconds": WATCH_SECONDS,
            **self._selector(),
        }
        for line in self.transport.lines(self.resource.path(), query, self.stop):
            event = decode_event(line)
            if event is None:
                self.garbage += bool(line.strip())
                continue
            self.resource_version = event.resource_version or self.resource_version
            yield event

    def _selector(self) -> dict[str, str]:
        return {"labelSelector": self.resource.selector} if self.resource.selector else {}


_decoder = msgspec.json.Decoder()


def decode_event(line: bytes) -> WatchEvent | None:
    """Return the event of a line, None for a blank or broken one; raises what an ERROR event says."""
    if not line.strip():
        return None
    try:
        data = _decoder.decode(line)
        kind, found = data["type"], data["object"]
        found["metadata"] if kind != "ERROR" else None
    except (msgspec.DecodeError, KeyError, TypeError):
        return None
    if kind == "ERROR":
        raise errors.from_answer(int(found.get("code") or 500), found, "", {})
    return WatchEvent(kind, found)
