"""What Prometheus reads: true of all processes, of nobody by name, and for clients that have the token."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from console import audit
from console.access.actors import Actor
from console.audit.models import Entry
from console.mirror import read
from console.operations import worker_heartbeat
from console.operations.models import Operation
from console.redis_client import client as redis_client
from console.sealing import seal
from console.web import metrics, stream_count
from tests import factories
from tests.broker import broker

pytestmark = pytest.mark.django_db


@pytest.fixture
def scrape(client, settings):
    """Return a function that reads /metrics as {(name, label values): value}."""
    settings.METRICS_TOKEN = "m3tr1cs"

    def read_all() -> dict[tuple[str, ...], float]:
        response = client.get("/metrics", headers={"Authorization": "Bearer m3tr1cs"})
        assert response.status_code == 200
        families = text_string_to_metric_families(response.content.decode())
        return {
            (sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples
        }

    return read_all


def make(status: str, **facts) -> Operation:
    common = {"cluster": "box", "namespace": "default", "name": "shop", "kind": "SetEnv", "actor": "dora"}
    return Operation.objects.create(**common, sealed_change=seal({}), sealed_seen=seal({}), status=status, **facts)


@pytest.mark.parametrize("sent", ["", "Bearer wrong", "Basic m3tr1cs", "m3tr1cs"])
def test_the_figures_need_their_token(client, settings, sent: str) -> None:
    settings.METRICS_TOKEN = "m3tr1cs"
    assert client.get("/metrics", headers={"Authorization": sent}).status_code == 401


def test_without_the_setting_there_are_no_figures(client, mirror) -> None:
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_operations_are_counted_by_status(scrape, mirror) -> None:
    now = timezone.now()
    make("queued", submitted_at=now - timedelta(seconds=90), handed_over_at=now)
    make("queued", submitted_at=now, handed_over_at=now)
    make("following", submitted_at=now, lease_until=now + timedelta(seconds=20))
    make("following", submitted_at=now, handed_over_at=now - timedelta(minutes=5))
    make("failed", finished_at=now - timedelta(minutes=5))
    make("failed", finished_at=now - timedelta(hours=2))
    found = scrape()
    assert found["sluice_operations_open", "queued"] == 2
    assert found["sluice_operations_open", "following"] == 2
    assert found["sluice_operations_open", "running"] == 0
    assert found["sluice_operations_ended_last_hour", "failed"] == 1
    assert found["sluice_operations_ended_last_hour", "succeeded"] == 0
    assert 90 <= found["sluice_operations_queued_oldest_seconds",] < 600
    assert found["sluice_operations_leased",] == 1
    assert found["sluice_operations_left_behind",] == 1


def test_nothing_that_waits_is_no_age(scrape, mirror) -> None:
    assert scrape()["sluice_operations_queued_oldest_seconds",] == 0


def test_the_mirror_and_the_workers_tell_their_age(scrape, mirror) -> None:
    redis_client().delete(worker_heartbeat.KEY)
    assert scrape()["sluice_worker_heartbeat_age_seconds",] == float("inf")
    worker_heartbeat.mark()
    found = scrape()
    assert found["sluice_worker_heartbeat_age_seconds",] < 600
    assert found["sluice_mirror_age_seconds", "box"] == 0
    assert (found["sluice_services", "box"], found["sluice_services_not_ready", "box"]) == (1, 0)


def test_messages_that_wait_are_counted_in_every_priority(scrape, mirror, redis_server) -> None:
    from console.queue import TaskName, enqueue

    before = scrape()["sluice_queue_messages",]
    with broker(redis_server.url.replace("unix://", "redis+socket://")):
        for priority in (0, 6):
            enqueue(TaskName.SWEEP, [], priority=priority)
    assert scrape()["sluice_queue_messages",] == before + 2


def test_the_audit_log_and_the_tokens_are_counted(scrape, mirror, people) -> None:
    audit.record("test", actor=Actor(None, "t"), outcome=audit.Outcome.SUCCEEDED)
    people["viewer"].api_tokens.create(name="a", digest="a", expires_at=timezone.now() + timedelta(days=1))
    people["viewer"].api_tokens.create(name="b", digest="b", expires_at=timezone.now() - timedelta(days=1))
    found = scrape()
    assert found["sluice_audit_entries_total",] == Entry.objects.count() == 1
    assert found["sluice_api_tokens_valid",] == 1


def test_a_part_that_is_away_is_told_and_the_others_still_are(scrape, mirror, monkeypatch) -> None:
    def away() -> None:
        raise read.MirrorUnavailable("ConnectionError")

    monkeypatch.setattr(read, "clusters", away)
    found = scrape()
    assert (found["sluice_up", "redis"], found["sluice_up", "database"]) == (0, 1)
    assert ("sluice_operations_leased",) in found
    assert ("sluice_mirror_age_seconds", "box") not in found


def test_a_database_that_is_away_is_told(scrape, mirror) -> None:
    def refuse(*_anything) -> None:
        raise DatabaseError("away")

    with connection.execute_wrapper(refuse):
        found = scrape()
    assert (found["sluice_up", "redis"], found["sluice_up", "database"]) == (1, 0)


def test_nobody_and_no_service_is_named(mirror, people) -> None:
    make("failed", finished_at=timezone.now())
    people["viewer"].api_tokens.create(name="board", digest="a", expires_at=timezone.now() + timedelta(days=1))
    text = metrics.exposition().decode()
    for name in ("shop", "default", "dora", "viewer", "board", factories.SECRET_VALUE):
        assert name not in text


def test_streams_of_all_web_processes_are_counted_and_of_none_that_has_ended(scrape, mirror, monkeypatch) -> None:
    now = stream_count._now()
    redis_client().hset(stream_count.KEY, mapping={"other:1": f"3:{now}", "ended:2": f"5:{now - 60}"})
    monkeypatch.setattr(stream_count.stream, "count", lambda: 2)
    stream_count.tell()
    assert scrape()["sluice_event_streams",] == 5
    assert "ended:2" not in redis_client().hgetall(stream_count.KEY)
