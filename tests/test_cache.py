"""Write access to Redis never runs code in the console: what the cache keeps is JSON."""

from __future__ import annotations

import pickle

import pytest
import redis
from django.core.cache.backends.redis import RedisCache

import console.settings

ran: list[str] = []


class Payload:
    """What a writer of Redis would plant: opening the pickle runs a call."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return ran.append, ("a pickle was opened",)


@pytest.fixture
def cache(redis_server) -> RedisCache:
    """The cache as the console is configured, on a real Redis."""
    return RedisCache(redis_server.url, console.settings.CACHES["default"])


def test_what_somebody_planted_in_redis_is_not_run(cache: RedisCache, redis_server) -> None:
    cache.set("planted", 1)
    planted = redis.Redis.from_url(redis_server.url)
    (key,) = [key for key in planted.keys("*") if key.endswith(b"planted")]
    planted.set(key, pickle.dumps(Payload()))
    with pytest.raises(UnicodeDecodeError):
        cache.get("planted")
    assert ran == []


def test_what_the_sign_in_limits_keep_comes_back(cache: RedisCache) -> None:
    cache.set("times", [1.5, 2.5])
    cache.add("count", 1, 60)
    cache.incr("count")
    assert (cache.get("times"), cache.get("count"), cache.get("missing", 0)) == ([1.5, 2.5], 2, 0)
