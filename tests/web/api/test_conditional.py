"""HEAD is GET without a body, and 304 says that nothing changed: at every address, of what is refused too."""

from __future__ import annotations

import itertools

from django.test import Client

from console.web.api.endpoints import ENDPOINTS
from tests.web.api.conftest import ROOT, address

ADDRESSES = [*(address(endpoint.path) for endpoint in ENDPOINTS), f"{ROOT}/openapi.json"]
REFUSED = [f"{ROOT}/nowhere", f"{ROOT}/services?limt=1", f"{ROOT}/services/box/default/nope", f"{ROOT}/audit/999999"]


def headers(response) -> dict[str, str]:
    """All but what is another for each request."""
    return {name: value for name, value in response.headers.items() if name != "X-Request-ID"}


def test_head_has_the_status_and_the_headers_of_get_and_no_body(caller, operation) -> None:
    client = caller("administrator")
    for path in (*ADDRESSES, *REFUSED):
        got, asked = client.get(path), client.head(path)
        assert (asked.status_code, headers(asked), asked.content) == (got.status_code, headers(got), b""), path
        assert int(got["Content-Length"]) == len(got.content), path


def test_what_did_not_change_is_not_sent_again(caller, operation) -> None:
    client = caller("administrator")
    for path, ask in itertools.product(ADDRESSES, (client.get, client.head)):
        etag = client.get(path)["ETag"]
        again = ask(path, headers={"If-None-Match": f'"other", {etag}'})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag), path
        assert ask(path, headers={"If-None-Match": '"other"'}).status_code == 200, path


def test_a_refusal_has_no_validator_and_head_is_refused_as_get(mirror, db) -> None:
    got, asked = (getattr(Client(), method)(f"{ROOT}/services") for method in ("get", "head"))
    assert (asked.status_code, headers(asked)) == (got.status_code, headers(got))
    assert got.status_code == 401
    assert "ETag" not in got.headers
