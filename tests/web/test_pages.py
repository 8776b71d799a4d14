"""What pages show, checked against what kn would print of the same objects."""

from __future__ import annotations

import itertools
import re
from urllib.parse import urlencode

import msgspec
import pytest
from django.utils import timezone

from console.cluster.resources import PODS, REVISIONS, SERVICES
from console.knative import kn
from console.knative.objects import Revision, Service
from console.mirror.read import KindState
from console.web.service_list import COLUMNS
from tests import factories
from tests.sweeps import sample, sweep
from tests.web.pages import read

SHOP = "/services/box/default/shop/"
PAGES = [
    "/",
    "/services/new/",
    "/services/bulk/",
    SHOP,
    f"{SHOP}revisions/",
    f"{SHOP}revisions/shop-00004/",
    f"{SHOP}revisions/shop-00004/?with=shop-00003",
    f"{SHOP}env/",
    f"{SHOP}image/",
    f"{SHOP}traffic/",
    f"{SHOP}settings/",
    f"{SHOP}operate/",
    f"{SHOP}clone/",
    f"{SHOP}revisions/shop-00004/logs/",
    f"{SHOP}yaml/",
    f"{SHOP}delete/",
    f"{SHOP}test/",
    "/operations/",
    "/activity/",
    "/audit/",
    "/tokens/",
    "/tokens/new/",
    "/api/",
    "/teams/",
    "/teams/1/",
    "/teams/1/edit/",
    "/teams/1/delete/",
    "/teams/new/",
    "/teams/roles/",
    "/teams/roles/1/",
    "/teams/people/",
    "/teams/people/new/",
    "/teams/why/?cluster=box&namespace=default&service=shop",
    "/clusters/",
    "/clusters/add/",
    "/nowhere/",
]


@pytest.fixture
def owner(client, mirror, people):
    client.force_login(people["administrator"])
    return client


@sweep
@pytest.mark.parametrize(("language", "path"), sample(itertools.product(("en", "zh-hans"), PAGES), one_in=9))
def test_a_page_needs_nothing_that_a_strict_policy_refuses(owner, path: str, language: str) -> None:
    owner.cookies["django_language"] = language
    response = owner.get(path)
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    page = read(response)
    assert page.inline == []
    assert ("Overview" in page.text or "Services" in page.text) is (language == "en")
    assert ("服务" in page.text) is (language == "zh-hans")


def test_each_page_has_a_nonce_of_its_own(owner) -> None:
    first, second = (owner.get("/")["Content-Security-Policy"] for _ in range(2))
    assert first != second


def test_htmx_gets_the_content_and_a_browser_the_frame(owner) -> None:
    whole = owner.get(SHOP).content.decode()
    bare = owner.get(SHOP, headers={"HX-Request": "true"}).content.decode()
    assert "<html" in whole
    assert "<html" not in bare
    assert "Current traffic" in bare


def test_the_list_shows_every_field_of_kn_service_list(owner) -> None:
    response = owner.get("/?" + urlencode([("columns", column) for column in COLUMNS]))
    text = read(response).text + " ".join(re.findall(r'title="([^"]*)"', response.content.decode()))
    row = kn.service_row(Service(factories.service()), timezone.now())
    for field in ("name", "latest", "conditions", "reason"):
        assert getattr(row, field) in text, field
    assert "2026-11-01 10:00:00 UTC" in text, "the age: the browser counts it from the moment"
    assert row.url.removeprefix("http://") in text
    assert "Ready" in text
    assert "90% shop-00003" in text
    assert "bob@shop.example" in text


