"""A mirror that was lost, or is not filled yet, is never told as an empty fleet or as a deleted service."""

from __future__ import annotations

import json
import re
import time

import msgspec
import pytest
from django.core.cache import cache
from django.template.loader import render_to_string
from django.test import Client

from console.access import tokens
from console.access.actors import Actor
from console.access.models import Grant, Team
from console.cluster.resources import NAMESPACES, PODS, REVISIONS, ROUTES, SERVICES, Resource
from console.mirror import keys
from console.mirror.read import Freshness, KindState
from console.mirror.store import MIRRORED, MirrorWriter
from console.redis_client import client as redis_client
from tests import factories
from tests.web.pages import read

SHOP = "/services/box/default/shop/"
OTHER_PAGES = (f"{SHOP}revisions/", f"{SHOP}revisions/shop-00004/", f"{SHOP}env/", f"{SHOP}traffic/", f"{SHOP}yaml/")
LOST = ("flushed", "never started", "first page of the first list")


@pytest.fixture(autouse=True)
def configured(settings) -> None:
    cache.clear()
    settings.CLUSTERS = json.dumps([{"name": "box", "url": "http://127.0.0.1:1", "token": "t"}])


@pytest.fixture(params=LOST)
def lost(request, mirror: MirrorWriter) -> str:
    """The ways in which the mirror of a configured cluster is not whole."""
    redis_client().flushall()
    if request.param == LOST[2]:
        _first_page(mirror, factories.service("other"))
    return request.param


@pytest.fixture
def administrator(client: Client, people) -> Client:
    client.force_login(people["administrator"])
    return client


def api(people, who: str = "administrator") -> Client:
    facts = {"permissions": ["view"], "cluster": "*", "namespace": "*", "days": 1}
    person = people[who]
    _token, text = tokens.issue(person, name="board", actor=Actor(person.pk, person.username), **facts)
    return Client(headers={"Authorization": f"Bearer {text}"})


def _first_page(mirror: MirrorWriter, *services: dict) -> None:
    redis_client().set(keys.LEADER, "test")
    mirror.replacing(SERVICES).add(services)
    for kind in MIRRORED:
        mirror.note(kind, msgspec.json.encode(KindState(0.0)))


def _lose(mirror: MirrorWriter, *kinds: Resource) -> None:
    for kind in kinds:
        mirror.note(kind, msgspec.json.encode(KindState(0.0, error="forbidden")))


def test_the_list_says_that_not_all_services_are_known(administrator, lost: str) -> None:
    text = read(administrator.get("/")).text
    assert "has not been read completely yet" in text
    assert "0 services" not in text
    assert "There is no service that you may see" not in text


def test_a_service_that_the_mirror_does_not_have_is_not_said_to_be_deleted(administrator, lost: str) -> None:
    for path in (SHOP, *OTHER_PAGES):
        response = administrator.get(path)
        assert response.status_code == 503, path
        assert "has not finished reading" in read(response).text
        assert "deleted" not in read(response).text


def test_pages_that_offer_services_or_namespaces_do_not_offer_none(administrator, lost: str) -> None:
    for path in ("/services/bulk/", "/services/new/"):
        assert administrator.get(path).status_code == 503, path


def test_the_page_of_clusters_counts_no_services(administrator, lost: str) -> None:
    [row] = administrator.get("/clusters/").context["rows"]
    assert row.services is None
    assert administrator.get("/cluster/box/").status_code == 200


def test_the_api_answers_503_instead_of_an_empty_list(people, lost: str) -> None:
    caller = api(people)
    service = "/api/v1/services/box/default/shop"
    for path in ("/api/v1/services", service, f"{service}/revisions", f"{service}/revisions/shop-00004"):
        response = caller.get(path)
        assert response.status_code == 503, path
        assert response.json()["type"] == "/api/#cluster-unread"
        assert "box" in response.json()["detail"]
    [box] = caller.get("/api/v1/clusters").json()["items"]
    assert (box["name"], box["synced_at"], box["is_stale"]) == ("box", None, True)


def test_metrics_and_readiness_do_not_count_what_is_not_known(client, people, settings, lost: str) -> None:
    settings.METRICS_TOKEN = "secret"
    text = client.get("/metrics", headers={"Authorization": "Bearer secret"}).content.decode()
    assert 'sluice_mirror_age_seconds{cluster="box"} +Inf' in text
    assert 'sluice_services{cluster="box"}' not in text
    assert client.get("/healthz/ready").json()["mirror_age_seconds"] is None


