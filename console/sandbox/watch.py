"""Watches: one line of JSON for each change, bookmarks in quiet times, an ERROR event when history is gone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import msgspec

from console.sandbox import errors
from console.sandbox.calls import Call
from console.sandbox.reading import selection
from console.sandbox.selectors import Predicate
from console.sandbox.store import Store
from console.sandbox.subscriptions import Change, Subscription, SubscriptionClosed

BACKLOG_LIMIT = 50_000  # changes a slow client may lie behind before its watch is closed
SHORTEST_SECONDS, LONGEST_SECONDS = 1800, 3600  # without timeoutSeconds, as kube-apiserver picks one
INITIAL_EVENTS_END = "k8s.io/initial-events-end"

Object = dict[str, Any]
Shown = Callable[[Object], Object]


class Watches:
    """The open watches, so that they can be ended: when the server stops, or when a test cuts them."""

    def __init__(self, store: Store, *, bookmark_seconds: float) -> None:
        self._store = store
        self._bookmark_seconds = bookmark_seconds
        self._open: set[Subscription] = set()

    def __len__(self) -> int:
        return len(self._open)

    def cut(self) -> None:
        """End every watch; clients come back with the version that they saw last."""
        for subscription in tuple(self._open):
            subscription.close()

    def start(self, call: Call) -> AsyncIterator[bytes]:
        """The lines of a watch; raises StatusError 400 at once for parameters that are wrong."""
        wants_initial = call.flag("sendInitialEvents")
        if wants_initial and call.query.get("resourceVersionMatch") != "NotOlderThan":
            message = "resourceVersionMatch is required and must be NotOlderThan when sendInitialEvents is set"
            raise errors.invalid(
                call.resource, "", "resourceVersionMatch", f"Forbidden: {message}", "FieldValueForbidden"
            )
        version, view = call.version(), call.view
        usual = random.uniform(SHORTEST_SECONDS, LONGEST_SECONDS)  # noqa: S311  spreads the ends, not a secret
        seconds = call.number("timeoutSeconds") or usual
        shown = view.of_events() if view else _whole
        return self._lines(call, selection(call), version or None, wants_initial, seconds, shown)

    async def _lines(
        self,
        call: Call,
        accepts: Predicate,
        version: int | None,
        wants_initial: bool,
        seconds: float,
        shown: Shown,
    ) -> AsyncIterator[bytes]:
        store, bookmarks = self._store, call.flag("allowWatchBookmarks")
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        # Nothing is awaited between the look back and the subscription, so no change falls between them.
        try:
            past = [] if version is None or wants_initial else store.changes_since(call.resource, version)
        except errors.StatusError as error:
            yield line("ERROR", error.body())
            return
        now = store.list(call.resource, call.namespace or None) if version is None or wants_initial else []
        reached = store.version
        subscription = store.subscribe(call.resource, replay=False)
        subscription.limit = BACKLOG_LIMIT
        self._open.add(subscription)
        try:
            for obj in now:
                if accepts(obj):
                    yield line("ADDED", shown(obj))
            if wants_initial and bookmarks:
                yield bookmark(call, reached, {INITIAL_EVENTS_END: "true"})
            for change in past:
                for event in visible(change, call.namespace, accepts, shown):
                    yield event
            while (left := deadline - loop.time()) > 0:
                next_change = await subscription.next_change(min(left, self._bookmark_seconds))
                if next_change is not None:
                    for event in visible(next_change, call.namespace, accepts, shown):
                        yield event
                elif bookmarks:
                    yield bookmark(call, store.version)
        except SubscriptionClosed:
            return
        finally:
            self._open.discard(subscription)
            subscription.close()


def _whole(obj: Object) -> Object:
    return obj


def visible(change: Change, namespace: str, accepts: Predicate, shown: Shown = _whole) -> Iterator[bytes]:
    """The event that a watcher with this selection sees: an object that stops matching is DELETED for it."""
    if namespace and change.key[0] != namespace:
        return
    matched = change.previous is not None and accepts(change.previous)
    matches = change.type != "DELETED" and accepts(change.object)
    if matches:
        yield line("MODIFIED" if matched else "ADDED", shown(change.object))
    elif matched:
        yield line("DELETED", shown(change.object))


def bookmark(call: Call, version: int, annotations: dict[str, str] | None = None) -> bytes:
    """A BOOKMARK event: an object of the kind with nothing but the version reached."""
    metadata: dict[str, Any] = {"creationTimestamp": None, "resourceVersion": str(version)}
    if annotations:
        metadata["annotations"] = annotations
    obj = {"kind": call.resource.kind, "apiVersion": call.resource.api_version, "metadata": metadata}
    return line("BOOKMARK", obj)


def line(event: str, obj: dict[str, Any]) -> bytes:
    """One event as it goes over the wire."""
    return msgspec.json.encode({"type": event, "object": obj}) + b"\n"
