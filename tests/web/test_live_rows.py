"""Rows of the services list in the event stream: who is sent which, and that none is lost or sent twice."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import NamedTuple

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connections
from django.http import QueryDict
from django.test import AsyncClient
from django.utils import timezone

from console.access.authorization import rights_of
from console.access.models import Grant, Membership, Role, Team
from console.access.permissions import Permission
from console.cluster.resources import REVISIONS, SERVICES
from console.mirror import feed, keys
from console.mirror.feed import Position
from console.operations.models.protection import FreezeWindow, ProtectionRule
from console.redis_client import client as redis
from console.web.live import frames, hub, surroundings, viewers
from console.web.live.surroundings import Surroundings
from console.web.topics import topic_of_list, topic_of_part
from tests import factories
from tests.support.announcing import announce
from tests.web.test_stream import WAIT, in_a_loop, leave

SHOP, CART, THEIRS = "uid-shop", "uid-cart", "uid-theirs"


class Event(NamedTuple):
    name: str
    lines: tuple[str, ...]


@pytest.fixture
def cluster(mirror):
    """Shop and cart in default, and a service in other, which only its own team sees."""
    for name, namespace in (("shop", "default"), ("cart", "default"), ("theirs", "other")):
        mirror.put(SERVICES, changed(name, 0, namespace))
    return mirror


def changed(name: str, number: int, namespace: str = "default") -> dict:
    """The service as the cluster has it after somebody of that number changed it."""
    raw = factories.service(name, namespace)
    raw["metadata"]["uid"] = f"uid-{name}"
    raw["metadata"]["annotations"]["serving.knative.dev/lastModifier"] = f"person-{number}@shop.example"
    return raw


class Browser:
    """A page of the list and its stream. It comes back as an EventSource does: with the position that it heard last."""

    def __init__(self, client: AsyncClient, topic: str, since: str) -> None:
        self.client, self.topic, self.position = client, topic, ""
        self.since = since
        self.heard: list[Event] = []
        self._rest = b""

    async def open(self):
        headers = {"Last-Event-ID": self.position} if self.position else {}
        query = {"topic": self.topic, "since": self.since}
        response = await self.client.get("/stream/", query, headers=headers)
        assert response.status_code == 200, response.status_code
        self._rest = b""
        return aiter(response.streaming_content)

    async def until(self, events, name: str, text: str = "") -> Event:
        """Read until an event of the name that has the text; raises TimeoutError."""
        async with asyncio.timeout(WAIT):
            while True:
                begin = len(self.heard)
                self._take(await anext(events))
                for event in self.heard[begin:]:
                    if event.name == name and text in "".join(event.lines):
                        return event

    def _take(self, piece: bytes) -> None:
        *whole, self._rest = (self._rest + piece).split(b"\n\n")
        for block in whole:
            fields = [line.partition(": ")[::2] for line in block.decode().split("\n")]
            lines = tuple(value for name, value in fields if name == "data")
            self.position = next((value for name, value in fields if name == "id"), self.position)
            self.heard.append(Event(next((value for name, value in fields if name == "event"), ""), lines))

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Id and HTML of each row that was sent."""
        found = [json.loads(event.lines[2]) for event in self.heard if event.name == "rows"]
        return [pair for one in found for pair in one.items()]

    def told(self, name: str) -> int:
        return sum(event.name == name for event in self.heard)

    @asynccontextmanager
    async def listening(self):
        """A stream that has greeted, closed at the end."""
        events = await self.open()
        await self.until(events, "hello")
        try:
            yield events
        finally:
            await events.aclose()


@pytest.fixture
def browse(cluster, people):
    """Sign a person in on the list; returns the browser of a page that shows what there is now."""

    async def begin(who: str, query: str = "", uids: tuple[str, ...] = (SHOP, CART, THEIRS)) -> Browser:
        client = AsyncClient()
        await client.aforce_login(people[who])
        return Browser(client, topic_of_list(QueryDict(query), uids), str(feed.end()))

    return begin


