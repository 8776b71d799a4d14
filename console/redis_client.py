"""The connection to Redis that all rooms share, and the channel on which changes are announced."""

from functools import cache
from typing import Any

import msgspec
import redis
import redis.asyncio
from django.conf import settings

CHANNEL = "sluice:changes"
TIMEOUT = 5.0  # seconds


@cache
def client() -> redis.Redis:
    """Return this process's Redis client; its pool may be used by any thread."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, decode_responses=True
    )


def async_client() -> redis.asyncio.Redis:
    """Return a new client for one event loop. Never share its connections between requests that may be cancelled."""
    return redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=TIMEOUT, health_check_interval=15)


def announce(kind: str, **facts: Any) -> None:
    """Tell every browser that something changed; raises redis.RedisError when Redis is away."""
    client().publish(CHANNEL, msgspec.json.encode({"kind": kind, **facts}))
