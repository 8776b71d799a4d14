"""The settings of a cluster's Knative, on their way from its config maps into the mirror."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from console.cluster.capabilities import SYSTEM, read_capabilities
from console.cluster.connections import Connection
from console.cluster.gateway import Gateway
from console.knative.capabilities import CONFIG_MAPS, FEATURES
from console.knative.gates import TOLERATIONS, Setting
from console.knative.releases import Version
from console.mirror import capabilities, keys
from console.mirror.store import MirrorWriter
from console.redis_client import client
from tests import factories
from tests.mirror.world import clusters_of, watching
from tests.sandbox_process import Sandbox, sandbox
from tests.waiting import eventually

pytestmark = pytest.mark.django_db
BOX = "box"
PATH = f"/api/v1/namespaces/{SYSTEM}/configmaps"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox(speed=100, seed="empty") as running:
        yield running


@pytest.fixture
def connection(box: Sandbox) -> Connection:
    return clusters_of((BOX, box)).get(BOX)


def settings(box: Sandbox, name: str, data: dict[str, str]) -> None:
    there = box.get(f"{PATH}/{name}")
    box._ask("PUT", f"{PATH}/{name}", {**there, "data": data}, "admin")


def test_a_new_installation_shows_its_release_and_no_settings(connection: Connection) -> None:
    found = read_capabilities(Gateway(connection))
    assert found.version is not None
    assert found.version >= Version(1, 15)
    assert found.unread == ()
    assert not any(found.settings.values()), "the examples of an installation are no settings"


def test_settings_are_read_as_the_cluster_has_them(box: Sandbox, connection: Connection) -> None:
    settings(box, "config-defaults", {"revision-timeout-seconds": "120", "revision-cpu-request": "200m"})
    settings(box, FEATURES, {"kubernetes.podspec-tolerations": "enabled", "_example": "kubernetes.x: enabled"})
    try:
        found = read_capabilities(Gateway(connection))
        known = found.defaults
        assert (known.of("timeout"), known.is_set("timeout")) == ("120", True)
        assert (known.of("target"), known.is_set("target")) == ("100", False)
        assert known.of("cpu_request") == "200m"
        assert found.gate(TOLERATIONS) is Setting.ENABLED
    finally:
        settings(box, "config-defaults", {})
        settings(box, FEATURES, {})


def test_what_the_account_may_not_read_is_unknown_and_the_rest_is_known(box: Sandbox, connection: Connection) -> None:
    box.fault(verb="get", resource="configmaps", name=FEATURES, code=403, times=1)
    found = read_capabilities(Gateway(connection))
    assert found.unread == (FEATURES,)
    assert found.gate(TOLERATIONS) is Setting.UNKNOWN
    assert found.version, "its label is on the others, too"


def test_the_watcher_keeps_them_for_every_page(box: Sandbox, redis_server) -> None:
    with watching(clusters_of((BOX, box)), redis_server.url):
        known = eventually(lambda: found if (found := capabilities.known(BOX)).at else None)
    assert known.capabilities.unread == ()
    assert set(known.capabilities.settings) == set(CONFIG_MAPS)


def test_a_cluster_that_was_not_read_is_unknown(redis_server) -> None:
    assert capabilities.known("nowhere").at is None
    assert capabilities.of("nowhere").unread == CONFIG_MAPS


def test_a_record_that_the_watcher_did_not_write_counts_as_none(mirror: MirrorWriter) -> None:
    assert capabilities.known(BOX).at
    key = keys.capabilities(BOX)
    client().hset(key, keys.SERVING, capabilities.encoded(factories.capabilities("9.9.9"), time.time()))
    assert capabilities.known(BOX).at is None


def test_a_cluster_that_is_gone_leaves_nothing_behind(mirror: MirrorWriter) -> None:
    mirror.forget_cluster()
    assert not client().exists(keys.capabilities(BOX))