@in_a_loop
async def test_the_row_that_changed_is_sent_as_the_page_shows_it(browse, cluster) -> None:
    browser = await browse("viewer")
    async with browser.listening() as events:
        cluster.put(SERVICES, changed("shop", 7))
        await browser.until(events, "rows", "person-7@")
    page = await browser.client.get("/")
    (row,) = browser.rows
    assert row[0] == f"row-{SHOP}"
    assert row[1] in page.content.decode()
    assert browser.told("changed") == 0


@in_a_loop
async def test_a_page_that_shows_all_until_now_is_not_told_to_look_again(browse) -> None:
    browser = await browse("viewer")
    async with browser.listening():
        assert [event.name for event in browser.heard] == ["hello", "position"]


@in_a_loop
async def test_the_page_says_itself_until_where_it_shows_what_it_is_about(browse, cluster) -> None:
    browser = await browse("viewer")
    before = str(feed.end())
    page = (await browser.client.get("/")).content.decode()
    assert f'data-position="{before}"' in page
    found = re.search('data-topic="([^"]+)"', page)
    assert found is not None
    browser.topic, browser.since = found[1].replace("&amp;", "&"), before
    async with browser.listening() as events:
        cluster.put(SERVICES, changed("cart", 1))
        await browser.until(events, "rows", "person-1@")


@in_a_loop
async def test_a_row_that_the_page_does_not_have_is_not_sent(browse, cluster) -> None:
    browser = await browse("viewer", uids=(SHOP,))
    async with browser.listening() as events:
        cluster.put(SERVICES, changed("cart", 1))
        cluster.put(SERVICES, changed("shop", 2))
        await browser.until(events, "rows", "person-2@")
    assert [row for row, _ in browser.rows] == [f"row-{SHOP}"]
    assert browser.told("changed") == 0


@in_a_loop
async def test_replicas_that_changed_come_with_the_row(browse, cluster) -> None:
    browser = await browse("viewer")
    revision = factories.revision(number=4)
    revision["status"] |= {"actualReplicas": 7, "desiredReplicas": 8}
    async with browser.listening() as events:
        cluster.put(SERVICES, serving(changed("shop", 1), "shop-00004"))
        cluster.put(REVISIONS, revision)
        await browser.until(events, "rows", "7/8")


def labelled(name: str, number: int, **labels: str) -> dict:
    raw = changed(name, number)
    raw["metadata"]["labels"] = labels
    return raw


def serving(raw: dict, revision: str) -> dict:
    raw["status"]["traffic"] = [{"revisionName": revision, "percent": 100}]
    return raw


def failed(raw: dict) -> dict:
    raw["status"]["conditions"] = [{"type": "Ready", "status": "False", "reason": "RevisionFailed", "message": "no"}]
    return raw


@pytest.mark.parametrize(
    ("query", "change"),
    [
        ("", lambda mirror: mirror.put(SERVICES, changed("new", 1))),
        ("", lambda mirror: mirror.drop(SERVICES, changed("cart", 1))),
        ("", lambda mirror: mirror.put(SERVICES, failed(changed("cart", 1)))),  # it is told of above the rows
        ("health=failed", lambda mirror: mirror.put(SERVICES, failed(changed("cart", 1)))),
        ("health=ready", lambda mirror: mirror.put(SERVICES, failed(changed("cart", 1)))),
        ("q=tier%3Dblue", lambda mirror: mirror.put(SERVICES, labelled("cart", 1, tier="blue"))),
        ("sort=health&page=2", lambda mirror: mirror.put(SERVICES, failed(changed("cart", 1)))),
        ("", lambda mirror: mirror.replace_all(SERVICES, [changed("shop", 1)])),
        ("", lambda _: announce("operation", cluster="box", namespace="default", name="cart", id="1")),
    ],
    ids=[
        "created",
        "deleted",
        "failed",
        "passes the filter",
        "passes it no more",
        "is found by a label",
        "moves on another page",
        "listed again",
        "an operation that changes nothing",
    ],
)
@in_a_loop
async def test_a_page_looks_again_where_rows_come_leave_or_move(browse, cluster, query: str, change) -> None:
    browser = await browse("viewer", query)
    async with browser.listening() as events:
        change(cluster)
        cluster.put(SERVICES, changed("shop", 9))
        await browser.until(events, "rows", "person-9@") if not query else await browser.until(events, "changed")
    is_nothing = change.__code__.co_names[:1] == ("announce",)
    assert (browser.told("changed") > 0) != is_nothing


