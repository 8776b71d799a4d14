"""The event stream: who may listen to what, and that it tells and ends."""

from __future__ import annotations

import asyncio
import functools
import uuid
from collections import deque

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import AsyncClient

from console.knative.references import ServiceRef
from console.mirror.announcements import Announcement
from console.operations.models import Operation
from console.sealing import seal
from console.web import stream
from console.web.live import hub
from console.web.topics import Topic
from tests.support.announcing import announce

WAIT = 60  # seconds


@pytest.fixture
def listener(mirror, people):
    """Sign a person in; returns a function that opens the stream."""

    async def listen(who: str, topic: str, client: AsyncClient | None = None):
        if client is None:
            client = AsyncClient()
            await client.aforce_login(people[who])
        return await client.get(f"/stream/?topic={topic}")

    return listen


async def leave(events) -> None:
    """Go away as a browser does: the server cancels what waits for the next event."""
    waiting = asyncio.create_task(anext(events))
    await asyncio.wait([waiting], timeout=0.05)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


def in_a_loop(test):
    """Run the test in an event loop whose synchronous parts run in this thread, within its transaction."""

    @functools.wraps(test)
    def run(*args, **kwargs) -> None:
        async_to_sync(test)(*args, **kwargs)

    return run


async def next_event(events, name: str) -> None:
    """Read until the event comes; raises TimeoutError."""
    async with asyncio.timeout(WAIT):
        async for chunk in events:
            if f"event: {name}".encode() in chunk:
                return
    raise AssertionError(f"the stream ended before {name}")


@in_a_loop
async def test_a_change_of_the_service_is_told_and_of_another_not(listener) -> None:
    response = await listener("viewer", "service:box/default/shop")
    assert response["Content-Type"] == "text/event-stream"
    events = aiter(response.streaming_content)
    await next_event(events, "hello")
    telling = asyncio.create_task(next_event(events, "changed"))
    while not telling.done():  # the subscription may begin a moment after the greeting
        announce("services", cluster="box", namespace="default", name="other")
        announce("services", cluster="box", namespace="default", name="shop")
        await asyncio.sleep(0.05)
    await telling
    await events.aclose()


SHOP, OTHER = (ServiceRef("box", "default", name) for name in ("shop", "other"))


def test_only_what_a_topic_is_about_concerns_it() -> None:
    told = Announcement("revisions", "box", "default", "shop")
    other = Announcement("revisions", "box", "default", "other")
    everything = Announcement("services", "box")
    resync = Announcement("resync")
    shop = Topic(f"service:{SHOP}", SHOP)
    assert [shop.concerns(one) for one in (told, other, everything, resync)] == [True, False, True, True]
    finished = Announcement("operation", "box", "default", "shop", id="1")
    assert [Topic(f"operation:{number}", SHOP).concerns(finished) for number in "12"] == [True, False]
    assert [Topic("operations").concerns(one) for one in (finished, told, everything)] == [True, False, False]
    assert [Topic("services").concerns(one) for one in (finished, told, everything)] == [True, False, True]


@pytest.mark.parametrize(
    ("who", "topic"),
    [
        ("stranger", "service:box/default/shop"),
        ("nobody", "service:box/default/shop"),
        ("viewer", "service:box/other/shop"),
        ("viewer", "service:box/default"),
        ("viewer", "operation:nonsense"),
        ("viewer", f"operation:{uuid.UUID(int=1)}"),
        ("viewer", "everything"),
    ],
)
@in_a_loop
async def test_a_topic_that_a_person_may_not_hear_does_not_exist(listener, who: str, topic: str) -> None:
    assert (await listener(who, topic)).status_code == 404


@in_a_loop
async def test_an_operation_of_another_team_does_not_exist(listener) -> None:
    operation = await Operation.objects.acreate(
        cluster="box", namespace="default", name="shop", kind="SetEnv", sealed_change=seal({}), sealed_seen=seal({})
    )
    assert (await listener("stranger", f"operation:{operation.id}")).status_code == 404


