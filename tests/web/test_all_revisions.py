"""The list of all revisions: who sees which, found, sorted and in pages, of several clusters."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from html import unescape

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.access.models import Grant, Membership, Role, Team
from console.cluster.resources import REVISIONS, SERVICES
from console.mirror import keys, revision_copies
from console.mirror.read import KindState
from console.mirror.sealing import seal_key
from console.mirror.store import MIRRORED, MirrorWriter
from console.redis_client import client as redis_client
from console.web import revision_list
from tests import factories
from tests.web.pages import markup, read

ADDRESS = "/revisions/"


@pytest.fixture(autouse=True)
def _nothing_kept():
    for kept in (revision_copies._clusters, revision_list._visible, revision_list._orders):
        kept.clear()


@pytest.fixture
def owner(client, mirror, people):
    client.force_login(people["administrator"])
    return client


@pytest.fixture
def second(mirror) -> MirrorWriter:
    """A cluster `edge` with a service and revisions of the same names; it has not answered for five minutes."""
    writer = MirrorWriter(redis_client(), "edge", "test", seal_key())
    writer.replace_all(SERVICES, [factories.service()])
    writer.replace_all(REVISIONS, [factories.revision(number=number) for number in (1, 4)])
    for kind in MIRRORED:
        writer.note(kind, msgspec.json.encode(KindState(time.time() - 300, "7", "connection refused")))
    return writer


def names(client, query: str = "") -> list[str]:
    """The revisions of the page in their order."""
    return re.findall(r'<tr id="revision-[^"]*?-default-([^"]+)"', markup(client.get(f"{ADDRESS}{query}")))


def failed(number: int) -> dict:
    raw = factories.revision(number=number)
    raw["status"]["conditions"] = [{"type": "Ready", "status": "False", "reason": "Crash", "message": "exit 1"}]
    return raw


def test_the_list_begins_in_kns_order_with_the_newest_of_each_service(owner):
    assert names(owner) == ["shop-00004", "shop-00003", "shop-00002", "shop-00001"]


def test_a_row_says_what_kn_says_and_leads_to_the_revision(owner, mirror):
    mirror.put(REVISIONS, failed(2))
    page = read(owner.get(f"{ADDRESS}?q=shop-00002"))
    assert "Crash : exit 1" in page.text
    assert "1 of 4 revisions" in page.text
    assert "/services/box/default/shop/revisions/shop-00002/" in page.links
    assert "90%" in read(owner.get(f"{ADDRESS}?q=shop-00003")).text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?traffic=yes", ["shop-00004", "shop-00003"]),
        ("?traffic=no", ["shop-00002", "shop-00001"]),
        ("?state=failed", ["shop-00002"]),
        ("?q=canary", ["shop-00004"]),
        ("?q=CRASH", ["shop-00002"]),
        ("?namespace=elsewhere", []),
        ("?cluster=elsewhere", []),
        ("?traffic=nonsense&sort=nonsense", ["shop-00004", "shop-00003", "shop-00002", "shop-00001"]),
        ("?sort=traffic", ["shop-00003", "shop-00004", "shop-00002", "shop-00001"]),
        ("?sort=-generation", ["shop-00001", "shop-00002", "shop-00003", "shop-00004"]),
        ("?sort=state&traffic=no", ["shop-00002", "shop-00001"]),
        ("?sort=age", ["shop-00004", "shop-00003", "shop-00002", "shop-00001"]),
    ],
)
def test_the_address_holds_filter_and_order(owner, mirror, query, expected):
    mirror.put(REVISIONS, failed(2))
    assert names(owner, query) == expected


def test_a_list_that_is_kept_shows_what_changed_since(owner, mirror):
    assert names(owner, "?traffic=yes") == ["shop-00004", "shop-00003"]
    raw = factories.service()
    raw["status"]["traffic"] = [{"revisionName": "shop-00001", "percent": 100}]
    mirror.put(SERVICES, raw)
    mirror.put(REVISIONS, factories.revision(number=5))
    mirror.drop(REVISIONS, factories.revision(number=2))
    assert names(owner, "?traffic=yes") == ["shop-00001"]
    assert names(owner) == ["shop-00005", "shop-00004", "shop-00003", "shop-00001"]


def test_pages_are_windows_of_one_order(owner, mirror):
    mirror.replace_all(REVISIONS, [factories.revision(number=number) for number in range(1, 29)] * 1)
    more = [factories.revision(f"s{number:02}", number=1) for number in range(40)]
    for raw in more:
        mirror.put(REVISIONS, raw)
    first, second = names(owner), names(owner, "?page=2")
    assert (len(first), len(second)) == (50, 18)
    assert not set(first) & set(second)


def many(mirror, *numbers: int) -> None:
    """One revision of each of so many services, besides shop's."""
    for number in numbers:
        mirror.put(REVISIONS, factories.revision(f"s{number:03}", number=1))


def follow(client, query: str, rel: str) -> str:
    """The query of the neighbor that the page leads to."""
    found = re.search(rf'href="([^"]+)" rel="{rel}"', client.get(f"{ADDRESS}{query}").content.decode())
    assert found, rel
    return unescape(found[1])