def test_of_two_clusters_the_one_that_is_not_read_is_named(administrator, people, settings, mirror) -> None:
    settings.CLUSTERS = json.dumps(
        [{"name": name, "url": "http://127.0.0.1:1", "token": "t"} for name in ("box", "edge")]
    )
    text = read(administrator.get("/")).text
    assert "edge has not been read completely yet" in text
    assert "1 service" not in text
    assert administrator.get("/services/edge/default/shop/").status_code == 503
    assert administrator.get("/services/box/default/gone/").status_code == 404
    assert administrator.get("/services/nowhere/default/shop/").status_code == 404
    caller = api(people)
    everything = caller.get("/api/v1/services").json()
    assert (everything["total"], everything["is_stale"]) == (1, True)
    assert everything["unread_clusters"] == ["edge"]
    assert "edge" in everything["note"]
    assert caller.get("/api/v1/services?cluster=edge").status_code == 503
    one = caller.get("/api/v1/services?cluster=box").json()
    assert (one["total"], one["is_stale"], one["unread_clusters"], one["note"]) == (1, False, [], "")


def test_a_grant_by_labels_is_not_refused_for_labels_that_are_not_known(client, people, mirror) -> None:
    _selector_grant(people["nobody"])
    client.force_login(people["nobody"])
    assert client.get(SHOP).status_code == 200
    redis_client().flushall()
    for path in (SHOP, f"{SHOP}revisions/"):
        assert client.get(path).status_code == 503
    assert api(people, "nobody").get("/api/v1/services/box/default/shop").status_code == 503


def test_who_may_see_nothing_there_learns_nothing_of_an_unread_cluster(client, people, lost: str) -> None:
    client.force_login(people["nobody"])
    assert client.get(SHOP).status_code == 404
    assert "box" not in read(client.get("/")).text.split()
    client.force_login(people["stranger"])  # another namespace only
    assert client.get(SHOP).status_code == 404


def test_each_kind_that_is_not_read_is_said_where_it_is_shown(administrator, people, mirror) -> None:
    caller, revision = api(people), "/api/v1/services/box/default/shop/revisions/shop-00004"
    _lose(mirror, PODS)
    text = read(administrator.get(f"{SHOP}revisions/shop-00004/")).text
    assert "pods of this cluster have not been read yet" in text
    assert "scaled to zero. The next request starts one" not in text
    assert caller.get(revision).json()["pods"] is None
    _lose(mirror, REVISIONS, ROUTES)
    assert "has not been read completely yet" in read(administrator.get(SHOP)).text
    assert administrator.get(f"{SHOP}traffic/").status_code == 503
    assert administrator.get(f"{SHOP}revisions/shop-00099/").status_code == 503
    assert caller.get("/api/v1/services/box/default/shop/revisions").status_code == 503
    _lose(mirror, NAMESPACES)
    assert administrator.get("/services/new/").status_code == 503


def test_redis_away_is_said_everywhere(administrator, people, settings, redis_server) -> None:
    caller = api(people)
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    redis_client.cache_clear()
    for path in ("/", SHOP, *OTHER_PAGES, "/services/bulk/", "/services/new/", "/clusters/"):
        response = administrator.get(path)
        assert response.status_code == 503, path
        assert "is not responding" in read(response).text
    assert caller.get("/api/v1/services").status_code == 503


def test_a_cluster_that_was_whole_once_stays_listed_with_its_age(administrator, people, mirror) -> None:
    mirror.note(SERVICES, msgspec.json.encode(KindState(time.time() - 300, error="connection refused")))
    assert "5m old" in read(administrator.get("/")).text
    assert administrator.get("/services/box/default/gone/").status_code == 404
    answer = api(people).get("/api/v1/services").json()
    assert (answer["total"], answer["is_stale"], answer["unread_clusters"]) == (1, True, [])
    assert "stale" in answer["note"]


def test_a_page_that_stays_open_counts_on_how_old_its_data_is(administrator, mirror) -> None:
    """A cluster that is away announces nothing, so nothing renders the page again: a number would soon be untrue."""
    mirror.note(SERVICES, msgspec.json.encode(KindState(time.time() - 300, error="connection refused")))
    for path in ("/", SHOP, "/clusters/"):
        page = administrator.get(path).content.decode()
        assert re.search(r'<time datetime="[^"]+" title="[^"]+" data-age="age">5m</time>(</span>)? old', page), path


def test_without_any_cluster_the_list_says_so(administrator, settings, redis_server) -> None:
    settings.CLUSTERS = ""
    assert "No clusters yet." in read(administrator.get("/")).text


def _selector_grant(person) -> None:
    from console.access.models import Membership, Role

    team = Team.objects.create(name="by labels")
    viewer = Role.objects.get(name="viewer")
    Grant.objects.create(team=team, role=viewer, cluster="*", namespace="*", selector="app=shop")
    Membership.objects.create(user=person, team=team)


@pytest.mark.parametrize("cluster", ["", "edge"])
def test_an_age_that_goes_on_is_not_read_out_again_with_each_tick(cluster: str) -> None:
    """Its note is: that a cluster does not respond is news."""
    freshness = Freshness(3_600, at=time.time() - 3_600)
    note = render_to_string("_freshness.html", {"freshness": freshness, "cluster": cluster})
    assert 'role="status"' in note
    assert re.findall(r"(<[^>]+>)<time ", note) == ['<span aria-live="off">']
