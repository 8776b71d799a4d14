"""What Prometheus reads: true of all processes, of nobody by name, and for clients that have the token."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from console import VERSION, audit, counters
from console.access.actors import Actor
from console.access.models import User
from console.access.sign_in_methods import method_of
from console.audit.models import Entry
from console.audit.totals import note_verification
from console.mirror import read
from console.operations import totals, worker_heartbeat
from console.operations.models import Operation
from console.redis_client import client as redis_client
from console.registry import Report, reports
from console.sealing import seal
from console.web import metrics, stream_count
from tests import factories
from tests.broker import broker

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


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


def grown(before: dict[tuple[str, ...], float], after: dict[tuple[str, ...], float], name: str) -> dict:
    """What was added to one counter, by its labels; other tests of this process have counted too."""
    changes = {labels[1:]: value - before.get(labels, 0) for labels, value in after.items() if labels[0] == name}
    return {labels: value for labels, value in changes.items() if value}


def test_prometheus_may_ask_a_replica_by_its_own_address_and_pages_may_not(client, settings, mirror) -> None:
    settings.METRICS_TOKEN = "m3tr1cs"
    asked = {"Authorization": "Bearer m3tr1cs", "Host": "10.4.0.17:8000"}
    assert client.get("/metrics", headers=asked).status_code == 200
    assert client.get("/metrics", headers={"Host": "10.4.0.17:8000"}).status_code == 401
    for page in ("/accounts/login/", "/metrics/", "/healthz/live"):
        assert client.get(page, headers=asked).status_code == 400, page


def test_totals_begin_at_zero_and_count_what_happened(scrape, mirror) -> None:
    before = scrape()
    assert before["sluice_overrides_total",] == before["sluice_outside_changes_total", "delete"] == 0
    assert before["sluice_operations_ended_total", "SetEnv", "failed"] == 0
    assert before["sluice_operation_duration_seconds_bucket", "SetEnv", "+Inf"] == 0
    totals.count_override()
    totals.count_outside("outside.delete")
    now = timezone.now()
    totals.count_timed_end(
        Operation(kind="SetEnv", status="failed", submitted_at=now, finished_at=now + timedelta(seconds=12))
    )
    found = scrape()
    assert found["sluice_overrides_total",] == found["sluice_outside_changes_total", "delete"] == 1
    assert found["sluice_operations_ended_total", "SetEnv", "failed"] == 1
    buckets = [found["sluice_operation_duration_seconds_bucket", "SetEnv", limit] for limit in ("10", "20", "+Inf")]
    assert buckets == [0, 1, 1]
    assert found["sluice_operation_duration_seconds_sum", "SetEnv"] == 12


def test_it_is_told_when_the_log_was_proved_and_that_it_was_found_broken(scrape, mirror) -> None:
    assert scrape()["sluice_audit_verified_timestamp_seconds",] == 0
    note_verification(is_intact=True)
    found = scrape()
    assert found["sluice_audit_verified_timestamp_seconds",] > 1_700_000_000
    assert found["sluice_audit_broken",] == 0
    note_verification(is_intact=False)
    assert scrape()["sluice_audit_broken",] == 1


def test_a_watcher_that_does_not_lead_and_processes_without_a_sign_are_told(scrape, mirror, redis_server) -> None:
    found = scrape()
    assert found["sluice_watcher_leads",] == 1
    assert found["sluice_process_age_seconds", "beat"] == float("inf")
    redis_client().set("sluice:beat:taken", "1")
    redis_client().delete("sluice:mirror:leader")
    found = scrape()
    assert found["sluice_watcher_leads",] == 0
    assert 0 < found["sluice_process_age_seconds", "beat"] < float("inf")


def test_a_cluster_that_cannot_be_used_is_told(scrape, mirror) -> None:
    reports.forget("box")
    assert ("sluice_cluster_usable", "box") not in scrape()
    for obstacle, usable in (("certificate-expired", 0), ("", 1)):
        reports.keep("box", Report(obstacle))
        assert scrape()["sluice_cluster_usable", "box"] == usable


def test_the_version_is_told(scrape, mirror) -> None:
    (info,) = [labels for labels in scrape() if labels[0] == "sluice_build_info"]
    assert VERSION in info


def test_requests_are_timed_by_route_and_never_by_what_the_client_chose(scrape, mirror, client) -> None:
    before = scrape()
    client.get("/api/v1/services/box/default/no-such-service")
    client.get("/api/v1/no-such-route")
    client.generic("BREW", "/api/v1/services/box/default/shop")
    client.get("/accounts/login/?next=/private")
    client.get("/healthz/live")
    found = scrape()
    routes = grown(before, found, "sluice_api_request_duration_seconds_count")
    by_route = "api/v1/services/<str:cluster>/<str:namespace>/<str:name>"
    assert {(labels[1], labels[0], labels[2]) for labels in routes} == {
        (by_route, "GET", "4xx"),
        ("none", "GET", "4xx"),
        (by_route, "other", "4xx"),
    }
    assert grown(before, found, "sluice_page_request_duration_seconds_count") == {("GET", "2xx"): 1}
    text = metrics.exposition().decode()
    assert "no-such" not in text
    assert "BREW" not in text


def test_refusals_are_counted_also_when_the_log_folds_them(scrape, mirror, client, people) -> None:
    before = scrape()
    client.force_login(people["viewer"])
    for _ in range(3):
        assert client.get("/clusters/add/").status_code == 403
    client.get("/api/v1/services", headers={"Authorization": f"Bearer sluice_{'x' * 43}"})
    assert grown(before, scrape(), "sluice_refusals_total") == {("manage",): 3, ("token",): 1}
    assert Entry.objects.filter(outcome="refused").count() == 1


def test_sign_ins_are_counted_by_method_and_outcome(scrape, mirror, client) -> None:
    before = scrape()
    User.objects.create_user("alice", password="right-password-1")
    for password in ("wrong-password-1", "right-password-1"):
        client.post("/accounts/login/", {"login": "alice", "password": password})
    assert grown(before, scrape(), "sluice_sign_ins_total") == {
        ("password", "refused"): 1,
        ("password", "succeeded"): 1,
    }


@pytest.mark.parametrize(
    ("noted", "method"),
    [
        ([{"method": "password"}, {"method": "mfa", "type": "totp"}], "password"),
        ([{"method": "socialaccount"}, {"method": "mfa", "type": "webauthn"}], "single-sign-on"),
        ([{"method": "mfa", "type": "webauthn", "passwordless": True}], "passkey"),
        ([{"method": "password"}, {"method": "mfa", "passwordless": True}], "passkey"),
        ([], "link"),
    ],
)
def test_the_method_is_what_was_proved_last_and_no_second_factor(rf, noted: list[dict], method: str) -> None:
    request = rf.get("/")
    request.session = {"account_authentication_methods": noted}
    assert method_of(request) == method


@pytest.fixture(scope="module")
def table() -> dict[str, tuple[str, ...]]:
    """The metrics of docs/operations.md: name to (labels, type, how replicas combine)."""
    rows = {}
    for line in (ROOT / "docs/operations.md").read_text().splitlines():
        if found := re.match(r"\| `(sluice_\w+)(?:\{([\w, ]+)\})?` \| (\w+) \| (\w+) \| \S", line):
            name, labels, kind, combined = found.groups()
            assert name not in rows, f"{name} is there twice"
            rows[name] = (", ".join(sorted((labels or "").split(", "))), kind, combined)
    return rows


def test_the_table_of_the_documentation_is_what_the_console_exposes(mirror, table) -> None:
    """Names, labels, types, and whether replicas are added up."""
    summed = {f"{metric.name}{'_total' if metric.type == 'counter' else ''}" for metric in counters.REGISTRY.collect()}
    counters.API_SECONDS.labels("none", "GET", "2xx").observe(1)
    counters.PAGE_SECONDS.labels("GET", "2xx").observe(1)
    reports.keep("box", Report(""))
    exposed = {}
    for metric in text_string_to_metric_families(metrics.exposition().decode()):
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        labels = sorted(label for label in metric.samples[0].labels if label != "le")
        exposed[name] = (", ".join(labels), metric.type, "sum" if name in summed else "max")
    exposed["sluice_up"] = (*exposed["sluice_up"][:2], "min")
    assert table == exposed


def test_the_version_is_that_of_the_project_and_of_its_images() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
    for path in ("docker-compose.yml", "deploy/kubernetes/kustomization.yaml"):
        assert VERSION in (ROOT / path).read_text(), path
