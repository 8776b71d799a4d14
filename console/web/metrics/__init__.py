"""What Prometheus reads of the console (docs/operations.md, "Metrics").

Gauges and totals come from the database and Redis when they are asked for: each web process reports the same of all
processes, so that Prometheus takes one of them (`max`). What web processes count themselves (console.counters) is added
up (`sum`). No person, service or namespace is named: labels are words of the code and names of clusters.
"""

import platform
from collections.abc import Iterator

import django
import redis
from django.db import DatabaseError
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from console import VERSION, counters
from console.mirror import read
from console.web.metrics import of_database, of_redis, of_totals


def exposition() -> bytes:
    """Return the text that Prometheus reads. A part that does not answer is reported as down and left out."""
    registry = CollectorRegistry()
    registry.register(_Figures())
    registry.register(counters.of_all_processes())
    return generate_latest(registry)


class _Figures(Collector):
    def collect(self) -> Iterator[Metric]:
        yield _build_info()
        up = GaugeMetricFamily("sluice_up", "1 while the component responds to this process.", labels=["part"])
        for part, figures, away in (
            ("database", _of_database, DatabaseError),
            ("redis", of_redis.figures, (redis.RedisError, read.MirrorUnavailable)),
        ):
            try:
                yield from list(figures())
                up.add_metric([part], 1)
            except away:
                up.add_metric([part], 0)
        yield up


def _of_database() -> Iterator[Metric]:
    yield from of_database.figures()
    yield from of_totals.figures()


def _build_info() -> Metric:
    facts = {"version": VERSION, "python": platform.python_version(), "django": django.get_version()}
    info = GaugeMetricFamily("sluice_build_info", "1, with the versions of what runs.", labels=list(facts))
    info.add_metric(list(facts.values()), 1)
    return info
