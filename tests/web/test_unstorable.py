"""No request with a NUL is a 500, at any address and wherever it stands; runs on PostgreSQL too (make test-servers)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse

from console.access.models import User
from tests.access.test_accounts import ARGUMENTS, OPEN
from tests.sweeps import sample, sweep
from tests.web.pages import read
from tests.web.test_access import CALLS, HERE, TABLE, THING, enter, things

__all__ = ["things"]

ADDRESSES = {name: arguments for name, (_, arguments, _) in TABLE.items()} | {
    name: ARGUMENTS.get(name, {}) for name in OPEN
}
# What forms and filters of the console ask for: each of them reaches another query or another store.
FIELDS = (
    *("q", "actor", "cluster", "namespace", "service", "name", "action", "outcome", "status", "batch", "since"),
    *("login", "password", "next", "credential", "username", "reason", "comment", "draft", "preview", "services"),
    *("place", "image", "value", "paste", "manifest", "rows", "name-0", "value-0", "topic", "sort", "page", "token"),
    *("theme", "language", "kubeconfig", "url", "labels", "logout_token", "code", "id", "scope", "permissions"),
    "cursor",
)  # fmt: skip
NUL = "a\0b"


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


def paths(arguments: dict[str, Any], name: str) -> Iterator[str]:
    """The address as it is, and with a NUL in each part that is a text."""
    yield reverse(name, kwargs=arguments)
    for part, value in arguments.items():
        if isinstance(value, str) and value:
            yield reverse(name, kwargs=arguments).replace(f"/{value}", f"/{value}%00", 1) if part else ""


@sweep
@pytest.mark.parametrize("sent", ["path", "query", "form", "name of a field", "file"])
def test_a_request_with_a_nul_is_refused_in_words_at_every_address(client, things, sent: str) -> None:
    client.raise_request_exception = False
    wrong = []
    for name, arguments in sample(ADDRESSES.items(), one_in=9):
        enter(client, name, things["administrator"])
        for answer in _answers(client, name, arguments, sent):
            # 404: the address is no address. 405: the API reads only. 422: it names the parameter.
            if answer.status_code not in (400, 404, 405, 422):
                wrong.append(f"{name}: {answer.status_code}")
    assert wrong == []


def _answers(client: Client, name: str, arguments: dict[str, Any], sent: str) -> Iterator[Any]:
    address = reverse(name, kwargs=arguments)
    if sent == "path":
        yield from (client.get(path) for path in paths(arguments, name) if "%00" in path)
    elif sent == "query":
        fields = FIELDS if connection.vendor == "postgresql" else FIELDS[:1]  # a sample where it takes no harm
        yield from (client.get(address, {field: NUL}) for field in fields)
    elif sent == "form":
        yield client.post(address, dict.fromkeys(FIELDS, NUL))
        yield client.post(address, f"reason={NUL}", content_type="application/x-www-form-urlencoded")
    elif sent == "name of a field":
        yield client.post(address, {NUL: "x"})
    else:
        file = io.BytesIO(b"x")
        file.name = "a.env"
        body = client.post(address, {"paste": file, "reason": NUL})
        yield body


def test_a_cookie_or_header_with_a_nul_counts_as_none(client, things) -> None:
    client.raise_request_exception = False
    wrong = []
    for name, arguments in ADDRESSES.items():
        client.logout()
        for cookie in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "django_language", "sluice_theme"):
            client.cookies[cookie] = NUL  # sent as "a\000b", which is read as a NUL
        answer = client.get(reverse(name, kwargs=arguments), headers={"User-Agent": NUL, "X-Request-ID": NUL})
        if answer.status_code >= 500 and name not in ("ready",):
            wrong.append(f"{name}: {answer.status_code}")
    assert wrong == []


def test_a_sign_in_keeps_a_browser_that_calls_itself_something_impossible(client, db) -> None:
    User.objects.create_user("alice", password="right-password-1")
    sent = {"login": "alice", "password": "right-password-1"}
    assert client.post("/accounts/login/", sent, headers={"User-Agent": NUL}).status_code == 302
    assert client.get("/accounts/sessions/").status_code == 200


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "“reason” contains U+0000, which no text may contain."),
        ("zh-hans", "“reason”含有字符 U+0000，任何文本都不能包含该字符。"),
    ],
)
def test_the_field_is_named_and_an_open_page_stays_as_it_is(client, things, language: str, words: str) -> None:
    client.force_login(things["administrator"])
    path = reverse("submit", kwargs={"id": THING})
    page = client.post(path, {"reason": NUL}, headers={"Accept-Language": language})
    assert (page.status_code, words in read(page).text) == (400, True)
    headers = {"Accept-Language": language, "HX-Request": "true"}
    answer = client.post(path, {"reason": NUL}, headers=headers)
    assert (answer.status_code, answer["HX-Retarget"]) == (400, "#toasts")
    assert words in read(answer).text


def test_a_call_of_the_api_hears_which_parameter_it_was(client, things) -> None:
    enter(client, "api-services", things["administrator"])
    answer = client.get(reverse("api-services"), {"q": NUL})
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert "q: contains U+0000" in answer.json()["detail"]


def test_every_call_and_page_is_among_the_addresses() -> None:
    assert set(CALLS) <= ADDRESSES.keys()
    assert len(ADDRESSES) > 100
    assert reverse("env", kwargs=HERE) in [reverse("env", kwargs=ADDRESSES["env"])]
