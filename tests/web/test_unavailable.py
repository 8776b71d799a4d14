"""A database or Redis that does not work is told as such, with whether anything was saved; never as our own fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from console.access import tokens
from console.access.actors import Actor
from console.operations.models import Operation, Preview
from console.redis_client import client as redis_client
from console.sealing import seal
from tests import factories
from tests.web.pages import read

HTMX = {"HX-Request": "true"}
pytestmark = pytest.mark.only_on("sqlite")  # tests/faults does it with PostgreSQL


def _pragma(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {text}")


@pytest.fixture
def refusing(db) -> Iterator[Callable[[], None]]:
    """Call it to let the database refuse writes from then on; reading works. (A full one: tests/faults.)"""
    yield lambda: _pragma("query_only=ON")
    _pragma("query_only=OFF")


@pytest.fixture
def preview(people) -> Preview:
    return Preview.objects.create(
        cluster="box",
        namespace="default",
        name="shop",
        user=people["owner"],
        sealed_change=seal({"kind": "SetImage", "container": "app", "image": "example.com/shop:2" + "0" * 20_000}),
        sealed_seen=seal(factories.service()),
    )


@pytest.fixture
def owner(client: Client, people, mirror) -> Client:
    client.force_login(people["owner"])
    client.get("/")  # what a session keeps of its first page is written
    client.raise_request_exception = False
    return client


def test_a_submission_that_could_not_be_saved_says_so(owner, preview, refusing) -> None:
    address = reverse("submit", kwargs={"id": preview.id})
    refusing()
    response = owner.post(address)
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    text = read(response).text
    assert "Nothing was saved." in text
    assert "went wrong" not in text
    assert "Something went wrong" not in text
    assert (Operation.objects.count(), Preview.objects.count()) == (0, 1)


def test_a_form_sent_by_htmx_keeps_what_was_typed(owner, preview, refusing) -> None:
    refusing()
    response = owner.post(reverse("submit", kwargs={"id": preview.id}), headers=HTMX)
    assert (response.status_code, response["HX-Retarget"]) == (503, "#toasts")
    assert "<html" not in response.content.decode()
    assert "Nothing was saved." in response.content.decode()


def test_what_is_asked_around_the_views_is_told_alike(owner) -> None:
    """Who is signed in is read before any view runs."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE access_user RENAME TO access_user_away")
    for method, words in ((owner.get, "Nothing was changed."), (owner.post, "Nothing was saved.")):
        response = method("/")
        assert response.status_code == 503
        assert words in read(response).text


def test_the_api_answers_a_problem(owner, people) -> None:
    facts = {"permissions": ["view"], "cluster": "*", "namespace": "*", "days": 1}
    person = people["owner"]
    _token, text = tokens.issue(person, name="board", actor=Actor(person.pk, person.username), **facts)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE access_grant RENAME TO access_grant_away")
    response = owner.get("/api/v1/services", headers={"Authorization": f"Bearer {text}"})
    assert (response.status_code, response["Content-Type"]) == (503, "application/problem+json")
    assert response.json()["type"] == "/api/#unavailable"


def test_a_mistake_of_ours_stays_a_mistake_of_ours(owner, preview, monkeypatch) -> None:
    def mistake(*_args, **_kwargs) -> None:
        raise LookupError("a mistake")

    monkeypatch.setattr("console.operations.submitting.submission.submit", mistake)
    response = owner.post(reverse("submit", kwargs={"id": preview.id}))
    assert response.status_code == 500


def test_an_answer_that_fails_after_the_change_does_not_say_that_nothing_was_saved(client, people, preview) -> None:
    """The session is written after the view, when the operation is saved already."""
    client.force_login(people["owner"])
    client.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("CREATE TRIGGER away BEFORE UPDATE ON django_session BEGIN DELETE FROM no_such_table; END")
    response = client.post(reverse("submit", kwargs={"id": preview.id}))
    assert response.status_code == 503
    assert "Your submission was saved" in read(response).text
    assert Operation.objects.get().id == preview.id


def test_an_open_page_that_cannot_be_refreshed_stays_and_says_so(owner, settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    redis_client.cache_clear()
    response = owner.get("/", headers=HTMX)
    assert (response.status_code, response["HX-Retarget"], response["HX-Reselect"]) == (503, "#toasts", ".note")
    assert "is not responding" in response.content.decode()
    owner.cookies["sluice_theme"] = "dark"
    full = owner.get("/")
    assert 'data-bs-theme="dark"' in full.content.decode()
    assert full.status_code == 503
    assert "is not responding" in read(full).text
