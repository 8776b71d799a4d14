"""`manage.py doctor` tells a sound installation from one that lacks something, and what it lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import redis
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone

from console import sealing
from console.access.models import User
from console.cluster.probe import ProbeResult
from console.doctor import clusters, configuration, examination, processes, servers
from console.doctor.findings import Finding, Level
from console.operations import worker_heartbeat
from console.redis_client import client
from console.registry import Report, reports
from console.registry.models import Cluster

pytestmark = pytest.mark.django_db


def problems(found: Iterator[Finding]) -> str:
    return "\n".join(f"{one.level} {one.text}" for one in found if one.level is not Level.OK)


@pytest.fixture
def sound(monkeypatch, mirror):
    """An installation with everything: a leading watcher, workers, beat, an administrator, a cluster that answers."""
    worker_heartbeat.mark()
    User.objects.create_user("root", is_superuser=True)
    monkeypatch.setattr(clusters.connections, "names", lambda: ("box",))
    monkeypatch.setattr(reports, "refresh", lambda _name: Report(kubernetes="v1.36.3", knative="1.23.0"))


def run(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def test_a_sound_installation_has_no_findings_and_exits_with_0(sound):
    code, said = run()
    assert code == 0, said
    assert "PROBLEM" not in said
    assert "warning" not in said
    assert "Kubernetes v1.36.3, Knative 1.23.0" in said


def test_findings_are_also_told_as_json(sound, monkeypatch):
    monkeypatch.setattr(reports, "refresh", lambda _name: Report(ProbeResult.UNAUTHORIZED, "401"))
    code, said = run("--json")
    assert code == 1
    (bad,) = [one for one in json.loads(said) if one["level"] == "problem"]
    assert bad["part"] == "cluster box"
    assert "401" in bad["text"]
    assert bad["advice"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"EXTERNAL_URL": "http://console.example.com", "ALLOWED_HOSTS": ["console.example.com"]}, "plain HTTP"),
        ({"EXTERNAL_URL": "https://other.example.com", "HTTPS": True}, "not in CONSOLE_ALLOWED_HOSTS"),
        (
            {"EXTERNAL_URL": "https://a.example.com", "HTTPS": True, "ALLOWED_HOSTS": [".example.com"]},
            "X-Forwarded-Proto is not believed",
        ),
        (
            {"EXTERNAL_URL": "https://a.example.com", "HTTPS": True, "ALLOWED_HOSTS": ["*"], "TRUSTED_PROXIES": 0},
            "no proxy is trusted",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_told(settings, changes: dict[str, Any], told: str):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert told in problems(configuration.settings_agree())


def test_what_no_key_decrypts_is_told_and_not_touched(settings):
    settings.ENCRYPTION_KEYS = ["old"]
    sealed = sealing.seal({"token": "t"})
    Cluster.objects.create(name="edge", url="https://10.0.0.1", sealed_credential=sealed)
    settings.ENCRYPTION_KEYS = ["new", "old"]
    assert problems(configuration.keys_open_everything()) == ""
    settings.ENCRYPTION_KEYS = ["new"]
    assert "no key decrypts 1 of registry.Cluster.sealed_credential" in problems(configuration.keys_open_everything())
    assert bytes(Cluster.objects.get().sealed_credential) == sealed


def test_an_installation_without_an_administrator_says_how_to_make_one():
    assert "nobody is an administrator" in problems(configuration.an_administrator_exists())


def test_a_database_that_fails_is_told_and_nothing_that_needs_it_is_asked(sound, monkeypatch):
    def fails(*_: object) -> None:
        raise DatabaseError("no such host")

    monkeypatch.setattr(servers, "MigrationExecutor", fails)
    found = list(examination.examine())
    assert "no such host" in problems(iter(found))
    assert {one.part for one in found} == {"settings", "database", "Redis"}


def test_missing_migrations_are_told(monkeypatch):
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="audit").order_by("-id").first().delete()
    assert "1 migrations are missing, audit." in problems(servers.database())


def test_clocks_that_differ_are_told():
    behind = timezone.now() - timedelta(seconds=30)
    (found,) = servers._clock("Redis", behind)
    assert found.text == "its clock is 30 s behind this machine's"
    assert list(servers._clock("Redis", datetime.now(UTC))) == []


def test_a_redis_that_does_not_answer_or_drops_records_is_told(redis_server):
    client().config_set("maxmemory-policy", "allkeys-lru")
    client().config_set("maxmemory", "100mb")
    assert "drops records" in problems(servers.redis_server())
    client().config_set("maxmemory", "1")
    client().config_set("maxmemory-policy", "noeviction")
    assert "takes nothing in: OutOfMemoryError" in problems(servers.redis_server())
    client().config_set("maxmemory", "0")


def test_the_queue_tells_whether_beat_or_the_workers_are_missing(redis_server, monkeypatch):
    assert "nothing is waiting and a sweep was run never" in problems(processes.workers())
    monkeypatch.setattr(worker_heartbeat, "waiting", lambda: 7)
    (found,) = processes.workers()
    assert found.text.startswith("7 messages are waiting")
    assert found.advice.startswith("Start worker")


def test_a_missing_watcher_and_an_old_mirror_are_told(mirror, redis_server, monkeypatch):
    from console.mirror import keys, read

    monkeypatch.setattr(read, "clusters", lambda: ("box", "other"))
    assert "its mirror is not whole yet" in problems(processes.watcher())
    client().delete(keys.LEADER)
    assert "none is running" in problems(processes.watcher())


def test_a_right_that_the_account_lacks_is_a_warning_that_names_it(sound, monkeypatch):
    lacking = Report(kubernetes="v1", missing=("update services.serving.knative.dev",))
    monkeypatch.setattr(reports, "refresh", lambda _name: lacking)
    assert "warning the account lacks update services.serving.knative.dev" in problems(clusters.clusters())


def test_redis_away_is_told_once(monkeypatch):
    def away(*_: object) -> None:
        raise redis.ConnectionError("refused")

    monkeypatch.setattr(worker_heartbeat, "age", away)
    assert problems(processes.workers()) == ""
