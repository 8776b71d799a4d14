"""The demo's tour: shown to its people on their first page, and never again once they closed it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.web.pages import read

TITLE = "A short tour of the demo"


@pytest.fixture
def viewer(client, mirror, people, settings):
    settings.DEMO_HISTORY = True
    people["viewer"].is_demo = True
    people["viewer"].save()
    client.force_login(people["viewer"])
    return client


def test_a_person_of_the_demo_sees_it_on_the_list_only(viewer) -> None:
    assert TITLE in read(viewer.get("/")).text
    assert TITLE not in read(viewer.get("/operations/")).text


def test_who_closed_it_sees_it_in_no_browser_again(viewer, client, people) -> None:
    viewer.post(reverse("tour-close"))
    viewer.logout()
    people["viewer"].refresh_from_db()
    client.force_login(people["viewer"])
    assert TITLE not in read(client.get("/")).text


def test_nobody_else_sees_it(client, mirror, people, settings) -> None:
    settings.DEMO_HISTORY = True
    client.force_login(people["administrator"])
    assert TITLE not in read(client.get("/")).text
