"""Telling browsers: one Redis subscription for a whole process, fanned out to bounded queues.

Each announcement is also written into the feed, where those who missed it find it (console.mirror.feed).
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
import redis
import structlog

from console.mirror import keys
from console.redis_client import CHANNEL, async_client
from console.signing import sign, verify

QUEUE = 32
MAX_BACKOFF = 30.0  # seconds
PING_SECONDS = 10.0  # without a message; then the subscription is asked whether it still lives
SILENT_SECONDS = 45.0  # without any answer, to a PING either, it does not
KEPT = 10_000  # different announcements in the feed; the oldest are forgotten

_ANNOUNCE = """
redis.call('zadd', KEYS[2], redis.call('incr', KEYS[1]), ARGV[1])
redis.call('zremrangebyrank', KEYS[2], 0, -1 - tonumber(ARGV[3]))
redis.call('publish', ARGV[2], ARGV[1])
"""

log = structlog.get_logger(__name__)


class Announcement(msgspec.Struct, frozen=True):
    """Something changed: a kind (services, revisions, pods, operation, ..., or what `is_for_all`)."""

    kind: str
    cluster: str = ""
    namespace: str = ""
    name: str = ""
    id: str = ""

    @property
    def is_for_all(self) -> bool:
        """Something was missed, or what every page may show is another: rules, freezes, which clusters are stale."""
        return self.kind in ("resync", "surroundings")


RESYNC = Announcement("resync")
_decoder = msgspec.json.Decoder(Announcement)


def command(facts: Mapping[str, str]) -> tuple[str | bytes, ...]:
    """Return the announcement for the script of console.mirror.store, which makes it together with what it is about."""
    return ("announced", keys.FEED_NUMBER, keys.FEED, _signed(facts), CHANNEL, str(KEPT))


def announce(connection: redis.Redis, facts: Mapping[str, str]) -> None:
    """Announce something: the fields of an Announcement; raises redis.RedisError."""
    _, number, feed, *arguments = command(facts)
    connection.eval(_ANNOUNCE, 2, number, feed, *arguments)


def decoded(record: str | bytes) -> Announcement | None:
    """Return the announcement of a record; None, with a line in the log, when it is not ours or not understood."""
    if (body := verify(record, CHANNEL)) is None:
        return None
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as error:
        log.warning("announcement_not_understood", reason=str(error)[:200])
        return None


def _signed(facts: Mapping[str, str]) -> bytes:
    return sign(msgspec.json.encode(facts), CHANNEL)


class Announcements:
    """The fan-out of one process. The subscription lives while anybody listens."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Announcement]] = set()
        self._reader: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[asyncio.Queue[Announcement]]:
        """Yield a queue of announcements. A slow listener misses some and gets one `resync` for all of them."""
        queue: asyncio.Queue[Announcement] = asyncio.Queue(QUEUE)
        self._listeners.add(queue)
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
            if not self._listeners and self._reader is not None:
                self._reader.cancel()
                self._reader = None

    def _tell(self, announcement: Announcement) -> None:
        for queue in self._listeners:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(RESYNC)
            else:
                queue.put_nowait(announcement)

    def _take(self, data: bytes) -> None:
        if (announcement := decoded(data)) is not None:
            self._tell(announcement)

    async def _read(self) -> None:
        failures = 0
        while True:
            try:
                async with async_client() as client, client.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    heard_at = time.monotonic()
                    while True:
                        _end_if_cancelled()
                        message = await subscription.get_message(timeout=PING_SECONDS)
                        if message is None:
                            if time.monotonic() - heard_at > SILENT_SECONDS:
                                raise redis.TimeoutError("the subscription is silent")
                            # Not redis-py's own health check: it keeps the answer to itself.
                            await subscription.ping()
                            continue
                        heard_at = time.monotonic()
                        if message["type"] == "subscribe":
                            failures = 0
                            self._tell(RESYNC)  # what happened before is not known
                        elif message["type"] == "message":
                            self._take(message["data"])
            except (redis.RedisError, OSError) as error:
                failures += 1
                log.warning("announcements_interrupted", reason=type(error).__name__)
                part = 0.5 + random.random() / 2  # noqa: S311  spreads the retries, not a secret
                await asyncio.sleep(min(MAX_BACKOFF, 0.2 * 2 ** min(failures, 8)) * part)


def _end_if_cancelled() -> None:
    """Raise the cancellation of this task that redis-py kept to itself, as it does before Python 3.12.

    It waits with asyncio.wait_for, which then answers in place of a cancellation (CPython issue 86296).
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


announcements = Announcements()
