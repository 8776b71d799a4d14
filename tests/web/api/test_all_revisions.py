"""The revisions of all services: what the page of them shows, by cursor."""

from __future__ import annotations

import pytest

from console.access.models import Grant, Role, Team
from console.cluster.resources import REVISIONS, SERVICES
from console.mirror import revision_copies
from console.web import revision_list
from tests import factories
from tests.web.api.test_answers import ROOT, names

ADDRESS = f"{ROOT}/revisions"
ORDERS = [sign + name for name in revision_list.SORTS for sign in ("", "-")]


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    for kept in (revision_copies._clusters, revision_list._visible, revision_list._orders):
        kept.clear()


@pytest.fixture
def mirrored(mirror):
    """Two services in two namespaces, with revisions of equal names, generations and ages."""
    mirror.replace_all(SERVICES, [factories.service(), factories.service("shop", "other")])
    places = [("shop", number, namespace) for namespace in ("default", "other") for number in (1, 2, 3, 4)]
    mirror.replace_all(REVISIONS, [factories.revision(*place) for place in places])
    return mirror


def test_a_revision_says_what_its_service_says_of_it(caller, mirrored) -> None:
    answer = caller("administrator").get(f"{ADDRESS}?q=canary&namespace=default").json()
    [row] = answer["items"]
    assert (row["name"], row["service"], row["namespace"], row["cluster"]) == ("shop-00004", "shop", "default", "box")
    assert (row["traffic_percent"], row["tags"]) == (10, ["canary", "next"])
    assert (row["generation"], row["health"]) == (4, "ready")
    assert (answer["total"], answer["next"], answer["is_stale"], answer["unread_clusters"]) == (1, None, False, [])


@pytest.mark.parametrize("sort", ORDERS)
def test_pages_show_each_revision_once_in_any_order(caller, mirrored, sort: str) -> None:
    client = caller("administrator")
    address = f"{ADDRESS}?sort={sort}&limit="
    whole = client.get(f"{address}500").json()["items"]
    assert len(whole) == 8
    assert names(client, f"{address}3") == [one["name"] for one in whole]
    back = caller("administrator").get(f"{ADDRESS}?sort={sort[1:] if sort[0] == '-' else f'-{sort}'}").json()["items"]
    assert back == whole[::-1]


def test_a_revision_that_comes_or_goes_between_two_pages_shifts_no_other(caller, mirrored) -> None:
    client = caller("administrator")
    first = client.get(f"{ADDRESS}?sort=name&namespace=default&limit=2").json()
    mirrored.put(REVISIONS, factories.revision("shop", 0))
    mirrored.drop(REVISIONS, factories.revision("shop", 2))
    rest = client.get(f"{ADDRESS}?sort=name&namespace=default&limit=2&cursor={first['next']}").json()
    assert [one["name"] for one in first["items"] + rest["items"]] == [f"shop-0000{number}" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize("query", ["sort=nonsense", "traffic=maybe", "cursor=nonsense", "cursor=WzFd", "health=failed"])
def test_a_parameter_that_says_nothing_here_is_refused(caller, mirrored, query: str) -> None:
    assert caller().get(f"{ADDRESS}?{query}").status_code == 422


def test_filters_are_those_of_the_page(caller, mirrored) -> None:
    client = caller("administrator")
    assert names(client, f"{ADDRESS}?traffic=yes&namespace=default&sort=name") == ["shop-00003", "shop-00004"]
    assert names(client, f"{ADDRESS}?state=failed") == []
    assert names(client, f"{ADDRESS}?cluster=elsewhere") == []


def test_a_token_shows_the_revisions_of_services_that_it_and_its_person_may_see(caller, mirrored, people) -> None:
    everywhere, here = caller("administrator"), caller("auditor")
    assert len(names(everywhere, f"{ADDRESS}?sort=name")) == 8
    assert {one["namespace"] for one in here.get(ADDRESS).json()["items"]} == {"default"}
    narrow = caller("administrator", namespace="other").get(ADDRESS).json()
    assert ({one["namespace"] for one in narrow["items"]}, narrow["total"]) == ({"other"}, 4)
    team = Team.objects.get(members=people["auditor"])
    Grant.objects.create(team=team, role=Role.objects.get(name="auditor"), cluster="box", namespace="other")
    assert len(names(here, f"{ADDRESS}?sort=name")) == 8
    Grant.objects.filter(team=team).delete()
    assert here.get(ADDRESS).status_code == 403
