"""The stage on which things break, once on each database, and a person who may change everything on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from console.access.actors import Actor
from console.access.models import User
from tests.faults.stage import Stage, stage
from tests.operations.conftest import person


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest, django_db_blocker) -> Iterator[Stage]:
    """Redis, the sandbox and a database. Workers and beat are started by the tests."""
    with django_db_blocker.unblock(), stage(database=request.param) as everything:
        yield everything


@pytest.fixture
def fresh(running: Stage) -> Iterator[Stage]:
    """The stage without processes of an earlier test, with a healthy cluster and an empty Redis."""
    running.box._ask("DELETE", "/sandbox/faults", None, "admin")
    running.redis.empty()
    yield running
    running.end_processes()


@pytest.fixture
def deployer(running: Stage) -> Actor:
    user = User.objects.filter(username="dora").first() or person("dora", "owner")
    return Actor(user.pk, user.username, "192.0.2.7", "request-1")