@in_a_loop
async def test_the_stream_ends_when_the_right_is_taken_away(listener, people, monkeypatch) -> None:
    monkeypatch.setattr(hub, "RECHECK_SECONDS", 0.0)
    monkeypatch.setattr(hub, "HEARTBEAT_SECONDS", 0.05)
    response = await listener("viewer", "service:box/default/shop")
    events = aiter(response.streaming_content)
    await next_event(events, "hello")
    await people["viewer"].memberships.all().adelete()
    async with asyncio.timeout(WAIT):
        async for _ in events:
            pass  # heartbeats, until it ends


def sign_out(person) -> None:
    Session.objects.all().delete()


def change_password(person) -> None:
    person.set_password("another-password-1")
    person.save()


def deactivate(person) -> None:
    person.is_active = False
    person.save()


def grow_old(person) -> None:
    for session in Session.objects.all():
        store = SessionStore(session.session_key)
        store["sluice_began"] = 0
        store.save()


@pytest.mark.parametrize("happens", [sign_out, change_password, deactivate, grow_old])
@in_a_loop
async def test_the_stream_ends_with_the_session(listener, people, monkeypatch, happens) -> None:
    monkeypatch.setattr(hub, "RECHECK_SECONDS", 0.0)
    monkeypatch.setattr(hub, "HEARTBEAT_SECONDS", 0.05)
    response = await listener("viewer", "services")
    events = aiter(response.streaming_content)
    await next_event(events, "hello")
    await sync_to_async(happens)(people["viewer"])
    async with asyncio.timeout(WAIT):
        async for _ in events:
            pass  # heartbeats, until it ends


def test_session_and_rights_are_read_again_within_half_a_minute() -> None:
    """The next step is never later than this: waiting for an announcement ends in time for it."""
    assert hub.RECHECK_SECONDS + hub.TICK_SECONDS + hub.PAUSE_SECONDS < 30


@in_a_loop
async def test_all_streams_end_when_the_process_stops(listener) -> None:
    responses = [await listener("viewer", topic) for topic in ("services", "service:box/default/shop")]
    streams = [aiter(response.streaming_content) for response in responses]
    for events in streams:
        await next_event(events, "hello")
    stream.end_all()
    async with asyncio.timeout(WAIT):
        for events in streams:
            assert [chunk async for chunk in events] == []


@in_a_loop
async def test_anonymous_is_sent_to_the_sign_in_page(mirror, db) -> None:
    response = await AsyncClient().get("/stream/?topic=services")
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@in_a_loop
async def test_one_stream_greets_and_tells_of_each_of_its_topics(listener) -> None:
    response = await listener("viewer", "services&topic=service:box/default/shop")
    events = aiter(response.streaming_content)
    async with asyncio.timeout(WAIT):
        greeting = await anext(events)
    for topic in (b"services", b"service:box/default/shop"):
        assert b"event: hello\ndata: " + topic + b"\n\n" in greeting
    telling = asyncio.create_task(next_event(events, "changed\ndata: service:box/default/shop"))
    while not telling.done():
        announce("revisions", cluster="box", namespace="default", name="shop")
        await asyncio.sleep(0.05)
    await telling
    await events.aclose()


@in_a_loop
async def test_a_topic_that_may_not_be_heard_is_gone_and_the_others_go_on(listener) -> None:
    response = await listener("viewer", "services&topic=service:box/other/shop&topic=operation:nonsense")
    events = aiter(response.streaming_content)
    heard = b""
    async with asyncio.timeout(WAIT):
        while b"operation:nonsense" not in heard:
            heard += await anext(events)
    assert b"event: gone\ndata: service:box/other/shop\n\n" in heard
    assert b"event: hello\ndata: services\n\n" in heard
    assert heard.count(b"hello") == 1
    await events.aclose()


