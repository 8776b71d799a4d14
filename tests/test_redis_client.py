"""A Redis that hangs, or answers one byte at a time, keeps nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from django.core.cache.backends.redis import RedisCache

from console import settings as production
from console.redis_client import new_client
from tests.drips import SHORT, dripping_port, ended_by_deadline

NO_GREETING = {"protocol": 2, "driver_info": None}
A_LONG_TEXT = b"$10000\r\n"


@pytest.fixture(params=[A_LONG_TEXT, b"*1000\r\n" + b"+\r\n" * 100, b""], ids=["a text", "a list", "rubbish"])
def url(request) -> Iterator[str]:
    """Of a Redis that drips; it is still dripping at the end."""
    with dripping_port(request.param) as (port, ended):
        yield f"redis://127.0.0.1:{port}/0"
        assert not ended.is_set()


def test_a_command_whose_answer_drips_ends(url: str) -> None:
    with (
        new_client(60, url=url, command_seconds=SHORT, **NO_GREETING) as client,
        pytest.raises(redis.TimeoutError) as caught,
    ):
        client.get("x")
    assert ended_by_deadline(caught.value)


def test_a_pipeline_whose_answers_drip_ends(url: str) -> None:
    with (
        new_client(60, url=url, command_seconds=SHORT, **NO_GREETING) as client,
        pytest.raises(redis.TimeoutError) as caught,
    ):
        client.pipeline(transaction=False).get("x").get("y").execute()
    assert ended_by_deadline(caught.value)


def test_a_greeting_that_drips_ends(url: str) -> None:
    with new_client(60, url=url, command_seconds=SHORT) as client, pytest.raises(redis.TimeoutError) as caught:
        client.get("x")
    assert ended_by_deadline(caught.value)


def test_the_cache_ends_too(url: str) -> None:
    options = {**production.CACHES["default"]["OPTIONS"], "socket_timeout": 60, "command_seconds": SHORT}
    with pytest.raises(redis.TimeoutError) as caught:
        RedisCache(url, {"OPTIONS": options}).get("x")
    assert ended_by_deadline(caught.value)


def test_each_command_has_a_deadline_of_its_own(redis_server) -> None:
    with new_client(url=redis_server.url, command_seconds=60) as client:
        client.set("x", "y" * 100_000)  # more than one piece
        assert [client.strlen("x"), client.exists("x")] == [100_000, 1]
        connection = client.connection_pool.get_connection()
        began = connection._sock._until
        connection.send_command("PING")
        connection.read_response()
        assert connection._sock._until > began
        client.connection_pool.release(connection)
