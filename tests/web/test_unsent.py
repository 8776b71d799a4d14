"""A session that ended under an open page: the page notices, and a form that is being filled in loses nothing."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

HTMX = {"HX-Request": "true"}


def test_an_open_page_reloads_itself_instead_of_showing_the_sign_in_page_inside(client, db) -> None:
    answer = client.get(reverse("services"), headers=HTMX)
    assert (answer.status_code, answer["HX-Refresh"]) == (401, "true")
    assert not answer.cookies, "a CSRF cookie of its own would spoil a sign-in form in another tab"


def test_the_event_stream_of_an_open_page_sets_no_cookie_either(client, db) -> None:
    answer = client.get(reverse("stream"), headers={**HTMX, "Accept": "text/html, text/event-stream"})
    assert answer.status_code == 401
    assert not answer.cookies


def test_a_form_sent_after_the_end_stays_on_the_page(client, db) -> None:
    answer = client.post(reverse("bulk-submit"), headers=HTMX)
    assert (answer.status_code, answer["HX-Retarget"]) == (401, "#toasts")
    assert "still below" in answer.content.decode()


def test_a_browser_without_htmx_is_sent_to_sign_in(client, db) -> None:
    answer = client.get(reverse("services"))
    assert (answer.status_code, answer.url) == (302, "/accounts/login/?next=/")


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_post_with_an_old_token_changes_nothing(people, headers: dict[str, str]) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people["administrator"])
    answer = strict.post(reverse("bulk-submit"), headers=headers)
    assert answer.status_code == 403
    assert ("X-CSRFToken" in answer) == bool(headers)


def test_without_any_cookie_the_page_says_that_nobody_is_signed_in(people) -> None:
    """No token comes with it: its cookie would spoil the form of a sign-in in another tab."""
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(reverse("bulk-submit"), headers=HTMX)
    assert (answer.status_code, answer["HX-Retarget"]) == (401, "#toasts")
    assert "Your session has ended" in answer.content.decode()
    assert "X-CSRFToken" not in answer
    assert not answer.cookies


def test_a_session_that_ended_on_the_server_alone_is_told_as_ended(client, people) -> None:
    client.force_login(people["deployer"])
    client.session.flush()
    answer = client.post(reverse("bulk-submit"), headers=HTMX)
    assert answer.status_code == 401
    assert "Your session has ended" in answer.content.decode()


def test_a_token_that_does_not_fit_is_not_taken_for_a_new_sign_in_alone(people) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people["deployer"])
    text = strict.post(reverse("bulk-submit"), headers=HTMX).content.decode()
    assert "or its cookies were removed" in text
    assert "Press the button again" in text
