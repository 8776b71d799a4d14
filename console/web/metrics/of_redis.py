"""What is so now, as Redis has it: queues, signs of life, the mirror of each cluster."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from console import heartbeat
from console.mirror import read
from console.operations import worker_heartbeat
from console.registry import reports
from console.web import stream_count


def figures() -> Iterator[Metric]:
    """Yield them; raises redis.RedisError or MirrorUnavailable."""
    yield GaugeMetricFamily(
        "sluice_queue_messages", "Messages waiting for a worker in Redis.", value=worker_heartbeat.waiting()
    )
    streams = "Open event streams of all web processes."
    yield GaugeMetricFamily("sluice_event_streams", streams, value=stream_count.total())
    age = worker_heartbeat.age()
    heartbeat_age = "Seconds since a worker last ran the sweep that beat schedules every few seconds."
    yield GaugeMetricFamily("sluice_worker_heartbeat_age_seconds", heartbeat_age, value=_or_never(age))
    ages = GaugeMetricFamily(
        "sluice_process_age_seconds",
        "Seconds since a worker of the queue took a message, or beat sent one.",
        labels=["process"],
    )
    for process, seconds in heartbeat.ages().items():
        ages.add_metric([process], _or_never(seconds))
    yield ages
    leads = "1 while one of the watchers leads."
    yield GaugeMetricFamily("sluice_watcher_leads", leads, value=float(read.is_led()))
    yield from _of_mirror()


def _of_mirror() -> Iterator[Metric]:
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
    usable = GaugeMetricFamily(
        "sluice_cluster_usable",
        "1 when the last examination of a cluster found nothing in the way; 0: address, certificate, token, rights.",
        labels=["cluster"],
    )
    for cluster in read.clusters():
        if report := reports.last(cluster):
            usable.add_metric([cluster], float(report.is_usable))
        mirror_age.add_metric([cluster], _or_never(read.freshness(cluster).seconds))
        if not read.is_whole(cluster, "services"):
            continue  # a count of some of them would pass for a count of all
        found = read.services(cluster)
        services.add_metric([cluster], len(found))
        unhealthy.add_metric([cluster], sum(1 for row in found if row.health != "ready"))
    yield from (mirror_age, services, unhealthy, usable)


def _or_never(seconds: float | None) -> float:
    return float("inf") if seconds is None else seconds
