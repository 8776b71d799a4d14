"""What happened to one resource's objects, as far back as it is kept."""

from __future__ import annotations

from collections import deque
from typing import Any

from console.sandbox import errors
from console.sandbox.subscriptions import Change

Key = tuple[str, str]  # (namespace, name); the namespace of a cluster-scoped object is ""


class History:
    """The newest `length` changes; everything up to `forgotten` is no longer known."""

    def __init__(self, length: int, version: int) -> None:
        self.forgotten = version
        self._length = length
        self._changes: deque[Change] = deque()

    def append(self, change: Change) -> None:
        """Add the newest change, and forget the oldest when there are too many."""
        self._changes.append(change)
        if len(self._changes) > self._length:
            self.forgotten = self._changes.popleft().version

    def forget(self, version: int) -> None:
        """Forget everything up to `version`, which is the newest."""
        self._changes.clear()
        self.forgotten = version

    def since(self, version: int) -> list[Change]:
        """What happened after `version`, oldest first; raises StatusError 410 when that is forgotten."""
        self._check(version)
        newer: list[Change] = []
        for change in reversed(self._changes):
            if change.version <= version:
                break
            newer.append(change)
        return newer[::-1]

    def undone(self, objects: dict[Key, dict[str, Any]], version: int) -> dict[Key, dict[str, Any]]:
        """The objects as they were at `version`, from what they are now; raises StatusError 410.

        Where nothing has happened since, they are the given ones: not to be changed.
        """
        newer = self.since(version)
        if not newer:
            return objects
        then = dict(objects)
        for change in reversed(newer):
            if change.previous is None:
                del then[change.key]
            else:
                then[change.key] = change.previous
        return then

    def _check(self, version: int) -> None:
        if version < self.forgotten:
            raise errors.expired(f"too old resource version: {version} ({self.forgotten})")
