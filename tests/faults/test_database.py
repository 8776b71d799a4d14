"""A database that is locked, or is started again, while operations are under way."""

from __future__ import annotations

import itertools
import sqlite3
import threading
import time

import pytest
from django.db import connection

from console.access.actors import Actor
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.statuses import Status
from tests.faults.checks import end_of, is_complete
from tests.faults.stage import Stage
from tests.operations.steps import submit
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)
_numbers = itertools.count(1)


def test_a_locked_or_restarted_database_loses_nothing(fresh: Stage, deployer: Actor):
    refs = [ServiceRef("box", "default", f"database-{next(_numbers)}") for _ in range(6)]
    for ref in refs:
        fresh.world.create(ref.name)
    fresh.worker()
    fresh.beat()
    operations = [submit(SetEnv("app", (EnvEntry("TARGET", "x"),)), ref, deployer) for ref in refs]
    eventually(lambda: Operation.objects.exclude(attempt=0).exists())
    if fresh.postgres:
        fresh.postgres.stop()
        connection.close()
        fresh.postgres.start()
    else:
        _lock(str(fresh.folder / "console.sqlite3"), seconds=25)
    for operation in operations:
        ended = end_of(operation, timeout=90)
        assert ended.status == Status.SUCCEEDED, ended.cause
        assert is_complete(ended)
        assert fresh.world.get(ended.name)["metadata"]["generation"] == 2


def _lock(path: str, *, seconds: float) -> None:
    """Hold SQLite's write lock for longer than its busy timeout (20 s)."""
    other = sqlite3.connect(path, isolation_level=None, timeout=20)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    threading.Event().wait(seconds)
    other.execute("ROLLBACK")
    other.close()
    print(f"the database was locked for {time.monotonic() - began:.0f} s")