@in_a_loop
async def test_who_may_not_see_a_service_is_never_sent_its_row(browse, cluster) -> None:
    stranger, viewer = await browse("stranger"), await browse("viewer")
    async with stranger.listening() as theirs, viewer.listening() as events:
        cluster.put(SERVICES, changed("shop", 3))
        cluster.put(SERVICES, changed("theirs", 4, "other"))
        cluster.put(SERVICES, changed("cart", 5))
        await stranger.until(theirs, "rows", "person-4@")
        await viewer.until(events, "rows", "person-5@")
    assert {row for row, _ in stranger.rows} == {f"row-{THEIRS}"}
    assert {row for row, _ in viewer.rows} == {f"row-{SHOP}", f"row-{CART}"}


@in_a_loop
async def test_who_lost_the_right_is_sent_no_row_and_does_not_get_what_was_missed(
    browse, cluster, people, monkeypatch
) -> None:
    monkeypatch.setattr(hub, "RECHECK_SECONDS", 0.0)
    monkeypatch.setattr(hub, "HEARTBEAT_SECONDS", 0.05)
    browser = await browse("viewer")
    async with browser.listening() as events:
        await people["viewer"].memberships.all().adelete()
        await browser.until(events, "changed")
        cluster.put(SERVICES, changed("shop", 6))
        await browser.until(events, "position")
        await browser.until(events, "position")
    browser.position, browser.since = "", str(feed.end())
    cluster.put(SERVICES, changed("shop", 7))
    async with browser.listening():
        pass
    assert browser.rows == []


@pytest.fixture
def fronts(people) -> Grant:
    """Let nobody see what is labelled as a front."""
    team = Team.objects.create(name="fronts")
    Membership.objects.create(user=people["nobody"], team=team)
    role = Role.objects.create(name="front viewer", permissions=[Permission.VIEW])
    return Grant.objects.create(team=team, role=role, cluster="box", namespace="default", selector="tier=front")


@in_a_loop
async def test_a_row_comes_and_goes_with_the_label_that_a_grant_selects_by(browse, cluster, fronts) -> None:
    for name in ("shop", "cart"):
        cluster.put(SERVICES, labelled(name, 0, tier="back"))
    browser = await browse("nobody")
    async with browser.listening() as events:
        cluster.put(SERVICES, labelled("shop", 1, tier="front"))
        await browser.until(events, "changed")  # it may be seen now
        cluster.put(SERVICES, labelled("shop", 2, tier="front"))
        await browser.until(events, "rows", "person-2@")
        cluster.put(SERVICES, labelled("shop", 3, tier="back"))
        await browser.until(events, "changed")  # and no more
        cluster.put(SERVICES, labelled("cart", 4, tier="front"))
        await browser.until(events, "rows", "person-4@")
    assert "person-3@" not in str(browser.heard)


def grant_ends(fronts: Grant) -> None:
    fronts.delete()


def role_may_no_more(fronts: Grant) -> None:
    Role.objects.filter(pk=fronts.role_id).update(permissions=[Permission.AUDIT])


def membership_runs_out(fronts: Grant) -> None:
    Membership.objects.filter(team=fronts.team_id).update(expires_at=timezone.now())


