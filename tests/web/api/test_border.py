"""What comes in and goes out: problems in one shape, no cookies, cheap polling, nothing that makes it fail."""

from __future__ import annotations

import logging

import pytest
import structlog
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from console.access import bearer
from console.cluster.resources import SERVICES
from console.mirror import read
from console.web.api import cursors
from console.web.api.endpoints import ENDPOINTS
from console.web.api.problems import CODES, Refused
from tests import factories
from tests.web.api.conftest import address

ROOT = "/api/v1"


def problem(response, status: int, code: str) -> dict:
    """The problem that the answer is; fails when it is another or none."""
    assert response["Content-Type"] == "application/problem+json"
    found = response.json()
    assert (response.status_code, found["status"], found["type"]) == (status, status, f"/api/#{code}")
    assert found["request_id"] == response["X-Request-ID"]
    assert code in CODES
    return found


def test_without_a_token_the_answer_says_how_to_send_one(mirror, db) -> None:
    response = Client().get(f"{ROOT}/services")
    problem(response, 401, "token-missing")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_an_address_that_sent_too_many_wrong_tokens_is_told_to_wait(mirror, db) -> None:
    for number in range(bearer.MAX_WRONG):
        guess = {"Authorization": f"Bearer sluice_wrong{number}"}
        problem(Client().get(f"{ROOT}/services", headers=guess), 401, "token-unknown")
    response = Client().get(f"{ROOT}/services", headers=guess)
    problem(response, 429, "too-many-wrong-tokens")
    assert response["Retry-After"] == "300"


def test_an_address_that_does_not_exist_is_a_problem_too(caller) -> None:
    problem(caller().get(f"{ROOT}/nowhere"), 404, "not-found")
    problem(Client().get(f"{ROOT}/nowhere"), 404, "not-found")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [({"Host": "evil.example"}, 400, "request-invalid"), ({"If-Match": '"x"'}, 412, "precondition-failed")],
)
def test_a_request_that_cannot_be_done_is_a_problem_of_its_own_type(caller, headers, status: int, code: str) -> None:
    problem(caller().get(f"{ROOT}/services", headers=headers), status, code)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_but_reading(caller, method: str) -> None:
    client = caller()
    client.handler.enforce_csrf_checks = True
    response = getattr(client, method)(f"{ROOT}/services")
    problem(response, 405, "method-not-allowed")
    assert response["Allow"] == "GET, HEAD"


def test_a_permission_that_is_missing_is_named(caller) -> None:
    found = problem(caller("viewer").get(f"{ROOT}/audit"), 403, "not-allowed")
    assert "“audit”" in found["detail"]
    assert "auditor, owner" in found["detail"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limt=3", "limt"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("sort=colour", "sort"),
        ("health=well", "health"),
        ("attention=perhaps", "attention"),
        ("q=a&q=b", "q"),
        ("q=%00", "q"),
        ("cursor=x", "cursor"),
        ("token=sluice_x", "token"),
    ],
)
def test_a_parameter_that_is_not_understood_is_named(caller, query: str, named: str) -> None:
    found = problem(caller().get(f"{ROOT}/services?{query}"), 422, "query-invalid")
    assert named in found["detail"]


def test_a_problem_of_a_parameter_is_given_under_its_name(caller) -> None:
    found = problem(caller().get(f"{ROOT}/services?limit=0"), 422, "query-invalid")
    assert found["detail"] == "limit: Expected `int` >= 1"


@pytest.mark.parametrize("query", ["since=yesterday", "since=2026-11-24", "since=0001-01-01T00:00:00%2B14:00"])
def test_a_moment_needs_its_time_zone_and_a_year_of_our_time(caller, query: str) -> None:
    assert "since" in problem(caller().get(f"{ROOT}/audit?{query}"), 422, "query-invalid")["detail"]


PAGED = [endpoint for endpoint in ENDPOINTS if "cursor" in endpoint.parameters]


