"""Following the store: one queue for each listener, bounded, so that a slow one cannot eat the memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from console.sandbox.resources import Resource


class Change(NamedTuple):
    """One numbered change of the store; `previous` is None for a new object, `object` the last state of a gone one."""

    type: str  # ADDED, MODIFIED, DELETED
    resource: Resource
    key: tuple[str, str]
    object: dict[str, Any]
    previous: dict[str, Any] | None
    version: int


class SubscriptionClosed(Exception):
    """The subscription was closed and everything queued was taken."""


class Subscription:
    """An async iterator of (type, Resource, object) in the order of the changes; ends after `close`.

    With a `limit`, a listener that falls so many changes behind is closed, as a real API server does with a slow
    watch. Controllers take no limit: they must not miss a change.
    """

    def __init__(
        self,
        resources: tuple[Resource, ...],
        *,
        on_close: Callable[[Subscription], None] = lambda _: None,
        limit: int | None = None,
    ) -> None:
        self.resources = frozenset(resources)
        self.limit = limit
        self.is_closed = False
        self._changes: deque[Change] = deque()
        self._wake = asyncio.Event()
        self._on_close = on_close

    def offer(self, change: Change) -> None:
        """Append a change (the store calls this)."""
        if self.is_closed:
            return
        if self.limit is not None and len(self._changes) >= self.limit:
            self.close()
            return
        self._changes.append(change)
        self._wake.set()

    def close(self) -> None:
        """No further changes; a waiting reader gets what is queued and then the end."""
        self.is_closed = True
        self._on_close(self)
        self._wake.set()

    def take(self) -> Change | None:
        """The next change that is there already, or None; never waits."""
        return self._changes.popleft() if self._changes else None

    async def next_change(self, timeout: float | None = None) -> Change | None:
        """The next change with all its facts; None after `timeout` seconds without one.

        Raises SubscriptionClosed when it is closed and everything queued was taken.
        """
        while not self._changes:
            if self.is_closed:
                raise SubscriptionClosed
            self._wake.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            except TimeoutError:
                return None
        return self._changes.popleft()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> tuple[str, Resource, dict[str, Any]]:
        try:
            change = await self.next_change()
        except SubscriptionClosed as end:
            raise StopAsyncIteration from end
        if change is None:
            raise AssertionError("waiting without a timeout returned nothing")
        return change.type, change.resource, change.object