@in_a_loop
async def test_a_topic_whose_right_is_taken_away_is_gone_while_the_stream_goes_on(
    listener, people, monkeypatch
) -> None:
    monkeypatch.setattr(hub, "RECHECK_SECONDS", 0.0)
    monkeypatch.setattr(hub, "HEARTBEAT_SECONDS", 0.05)
    response = await listener("viewer", "services&topic=service:box/default/shop")
    events = aiter(response.streaming_content)
    await next_event(events, "hello")
    await people["viewer"].memberships.all().adelete()
    await next_event(events, "gone\ndata: service:box/default/shop")
    async with asyncio.timeout(WAIT):  # a subscription that began late may tell of a change first
        while b"event: position" not in await anext(events):
            pass
    await events.aclose()


@in_a_loop
async def test_a_browser_that_leaves_while_something_is_told_ends_the_stream(listener) -> None:
    """Before Python 3.12 asyncio.wait_for answers in place of a cancellation: the stream went on for nobody."""
    response = await listener("viewer", "services")
    reading = asyncio.create_task(read_all(response.streaming_content))
    async with asyncio.timeout(WAIT):
        while not stream.count():
            await asyncio.sleep(0.01)
        (viewer,) = hub.hub.viewers
        while viewer._queue._getters == deque():
            await asyncio.sleep(0.01)
    viewer.send(b"data: something")
    reading.cancel()
    await asyncio.wait([reading], timeout=WAIT)
    assert reading.cancelled()
    assert stream.count() == 0


async def read_all(content) -> None:
    async for _ in content:
        pass


@pytest.mark.parametrize("topic", ["service:box/default/a%0Aevent:%20changed", "services:more", "service:box/a/b/c"])
@in_a_loop
async def test_what_is_no_topic_is_never_repeated_in_the_stream(listener, topic: str) -> None:
    assert (await listener("viewer", topic)).status_code == 404
    response = await listener("viewer", f"services&topic={topic}")
    events = aiter(response.streaming_content)
    async with asyncio.timeout(WAIT):
        assert (await anext(events)).count(b"event: changed") == 1  # what the page about services shows is not known
    await events.aclose()


@in_a_loop
async def test_a_stream_of_too_many_topics_is_refused(listener) -> None:
    topics = "&topic=".join(f"service:box/default/s{number}" for number in range(stream.MAX_TOPICS + 1))
    assert (await listener("administrator", topics)).status_code == 400


@in_a_loop
async def refused_beyond_two(listener, client: AsyncClient | None) -> None:
    """Hold two streams, in one session where there is a client; the third is refused in words until one closes."""
    streams = [aiter((await listener("viewer", "services", client)).streaming_content) for _ in range(2)]
    for events in streams:
        await next_event(events, "hello")
    refused = await listener("viewer", "services", client)
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert b"Too many live connections" in refused.content
    assert (await listener("owner", "services")).status_code == 200
    await leave(streams.pop())
    assert (await listener("viewer", "services", client)).status_code == 200
    await leave(streams.pop())


def test_one_stream_more_than_a_person_may_hold_is_refused_in_words(listener, monkeypatch) -> None:
    monkeypatch.setattr(stream, "MAX_OF_PERSON", 2)
    refused_beyond_two(listener, None)


def test_one_stream_more_than_a_session_may_hold_is_refused_in_words(listener, people, monkeypatch) -> None:
    monkeypatch.setattr(stream, "MAX_OF_SESSION", 2)
    client = AsyncClient()
    client.force_login(people["viewer"])
    refused_beyond_two(listener, client)


def test_processes_that_share_a_socket_share_what_a_person_may_hold(listener, monkeypatch, settings) -> None:
    settings.WEB_PROCESSES = 3
    monkeypatch.setattr(stream, "MAX_OF_PERSON", 6)
    refused_beyond_two(listener, None)


@in_a_loop
async def test_streams_that_were_let_in_at_the_same_moment_are_counted_too(listener, monkeypatch) -> None:
    monkeypatch.setattr(stream, "MAX_OF_PERSON", 2)
    streams = [aiter((await listener("viewer", "services")).streaming_content) for _ in range(5)]
    first = [await anext(events) for events in streams]
    assert [b"event: hello" in chunk for chunk in first] == [True, True, False, False, False]
    assert first[2] == b"retry: 60000\n\n"
    for events in streams:
        await leave(events)
    assert stream.count() == 0
