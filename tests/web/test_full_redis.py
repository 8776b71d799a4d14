"""A Redis that is full (maxmemory with noeviction) refuses every write: pages work on, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import AsyncClient, Client

from console.access.actors import Actor
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.mirror import feed, keys
from console.redis_client import client as redis
from console.web.live import hub
from tests.broker import broker
from tests.operations.conftest import deployer
from tests.operations.factories import World
from tests.operations.steps import submit
from tests.redis_server import RedisServer
from tests.web.pages import read
from tests.web.test_live_rows import Browser
from tests.web.test_stream import in_a_loop

__all__ = ["deployer"]

SECOND = SetEnv("app", (EnvEntry("TARGET", "Second"),))
PAGES = ("/", "/services/box/default/shop/", "/services/box/default/shop/revisions/", "/operations/", "/revisions/")


@pytest.fixture
def full(redis_server: RedisServer) -> Iterator[None]:
    """Call it full from now on; room for what comes after the test."""
    redis().config_set("maxmemory-policy", "noeviction")
    redis().config_set("maxmemory", "1")
    yield
    redis().config_set("maxmemory", "0")


@pytest.mark.parametrize("is_new", [False, True], ids=["known feed", "feed that was never begun"])
def test_pages_are_shown(client: Client, mirror, people, redis_server, is_new: bool, request) -> None:
    feed.end()
    if is_new:
        redis().delete(keys.FEED_EPOCH)
    client.force_login(people["owner"])
    request.getfixturevalue("full")
    assert [client.get(path).status_code for path in PAGES] == [200] * len(PAGES)
    assert "shop" in read(client.get("/")).text


def test_a_change_that_cannot_be_handed_over_is_kept_for_the_sweep(
    world: World, ref: ServiceRef, deployer: Actor, redis_server, django_capture_on_commit_callbacks, full
) -> None:
    with broker(f"redis+socket://{redis_server.socket}"), django_capture_on_commit_callbacks(execute=True):
        operation = submit(SECOND, ref, deployer)
    operation.refresh_from_db()
    assert (operation.status, operation.handed_over_at) == ("queued", None)


@in_a_loop
async def test_a_stream_whose_feed_cannot_be_begun_says_that_updates_are_paused(
    mirror, people, monkeypatch, redis_server, full
) -> None:
    monkeypatch.setattr(hub, "RETRY_PAUSE", 0.0)
    client = AsyncClient()
    await client.aforce_login(people["viewer"])
    browser = Browser(client, "operations", "")
    redis().delete(keys.FEED_EPOCH)
    events = await browser.open()
    await browser.until(events, "paused")
    redis().config_set("maxmemory", "0")
    await browser.until(events, "hello")
    await events.aclose()
