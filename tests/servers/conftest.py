"""An installation of real processes, and the shell of its operator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.access.actors import Actor
from console.access.models import User
from tests.faults.stage import Stage, stage
from tests.operations.conftest import person
from tests.servers.documented import Shell


@pytest.fixture(params=["postgresql"])
def running(request: pytest.FixtureRequest, django_db_blocker) -> Iterator[Stage]:
    """Redis, the sandbox and a database of its own for each test. The tests start the console's processes."""
    with django_db_blocker.unblock(), stage(database=request.param) as everything:
        yield everything


@pytest.fixture
def shell(running: Stage, tmp_path: Path) -> Shell:
    return Shell(tmp_path, running.environment)


def actor(user: User, request: str) -> Actor:
    return Actor(user.pk, user.username, "192.0.2.7", request)


@pytest.fixture
def dora(running: Stage) -> Actor:
    return actor(person("dora", "owner"), "request-of-dora")


@pytest.fixture
def ruth(running: Stage) -> User:
    User.objects.create_superuser("root")  # an installation without an administrator is not sound
    return person("ruth", "owner")
