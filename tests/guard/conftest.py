"""A cluster that holds one hard manifest, and a person in front of its forms."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from console.cluster.resources import REVISIONS, SERVICES
from console.mirror.store import MirrorWriter
from console.operations.lookups import form_choices
from tests.guard.asking import Person
from tests.support.echo_cluster import EchoCluster, echo_cluster
from tests.support.manifests import Object, revisions


@pytest.fixture(scope="session")
def cluster() -> Iterator[EchoCluster]:
    with echo_cluster() as running:
        yield running


class Stage:
    """Puts a service into the cluster and the mirror, and gives the person who opens its forms."""

    def __init__(self, client, cluster: EchoCluster, mirror: MirrorWriter) -> None:
        self._client, self._cluster, self._mirror = client, cluster, mirror

    def show(self, raw: Object) -> Person:
        self._cluster.objects.clear()
        self._cluster.sent.clear()
        self._cluster.put(raw)
        self._mirror.replace_all(SERVICES, [raw])
        self._mirror.replace_all(REVISIONS, revisions(raw))
        return Person(self._client, self._cluster, raw)


@pytest.fixture
def stage(client, cluster: EchoCluster, mirror: MirrorWriter, people, settings) -> Stage:
    settings.CLUSTERS = json.dumps([{"name": "box", "url": cluster.url, "token": "t", "ingress": "127.0.0.1:1"}])
    form_choices._kept.clear()
    client.force_login(people["administrator"])
    return Stage(client, cluster, mirror)
