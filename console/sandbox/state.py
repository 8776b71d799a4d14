"""The state file: the whole store as JSON, written atomically a moment after changes and at the end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from console.sandbox.announcement import write_private
from console.sandbox.store import Store

SAVE_SECONDS = 2  # the most that a killed process forgets


class StateFile:
    """Keeps one store in one file."""

    def __init__(self, path: Path, store: Store) -> None:
        self._path = path
        self._store = store
        self._saved_version = -1

    def load(self) -> bool:
        """Fill the store from the file; False when there is none. Raises ValueError for a file without a state."""
        if not self._path.exists():
            return False
        try:
            self._store.load(msgspec.json.decode(self._path.read_bytes()))
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{self._path} is not a state file of the sandbox: {error!r}") from error
        return True

    def save(self) -> None:
        """Write the file if anything changed; a reader sees the old or the new one, never half of it."""
        if self._store.version == self._saved_version:
            return
        version = self._store.version
        write_private(self._path, self._content())  # secrets are in it
        self._saved_version = version

    async def keep(self) -> None:
        """Save again and again until cancelled; the writing itself happens beside the event loop."""
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            version = self._store.version
            if version != self._saved_version:
                await asyncio.to_thread(write_private, self._path, self._content())
                self._saved_version = version

    def _content(self) -> str:
        return msgspec.json.encode(self._store.dump()).decode()
