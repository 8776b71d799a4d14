"""An installation as make_database.py left it: its rows in a database of their own, its cluster, its messages."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from celery import current_app
from django.apps.registry import Apps
from django.core.management.color import no_style
from django.db import connection, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

HASHED = ("audit.entry", "audit.retention")  # the chain covers their times
NAME = "upgrade"

Leaf = tuple[str, str | None]
Rows = dict[str, list[dict[str, Any]]]


@contextmanager
def another_database(folder: Path) -> Iterator[None]:
    """Make an empty database the default one, beside that of the other tests; SQLite's is a file in the folder."""
    before = connections["default"]
    other = before.copy()
    other.settings_dict["OPTIONS"].pop("pool", None)
    with _made(before, other, folder):
        connections["default"] = other
        try:
            yield
        finally:
            connections["default"] = before
            other.close()


@contextmanager
def _made(before: BaseDatabaseWrapper, other: BaseDatabaseWrapper, folder: Path) -> Iterator[None]:
    if before.vendor == "sqlite":
        other.settings_dict["NAME"] = str(folder / f"{NAME}.sqlite3")
        yield
        return
    name = f"{before.settings_dict['NAME']}_{NAME}"
    other.settings_dict["NAME"] = name
    _execute_beside(before, f'CREATE DATABASE "{name}"')
    try:
        yield
    finally:
        other.close()
        _execute_beside(before, f'DROP DATABASE "{name}"')


def _execute_beside(before: BaseDatabaseWrapper, statement: str) -> None:
    with before._nodb_cursor() as cursor:
        cursor.execute(statement)


class Saved:
    """The content of database.json."""

    def __init__(self, path: Path) -> None:
        self._content = json.loads(path.read_text())
        self.secret_key: str = self._content["secret_key"]
        self.checkpoint: str = self._content["checkpoint"]
        self.digests: dict[str, str] = self._content["digests"]
        self.rows: list[dict[str, Any]] = self._content["rows"]

    @cached_property
    def leaves(self) -> list[Leaf]:
        """The last migration of each app; none of an app that came later."""
        known: dict[str, str] = dict(self._content["migrations"])
        apps = {app for app, _ in MigrationExecutor(connection).loader.graph.leaf_nodes()}
        return [(app, known.get(app)) for app in sorted(apps)]

    @cached_property
    def models(self) -> Apps:
        """The models of that version."""
        there = [(app, name) for app, name in self.leaves if name]
        return MigrationExecutor(connection).loader.project_state(there).apps

    def migrate_there(self) -> None:
        """Bring the database to the state of that version, forwards or backwards."""
        MigrationExecutor(connection).migrate(self.leaves)

    def load(self) -> None:
        """Put the rows into an empty database, as if they had been written just now."""
        self.migrate_there()
        passed = timezone.now() - datetime.fromisoformat(self._content["at"])
        with transaction.atomic():
            for name in reversed(self._names):
                self.models.get_model(name)._base_manager.all().delete()  # what the migrations put there
            for row in self.rows:
                _insert(self.models.get_model(row["model"]), row, timedelta() if row["model"] in HASHED else passed)
        _continue_numbers([self.models.get_model(name) for name in self._names])

    def kept(self) -> Rows:
        """Everything in the tables of that version, once the database is in its state again."""
        self.migrate_there()
        tables = {name: self.models.get_model(name)._base_manager.order_by("pk").values() for name in self._names}
        return {name: [_plain(row) for row in table] for name, table in tables.items()}

    @cached_property
    def _names(self) -> list[str]:
        """The tables' names, those that others refer to first."""
        return list(dict.fromkeys(row["model"] for row in self.rows))


def _insert(model: type[models.Model], row: dict[str, Any], passed: timedelta) -> None:
    found: dict[str, Any] = {model._meta.pk.attname: model._meta.pk.to_python(row["pk"])}
    for field in model._meta.concrete_fields:
        if field.name in row["fields"]:
            value = field.to_python(row["fields"][field.name])
            found[field.attname] = value + passed if isinstance(value, datetime) else value
    model(**found).save(force_insert=True)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()}


def _continue_numbers(tables: list[type[models.Model]]) -> None:
    """PostgreSQL counts keys apart from the rows."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), tables):
            cursor.execute(statement)


def deliver(message: dict[str, Any]) -> None:
    """Run the task that the message names, as a worker does. Raises KeyError when no task has the name."""
    arguments, keywords, _ = json.loads(base64.b64decode(message["body"]))
    current_app.tasks[message["headers"]["task"]].apply(arguments, keywords, throw=True)
