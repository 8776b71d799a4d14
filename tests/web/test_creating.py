"""Where a new service goes is chosen by a person, or follows from where they came from."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.web.pages import read

NAMESPACES = ["", "box/default", "box/other"]


@pytest.fixture
def administrator(client: Client, mirror, people) -> Client:
    """Somebody who may deploy to two namespaces."""
    client.force_login(people["administrator"])
    return client


def place(client: Client, address: str) -> tuple[list[str], str]:
    """The namespaces that are offered, and the one that is selected: the first where none says so."""
    select = re.search(r'<select name="place".*?</select>', client.get(address).content.decode(), re.DOTALL)
    assert select
    offered = re.findall(r'<option value="([^"]*)"', select[0])
    marked = re.findall(r'<option value="([^"]*)" selected', select[0])
    return offered, (marked or offered)[0]


def test_of_several_namespaces_none_is_chosen_for_a_person(administrator: Client) -> None:
    assert place(administrator, "/services/new/") == (NAMESPACES, "")
    assert "Choose a namespace" in read(administrator.get("/services/new/")).text
    refused = administrator.post("/services/new/", {"place": "", "name": "shop-2", "image": "ghcr.io/a/b:1"})
    assert refused.status_code == 422
    assert "This field is required." in read(refused).text


@pytest.mark.parametrize("query", ["place=box/other", "namespace=other", "cluster=box&namespace=other"])
def test_the_namespace_that_somebody_came_from_is_chosen(administrator: Client, query: str) -> None:
    assert place(administrator, f"/services/new/?{query}")[1] == "box/other"


@pytest.mark.parametrize("query", ["cluster=box", "namespace=gone", "place=box/gone"])
def test_an_address_that_leaves_several_or_none_chooses_none(administrator: Client, query: str) -> None:
    assert place(administrator, f"/services/new/?{query}")[1] == ""


def test_the_only_namespace_needs_no_choice(client: Client, mirror, people) -> None:
    client.force_login(people["stranger"])
    offered, selected = place(client, "/services/new/")
    assert (len(offered), selected) == (1, offered[0])


@pytest.mark.parametrize(("query", "expected"), [("", "/services/new/?"), ("namespace=other", "?namespace=other")])
def test_the_list_hands_its_filter_to_the_form(administrator: Client, query: str, expected: str) -> None:
    markup = administrator.get(f"/?{query}").content.decode()
    link = re.search(r'id="create-service"\s+href="([^"]*)"', markup)
    assert link
    assert link[1].endswith(expected)