INVENTED = ("x", "WzFd", "WzAsMCwwLDBd", "WyJhIiwiYiIsImMiLCJkIl0:x", "%C3%A9", ":", "a" * 1001)


@pytest.mark.parametrize("endpoint", PAGED, ids=lambda one: one.name)
def test_a_cursor_that_a_client_made_up_is_refused(caller, mirror, endpoint) -> None:
    client = caller("administrator")
    for cursor in INVENTED:
        response = client.get(f"{address(endpoint.path)}?cursor={cursor}")
        assert problem(response, 422, "query-invalid")["parameter"] == "cursor"


@pytest.mark.parametrize("other", ["services?sort=-name", "services?sort=namespace", "revisions", "grants"])
def test_a_cursor_of_another_order_or_list_is_refused(caller, mirror, other: str) -> None:
    mirror.replace_all(SERVICES, [factories.service(), factories.service("cart")])
    client = caller("administrator")
    its = client.get(f"{ROOT}/services?limit=1&sort=name").json()["next"]
    separator = "&" if "?" in other else "?"
    problem(client.get(f"{ROOT}/{other}{separator}cursor={its}"), 422, "query-invalid")
    assert client.get(f"{ROOT}/services?limit=1&sort=name&cursor={its}").status_code == 200


@given(st.text())
def test_no_cursor_breaks_the_reading_of_cursors(text: str) -> None:
    with pytest.raises(Refused):
        cursors.decode(text, list[str], "services name")


def test_a_board_that_polls_gets_304_until_something_changes(caller, mirror) -> None:
    client = caller()
    first = client.get(f"{ROOT}/services")
    assert "no-store" not in first["Cache-Control"]
    again = client.get(f"{ROOT}/services", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    mirror.replace_all(SERVICES, [factories.service(), factories.service("cart")])
    assert client.get(f"{ROOT}/services", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_a_revoked_token_gets_no_304(caller, people) -> None:
    client = caller()
    etag = client.get(f"{ROOT}/services")["ETag"]
    people["auditor"].api_tokens.update(revoked_at="2026-11-24T10:00:00Z")
    problem(client.get(f"{ROOT}/services", headers={"If-None-Match": etag}), 401, "token-revoked")


def test_a_session_is_neither_read_nor_prolonged_nor_begun(client, people, caller) -> None:
    client.force_login(people["administrator"])
    before = dict(client.session.items())
    response = client.get(f"{ROOT}/services")
    assert response.status_code == 401
    assert not response.cookies
    assert dict(client.session.items()) == before


def test_when_the_mirror_is_away_the_answer_is_a_problem(caller, monkeypatch) -> None:
    client = caller()

    def away() -> None:
        raise read.MirrorUnavailable("ConnectionError")

    monkeypatch.setattr(read, "clusters", away)
    problem(client.get(f"{ROOT}/clusters"), 503, "unavailable")


def test_what_nobody_foresaw_is_a_problem_without_a_trace(caller, monkeypatch) -> None:
    client = caller()
    client.raise_request_exception = False

    def broken() -> None:
        raise RuntimeError("s3cr3t-trace")

    monkeypatch.setattr(read, "clusters", broken)
    response = client.get(f"{ROOT}/clusters")
    problem(response, 500, "failed")
    assert "s3cr3t" not in response.content.decode()


def test_no_log_line_holds_a_token(caller, caplog) -> None:
    client = caller("viewer")
    text = client.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    client.get(f"{ROOT}/services")
    client.get(f"{ROOT}/audit")
    client.get(f"{ROOT}/services", {"token": text})
    Client(headers={"Authorization": f"Bearer {text[:-1]}"}).get(f"{ROOT}/services")
    ours = next(h for h in logging.getLogger().handlers if isinstance(h.formatter, structlog.stdlib.ProcessorFormatter))
    told = "\n".join(ours.format(record) for record in caplog.records)
    assert "Forbidden: /api/v1/audit" in told
    assert text[12:-1] not in told