@pytest.mark.parametrize("ends", [grant_ends, role_may_no_more, membership_runs_out])
@in_a_loop
async def test_however_a_right_ends_its_rows_end_with_it_and_come_back_with_it(
    browse, cluster, people, fronts, monkeypatch, ends
) -> None:
    monkeypatch.setattr(hub, "RECHECK_SECONDS", 0.0)
    cluster.put(SERVICES, labelled("shop", 1, tier="front"))
    browser, owner = await browse("nobody"), await browse("owner")
    async with browser.listening() as events, owner.listening() as of_owner:
        await sync_to_async(ends)(fronts)
        await browser.until(events, "changed")
        cluster.put(SERVICES, labelled("shop", 2, tier="front"))
        await owner.until(of_owner, "rows", "person-2@")
        team = await Team.objects.acreate(name="others")
        await Membership.objects.acreate(user=people["nobody"], team=team)
        role = await Role.objects.acreate(name="other viewer", permissions=[Permission.VIEW])
        await Grant.objects.acreate(team=team, role=role, cluster="*", namespace="default")
        await browser.until(events, "changed")
        cluster.put(SERVICES, labelled("shop", 3, tier="front"))
        await browser.until(events, "rows", "person-3@")
    assert [person(html) for _, html in browser.rows] == [3]


@in_a_loop
async def test_a_browser_that_comes_back_is_sent_what_it_missed(browse, cluster) -> None:
    browser, other = await browse("viewer"), await browse("owner")
    async with other.listening():  # the process went on meanwhile
        async with browser.listening() as events:
            cluster.put(SERVICES, changed("shop", 1))
            await browser.until(events, "rows", "person-1@")
            await browser.until(events, "position") if browser.heard[-1].name != "position" else None
        cluster.put(SERVICES, changed("cart", 2))
        async with browser.listening():
            assert [row for row, _ in browser.rows] == [f"row-{SHOP}", f"row-{CART}"]
    assert browser.told("changed") == 0


@in_a_loop
async def test_a_row_is_rendered_once_whatever_the_number_of_viewers(browse, cluster) -> None:
    browsers = [await browse("viewer") for _ in range(10)]
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(browser.listening()) for browser in browsers]
        frames._pair.cache_clear()
        cluster.put(SERVICES, changed("shop", 1))
        for browser, events in zip(browsers, streams, strict=True):
            await browser.until(events, "rows", "person-1@")
        assert frames._pair.cache_info().misses == 1


@in_a_loop
async def test_a_browser_that_takes_nothing_is_dropped_and_recovers(browse, cluster, monkeypatch) -> None:
    monkeypatch.setattr(viewers, "QUEUE", 2)
    monkeypatch.setattr(hub, "PAUSE_SECONDS", 0.0)
    slow, quick = await browse("viewer"), await browse("owner")
    async with quick.listening() as events:
        async with slow.listening() as held:
            for number in range(1, 6):
                cluster.put(SERVICES, changed("shop", number))
                await quick.until(events, "rows", f"person-{number}@")
            assert [piece async for piece in held] == []
        async with slow.listening():
            assert [person(html) for _, html in slow.rows] == [5]


@pytest.mark.parametrize("lost", ["epoch", "too much", "nonsense", "the future"])
@in_a_loop
async def test_a_browser_looks_again_where_what_it_missed_is_not_known(browse, lost: str) -> None:
    browser = await browse("viewer")
    here = feed.end()
    if lost == "epoch":
        redis().delete(keys.FEED_EPOCH)
    if lost == "too much":
        redis().incrby(keys.FEED_NUMBER, feed.MAX_BACK + 1)
    browser.since = {"nonsense": "x' or 1", "the future": f"{here.epoch}.{here.number + 5}"}.get(lost, browser.since)
    async with browser.listening():
        assert browser.told("changed") == 1


