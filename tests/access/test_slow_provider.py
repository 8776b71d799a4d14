"""An identity provider that answers one byte at a time, or without end, keeps nobody and fills nothing."""

from __future__ import annotations

import gzip

import pytest
import requests

from console.access.oidc import calls
from console.access.oidc.calls import AnswerTooLarge, session
from tests.access.identity_provider import Provider
from tests.access.test_single_sign_on import LOGIN, begin
from tests.cluster.scripted_server import answer, scripted
from tests.drips import DRIPS, HALF_A_HANDSHAKE, SHORT, dripping_port, ended_by_deadline


@pytest.fixture
def hurried(monkeypatch) -> None:
    monkeypatch.setattr(calls, "CALL_SECONDS", SHORT)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("drip", DRIPS)
def test_an_answer_that_drips_ends(drip: str, method: str, hurried) -> None:
    with scripted(DRIPS[drip]) as server, session() as asking:
        with pytest.raises(requests.RequestException) as caught:
            asking.request(method, server.url)
        assert ended_by_deadline(caught.value)
        assert not server.has_dripped_all


def test_a_handshake_of_tls_that_drips_ends(hurried) -> None:
    with dripping_port(HALF_A_HANDSHAKE) as (port, ended), session() as asking:
        with pytest.raises(requests.RequestException) as caught:
            asking.get(f"https://127.0.0.1:{port}/")
        assert ended_by_deadline(caught.value)
        assert not ended.is_set()


@pytest.mark.parametrize("zipped", [False, True])
def test_an_answer_without_measure_is_not_read_to_its_end(zipped: bool) -> None:
    body = b" " * (calls.MAX_ANSWER + 1)
    whole = answer(gzip.compress(body), Content_Encoding="gzip") if zipped else answer(body)
    with scripted(whole) as server, session() as asking, pytest.raises(AnswerTooLarge):
        asking.get(server.url)


def test_a_provider_that_sends_on_and_on_is_left() -> None:
    with scripted(answer(b"", 302, Location="/again")) as server, session() as asking:
        with pytest.raises(requests.TooManyRedirects):
            asking.get(server.url)
        assert len(server.requests) == calls.MAX_REDIRECTS + 1


def test_an_answer_in_time_is_whole() -> None:
    with scripted(answer({"issuer": "x"})) as server, session() as asking:
        for _ in range(2):
            assert asking.get(server.url).json() == {"issuer": "x"}


def test_all_that_one_page_asks_ends_together(monkeypatch) -> None:
    monkeypatch.setattr(calls, "PAGE_SECONDS", SHORT)

    @calls.in_time
    def page(url: str) -> None:
        with session() as asking:
            while True:
                asking.get(url)

    with scripted(answer({})) as server, pytest.raises(requests.RequestException) as caught:
        page(server.url)
    assert ended_by_deadline(caught.value)


PATHS = ("/.well-known/openid-configuration", "/oauth2/token", "/jwks", "/userinfo")


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_people_who_sign_in_are_told_that_the_provider_does_not_answer(
    client, provider: Provider, monkeypatch, path: str
) -> None:
    back = provider.sign_in(begin(client), "1").removeprefix("http://testserver")
    monkeypatch.setattr(calls, "CALL_SECONDS", 3 * SHORT)
    provider.drips_at = path
    page = client.post(LOGIN) if path == PATHS[0] else client.get(back)
    assert page.status_code == 401
    assert "is not responding" in page.content.decode()
