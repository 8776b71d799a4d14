"""The connection to Redis that all rooms share, and the channel on which changes are announced."""

from functools import cache
from typing import Any

import msgspec
import redis
import redis.asyncio
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from console.signing import sign

CHANNEL = "sluice:changes"
TIMEOUT = 5.0  # seconds


def hasty_client(seconds: float) -> redis.Redis:
    """Return a new client that gives up after so many seconds, without another try; to be closed."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


@cache
def client() -> redis.Redis:
    """Return this process's Redis client; its pool may be used by any thread."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, decode_responses=True
    )


def async_client() -> redis.asyncio.Redis:
    """Return a new client for one event loop. Never share its connections between requests that may be cancelled."""
    return redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=TIMEOUT, health_check_interval=15)


def moment(key: str) -> float | None:
    """Return the moment (seconds since the epoch) that a process left there, None when there is none; RedisError."""
    try:
        left = client().get(key)
        return float(str(left)) if left else None
    except ValueError:  # somebody else wrote there
        return None


def announce(kind: str, **facts: Any) -> None:
    """Tell every browser that something changed; raises redis.RedisError when Redis is away."""
    client().publish(CHANNEL, sign(msgspec.json.encode({"kind": kind, **facts}), CHANNEL))
