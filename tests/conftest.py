"""What every test folder may use."""

from __future__ import annotations

import gc
import os
import time

import msgspec
import pytest
from hypothesis import HealthCheck, settings

from console.cluster.resources import NAMESPACES, REVISIONS, SERVICES
from console.mirror import keys
from console.mirror.capabilities import encoded
from console.mirror.read import KindState
from console.mirror.sealing import seal_key
from console.mirror.store import MIRRORED, MirrorWriter
from tests import factories
from tests.migrated_once import MigratedOnce
from tests.redis_server import RedisServer, redis_process, redis_server
from tests.sweeps import examples, sweep

__all__ = ["redis_process", "redis_server"]

CLUSTER = "box"

# No test asserts on seconds. Everybody tries the same cases; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile(
    "same",
    deadline=None,
    derandomize=True,
    max_examples=examples(100),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_itemcollected(item: pytest.Item) -> None:
    """What hypothesis makes up is a sweep."""
    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
        item.add_marker(sweep)


def pytest_collection_finish() -> None:
    """The modules stay until the end: looking through them again and again took a tenth of the time.

    What a test makes is small and mostly freed without the collector, which may look less often.
    """
    gc.freeze()
    gc.set_threshold(50_000)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is about one database to the tier that has it: `make test` SQLite, `make test-servers` PostgreSQL."""
    from django.db import connection

    here, elsewhere = [], []
    for item in items:
        marker = item.get_closest_marker("only_on")
        (here if marker is None or connection.vendor in marker.args else elsewhere).append(item)
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = here


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_modify_db_settings_parallel_suffix: None,
) -> None:
    """One of pytest's workers migrates for all."""
    from django.db import connection

    if hasattr(request.config, "workerinput") and connection.vendor == "sqlite":
        shared = tmp_path_factory.getbasetemp().parent
        connection.creation = MigratedOnce(connection, shared / "migrated.sqlite3")


@pytest.fixture
def mirror(redis_server: RedisServer) -> MirrorWriter:
    """A mirror of one cluster with the hardest service, shop in default, and its four revisions; fresh as of now."""
    from console.redis_client import client

    client().set(keys.LEADER, "test")
    writer = MirrorWriter(client(), CLUSTER, "test", seal_key())
    writer.replace_all(SERVICES, [factories.service()])
    writer.replace_all(REVISIONS, [factories.revision(number=number) for number in (1, 2, 3, 4)])
    writer.replace_all(NAMESPACES, [{"metadata": {"name": name}} for name in ("default", "other")])
    for kind in MIRRORED:
        writer.note(kind, msgspec.json.encode(KindState(time.time() + 3600)))
    writer.keep_capabilities(encoded(factories.capabilities(), time.time()))
    return writer


@pytest.fixture
def people(db):
    """One person of each role on cluster box, one of another team, and an administrator; by name."""
    from console.access.models import Grant, Membership, Role, Team, User

    roles = {role.name: role for role in Role.objects.all()}
    everybody = [User(username=name) for name in (*roles, "stranger", "nobody")]
    everybody.append(User(username="administrator", is_staff=True, is_superuser=True))
    for person in everybody:
        person.set_unusable_password()
    found = {person.username: person for person in User.objects.bulk_create(everybody)}
    teams = Team.objects.bulk_create([Team(name=f"{name}s") for name in (*roles, "stranger")])
    places = {**{name: (role, "default") for name, role in roles.items()}, "stranger": (roles["owner"], "other")}
    Grant.objects.bulk_create(
        Grant(team=team, role=role, cluster=CLUSTER, namespace=namespace)
        for team, (role, namespace) in zip(teams, places.values(), strict=True)
    )
    Membership.objects.bulk_create(
        Membership(user=found[name], team=team) for name, team in zip(places, teams, strict=True)
    )
    return found
