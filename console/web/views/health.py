"""For probes: is the process alive, and can it serve?"""

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from console.access.decorators import public
from console.mirror import read
from console.operations import worker_heartbeat
from console.redis_client import client_with_timeout

PROBE = "sluice:ready"
PROBE_SECONDS = 60
REDIS_TIMEOUT = 1.0  # seconds: a probe must be answered while Redis hangs


@public
def live(_request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@public
def ready(_request: HttpRequest) -> JsonResponse:
    """The database answers and Redis takes things in, else 503.

    Stale pages are served, with the age of the mirror and the workers.
    """
    checks: dict[str, object] = {"database": _database(), "redis": _redis()}
    is_ready = all(check == "ok" for check in checks.values())
    if checks["redis"] == "ok":
        heartbeat_age = worker_heartbeat.age()
        checks["worker_age_seconds"] = (
            None if heartbeat_age is None else round(heartbeat_age, 1)
        )  # since a worker took a task
        checks["mirror_age_seconds"] = _oldest()
    return JsonResponse({"status": "ok" if is_ready else "unavailable", **checks}, status=200 if is_ready else 503)


def _oldest() -> float | None:
    """The age of the oldest cluster's copy; None while that of one is not whole. Names are for those who sign in."""
    ages = [read.freshness(cluster).seconds for cluster in read.clusters()]
    known = [age for age in ages if age is not None]
    return round(max(known), 1) if known and len(known) == len(ages) else None


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return type(error).__name__
    return "ok"


def _redis() -> str:
    """A Redis without free memory or disk space answers, but nothing can be queued."""
    try:
        with client_with_timeout(REDIS_TIMEOUT) as client:
            client.set(PROBE, "1", ex=PROBE_SECONDS)
    except redis.RedisError as error:
        return type(error).__name__
    return "ok"
