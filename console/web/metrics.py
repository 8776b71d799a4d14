"""Figures for Prometheus, gathered from the database and Redis when they are asked for.

Whichever web process is scraped, it reports about all of them, the workers and the watcher. No person, service or
namespace is named: labels are states and clusters.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

import redis
from django.db import DatabaseError
from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from console.access.models import ApiToken
from console.audit.models import Entry
from console.mirror import read
from console.operations import worker_heartbeat
from console.operations.models import Operation
from console.operations.models.statuses import ACTIVE, OPEN, TERMINAL, Status
from console.operations.queue import left_behind
from console.web import stream_count

HOUR = timedelta(hours=1)


def exposition() -> bytes:
    """Return the text that Prometheus reads. A part that does not answer is reported as down and left out."""
    registry = CollectorRegistry()
    registry.register(_Figures())
    return generate_latest(registry)


class _Figures(Collector):
    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("sluice_up", "1 while the component responds to this process.", labels=["part"])
        for part, figures, away in (
            ("database", _of_database, DatabaseError),
            ("redis", _of_redis, (redis.RedisError, read.MirrorUnavailable)),
        ):
            try:
                yield from list(figures())
                up.add_metric([part], 1)
            except away:
                up.add_metric([part], 0)
        yield up


def _of_database() -> Iterator[Metric]:
    now = timezone.now()
    recent = Operation.objects.filter(finished_at__gt=now - HOUR)
    operations = Operation.objects.order_by()
    yield _by_status("sluice_operations_open", "Operations that have not ended.", operations, OPEN)
    ended = "Operations that ended within the last hour, by status."
    yield _by_status("sluice_operations_ended_last_hour", ended, recent.order_by(), TERMINAL)
    released = Coalesce("released_at", "submitted_at")  # waiting for an approval is not waiting for a worker
    oldest = operations.filter(status=Status.QUEUED).aggregate(at=Min(released))["at"]
    yield GaugeMetricFamily(
        "sluice_operations_queued_oldest_seconds",
        "How long the oldest queued operation has waited for a worker; 0 when none is queued.",
        value=max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
    )
    leased = operations.filter(status__in=ACTIVE, lease_until__gt=now).count()
    yield GaugeMetricFamily("sluice_operations_leased", "Operations held by a worker.", value=leased)
    yield GaugeMetricFamily(
        "sluice_operations_left_behind",
        "Active operations without a worker, which the next sweep enqueues again.",
        value=left_behind().count(),
    )
    newest = Entry.objects.aggregate(newest=Max("sequence"))["newest"]
    yield CounterMetricFamily("sluice_audit_entries", "Entries of the audit log.", value=newest or 0)
    tokens = ApiToken.objects.filter(revoked_at=None, expires_at__gt=now).count()
    yield GaugeMetricFamily("sluice_api_tokens_valid", "API tokens that are neither expired nor revoked.", value=tokens)


def _of_redis() -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "sluice_queue_messages", "Messages waiting for a worker in Redis.", value=worker_heartbeat.waiting()
    )
    streams = "Open event streams of all web processes."
    yield GaugeMetricFamily("sluice_event_streams", streams, value=stream_count.total())
    age = worker_heartbeat.age()
    heartbeat_age = "Seconds since a worker last ran the sweep that beat schedules every few seconds."
    yield GaugeMetricFamily("sluice_worker_heartbeat_age_seconds", heartbeat_age, value=_or_never(age))
    mirror_age = GaugeMetricFamily(
        "sluice_mirror_age_seconds",
        "Seconds since the cached data of a cluster was last known to be current.",
        labels=["cluster"],
    )
    services = GaugeMetricFamily(
        "sluice_services", "Services in a cluster, once all have been read.", labels=["cluster"]
    )
    unhealthy = GaugeMetricFamily(
        "sluice_services_not_ready", "Services in a cluster that are not ready.", labels=["cluster"]
    )
    for cluster in read.clusters():
        mirror_age.add_metric([cluster], _or_never(read.freshness(cluster).seconds))
        if not read.is_whole(cluster, "services"):
            continue  # a count of some of them would pass for a count of all
        found = read.services(cluster)
        services.add_metric([cluster], len(found))
        unhealthy.add_metric([cluster], sum(1 for row in found if row.health != "ready"))
    yield from (mirror_age, services, unhealthy)


def _by_status(name: str, text: str, found: QuerySet[Operation], statuses: Iterable[Status]) -> Metric:
    """Every status has a line, also with 0: a missing one cannot be compared."""
    counts = dict(found.filter(status__in=list(statuses)).values_list("status").annotate(Count("id")))
    metric = GaugeMetricFamily(name, text, labels=["status"])
    for status in statuses:
        metric.add_metric([status.value], counts.get(status.value, 0))
    return metric


def _or_never(seconds: float | None) -> float:
    return float("inf") if seconds is None else seconds
