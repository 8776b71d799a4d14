"""The sign-in page offers the demo's people in the demo only."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from console.access.demo import DEMO_USERS
from console.access.models import User
from tests.web.pages import markup, read

LOGIN = "/accounts/login/"


@pytest.fixture
def made(db, settings) -> None:
    settings.DEMO = True
    call_command("demo")


def test_the_demo_offers_its_people_and_one_press_signs_in(client, made) -> None:
    page = markup(client.get(LOGIN))
    for user in DEMO_USERS:
        assert f'name="login" value="{user.username}"' in page
    first = DEMO_USERS[0]
    assert client.post(LOGIN, {"login": first.username, "password": first.password})["Location"] == "/"


def test_a_production_console_neither_shows_nor_lets_in_the_people_of_a_demo(client, made, settings) -> None:
    settings.DEMO = False
    page = markup(client.get(LOGIN))
    for user in DEMO_USERS:
        assert user.password not in page
        client.post(LOGIN, {"login": user.username, "password": user.password})
        assert "_auth_user_id" not in client.session


def test_people_of_the_same_name_that_the_demo_did_not_make_are_not_offered(client, db, settings) -> None:
    settings.DEMO = True
    User.objects.create_user(DEMO_USERS[0].username, password=DEMO_USERS[0].password)
    assert DEMO_USERS[0].password not in markup(client.get(LOGIN))
    assert "Or try the demo as" not in read(client.get(LOGIN)).text


def test_who_is_deactivated_is_not_offered(client, made) -> None:
    User.objects.filter(username="viewer").update(is_active=False)
    page = markup(client.get(LOGIN))
    assert 'value="viewer"' not in page
    assert 'value="admin"' in page
