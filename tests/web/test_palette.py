"""The palette finds what a person may open by its name: nothing else, and no values."""

from __future__ import annotations

import gc
import re
import sys

import pytest

from console.access.models import Grant, Membership, Team
from console.cluster.resources import REVISIONS, SERVICES
from console.mirror import read as mirror_read
from tests import factories
from tests.web.pages import markup, read

HTMX = {"HX-Request": "true"}


def found(client, text: str) -> dict[str, str]:
    """The names that are found, with their addresses."""
    page = markup(client.get("/find/", {"q": text}, headers=HTMX))
    options = re.findall(r'<a role="option"[^>]*href="([^"]*)">(.*?)</a>', page, re.DOTALL)
    return {re.search(r'class="label">(.*?)<', inner, re.DOTALL)[1]: address for address, inner in options}


@pytest.fixture
def viewer(client, mirror, people):
    client.force_login(people["viewer"])
    return client


def test_a_service_is_found_by_a_part_of_its_name(viewer) -> None:
    assert found(viewer, "HO")["shop"] == "/services/box/default/shop/"
    assert "shop" not in found(viewer, "shoppe")


def test_what_begins_with_the_text_comes_first(viewer, mirror) -> None:
    for name in ("a-shop", "shop-b"):
        mirror.put(SERVICES, factories.service(name))
    assert [name for name in found(viewer, "shop") if ":" not in name][:3] == ["shop", "shop-b", "a-shop"]


def test_a_revision_is_found_below_its_service(viewer) -> None:
    assert found(viewer, "shop-0000")["shop-00003"] == "/services/box/default/shop/revisions/shop-00003/"
    assert "shop-00003" not in found(viewer, "shop-00004")


def test_nothing_is_found_that_a_person_may_not_see(client, mirror, people) -> None:
    client.force_login(people["stranger"])
    for text in ("shop", "shop-00003", "traffic shop", "default"):
        assert [name for name in found(client, text) if "shop" in name] == [], text


def test_a_grant_by_labels_finds_what_has_them_and_no_more(client, mirror, people) -> None:
    other = factories.service("shop-back")
    other["metadata"]["labels"] = {"tier": "back"}
    mirror.put(SERVICES, other)
    team = Team.objects.create(name="Front")
    Membership.objects.create(team=team, user=people["nobody"])
    role = Grant.objects.get(team__name="viewers").role
    Grant.objects.create(team=team, role=role, cluster="box", namespace="default", selector="tier=front")
    client.force_login(people["nobody"])
    assert "shop" in found(client, "shop")
    assert "shop-back" not in found(client, "shop")


def test_actions_are_those_that_the_person_may_use(client, viewer, people) -> None:
    assert not [name for name in found(viewer, "shop") if name.startswith(("Delete", "Traffic", "Edit"))]
    client.force_login(people["deployer"])
    assert found(client, "traffic shop") == {"Traffic: shop": "/services/box/default/shop/traffic/"}
    assert found(client, "shop traffic") == {"Traffic: shop": "/services/box/default/shop/traffic/"}
    assert "Edit and deploy: shop" in found(client, "shop")
    assert found(client, "delete shop") == {}


@pytest.mark.parametrize("text", ["roll back shop", "rollback shop", "shop roll back", "Shop Rollback"])
def test_the_way_back_is_found_by_its_name(viewer, text) -> None:
    assert found(viewer, text) == {"Revisions: shop": "/services/box/default/shop/revisions/"}


def test_pages_are_those_that_the_person_may_open(client, viewer, people) -> None:
    assert not {"Audit", "Clusters", "People", "Create service"} & found(viewer, "").keys()
    client.force_login(people["administrator"])
    pages = found(client, "")
    assert {"Audit", "Clusters", "People", "Create service"} <= pages.keys()
    for name, address in pages.items():
        assert client.get(address).status_code == 200, name


def test_values_are_not_searched(viewer, mirror) -> None:
    revision = factories.revision(number=5)
    revision["spec"]["containers"][0]["env"] = [{"name": "SECRET_NAME", "value": factories.SECRET_VALUE}]
    mirror.put(REVISIONS, revision)
    for text in (factories.SECRET_VALUE, factories.SECRET_VALUE[:6], "First", "SECRET_NAME", "alice", "app=shop"):
        assert found(viewer, text) == {}, text


def test_hostile_text_is_text(viewer, mirror) -> None:
    page = viewer.get("/find/", {"q": '"><script>'}, headers=HTMX)
    assert read(page).inline == []
    assert "<script>" not in markup(page)
    assert "<script>alert" not in markup(viewer.get("/find/", {"q": "<script>alert(1)</script>"}))


def test_without_scripts_it_is_a_page_with_links(viewer) -> None:
    page = read(viewer.get("/find/?q=shop"))
    assert "/services/box/default/shop/" in page.links
    assert "/find/" in read(viewer.get("/")).links


def test_single_keys_can_be_switched_off_for_this_browser(viewer) -> None:
    assert 'data-single="on"' in markup(viewer.get("/"))
    assert viewer.post("/preferences/", {"keys": "off", "next": "/"}).status_code == 302
    assert 'data-single="off"' in markup(viewer.get("/"))


def test_the_keys_lead_only_where_the_person_may_go(viewer, people) -> None:
    assert 'data-go="a"' not in markup(viewer.get("/"))
    assert 'data-go="c"' not in markup(viewer.get("/"))
    viewer.force_login(people["administrator"])
    for letter in "sopatc":
        assert f'data-go="{letter}"' in markup(viewer.get("/"))


def test_nobody_who_is_not_signed_in_is_offered_the_palette(client, mirror, db) -> None:
    assert client.get("/find/?q=a").status_code == 302
    assert "palette" not in markup(client.get("/accounts/login/")).partition("<body>")[2]


def test_finding_costs_no_more_for_a_person_who_may_see_a_little_of_much(client, mirror, people) -> None:
    """Nor is what they may see put in order again: services of others, and what did not change, are not looked at."""
    client.force_login(people["viewer"])
    found(client, "shop")
    few = calls_of(lambda: found(client, "shop"))
    mirror.replace_all(SERVICES, [factories.service(), *(factories.service(f"s{n}", "other") for n in range(300))])
    found(client, "shop")
    mirror.put(SERVICES, factories.service("shop-b"))
    assert list(found(client, "shop-b")) == ["shop-b", *(name for name in found(client, "shop-b") if ":" in name)]
    assert calls_of(lambda: found(client, "sho")) < few + 200


def test_a_service_is_kept_where_no_collector_of_cycles_looks(mirror) -> None:
    """Ten thousand of them took 0.2 s of a web process whenever it looked."""
    (row,) = mirror_read.services("box")
    assert not gc.is_tracked(row)
    assert not any(map(gc.is_tracked, row.shares))


def calls_of(act) -> int:
    """How many functions of Python are called: a measure of work that no load of the machine changes."""
    count = 0

    def called(_frame, event, _argument) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(called)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count