def test_the_service_page_shows_every_field_of_kn_service_describe(owner) -> None:
    page = read(owner.get(SHOP))
    text, service = page.text, Service(factories.service())
    for word in ("shop", "default", service.url, "alice@shop.example", "app=shop", "90%", "10%"):
        assert word in text, word
    assert "shop-00004 latest" in text
    assert "current @latest" not in text, "it need not get any traffic"
    for target in service.status_traffic:
        assert target.revision in text
        assert target.tag in text
        assert target.url in page.links
    for condition in service.conditions:
        assert f"{condition.symbol.strip()} OK {condition.type}" in text
    for number in (1, 2, 3, 4):
        revision = Revision(factories.revision(number=number))
        assert revision.name in text
        assert revision.image_text.rpartition("/")[2] in text
        assert revision.replicas_text in text
    assert "Split across named revisions: a new revision gets 0%." in text


def test_the_history_shows_every_field_of_kn_revision_list(owner) -> None:
    text = read(owner.get(f"{SHOP}revisions/")).text
    service = Service(factories.service())
    for number in (1, 2, 3, 4):
        row = kn.revision_row(Revision(factories.revision(number=number)), service, timezone.now())
        for field in ("name", "traffic", "generation", "age", "conditions", "ready", "reason"):
            assert getattr(row, field) in text, field
        for tag in filter(None, row.tags.split(",")):
            assert tag in text
    assert text.count("scaled to zero") == 1, "said once below the table, not in every row"
    assert "carol@shop.example" in text


