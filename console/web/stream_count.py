"""How many event streams are open in all web processes: each notes its own in Redis every few seconds."""

import os
import socket

import redis
import structlog

from console.redis_client import client
from console.web import stream

KEY = "sluice:web:streams"  # a hash: host and process -> "streams:second of Redis' clock"
VALID_SECONDS = 15  # a process that ended without a word no longer counts

log = structlog.get_logger(__name__)


def tell() -> None:
    """Note how many streams this process has."""
    try:
        client().hset(KEY, _me(), f"{stream.count()}:{_now()}")
    except redis.RedisError as error:
        log.warning("stream_count_not_written", reason=type(error).__name__)


def total() -> int:
    """Return the number in all processes, this one's as it is now; raises redis.RedisError."""
    noted: dict[str, str] = client().hgetall(KEY)  # type: ignore[assignment]  # decoded, and not asynchronous
    me, now, others = _me(), _now(), 0
    for process, text in noted.items():
        streams, _, at = text.partition(":")
        if process == me:
            continue
        if now - int(at) > VALID_SECONDS:
            client().hdel(KEY, process)
        else:
            others += int(streams)
    return others + stream.count()


def _me() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _now() -> int:
    """The second on Redis' clock: hosts' clocks differ."""
    seconds: int = client().time()[0]
    return seconds
