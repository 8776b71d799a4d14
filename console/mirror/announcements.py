"""Telling browsers: one Redis subscription for a whole process, fanned out to bounded queues."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import redis
import structlog

from console.redis_client import CHANNEL, async_client

QUEUE = 32
MAX_BACKOFF = 30.0  # seconds

log = structlog.get_logger(__name__)


class Announcement(msgspec.Struct, frozen=True):
    """Something changed: a kind (services, revisions, pods, operation, ..., or resync: something was missed)."""

    kind: str
    cluster: str = ""
    namespace: str = ""
    name: str = ""
    id: str = ""


RESYNC = Announcement("resync")
_decoder = msgspec.json.Decoder(Announcement)


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
            if not self._listeners and self._reader:
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

    async def _read(self) -> None:
        failures = 0
        while True:
            try:
                async with async_client() as client, client.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    if failures:
                        self._tell(RESYNC)
                    failures = 0
                    async for message in subscription.listen():
                        if message["type"] == "message":
                            self._tell(_decoder.decode(message["data"]))
            except (redis.RedisError, OSError, msgspec.DecodeError) as error:
                failures += 1
                log.warning("announcements_interrupted", reason=type(error).__name__)
                await asyncio.sleep(min(MAX_BACKOFF, 0.2 * 2 ** min(failures, 8)) * (0.5 + random.random() / 2))  # noqa: S311


announcements = Announcements()
