"""Live parts in the event stream: made once for all who see the same, as their pages show them, and never more."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import redis
from django.http import QueryDict
from django.test import AsyncClient
from django.utils import timezone
from django.utils.translation import override

from console.access.authorization import rights_of
from console.access.models import Grant
from console.cluster.resources import REVISIONS, SERVICES
from console.knative.references import ServiceRef
from console.mirror import feed
from console.mirror.announcements import Announcement, announcements
from console.mirror.feed import Position
from console.operations.lookups import cluster_rights
from console.operations.models import Operation, TimelineLine
from console.operations.models.protection import Approval
from console.operations.models.statuses import Status
from console.request_tests.models import AccessTest
from console.sealing import seal
from console.web import stream
from console.web.live import hub
from console.web.live.parts import Parts
from console.web.live.viewers import PartAudience
from console.web.parts import registry
from console.web.parts.registry import PARTS, Whose
from console.web.topics import PartTopic, parsed, topic_of_part
from tests import factories
from tests.cluster.scripted_server import answer, scripted
from tests.support.announcing import announce
from tests.web.test_live_rows import Browser, changed
from tests.web.test_stream import WAIT, in_a_loop, leave

SHOP = ServiceRef("box", "default", "shop")
REVISION = "shop-00001"
SECRET = "it-is-nobody-elses-business"
AT = Position("epoch", 1)


@pytest.fixture
def running(mirror, db) -> Operation:
    """A change of shop that a worker follows."""
    return operation(Status.FOLLOWING)


def operation(status: Status) -> Operation:
    found = Operation.objects.create(
        cluster="box",
        namespace="default",
        name="shop",
        kind="SetEnv",
        sealed_change=seal(
            {
                "kind": "SetEnv",
                "container": "app",
                "entries": [{"name": "TARGET", "value": SECRET}],
                "removed": [],
                "whole": False,
            }
        ),
        sealed_seen=seal(factories.service()),
        changes=[{"path": ["spec", "template", "spec", "containers", "0", "env"], "before": "a", "after": "b"}],
        actor="owner",
        uid="uid-default-shop",
        status=status,
        makes_revision=True,
    )
    url = "http://shop.default.example.com"
    AccessTest.objects.create(
        id=found.id,
        cluster="box",
        namespace="default",
        name="shop",
        url=url,
        count=2,
        sent=1,
        by_revision={REVISION: 1},
    )
    TimelineLine.objects.create(operation=found, sequence=1, elapsed=0.1, text="The Route is still working.")
    return found


def address(name: str, found: Operation) -> str:
    return {
        "service": "/services/box/default/shop/",
        "revisions": "/services/box/default/shop/revisions/?sort=name",
        "revision": f"/services/box/default/shop/revisions/{REVISION}/",
        "access-test": f"/services/box/default/shop/test/{found.id}/",
        "operation": f"/operations/{found.id}/",
        "operations": "/operations/?status=following&name=",
        "all-revisions": "/revisions/?sort=-name&q=shop",
        "approvals": "/approvals/",
    }[name]


def topic_in(page: str) -> str:
    found = re.search('data-topic="([^"]+)"', page)
    assert found is not None
    return unescape(found[1])


def versions_in(page: str) -> dict[str, str]:
    """The versions of the region and of its pieces, as a page has them."""
    pieces = re.findall('data-piece="([^"]+)" data-version="([^"]+)"', page)
    (region,) = re.findall('data-position="[^"]*"\\s+data-version="([^"]+)"', page)
    return {"": region, **dict(pieces)}


def made(topic: PartTopic, person: Any) -> dict[str, str]:
    """The versions of the part as it would be sent to the person."""
    return region_of(topic, person).versions


def region_of(topic: PartTopic, person: Any):
    part, rights = PARTS[topic.name], rights_of(person)
    thing = part.load(topic)
    return registry.made(topic, thing, rights, part.sight(topic, thing, Whose(rights, {}, person.pk)))[0]


@pytest.mark.parametrize(("who", "language"), [("viewer", "en"), ("owner", "zh-hans")])
@pytest.mark.parametrize("name", [name for name in PARTS if name != "waiting"])
def test_what_is_sent_is_what_the_page_shows(
    name: str, who: str, language: str, running, people, mirror, client, monkeypatch
) -> None:
    monkeypatch.setattr("console.web.views.services.cluster_rights.refused", lambda ref, user: {})
    client.force_login(people[who])
    page = client.get(address(name, running), headers={"Accept-Language": language}).content.decode()
    topic = parsed(topic_in(page))
    assert isinstance(topic, PartTopic)
    assert (topic.name, topic.language) == (name, language)
    assert made(topic, people[who]) == versions_in(page)
    assert len(versions_in(page)) > 1


@pytest.mark.parametrize("name", PARTS)
def test_what_is_sent_offers_nothing_that_the_cluster_would_refuse(
    name: str, running, people, mirror, settings
) -> None:
    owner, topic = people["owner"], parsed(topic_of(name, running))
    with scripted(answer({"status": {"allowed": False}})) as server:
        settings.CLUSTERS = json.dumps([{"name": "box", "url": server.url, "token": "t", "impersonate": True}])
        refused = {SHOP: frozenset(cluster_rights.refused(SHOP, owner).items())}
        viewer = stream._viewer(owner, "session", [topic.text], [""], "")
    assert refused[SHOP]
    part, thing, rights = PARTS[name], PARTS[name].load(topic), rights_of(owner)
    sent = part.sight(topic, thing, viewer.parts[0].with_rights(rights))
    assert sent == part.sight(topic, thing, Whose(rights, refused, owner.pk))


def test_a_list_without_entries_is_sent_its_first(mirror, people, client) -> None:
    client.force_login(people["viewer"])
    page = client.get("/operations/").content.decode()
    assert versions_in(page) == made(parsed(topic_in(page)), people["viewer"])


def test_each_piece_is_one_element_that_has_its_name(running, people, mirror) -> None:
    for name in PARTS:
        topic = parsed(topic_of(name, running))
        region = region_of(topic, people["owner"])
        for piece, html in region.pieces.items():
            assert html.count(f'data-piece="{piece}"') == 1, piece
            tag = re.match("<([a-z]+)", html)
            assert tag, piece
            assert html.endswith(f"</{tag[1]}>"), piece


def topic_of(name: str, found: Operation) -> str:
    of_shop = {"service": SHOP, "revisions": SHOP, "revision": f"{SHOP}/{REVISION}"}
    about = {**of_shop, "access-test": found.id, "operation": found.id}.get(name, "")
    with override("en"):
        return topic_of_part(name, about)


def test_a_part_has_no_token_of_a_session(running, people, mirror) -> None:
    html = region_of(parsed(topic_of("service", running)), people["owner"]).html
    assert set(re.findall('name="csrfmiddlewaretoken" value="([^"]*)"', html)) == {"-"}


def test_an_age_that_goes_on_or_the_token_of_another_session_is_no_other_version(running, people, mirror) -> None:
    page = '<form><input type="hidden" name="csrfmiddlewaretoken" value="{}"><time datetime="2026">{}</time>{}</form>'
    version = registry.regions.version
    assert version(page.format("a", "3s", "")) == version(page.format("b", "4s", ""))
    assert version(page.format("a", "3s", "")) != version(page.format("a", "3s", "!"))


@pytest.mark.parametrize("name", list(PARTS))
def test_no_part_has_a_value_that_some_may_reveal(name: str, people, mirror) -> None:
    """The page of a change that waits shows its values to who decides: its part, asked for by hand, does not."""
    waiting = operation(Status.WAITING)
    waiting.expires_at = timezone.now() + timedelta(hours=1)
    waiting.save()
    Approval.objects.create(operation=waiting)
    html = region_of(parsed(topic_of(name, waiting)), people["owner"]).html
    assert SECRET not in html
    assert ("shop" in html) == (name != "waiting")  # that one is a number


def test_who_decides_on_a_change_that_waits_is_sent_nothing_while_a_comment_is_typed(people, mirror, client) -> None:
    waiting = operation(Status.WAITING)
    client.force_login(people["viewer"])
    page = client.get(address("operation", waiting)).content.decode()
    assert topic_in(page) == f"operation:{waiting.id}"


def told(parts: Parts, topic: PartTopic, *people: Any, all_differ: bool = True) -> list[bytes]:
    whose = [(person.pk if PARTS[topic.name].is_personal else 0, rights_of(person)) for person in people]
    audiences = {PartAudience(topic, rights.key, frozenset(), person): rights for person, rights in whose}
    parts.hear({topic}, (), all_differ=all_differ)
    return list(parts.told(audiences, AT).values())


def labelled(phase: str) -> dict[str, Any]:
    """Shop, with a label that nothing but its details show."""
    raw: dict[str, Any] = factories.service()
    raw["metadata"].setdefault("labels", {})["phase"] = phase
    return raw


def shown(frame: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(frame.decode().split("data: ")[3])
    return found


def test_people_who_may_do_different_things_are_sent_different_buttons(running, people, mirror) -> None:
    topic = parsed(topic_of("service", running))
    owner, viewer = map(shown, told(Parts(), topic, people["owner"], people["viewer"]))
    assert "/services/box/default/shop/delete/" in owner["html"][""]
    assert "/services/box/default/shop/delete/" not in json.dumps(viewer)


def test_only_the_piece_that_changed_is_sent_again(running, people, mirror) -> None:
    topic, parts = parsed(topic_of("service", running)), Parts()
    told(parts, topic, people["viewer"])
    parts.made_at.clear()
    mirror.put(SERVICES, labelled("seven"))
    (frame,) = told(parts, topic, people["viewer"])
    found = shown(frame)
    assert set(found["html"]) == {"details"}
    assert "phase=seven" in found["html"]["details"]
    assert len(found["versions"]) > 5


def test_a_part_is_made_as_often_as_its_pause_allows_and_what_came_meanwhile_is_not_forgotten(
    running, people, mirror, monkeypatch
) -> None:
    monkeypatch.setitem(PARTS, "service", replace(PARTS["service"], pause=60.0))  # longer than a busy machine takes
    topic, parts = parsed(topic_of("service", running)), Parts()
    assert len(told(parts, topic, people["viewer"])) == 1
    assert told(parts, topic, people["viewer"]) == []
    assert 0 < parts.seconds_to_next() <= PARTS["service"].pause
    parts.made_at.clear()
    assert len(told(parts, topic, people["viewer"], all_differ=False)) == 1
    assert parts.seconds_to_next() == float("inf")


def test_who_may_no_longer_see_the_service_is_told_so_by_its_next_change(running, people, mirror) -> None:
    topic = parsed(topic_of("service", running))
    Grant.objects.filter(team__name="viewers").delete()
    (frame,) = told(Parts(), topic, people["viewer"])
    assert frame.startswith(b"event: gone\n")


def test_a_page_whose_service_is_gone_looks_itself(running, people, mirror) -> None:
    topic = parsed(topic_of("service", running))
    mirror.drop(SERVICES, factories.service())
    (frame,) = told(Parts(), topic, people["viewer"])
    assert frame.startswith(b"event: changed\n")


def test_a_part_that_cannot_be_made_ends_nobodys_stream(running, people, mirror, monkeypatch) -> None:
    topic = parsed(topic_of("service", running))
    monkeypatch.setattr(registry.service, "overview", lambda ref, sight: 1 / 0)
    (frame,) = told(Parts(), topic, people["viewer"])
    assert frame.startswith(b"event: changed\n")


def test_a_page_whose_revision_is_gone_looks_itself(running, people, mirror) -> None:
    topic = parsed(topic_of("revision", running))
    mirror.drop(REVISIONS, factories.revision(number=1))
    (frame,) = told(Parts(), topic, people["viewer"])
    assert frame.startswith(b"event: changed\n")


def test_the_last_answers_of_a_test_are_sent_and_then_nothing_more(running, people, mirror) -> None:
    topic, parts = parsed(topic_of("access-test", running)), Parts()
    told(parts, topic, people["viewer"])
    parts.made_at.clear()
    AccessTest.objects.update(sent=2, finished_at=timezone.now())
    (frame,) = told(parts, topic, people["viewer"])
    assert "2/2 responses" in shown(frame)["html"]["progress"]
    assert shown(frame)["over"] is True


def test_nothing_is_kept_of_parts_that_nobody_looks_at(running, people, mirror) -> None:
    topic, parts = parsed(topic_of("service", running)), Parts()
    told(parts, topic, people["viewer"])
    parts.hear(set(), (), all_differ=True)
    assert (parts.waiting, parts.made_at, parts.sent) == (set(), {}, {})


@pytest.mark.parametrize(
    ("kind", "concerned"),
    [
        ("services", {"service", "revisions", "revision", "all-revisions"}),
        ("revisions", {"service", "revisions", "revision", "all-revisions"}),
        ("pods", {"service", "revisions", "revision"}),
        ("operation", {"service", "revisions", "revision", "operation", "operations"}),
        ("access-test", {"access-test"}),
        ("approval", {"approvals", "waiting"}),
        ("resync", set(PARTS)),
        ("surroundings", set(PARTS)),
    ],
)
def test_each_part_hears_of_what_it_shows(kind: str, concerned: set[str], running, mirror) -> None:
    told = Announcement(kind, "box", "default", "shop", id=str(running.id))
    if kind == "approval":  # which names no service
        told = Announcement(kind)
    assert {name for name in PARTS if parsed(topic_of(name, running)).concerns(told)} == concerned


@pytest.mark.parametrize(
    "text",
    [
        "part:en",
        "part:en:service:box/default",
        "part:xx:service:box/default/shop",
        "part:en:everything:",
        "part:en:operation:1",
        "part:en:access-test:1",
        "part:en:revision:box/default/shop",
    ],
)
def test_what_is_no_part_is_no_topic(text: str, mirror, people, client) -> None:
    client.force_login(people["viewer"])
    assert client.get("/stream/", {"topic": text}).status_code == 404


def test_the_part_of_a_service_of_another_team_does_not_exist(mirror, people, client, running) -> None:
    client.force_login(people["stranger"])
    for name in ("service", "revisions", "revision", "access-test", "operation"):
        assert client.get("/stream/", {"topic": topic_of(name, running)}).status_code == 404


class Viewer(Browser):
    """A page with a live part, and its stream."""

    @property
    def parts(self) -> list[dict[str, Any]]:
        return [json.loads(event.lines[2]) for event in self.heard if event.name == "part"]


@pytest.fixture
def look(mirror, people):
    """Sign a person in on a page; returns its stream, from what the page shows on."""

    async def begin(who: str, topic: str) -> Viewer:
        client = AsyncClient()
        await client.aforce_login(people[who])
        return Viewer(client, topic, str(feed.end()))

    return begin


@in_a_loop
async def test_a_timeline_and_its_end_are_sent_and_made_once_for_all(look, running, monkeypatch) -> None:
    calls: list[str] = []
    make = registry.made
    monkeypatch.setattr(registry, "made", lambda topic, *rest: calls.append(topic.name) or make(topic, *rest))
    viewers = [await look("viewer", topic_of("operation", running)) for _ in range(10)]
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(viewer.listening()) for viewer in viewers]
        await _say(running, "Ready to serve.")
        for viewer, events in zip(viewers, streams, strict=True):
            await viewer.until(events, "part", "Ready to serve.")
        assert len(calls) == 1
        await Operation.objects.filter(id=running.id).aupdate(status=Status.SUCCEEDED)
        announce("operation", cluster="box", namespace="default", name="shop", id=str(running.id))
        for viewer, events in zip(viewers, streams, strict=True):
            await viewer.until(events, "part", '"over": true')
        assert len(calls) == 2
    assert [viewer.told("changed") for viewer in viewers] == [0] * 10


@in_a_loop
async def test_a_page_is_sent_what_it_missed_until_its_stream_began(look, running) -> None:
    viewer, later = [await look("viewer", topic_of("operation", running)) for _ in range(2)]
    async with viewer.listening():
        await _say(running, "Ready to serve.")
        async with later.listening():
            assert [later.told(name) for name in ("part", "changed")] == [1, 0]
    assert "Ready to serve." in later.parts[0]["html"]["output"]


@in_a_loop
async def test_who_waits_for_an_operation_is_told_within_the_pause_that_lets_changes_come_together(
    look, running, monkeypatch
) -> None:
    viewer = await look("viewer", topic_of("operation", running))
    async with viewer.listening() as events:
        monkeypatch.setattr(hub, "PAUSE_SECONDS", 2 * WAIT)
        announce("services", cluster="box", namespace="default", name="cart")  # a step, which tells this page nothing
        await _say(running, "Ready to serve.")
        await viewer.until(events, "part", "Ready to serve.")
        await _say(running, "Ready to serve, again.", sequence=3)
        await viewer.until(events, "part", "Ready to serve, again.")


async def _say(running: Operation, text: str, sequence: int = 2) -> None:
    await TimelineLine.objects.acreate(operation=running, sequence=sequence, elapsed=1.0, text=text)
    announce("operation", cluster="box", namespace="default", name="shop", id=str(running.id))


@in_a_loop
async def test_nothing_runs_on_once_nobody_looks(look, running) -> None:
    viewer = await look("viewer", topic_of("operation", running))
    events = await viewer.open()
    await viewer.until(events, "hello")
    assert announcements._listeners
    await leave(events)
    async with asyncio.timeout(WAIT):
        while announcements._listeners or announcements._reader:
            await asyncio.sleep(0.01)
    assert hub.hub._task is None


@in_a_loop
async def test_the_list_of_all_revisions_hears_of_a_revision_whose_service_does_not_change(look, mirror) -> None:
    with override("en"):
        viewer = await look("viewer", topic_of_part("all-revisions", "", QueryDict("sort=name")))
    async with viewer.listening() as events:
        mirror.put(REVISIONS, factories.revision(number=17))
        await viewer.until(events, "part", "shop-00017")


@in_a_loop
async def test_pages_are_told_that_they_are_told_of_nothing_and_hear_all_again_afterwards(
    look, mirror, monkeypatch
) -> None:
    viewer = await look("viewer", topic_of_part("service", SHOP))
    monkeypatch.setattr(hub, "RETRY_PAUSE", 0.0)
    async with viewer.listening() as events:
        with monkeypatch.context() as patch:
            patch.setattr(feed, "_reader", _away)
            await viewer.until(events, "paused")
        mirror.put(SERVICES, changed("shop", 3))
        await viewer.until(events, "part", "person-3@")
    assert viewer.told("paused") == 1


def _away():
    raise redis.ConnectionError("not there")