@pytest.mark.parametrize("sort", ["service", "-service", "name", "-name", "traffic", "generation", "state", "-age"])
def test_next_shows_none_twice_and_skips_none_whatever_comes_and_goes_meanwhile(owner, mirror, sort):
    many(mirror, *range(100, 200))
    before = f"?sort={sort}"
    first, forth = names(owner, before), follow(owner, before, "next")
    many(mirror, *range(0, 30), *range(300, 330))  # at both ends of most orders
    for number in (110, 120, 150):
        mirror.drop(REVISIONS, factories.revision(f"s{number}", number=1))
    mirror.drop(REVISIONS, factories.revision(first[-1].rpartition("-")[0], number=int(first[-1][-5:])))
    second = names(owner, forth)
    rest = second + names(owner, follow(owner, forth, "next"))
    now = all_names(owner, before)
    assert not set(first) & set(second)
    assert now[now.index(second[0]) :][: len(rest)] == rest
    behind = [name for name in now[: now.index(second[0])] if name not in first]
    assert all(name[1:4] < "100" or name[1:4] >= "300" for name in behind), "skipped what was there before"
    assert names(owner, follow(owner, forth, "prev"))[-1] == now[now.index(second[0]) - 1]


def all_names(client, query: str) -> list[str]:
    found: list[str] = []
    for number in range(1, 10):
        page = names(client, f"{query}&page={number}")
        if page[-1:] == found[-1:]:
            return found
        found += page
    return found


@pytest.mark.parametrize(
    "place", ["", "x", "W10", "WzFd", "W1tbMV1dXQ", "bnVsbA", "eyJhIjoxfQ", "W251bGwsIiIsIiIsIiJd"]
)
def test_what_is_no_place_begins_at_the_first_page(owner, place):
    assert names(owner, f"?after={place}")[:1] == ["shop-00004"]


def test_people_see_the_revisions_of_the_services_that_they_see(client, mirror, people):
    mirror.put(SERVICES, factories.service("private", "other"))
    mirror.put(REVISIONS, factories.revision("private", 1, "other"))
    client.force_login(people["viewer"])
    page = read(client.get(ADDRESS))
    assert "shop-00004" in page.text
    assert "private" not in page.text
    assert "4 revisions" in page.text, "the count tells of nothing else"
    client.force_login(people["nobody"])
    assert "shop" not in read(client.get(ADDRESS)).text


def test_a_grant_for_labels_asks_for_those_of_the_service_as_they_are_now(client, mirror, people):
    team = Team.objects.create(name="fronts")
    Membership.objects.create(user=people["nobody"], team=team)
    viewer = Role.objects.get(name="viewer")
    Grant.objects.create(team=team, role=viewer, cluster="box", namespace="default", selector="tier=front")
    mirror.put(REVISIONS, factories.revision("orphan", number=1))
    client.force_login(people["nobody"])
    assert names(client) == ["shop-00004", "shop-00003", "shop-00002", "shop-00001"]
    moved = factories.service()
    moved["metadata"]["labels"] = {"tier": "back"}
    mirror.put(SERVICES, moved)
    assert names(client) == []


def test_the_same_names_in_two_clusters_are_told_apart(owner, second):
    page = markup(owner.get(ADDRESS))
    assert "/services/box/default/shop/revisions/shop-00004/" in page
    assert "/services/edge/default/shop/revisions/shop-00004/" in page
    ids = re.findall(r'<tr id="([^"]+)"', page)
    assert len(ids) == len(set(ids)) == 6
    assert names(owner, "?cluster=edge") == ["shop-00004", "shop-00001"]
    assert len(names(owner, "?sort=cluster")) == 6


def test_rows_of_a_silent_cluster_say_how_old_they_are_and_hide_no_other(owner, second):
    page = markup(owner.get(ADDRESS))
    rows = dict(re.findall(r'<tr id="revision-(\w+)-default-shop-00004"[^>]*>(.*?)</tr>', page, re.DOTALL))
    since = datetime.fromtimestamp(time.time() - 300, UTC).strftime("%Y-%m-%d %H:")
    assert "stale" in rows["edge"]
    assert since[:10] in rows["edge"].partition("chip-warn")[2].partition("</span>")[0]
    assert "stale" not in rows["box"]
    assert "edge is not responding" in read(owner.get(ADDRESS)).text


def test_a_cluster_that_was_not_read_to_its_end_is_said_to_be_incomplete(owner, mirror):
    redis_client().hdel(keys.freshness("box"), "revisions")
    assert "not all loaded yet" in read(owner.get(ADDRESS)).text


def test_the_page_asks_the_database_the_same_whatever_there_is(owner, mirror):
    owner.get(ADDRESS)
    with CaptureQueriesContext(
        connection,
    ) as few:
        owner.get(ADDRESS)
    mirror.replace_all(REVISIONS, [factories.revision(f"s{number}", number=1) for number in range(60)])
    with CaptureQueriesContext(connection) as many:
        owner.get(ADDRESS)
    assert len(many) == len(few)


def test_a_page_renders_its_own_rows_and_each_of_them_once(owner, mirror, monkeypatch):
    from console.web import revision_rows

    revision_rows._rendered.clear()
    mirror.replace_all(REVISIONS, [factories.revision(f"s{number:03}", number=1) for number in range(120)])
    made = []
    fresh = revision_rows._fresh
    monkeypatch.setattr(revision_rows, "_fresh", lambda row, look: made.append(row.name) or fresh(row, look))
    owner.get(ADDRESS)
    owner.get(ADDRESS)
    assert len(made) == 50


def test_the_page_is_chinese_where_the_person_reads_chinese(owner):
    text = read(owner.get(ADDRESS, headers={"Accept-Language": "zh-hans"})).text
    assert "修订版本" in text
    assert "全部状态" in text
