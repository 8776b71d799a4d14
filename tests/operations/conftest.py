"""A sandbox cluster named `box`, people with and without rights, and a service to work on."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import pytest

from console.access.actors import Actor
from console.access.models import Grant, Membership, Role, Team, User
from console.knative.references import ServiceRef
from console.operations.lookups import form_choices
from tests.broker import broker
from tests.operations.factories import World
from tests.redis_server import redis_process, redis_server
from tests.sandbox_process import Sandbox, sandbox

__all__ = ["redis_process", "redis_server"]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    """A fast, empty sandbox."""
    with sandbox(speed=50) as running:
        yield running


@pytest.fixture
def world(box: Sandbox, settings) -> Iterator[World]:
    """The sandbox as the console's one cluster; messages to workers go nowhere."""
    cluster = {
        "name": "box",
        "url": box.url,
        "token": box.token,
        "ingress": f"{box.ingress_host}:{box.ingress_port}",
    }
    settings.CLUSTERS = json.dumps([cluster])
    settings.OPERATION_ERROR_WINDOW = 0.2
    form_choices._kept.clear()
    box._ask("DELETE", "/sandbox/faults", None, "admin")
    with broker("memory://"):
        yield World(box)
    box._ask("DELETE", "/sandbox/faults", None, "admin")


@pytest.fixture
def ref(world: World) -> ServiceRef:
    """A fresh, ready service with everything that is easily lost."""
    name = f"hello-{next(_numbers)}"
    world.create(name)
    return ServiceRef("box", "default", name)


def person(name: str, role: str) -> User:
    """Make a person whose team has the role everywhere."""
    user = User.objects.create_user(name)
    team = Team.objects.create(name=f"team of {name}")
    Membership.objects.create(user=user, team=team)
    Grant.objects.create(team=team, role=Role.objects.get(name=role))
    return user


@pytest.fixture
def deployer(db) -> Actor:
    user = person("dora", "deployer")
    return Actor(user.pk, user.username, "192.0.2.7", "request-1")


@pytest.fixture
def dora(deployer: Actor) -> User:
    return User.objects.get(pk=deployer.user_id)


@pytest.fixture
def viewer(db) -> Actor:
    user = person("vera", "viewer")
    return Actor(user.pk, user.username, "192.0.2.8", "request-2")


@pytest.fixture
def owner(db) -> Actor:
    user = person("olga", "owner")
    return Actor(user.pk, user.username, "192.0.2.9", "request-3")


@pytest.fixture
def operator(db) -> Actor:
    user = person("oscar", "operator")
    return Actor(user.pk, user.username, "192.0.2.10", "request-4")
