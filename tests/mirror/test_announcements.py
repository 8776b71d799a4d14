"""One subscription for a process, any number of listeners, none of which can hold up another."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import SimpleNamespace

import pytest
from redis.asyncio.client import PubSub
from structlog.testing import capture_logs

from console import redis_client
from console.mirror import announcements
from console.mirror.announcements import QUEUE, RESYNC, Announcement, Announcements
from console.redis_client import client
from console.signing import sign
from tests.support.announcing import announce

pytestmark = pytest.mark.usefixtures("redis_server")


async def subscribers(count: int) -> None:
    for _ in range(500):
        if client().pubsub_numsub("sluice:changes")[0][1] == count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not {count} subscribers")


async def test_every_listener_hears_what_is_told_through_one_subscription():
    fan = Announcements()
    async with fan.listen() as first, fan.listen() as second:
        assert await asyncio.wait_for(first.get(), 60) == RESYNC
        assert await asyncio.wait_for(second.get(), 60) == RESYNC
        await subscribers(1)
        announce("services", cluster="box", namespace="default", name="shop")
        told = Announcement("services", "box", "default", "shop")
        assert await asyncio.wait_for(first.get(), 60) == told
        assert await asyncio.wait_for(second.get(), 60) == told
    await subscribers(0)


async def test_a_slow_listener_gets_one_resync_for_all_that_it_missed():
    fan = Announcements()
    async with fan.listen() as slow:
        await asyncio.wait_for(slow.get(), 60)
        for number in range(QUEUE + 1):
            fan._tell(Announcement("services", name=str(number)))
        assert slow.get_nowait() == RESYNC
        assert slow.empty()


async def test_what_is_no_announcement_is_skipped():
    fan = Announcements()
    async with fan.listen() as queue:
        await asyncio.wait_for(queue.get(), 60)
        for rubbish in (b"{", b"[]", b'{"kind": 5}', b"\xff"):
            client().publish("sluice:changes", rubbish)
            client().publish("sluice:changes", sign(rubbish, "sluice:changes"))
        client().publish("sluice:changes", b'{"kind": "operation", "id": "6"}')  # of somebody who has not our key
        announce("operation", id="7")
        assert (await asyncio.wait_for(queue.get(), 60)).id == "7"


async def test_after_redis_was_away_listeners_are_told_to_look_again(redis_server):
    fan = Announcements()
    async with fan.listen() as queue:
        await asyncio.wait_for(queue.get(), 60)
        redis_server.kill()
        await asyncio.to_thread(redis_server.start)
        assert await asyncio.wait_for(queue.get(), 60) == RESYNC
        announce("services", cluster="box")
        assert (await asyncio.wait_for(queue.get(), 60)).cluster == "box"


async def test_a_listener_may_come_while_redis_is_away(redis_server):
    fan = Announcements()
    redis_server.kill()
    try:
        async with fan.listen() as queue:
            await asyncio.sleep(0)
            await asyncio.to_thread(redis_server.start)
            assert await asyncio.wait_for(queue.get(), 60) == RESYNC
    finally:
        if redis_server.process.poll() is not None:
            redis_server.start()


async def test_a_quiet_redis_that_answers_is_not_left(monkeypatch):
    """Nothing happens for long, and each PING is answered: pages are not made to look again."""
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(announcements, "time", clock)
    monkeypatch.setattr(announcements, "PING_SECONDS", 0.02)
    fan = Announcements()
    async with fan.listen() as queue:
        assert await asyncio.wait_for(queue.get(), 60) == RESYNC
        with capture_logs() as logs:
            for _ in range(12):
                clock.now += announcements.SILENT_SECONDS / 4
                await pings(2)
        assert logs == []
        assert queue.empty()


async def pings(count: int) -> None:
    """Wait until Redis got so many more."""

    def so_far() -> int:
        return client().info("commandstats").get("cmdstat_ping", {"calls": 0})["calls"]

    until = so_far() + count
    async with asyncio.timeout(60):
        while so_far() < until:
            await asyncio.sleep(0.01)


async def test_a_redis_that_falls_silent_is_left(redis_server, monkeypatch):
    """It takes the PING and answers nothing, as behind a dead link: the subscription is made again."""
    monkeypatch.setattr(announcements, "PING_SECONDS", 0.05)
    monkeypatch.setattr(announcements, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(redis_client, "TIMEOUT", 0.2)
    fan = Announcements()
    async with fan.listen() as queue:
        await asyncio.wait_for(queue.get(), 60)
        with capture_logs() as logs:
            redis_server.freeze()
            try:
                async with asyncio.timeout(60):
                    while not any(line["event"] == "announcements_interrupted" for line in logs):
                        await asyncio.sleep(0.05)
            finally:
                redis_server.thaw()
        assert await asyncio.wait_for(queue.get(), 60) == RESYNC


async def test_the_subscription_ends_when_redis_py_keeps_a_cancellation_to_itself(monkeypatch):
    """It waits with asyncio.wait_for, which before Python 3.12 answers in place of a cancellation."""
    subscribe = PubSub.subscribe

    async def subscribe_whatever_comes(self, *channels):
        await subscribe(self, *channels)
        asyncio.current_task().cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)

    monkeypatch.setattr(PubSub, "subscribe", subscribe_whatever_comes)
    fan = Announcements()
    async with fan.listen():
        await asyncio.wait([fan._reader], timeout=60)
        assert fan._reader.cancelled()