def test_the_revision_page_shows_every_field_of_kn_revision_describe(owner, mirror) -> None:
    pod = {
        "metadata": {
            "name": "shop-00004-deployment-abc",
            "namespace": "default",
            "labels": {"serving.knative.dev/service": "shop", "serving.knative.dev/revision": "shop-00004"},
        },
        "spec": {"containers": [{"name": "app"}, {"name": "queue-proxy"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app", "ready": True}, {"ready": True}]},
    }
    mirror.replace_all(PODS, [pod])
    text = read(owner.get(f"{SHOP}revisions/shop-00004/")).text
    revision = Revision(factories.revision())
    facts = (
        revision.name,
        "default",
        revision.image_text,
        revision.image_digest,
        "Replicas 0 Created",
        "shop",
        "Generation 4",
        "20",
        "120 s",
    )
    containers = (
        "h2c",
        "CPU request",
        "Secret db/password",
        "Secret shop-env",
        "/etc/shop ← ConfigMap shop-config",
        "sidecar",
    )
    for word in (*facts, *containers):
        assert word in text, word
    for condition in revision.conditions:
        assert condition.type in text
    assert "I information Active" in text
    assert "NoTraffic (scaled to zero, normal)" in text
    assert "shop-00004-deployment-abc 2/2 Running" in text
    system = text.partition("Show system labels")[2]
    assert "serving.knative.dev/configuration" in system
    assert "serving.knative.dev" not in text.partition("Show system labels")[0]


def test_a_comparison_shows_what_people_wrote_under_knatives_prefix(owner, mirror) -> None:
    changed = factories.revision(number=4)
    changed["metadata"]["annotations"]["serving.knative.dev/progress-deadline"] = "300s"
    changed["metadata"]["labels"] |= {"sidecar.istio.io/inject": "true", "serving.knative.dev/routingState": "reserve"}
    mirror.put(REVISIONS, changed)
    text = read(owner.get(f"{SHOP}revisions/shop-00004/?with=shop-00003")).text
    assert "progress-deadline" in text
    assert "sidecar.istio.io/inject" in text
    compared = text.partition("Compare")[2]
    assert "routingState" not in compared
    assert "configurationGeneration" not in compared


def test_two_revisions_are_compared_without_showing_values(owner, mirror) -> None:
    older, newer = factories.revision(number=3), factories.revision(number=4)
    older["spec"]["containers"][0]["image"] = "registry.example.com/shop:1.3"
    older["spec"]["containers"][0]["env"][1]["value"] = "canary-older"
    mirror.replace_all(REVISIONS, [older, newer])
    text = read(owner.get(f"{SHOP}revisions/shop-00004/?with=shop-00003")).text
    assert "containers[app].image registry.example.com/shop:1.3" in text
    assert "env[PASSWORD].value •••• ••••" in text


@pytest.mark.parametrize("path", PAGES)
def test_no_page_shows_the_value_of_a_variable(owner, path: str) -> None:
    assert factories.SECRET_VALUE not in owner.get(path).content.decode()


def test_only_web_addresses_become_links(owner, mirror) -> None:
    raw = factories.service()
    raw["status"]["url"] = "javascript:alert(1)"
    raw["status"]["traffic"][0]["url"] = "data:text/html,hi"
    mirror.replace_all(SERVICES, [raw])
    for path in ("/", SHOP, f"{SHOP}revisions/", f"{SHOP}revisions/shop-00003/"):
        assert not [link for link in read(owner.get(path)).links if link.startswith(("javascript", "data"))]


def test_markup_from_the_cluster_is_text(owner, mirror) -> None:
    raw = factories.service()
    evil = "<img src=x onerror=alert(1)>"
    raw["metadata"]["annotations"]["serving.knative.dev/lastModifier"] = evil
    raw["status"]["conditions"][1].update(status="False", reason=evil, message=evil)
    mirror.replace_all(SERVICES, [raw])
    for path in ("/", SHOP):
        response = owner.get(path)
        assert "<img src=x" not in response.content.decode()
        assert read(response).inline == []


def test_an_old_mirror_says_so(owner, mirror) -> None:
    mirror.note(SERVICES, msgspec.json.encode(KindState(1.0, error="connection refused")))
    for path in ("/", SHOP):
        text = read(owner.get(path)).text
        assert "The cluster is not responding" in text
        assert "connection refused" in text


def test_filters_sorting_and_pages_live_in_the_address(owner, mirror) -> None:
    services = [factories.service(f"shop-{number:03}", "default") for number in range(60)]
    services[7]["status"]["conditions"][1]["status"] = "False"
    mirror.replace_all(SERVICES, services)
    first, second = read(owner.get("/?sort=-name")).text, read(owner.get("/?sort=-name&page=2")).text
    assert "shop-059" in first
    assert "shop-003" not in first
    assert "shop-003" in second
    failed = read(owner.get("/?health=failed")).text
    assert "shop-007" in failed
    assert "shop-008" not in failed
    assert "shop-011" in read(owner.get("/?q=shop-011")).text
    assert "shop-011" in read(owner.get("/?q=tier%3Dfront&sort=name")).text
    assert "No services match this filter." in read(owner.get("/?namespace=elsewhere")).text
    assert owner.get("/?page=999&sort=nonsense").status_code == 200


def test_a_person_sees_what_is_locked_and_which_role_opens_it(client, mirror, people) -> None:
    client.force_login(people["viewer"])
    response = client.get(SHOP)
    text = read(response).text
    assert "Edit and deploy, Clone: requires the role deployer, owner" in text
    menu = response.content.decode().partition('id="service-menu"')[2].partition("</details>")[0]
    assert "requires the role" in menu, "with the actions, and not above what the page tells"
    assert "Restart and scale: requires the role deployer, operator, owner" in text
    assert f"{SHOP}env/" not in read(response).links
    assert client.get(f"{SHOP}env/").status_code == 403


def test_health_endpoints_need_no_sign_in(client, mirror, db) -> None:
    assert client.get("/healthz/live").json() == {"status": "ok"}
    ready = client.get("/healthz/ready")
    assert (ready.json()["status"], ready.json()["mirror_age_seconds"]) == ("ok", 0.0)
    assert "box" not in ready.content.decode(), "names of clusters are for those who sign in"


def test_readiness_fails_without_redis_and_pages_say_why(client, mirror, people, redis_server) -> None:
    from console.redis_client import client as redis_client

    client.force_login(people["administrator"])
    redis_client().connection_pool.disconnect()
    redis_server.kill()
    try:
        assert client.get("/healthz/ready").status_code == 503
        response = client.get("/")
        assert response.status_code == 503
        assert "data store (Redis) is not responding" in read(response).text
    finally:
        redis_server.start()