@in_a_loop
async def test_a_row_that_becomes_what_it_was_before_redis_lost_the_feed_is_sent(browse, cluster) -> None:
    browser = await browse("viewer")
    async with browser.listening() as events:
        cluster.put(SERVICES, changed("shop", 1))
        await browser.until(events, "rows", "person-1@")
        cluster.put(SERVICES, changed("shop", 2))
        redis().delete(keys.FEED_EPOCH)  # before the hub has looked: it never hears of person-2
        await browser.until(events, "changed")  # and the page shows it
        begin = len(browser.heard)
        cluster.put(SERVICES, changed("shop", 1))
        await browser.until(events, "rows", "person-1@")
        assert len(browser.heard) > begin


@in_a_loop
async def test_pages_hear_of_a_rule_a_freeze_and_a_cluster_that_nobody_announced(
    browse, cluster, people, monkeypatch
) -> None:
    """Rows have marks of them, and pages of services say why something cannot be done now."""
    monkeypatch.setattr(surroundings, "OLD_AFTER", 0.0)
    monkeypatch.setattr(hub, "TICK_SECONDS", 0.02)
    browser = await browse("owner")
    service = Browser(browser.client, topic_of_part("service", "box/default/shop"), browser.since)
    async with browser.listening() as events, service.listening() as of_service:
        rule = await ProtectionRule.objects.acreate(permissions=["deploy"])
        await browser.until(events, "changed")
        await service.until(of_service, "part", "versions")
        await ProtectionRule.objects.filter(id=rule.id).aupdate(note="ask Ada")
        await browser.until(events, "changed")
        now = timezone.now()
        begins, ends = (f"{now + timedelta(days=days):%Y-%m-%dT%H:%M}" for days in (-1, 1))
        await FreezeWindow.objects.acreate(permissions=["deploy"], begins=begins, ends=ends)
        await browser.until(events, "changed")
        await service.until(of_service, "part", ends[:10])
        redis().sadd(keys.CLUSTERS, "another")
        await browser.until(events, "changed")


@in_a_loop
async def test_a_page_that_was_hidden_hears_of_a_rule_that_its_process_saw_meanwhile(
    browse, people, monkeypatch
) -> None:
    monkeypatch.setattr(surroundings, "OLD_AFTER", 0.0)
    monkeypatch.setattr(hub, "TICK_SECONDS", 0.02)
    hidden, other = await browse("owner"), await browse("owner")
    service = Browser(hidden.client, topic_of_part("service", "box/default/shop"), hidden.since)
    async with other.listening() as events:
        await ProtectionRule.objects.acreate(permissions=["deploy"])
        await other.until(events, "changed")
        async with hidden.listening(), service.listening():
            assert (hidden.told("changed"), service.told("part")) == (1, 1)


async def look_once(browser: Browser) -> None:
    """Begin a stream and end it; nobody else has one, so that the process looks no more."""
    events = await browser.open()
    await browser.until(events, "hello")
    await leave(events)
    async with asyncio.timeout(WAIT):
        while hub.hub.viewers:
            await asyncio.sleep(0)


@in_a_loop
async def test_a_page_hears_of_a_rule_that_came_while_no_process_looked(browse, people) -> None:
    browser, before = await browse("owner"), await browse("owner")
    service = Browser(browser.client, topic_of_part("service", "box/default/shop"), browser.since)
    await look_once(before)
    await ProtectionRule.objects.acreate(permissions=["deploy"])
    async with browser.listening():
        assert browser.told("changed") == 1
    async with service.listening():
        assert service.told("part") == 1
    async with browser.listening():
        assert browser.told("changed") == 1, "it has heard of it"


@in_a_loop
async def test_a_page_hears_of_a_rule_that_is_seen_in_the_very_step_in_which_it_joins(
    browse, people, monkeypatch
) -> None:
    monkeypatch.setattr(surroundings, "OLD_AFTER", 600.0)
    monkeypatch.setattr(hub, "TICK_SECONDS", 600.0)
    other, browser = await browse("owner"), await browse("owner")
    service = Browser(browser.client, topic_of_part("service", "box/default/shop"), browser.since)
    async with other.listening():
        await ProtectionRule.objects.acreate(permissions=["deploy"])
        monkeypatch.setattr(surroundings, "OLD_AFTER", 0.0)
        async with browser.listening(), service.listening():
            assert (browser.told("changed"), service.told("part")) == (1, 1)


