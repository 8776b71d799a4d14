"""The newest report on each cluster, in Redis for an hour: what the list of clusters shows beside the mirror's age."""

import time

import msgspec
import redis
import structlog
from django.conf import settings

from console import database
from console.cluster.errors import ClusterError
from console.cluster.probe import ProbeResult, Report, examine
from console.clusters import connections
from console.redis_client import client
from console.signing import sign, verify

CACHE_TTL = 3600
REFRESHING_SECONDS = 30.0  # then no more clusters are begun: a task must not last

log = structlog.get_logger(__name__)
_decoder = msgspec.json.Decoder(Report)


def keep(cluster: str, report: Report) -> None:
    """Store the report; it is lost when Redis is unavailable."""
    try:
        key = _key(cluster)
        client().set(key, sign(msgspec.json.encode(report), key), ex=CACHE_TTL)
    except redis.RedisError as error:
        log.warning("report_not_kept", cluster=cluster, reason=type(error).__name__)


def last(cluster: str) -> Report | None:
    """Return the newest report, or None when there is none, or Redis is away."""
    try:
        raw = client().get(_key(cluster))
    except (redis.RedisError, ValueError):  # ValueError: somebody else wrote there, and no text
        return None
    body = verify(str(raw), _key(cluster)) if raw else None
    return _decoder.decode(body) if body else None


def forget(cluster: str) -> None:
    try:
        client().delete(_key(cluster))
    except redis.RedisError as error:
        log.warning("report_not_forgotten", cluster=cluster, reason=type(error).__name__)


def refresh(cluster: str) -> Report:
    """Examine the cluster with the console's account and keep what was found."""
    try:
        connection = connections.get(cluster)
    except ClusterError as error:
        report = Report(ProbeResult.FAILED, str(error)[:500])
    else:
        impersonates = settings.IMPERSONATE if connection.impersonates is None else connection.impersonates
        database.give_back()
        report = examine(connection, impersonates=impersonates)
    keep(cluster, report)
    return report


def refresh_all() -> int:
    """Examine every cluster, the one that waits longest first, for about half a minute; returns how many."""
    until = time.monotonic() + REFRESHING_SECONDS
    known = {cluster: last(cluster) for cluster in connections.names()}
    count = 0
    for cluster in sorted(known, key=lambda name: report.at if (report := known[name]) else 0.0):
        if time.monotonic() > until:
            break
        refresh(cluster)
        count += 1
    return count


def _key(cluster: str) -> str:
    return f"sluice:registry:report:{cluster}"
