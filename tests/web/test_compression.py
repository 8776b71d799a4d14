"""What is compressed on its way to a browser, and what must not be: pages with values and secrets (BREACH)."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import resolve

from console.cluster.resources import SERVICES
from console.web.compression import COMPRESSED, CompressionMiddleware
from tests import factories
from tests.web.test_access import TABLE
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]

TAKES = {"Accept-Encoding": "gzip, br"}
# Where values, secrets and what somebody types are shown: forms, previews, approvals, tokens, invitations, accounts.
WITH_SECRETS = {"deploy", "deploy-reveal", "env", "reveal", "settings", "yaml", "image", "create", "clone", "revision"}
WITH_SECRETS |= {
    "operation",
    "create-token",
    "tokens",
    "invitation",
    "person-link",
    "cluster-add",
    "cluster-edit",
    "bulk",
}


def is_compressed(response) -> bool:
    return "Content-Encoding" in response.headers


@pytest.fixture
def owner(client, mirror, people):
    client.force_login(people["owner"])
    return client


def test_a_list_comes_compressed_and_is_the_same_page(owner, mirror) -> None:
    plain = owner.get("/")
    packed = owner.get("/", headers=TAKES)
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert b"shop" in gzip.decompress(packed.content)
    assert len(packed.content) * 3 < len(plain.content)
    assert int(packed["Content-Length"]) == len(packed.content)
    assert not is_compressed(plain)


@pytest.mark.parametrize("path", ["/revisions/", "/operations/", "/services/box/default/shop/revisions/"])
def test_long_lists_come_compressed(owner, path: str) -> None:
    assert is_compressed(owner.get(path, headers=TAKES))


def test_two_answers_to_the_same_request_differ_in_length(owner) -> None:
    """A length that follows the content alone would tell how well a guess matches it."""
    assert len({len(owner.get("/", headers=TAKES).content) for _ in range(8)}) > 1


def test_pages_that_may_hold_secrets_are_not_among_the_compressed() -> None:
    assert not COMPRESSED & WITH_SECRETS
    assert TABLE.keys() >= WITH_SECRETS | COMPRESSED
    assert {name for name in TABLE if name.startswith(("api", "stream"))}.isdisjoint(COMPRESSED)


def test_revealed_and_typed_values_are_not_compressed(shown: Shown) -> None:
    shown.client.defaults["HTTP_ACCEPT_ENCODING"] = TAKES["Accept-Encoding"]
    assert is_compressed(shown.client.get(shown.path))
    revealed = shown.client.post(f"{shown.path}env/reveal/", {"container": "app"})
    assert "canary-secret-first" in revealed.content.decode()
    assert not is_compressed(revealed)
    preview = shown.set_target("typed-canary")
    assert "typed-canary" in preview.content.decode()
    assert not is_compressed(preview)


def stream(chunks: list[bytes]) -> Iterator[bytes]:
    yield from chunks


def test_a_stream_is_neither_compressed_nor_read_ahead() -> None:
    request = RequestFactory().get("/", headers=TAKES)
    request.resolver_match = resolve("/")
    chunks = stream([b"data: 1\n\n" * 100])
    response = CompressionMiddleware(lambda _request: StreamingHttpResponse(chunks))(request)
    assert not is_compressed(response)
    assert next(chunks), "nothing was taken from it"


def test_an_error_page_and_an_answer_to_a_form_are_not_compressed() -> None:
    for method, status in (("get", 422), ("post", 200)):
        request = getattr(RequestFactory(), method)("/", headers=TAKES)
        request.resolver_match = resolve("/")
        response = CompressionMiddleware(lambda _request, status=status: HttpResponse(b"x" * 9000, status=status))(
            request
        )
        assert not is_compressed(response)


STATIC = Path(__file__).resolve().parents[2] / "static"


def loaded(path: Path) -> list[Path]:
    """The file and what it makes a browser load: stylesheets and fonts."""
    found = re.findall(r'url\("([^")?]+\.(?:css|woff2))"\)', path.read_text("utf8")) if path.suffix == ".css" else []
    return [path, *(each for name in found for each in loaded((path.parent / name).resolve()))]


def test_a_first_view_weighs_less_than_its_budget(owner, mirror) -> None:
    """60 kB for a page of 50 services, 200 kB with all that it loads, as whitenoise compresses it."""
    mirror.replace_all(SERVICES, [factories.service(f"service-{number}") for number in range(50)])
    page = gzip.decompress(owner.get("/", headers=TAKES).content)
    assert len(gzip.compress(page)) < 60_000
    named = set(re.findall(r'(?:href|src)="/static/([^"]+)"', page.decode()))
    files = {each for name in named for each in loaded(STATIC / name)}
    weights = {path.name: min(len(found := path.read_bytes()), len(gzip.compress(found))) for path in files}
    assert {"icons.woff2", "bootstrap.min.css", "htmx.min.js"} <= weights.keys()
    assert sum(weights.values()) + len(gzip.compress(page)) < 200_000, weights
