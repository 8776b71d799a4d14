"""A sandbox over TLS that is not configured anywhere: to be added."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from console.access.actors import Actor
from console.registry.changes import Wanted
from console.registry.credentials import Credential
from tests.redis_server import redis_process, redis_server
from tests.sandbox_process import Sandbox, sandbox

__all__ = ["redis_process", "redis_server"]

ADMINISTRATOR = Actor(1, "ada", "192.0.2.1", "request-1")


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    with sandbox(seed="demo", speed=100, users={"viewer": []}) as running:
        yield running


@pytest.fixture
def wanted(box: Sandbox, settings) -> Wanted:
    """The sandbox as somebody would add it."""
    settings.LOOPBACK_CLUSTERS = True
    return Wanted("edge", box.tls_url, box.certificate, credential=Credential(box.token))
