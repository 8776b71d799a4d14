"""A migrated SQLite database for each of pytest's workers, of which only the first has to migrate.

Migrating takes seconds of the processor, and a copy of what came out of it takes milliseconds.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.backends.sqlite3.creation import DatabaseCreation


class MigratedOnce(DatabaseCreation):
    """Keeps the first database that it makes in a file, and copies that where it exists."""

    def __init__(self, connection: Any, kept: Path) -> None:
        super().__init__(connection)
        self._kept = kept

    def create_test_db(
        self, verbosity: int = 1, autoclobber: bool = False, serialize: bool = True, keepdb: bool = False
    ) -> str:
        with self._alone():
            if not self._kept.exists():
                name = super().create_test_db(verbosity, autoclobber, serialize, keepdb)
                with closing(sqlite3.connect(self._kept)) as kept:
                    self.connection.connection.backup(kept)
                return name
        return self._copied(is_serialized=serialize)

    def _copied(self, *, is_serialized: bool) -> str:
        name = self._get_test_db_name()
        self.connection.close()
        settings.DATABASES[self.connection.alias]["NAME"] = self.connection.settings_dict["NAME"] = name
        self.connection.ensure_connection()
        with closing(sqlite3.connect(self._kept)) as kept:
            kept.backup(self.connection.connection)
        if is_serialized:
            self.connection._test_serialized_contents = self.serialize_db_to_string()
        return name

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._kept.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
