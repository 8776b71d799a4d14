"""The connections to Redis that all processes share, and the channel on which changes are announced.

Every command ends in time, also when Redis hangs or its answer comes byte by byte. Celery's broker (kombu) makes its
own connections: the time-outs of CELERY_BROKER_TRANSPORT_OPTIONS are between two bytes, and nobody waits for those but
a worker; who publishes has the time-outs of console.queue.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import redis
import redis.asyncio
from django.conf import settings
from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.retry import Retry

from console.deadlines import MAX_PIECE, DeadlineExceeded, give_up_in_time, told, within

CHANNEL = "sluice:changes"
TIMEOUT = 5.0  # seconds without a byte
# For one command or pipeline, from sending it to the last byte of its answer; for connecting; for the greeting.
COMMAND_SECONDS = 20.0


class _TimedSocket:
    """A socket whose reads and writes, from `begin` on, end together after so many seconds."""

    def __init__(self, found: socket.socket, seconds: float) -> None:
        self._socket, self._seconds = found, seconds
        self.begin()

    def begin(self) -> None:
        self._until = time.monotonic() + self._seconds

    def recv(self, size: int) -> bytes:
        with self._hurried():
            return self._socket.recv(size)

    def recv_into(self, buffer: Any) -> int:
        with self._hurried():
            return self._socket.recv_into(buffer)

    def sendall(self, data: bytes) -> None:
        for at in range(0, len(data), MAX_PIECE):
            with self._hurried():
                self._socket.sendall(data[at : at + MAX_PIECE])

    @contextmanager
    def _hurried(self) -> Iterator[None]:
        timeout = self._socket.gettimeout()
        if timeout != 0:  # redis-py only looks whether something is there
            left = self._until - time.monotonic()
            if left <= 0:
                raise DeadlineExceeded("Redis did not respond in time")
            self._socket.settimeout(left if timeout is None else min(timeout, left))
        try:
            with told(self._until):
                yield
        finally:
            self._socket.settimeout(timeout)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class _Timed:
    """Mixed into redis-py's connections: connecting, greeting and each command have an end of their own."""

    _sock: Any

    def __init__(self, *, command_seconds: float = COMMAND_SECONDS, **options: Any) -> None:
        self._command_seconds, self._is_greeting = command_seconds, False
        super().__init__(**options)

    def _connect(self) -> Any:
        with within(self._command_seconds):
            made = give_up_in_time(super()._connect)  # type: ignore[misc]  # a mixin's base is not known
        return _TimedSocket(made, self._command_seconds)

    def on_connect_check_health(self, *args: Any, **options: Any) -> None:
        self._is_greeting = True  # several commands, one deadline
        try:
            super().on_connect_check_health(*args, **options)  # type: ignore[misc]  # a mixin's base is not known
        finally:
            self._is_greeting = False

    def send_packed_command(self, *args: Any, **options: Any) -> None:
        if self._sock is not None and not self._is_greeting:
            self._sock.begin()
        super().send_packed_command(*args, **options)  # type: ignore[misc]  # a mixin's base is not known


class _TimedTcp(_Timed, Connection):
    pass


class _TimedTls(_Timed, SSLConnection):
    pass


class _TimedUnix(_Timed, UnixDomainSocketConnection):
    pass


_BY_SCHEME: dict[str, type[_Timed]] = {"redis": _TimedTcp, "rediss": _TimedTls, "unix": _TimedUnix}


class TimedPool(redis.ConnectionPool):
    """A pool of timed connections; Django's cache uses it too."""

    @classmethod
    def from_url(cls, url: str, **options: Any) -> "TimedPool":
        return super().from_url(url, **{"connection_class": _BY_SCHEME[url.partition("://")[0]], **options})


def new_client(seconds: float = TIMEOUT, *, url: str = "", attempts: int = 1, **options: Any) -> redis.Redis:
    """Return a new client that gives an attempt up after so many seconds without a byte; to be closed.

    A whole command takes COMMAND_SECONDS at most for each attempt (or `command_seconds`).
    """
    pool = TimedPool.from_url(
        url or settings.REDIS_URL,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), attempts - 1),
        **options,
    )
    return redis.Redis.from_pool(pool)


def client_with_timeout(seconds: float) -> redis.Redis:
    """Return a new client that gives up after so many seconds, without another try; to be closed."""
    return new_client(seconds, command_seconds=seconds, decode_responses=True)


@cache
def client() -> redis.Redis:
    """Return this process's Redis client; its pool may be used by any thread."""
    return new_client(decode_responses=True)


def async_client() -> redis.asyncio.Redis:
    """Return a new client for one event loop. Never share its connections between requests that may be cancelled.

    It is for the subscription, which waits for as long as nothing happens; console.mirror.announcements looks whether
    the answer to a PING comes.
    """
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        health_check_interval=0,  # the subscription asks by itself
    )


def moment(key: str) -> float | None:
    """Return the moment (seconds since the epoch) that a process left there, None when there is none; RedisError."""
    try:
        left = client().get(key)
        return float(str(left)) if left else None
    except ValueError:  # somebody else wrote there
        return None
