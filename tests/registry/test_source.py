"""Added, changed and removed clusters are seen without a restart: by connections, by the watcher, by the mirror."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError, connection

from console.audit.models import Entry
from console.cluster.connections import ClusterSettings, Connections, Known, SourceUnavailable, UnknownCluster
from console.mirror import keys, read, watcher
from console.mirror.store import MIRRORED
from console.mirror.watcher import Watcher
from console.redis_client import client
from console.registry import changes, reports
from console.registry.changes import Wanted
from console.registry.credentials import Credential
from console.registry.source import Source
from tests.mirror.world import names
from tests.registry.conftest import ADMINISTRATOR
from tests.sandbox_process import Sandbox, sandbox
from tests.waiting import eventually

pytestmark = pytest.mark.django_db


@pytest.fixture
def known() -> Connections:
    """Every cluster of CONSOLE_CLUSTERS (`first`), then those that were added."""
    made = Connections()
    made.register(lambda: [ClusterSettings("first", url="http://127.0.0.1:9")])
    made.register(Source())
    return made


@pytest.fixture
def added() -> Connections:
    """Only the clusters that were added: nobody waits for one that does not answer."""
    made = Connections()
    made.register(Source())
    return made


@pytest.fixture(scope="module")
def other() -> Iterator[Sandbox]:
    """A second cluster, with nothing in it."""
    with sandbox(seed="empty", speed=100) as running:
        yield running


def test_connections_follow_what_is_added_changed_and_removed(known: Connections, wanted: Wanted, other) -> None:
    assert known.names() == ("first",)
    cluster = changes.add(wanted, actor=ADMINISTRATOR)
    assert known.names() == ("first", "edge")
    before = known.get("edge")
    assert known.get("edge") is before
    assert before.transport.call("GET", "/version")["gitVersion"]
    moved = Wanted("edge", other.tls_url, other.certificate, "10.0.0.1:80", True, Credential(other.token))
    changes.change(cluster.pk, moved, actor=ADMINISTRATOR)
    after = known.get("edge")
    assert (after.transport.base, after.ingress, after.impersonates) == (other.tls_url, "10.0.0.1:80", True)
    changes.remove(cluster.pk, actor=ADMINISTRATOR)
    assert known.names() == ("first",)
    with pytest.raises(UnknownCluster):
        known.get("edge")


def test_what_is_configured_wins_over_what_was_added(wanted: Wanted) -> None:
    known = Connections()
    known.register(lambda: [ClusterSettings("edge", url="http://configured")])
    known.register(Source())
    changes.add(wanted, actor=ADMINISTRATOR)
    assert known.names() == ("edge",)
    assert known.get("edge").transport.base == "http://configured"


def test_a_cluster_whose_key_is_lost_harms_no_other(known: Connections, wanted: Wanted, settings) -> None:
    settings.ENCRYPTION_KEYS = ["lost"]
    changes.add(wanted, actor=ADMINISTRATOR)
    settings.ENCRYPTION_KEYS = ["new"]
    changes.add(Wanted("other", wanted.url, wanted.ca, credential=wanted.credential), actor=ADMINISTRATOR)
    assert known.names() == ("first", "other")


def test_while_the_database_is_away_the_clusters_of_before_are_kept(known, wanted: Wanted, monkeypatch) -> None:
    changes.add(wanted, actor=ADMINISTRATOR)
    assert known.names() == ("first", "edge")

    def away(*_arguments: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(connection, "cursor", away)
    assert known.known().is_complete
    assert known.names() == ("first", "edge")
    fresh = Connections()
    fresh.register(lambda: [ClusterSettings("first", url="http://127.0.0.1:9")])
    fresh.register(Source())
    assert fresh.known().names == ("first",)
    assert not fresh.known().is_complete
    assert fresh.get("first").name == "first"
    with pytest.raises(SourceUnavailable):
        fresh.get("edge")


@pytest.fixture
def turn(redis_server, monkeypatch) -> Iterator[Callable[..., None]]:
    """turn(connections, until): let a watcher take its turns, in this thread, until the condition holds."""
    monkeypatch.setattr(watcher, "ENDING_SECONDS", 5.0)
    made: dict[int, Watcher] = {}

    def turns(known: Connections, until: Callable[[], object]) -> None:
        one = made.setdefault(id(known), Watcher(client(), known, b"seal"))

        def tick() -> object:
            one._tick()
            return until()

        eventually(tick)

    yield turns
    for one in made.values():
        for reflector in one._drop_reflectors():
            reflector.join(60)
        one._leadership.release()


def is_mirrored(cluster: str) -> bool:
    return len(read.states(cluster)) == len(MIRRORED) and not read.freshness(cluster).is_stale


def left_of(cluster: str) -> set[str]:
    return {str(key) for key in client().scan_iter(f"{keys.ROOT}:{cluster}:*")}


def test_the_watcher_begins_and_ends_with_the_cluster(turn, wanted: Wanted, other: Sandbox) -> None:
    known = Connections()
    known.register(lambda: [ClusterSettings("first", url=other.url, token=other.token)])
    known.register(Source())
    turn(known, lambda: is_mirrored("first"))
    assert read.clusters() == ("first",)
    cluster = changes.add(wanted, actor=ADMINISTRATOR)
    turn(known, lambda: is_mirrored("edge"))
    assert "default/hello" in names("edge")
    assert names("first") == set()
    assert read.clusters() == ("edge", "first")
    changes.remove(cluster.pk, actor=ADMINISTRATOR)
    turn(known, lambda: "edge" not in read.clusters())
    assert left_of("edge") == set()
    assert names("edge") == set()
    assert client().smembers(keys.LEAVING) == set()
    turn(known, lambda: is_mirrored("first"))


def test_a_cluster_that_moves_shows_nothing_of_its_old_place(turn, added, wanted: Wanted, other: Sandbox) -> None:
    cluster = changes.add(wanted, actor=ADMINISTRATOR)
    turn(added, lambda: is_mirrored("edge") and names("edge"))
    moved = Wanted("edge", other.tls_url, other.certificate, credential=Credential(other.token))
    changes.change(cluster.pk, moved, actor=ADMINISTRATOR)
    turn(added, lambda: not names("edge"))


def test_a_cluster_that_does_not_answer_keeps_its_age_and_harms_no_other(turn, known, wanted: Wanted) -> None:
    changes.add(wanted, actor=ADMINISTRATOR)
    turn(known, lambda: is_mirrored("edge") and read.freshness("first").error)
    assert read.freshness("first").seconds is None
    assert read.freshness("edge").error == ""


def test_a_leader_that_dies_while_it_forgets_is_followed_by_one_that_goes_on(turn, added, wanted: Wanted) -> None:
    cluster = changes.add(wanted, actor=ADMINISTRATOR)
    turn(added, lambda: is_mirrored("edge"))
    changes.remove(cluster.pk, actor=ADMINISTRATOR)
    # As the first of forget_cluster's writes leaves it.
    client().sadd(keys.LEAVING, "edge")
    client().srem(keys.CLUSTERS, "edge")
    assert left_of("edge")
    turn(added, lambda: not left_of("edge"))


def test_nothing_is_forgotten_while_the_database_is_away(turn, added, wanted: Wanted, monkeypatch) -> None:
    changes.add(wanted, actor=ADMINISTRATOR)
    turn(added, lambda: is_mirrored("edge"))
    monkeypatch.setattr(Connections, "known", lambda _self: Known((), is_complete=False))
    turn(added, lambda: True)
    assert "edge" in read.clusters()
    assert names("edge")


def test_each_change_is_in_the_log_without_the_credential(wanted: Wanted, other: Sandbox) -> None:
    cluster = changes.add(wanted, actor=ADMINISTRATOR)
    changes.test(wanted, None, actor=ADMINISTRATOR)
    moved = Wanted("edge", other.tls_url, other.certificate, credential=Credential("another-token"))
    changes.change(cluster.pk, moved, actor=ADMINISTRATOR)
    changes.remove(cluster.pk, actor=ADMINISTRATOR)
    entries = list(Entry.objects.order_by("sequence"))
    assert [(entry.action, entry.outcome, entry.cluster, entry.actor) for entry in entries] == [
        ("cluster.added", "succeeded", "edge", "ada"),
        ("cluster.tested", "succeeded", "edge", "ada"),
        ("cluster.changed", "succeeded", "edge", "ada"),
        ("cluster.removed", "succeeded", "edge", "ada"),
    ]
    changed = {row["field"]: (row["before"], row["after"]) for row in entries[2].changes}
    assert changed["url"] == (wanted.url, other.tls_url)
    assert changed["credential"] == ("kept", "replaced")
    told = "".join(f"{entry.changes}{entry.text}" for entry in entries)
    assert wanted.credential.token not in told
    assert "another-token" not in told


def test_a_report_is_kept_for_the_list_and_goes_with_the_cluster(
    redis_server, wanted: Wanted, django_capture_on_commit_callbacks
) -> None:
    cluster = changes.add(wanted, actor=ADMINISTRATOR)
    assert reports.last("edge") is None
    reports.refresh_all()
    report = reports.last("edge")
    assert report is not None
    assert report.is_usable
    assert wanted.credential.token not in str(client().get("sluice:registry:report:edge"))
    with django_capture_on_commit_callbacks(execute=True):
        changes.remove(cluster.pk, actor=ADMINISTRATOR)
    assert reports.last("edge") is None
