"""A press of the button while the database takes nothing in: a 503 that says so, and nothing saved; then it works."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from console.access.actors import Actor
from console.access.models import User
from console.audit.models import Entry
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations.models import Operation, Preview
from console.operations.submitting import previewing
from tests.faults.stage import Stage
from tests.web.pages import read

pytestmark = pytest.mark.timeout(200)
_numbers = itertools.count(1)
STATES = {"postgresql": ("away", "read-only"), "sqlite": ("away", "read-only", "locked", "full")}


@contextmanager
def unwilling(stage: Stage, state: str) -> Iterator[None]:
    """The database does not take anything in, in one of STATES that it can be in."""
    holds = _postgresql(stage, state) if stage.postgres else _sqlite(stage, state)
    with holds:
        yield
    connection.close()


@contextmanager
def _postgresql(stage: Stage, state: str) -> Iterator[None]:
    assert stage.postgres is not None
    if state == "away":
        stage.postgres.stop()
        yield
        stage.postgres.start()
    else:  # read-only, as a standby is
        _execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
        connection.close()
        yield
        connection.close()
        _execute("SET default_transaction_read_only = off")
        _execute("ALTER DATABASE postgres RESET default_transaction_read_only")


@contextmanager
def _sqlite(stage: Stage, state: str) -> Iterator[None]:
    path = stage.folder / "console.sqlite3"
    if state == "away":
        connection.close()
        path.chmod(0o000)
        moved = path.rename(path.with_suffix(".away"))
        path.mkdir()
        yield
        path.rmdir()
        moved.rename(path).chmod(0o600)
    elif state == "read-only":
        _execute("PRAGMA query_only=ON")
        yield
    elif state == "locked":
        _execute("PRAGMA busy_timeout=100")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.close()
    else:
        _fill()
        yield
        _execute("PRAGMA max_page_count=1073741823")
        _execute("DROP TRIGGER somebody_else")
        _execute("DROP TABLE filler")


def _fill() -> None:
    """Let the file have no more pages than now, and leave no space in those."""
    _execute("CREATE TABLE filler (text TEXT)")
    # The preview that a submission deletes frees space for its operation: somebody else takes it.
    _execute(
        "CREATE TRIGGER somebody_else AFTER DELETE ON operations_preview "
        "BEGIN INSERT INTO filler VALUES (zeroblob(10000000)); END"
    )
    _execute("PRAGMA max_page_count=1")
    for size in (100_000, 1_000, 50):
        with pytest.raises(OperationalError, match="full"):
            _insert(size)


def _insert(size: int) -> NoReturn:
    while True:
        _execute(f"INSERT INTO filler VALUES ('{'x' * size}')")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_nothing_is_saved_and_the_page_says_so(fresh: Stage, deployer: Actor) -> None:
    for state in STATES[connection.vendor]:
        _press(fresh, User.objects.get(id=deployer.user_id), state)


def _press(fresh: Stage, user: User, state: str) -> None:
    ref = ServiceRef("box", "default", f"unwilling-{next(_numbers)}")
    fresh.world.create(ref.name)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    shown = previewing.preview(SetEnv("app", (EnvEntry("TARGET", "x"),)), user=user, ref=ref).preview
    address = reverse("submit", kwargs={"id": shown.id})
    with unwilling(fresh, state):
        answer = client.post(address)
        assert answer.status_code == 503, f"{state}: {answer.content.decode()}"
        assert "Nothing was saved." in read(answer).text
        told = client.get("/api/v1/services", headers={"Authorization": f"Bearer {'sluice_' + 'x' * 43}"})
        assert told.status_code in (401, 503)
        assert told["Content-Type"] == "application/problem+json"
    assert not Operation.objects.filter(name=ref.name).exists()
    assert not Entry.objects.filter(service=ref.name, action="deploy.SetEnv").exists()
    assert Preview.objects.filter(id=shown.id).exists()
    made = client.post(address)
    assert made["Location"] == client.post(address)["Location"] == reverse("operation", kwargs={"id": shown.id})