def test_what_several_processes_see_is_announced_by_the_first_of_them(cluster, people) -> None:
    first = Surroundings.read()
    first.announce_unless_known(None)
    assert feed.after(Position(feed.end().epoch, 0)).entries[-1][1].kind != "surroundings", "nobody looked before"
    ProtectionRule.objects.create(permissions=["deploy"])
    since = feed.end()
    for before in (first, first, None):  # the last one is a process that begins
        Surroundings.read().announce_unless_known(before)
    assert [one.kind for _, one in feed.after(since).entries] == ["surroundings"]


def test_rights_of_many_are_read_again_a_few_in_a_step_and_of_all_in_turn(people, monkeypatch) -> None:
    """So that who waits for a change does not wait for the rights of hundreds."""
    monkeypatch.setattr(hub, "RECHECK_SECONDS", 0.0)
    monkeypatch.setattr(hub, "MAX_RECHECKED", 2)
    everybody = hub.Hub()
    for number in range(5):
        viewer = viewers.Viewer(people["viewer"].pk, f"over-{number}", rights_of(people["viewer"]), {})
        everybody.viewers.add(viewer)
    left = []
    for _ in range(3):
        async_to_sync(everybody._recheck)()
        everybody.viewers = {one for one in everybody.viewers if not one.is_over}
        left.append(len(everybody.viewers))
    assert left == [3, 1, 0]


@in_a_loop
async def test_of_many_changes_and_cut_connections_no_row_is_lost_or_sent_twice(browse, cluster, monkeypatch) -> None:
    """Each change is of one service by another person: so each row that was sent names its change."""
    monkeypatch.setattr(hub, "PAUSE_SECONDS", 0.0)
    changes, chance = 40, random.Random(5)
    browsers = [await browse(who) for who in ("viewer", "owner", "deployer", "viewer")]
    reading = [
        asyncio.create_task(read_with_cuts(browser, changes, random.Random(seed)))
        for seed, browser in enumerate(browsers)
    ]
    for number in range(1, changes + 1):
        name = chance.choice(["shop", "cart"])
        cluster.put(SERVICES, changed(name, number))
        while latest(browsers) < number - 1:  # two changes of one service within a step are one row
            await asyncio.sleep(0)
    async with asyncio.timeout(WAIT):
        await asyncio.gather(*reading)
    for browser in browsers:
        counted = Counter(person(html) for _, html in browser.rows)
        assert set(counted.values()) == {1}
        assert max(counted) == changes
    assert browsers[0].told("hello") > 2


def latest(browsers: list[Browser]) -> int:
    return max((person(html) for browser in browsers for _, html in browser.rows[-2:]), default=0)


def person(html: str) -> int:
    found = re.search(r"person-(\d+)@", html)
    assert found is not None
    return int(found[1])


async def read_with_cuts(browser: Browser, last: int, chance: random.Random) -> None:
    """Read until the last change, and cut the connection every few pieces."""
    while not any(person(html) == last for _, html in browser.rows):
        events = await browser.open()
        for _ in range(chance.randint(1, 12)):
            browser._take(await anext(events))
            if any(person(html) == last for _, html in browser.rows):
                break
        await events.aclose()


def test_a_step_leaves_no_connection_that_the_database_may_close_before_the_next(db, monkeypatch, tmp_path) -> None:
    """The thread of the steps is no request's: nobody else gives its connection back."""
    of_file = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "other"), "OPTIONS": {}}
    monkeypatch.setitem(connections.settings, "other", {**connections.settings["default"], **of_file})

    def left_open() -> bool:
        hub.returning_connections(connections["other"].connect)
        return connections["other"].connection is not None

    with ThreadPoolExecutor(1) as thread:
        assert not thread.submit(left_open).result()
