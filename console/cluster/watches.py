"""List, then watch, without end: the loop that keeps a copy of one kind of one cluster up to date.

Pages of 500, each fetched while the one before is consumed; bookmarks, a new list on 410, full jitter between
attempts, garbage skipped. What the loop learns is yielded; the consumer decides what to keep.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from console.cluster import errors
from console.cluster.ahead import ahead
from console.cluster.resources import Resource
from console.cluster.transport import Transport, WatchStream

PAGE = 500
WATCH_SECONDS = 60
MAX_BACKOFF = 60.0
RELIST_JITTER = 1.0  # seconds; many watchers must not list at the same moment
SHORTEST_WATCH = 5.0  # seconds; a watch that the server ends sooner, without an event, counts as a failure


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """ADDED, MODIFIED, DELETED or BOOKMARK, and the object."""

    type: str
    object: dict[str, Any]

    @property
    def resource_version(self) -> str:
        return str((self.object.get("metadata") or {}).get("resourceVersion", ""))


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the objects of a new list; with the first page the list starts over."""

    objects: tuple[dict[str, Any], ...]
    is_first: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """The list is complete: the pages since the first replace all that was known."""

    resource_version: str


@dataclass(frozen=True, slots=True)
class Connected:
    """A watch is open: from now on the copy is true until Broken."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The copy is going stale: why, and how long until the next attempt (seconds)."""

    error: errors.ClusterError
    wait: float


Event = Page | Listed | Connected | WatchEvent | Broken


@dataclass(slots=True)
class ListWatch:
    """The loop for one resource. Iterate over `run()`; call `end()` from any thread to end it."""

    transport: Transport
    resource: Resource
    resource_version: str = ""  # resume from here instead of listing
    jitter: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], object] | None = None  # waits so many seconds, or until `end()`
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _stream: WatchStream | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)

    def end(self) -> None:
        """End `run()` at once, also while it waits for an event."""
        self._stop.set()
        if stream := self._stream:
            stream.hang_up()

    def run(self) -> Iterator[Event]:
        """Yield the list's pages, then each event; a Broken before each wait; returns only after `end()`."""
        while not self._stop.is_set():
            try:
                if not self.resource_version:
                    yield from self._list()
                yield from self._watch()
            except errors.Expired as error:
                self.resource_version = ""
                self._failures += 1
                yield from self._broken(error, RELIST_JITTER if self._failures == 1 else self._backoff)
            except errors.ClusterError as error:
                self._failures += 1
                if isinstance(error, errors.NotFound | errors.Refused) or errors.is_version_unknown(error):
                    self.resource_version = ""
                yield from self._broken(error, self._backoff)

    @property
    def _backoff(self) -> float:
        return min(MAX_BACKOFF, 0.5 * 2.0 ** min(self._failures, 10))

    def _broken(self, error: errors.ClusterError, at_most: float) -> Iterator[Broken]:
        if self._stop.is_set():
            return
        wait = at_most * (0.5 + self.jitter() / 2)
        yield Broken(error, wait)
        (self.pause or self._stop.wait)(wait)

    def _list(self) -> Iterator[Page | Listed]:
        query: dict[str, Any] = {"limit": PAGE, **self._selector()}
        version = ""
        for number, answer in enumerate(ahead(self.transport.pages(self.resource.path(), query=query))):
            items, metadata = answer.get("items") or [], answer.get("metadata") or {}
            if not isinstance(items, list) or not isinstance(metadata, dict):
                raise errors.ServerFailed("The response is not a list of objects")
            yield Page(tuple(item for item in items if isinstance(item, dict)), is_first=not number)
            version = str(metadata.get("resourceVersion", ""))
            if self._stop.is_set():
                return
        self.resource_version = version
        yield Listed(version)

    def _watch(self) -> Iterator[Connected | WatchEvent]:
        query = {
            "allowWatchBookmarks": "true",
            "resourceVersion": self.resource_version,
            **self._selector(),
        }
        began, is_useful = self.clock(), False
        self._stream = stream = self.transport.watch(self.resource.path(), query, seconds=WATCH_SECONDS)
        try:
            if self._stop.is_set():
                return  # `end` found no stream to hang up
            yield Connected()
            for line in stream.lines():
                if self._stop.is_set():
                    return
                event = decode_event(line)
                if event is None:
                    continue
                self._failures, is_useful = 0, True
                # The version counts as reached once the event was consumed: until then it would be missed.
                yield event
                self.resource_version = event.resource_version or self.resource_version
        finally:
            self._stream = None
            stream.hang_up()
        if is_useful or self.clock() - began >= SHORTEST_WATCH:
            self._failures = 0  # a watch that ends by itself is normal
        elif not self._stop.is_set():
            raise errors.ServerFailed("The API server closed a watch as soon as it started")

    def _selector(self) -> dict[str, str]:
        return {"labelSelector": self.resource.selector} if self.resource.selector else {}


_decoder = msgspec.json.Decoder(dict[str, Any])


def decode_event(line: bytes) -> WatchEvent | None:
    """Return the event of a line, None for a blank or broken one; raises what an ERROR event says."""
    if not line.strip():
        return None
    try:
        data = _decoder.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return None
    kind, found = data.get("type"), data.get("object")
    if not isinstance(kind, str) or not isinstance(found, dict):
        return None
    if kind == "ERROR":
        code = found.get("code")
        raise errors.from_answer(code if isinstance(code, int) else 500, found, "", {})
    return WatchEvent(kind, found) if isinstance(found.get("metadata"), dict) else None
