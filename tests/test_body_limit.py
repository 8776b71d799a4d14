"""Nobody fills memory or disk with a request's body, whatever length it announces, signed in or not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from console.asgi import application
from console.body_limit import MAX_BODY

CHUNK = 64 * 1024
pytestmark = pytest.mark.django_db


def scope(path: str, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8000),
    }


class Sender:
    """A client that goes on sending as long as it is read; counts what was taken of it."""

    def __init__(self, size: int) -> None:
        self.left, self.taken = size, 0

    async def receive(self) -> dict[str, Any]:
        if not self.left:
            await asyncio.Event().wait()  # it waits for its answer
        part = min(CHUNK, self.left)
        self.left -= part
        self.taken += part
        return {"type": "http.request", "body": b"x" * part, "more_body": self.left > 0}


async def answer(about: dict[str, Any], sender: Sender) -> int:
    statuses: list[int] = []

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await application(about, sender.receive, send)
    [status] = statuses
    return status


@pytest.mark.parametrize("path", ["/accounts/login/", "/api/v1/services", "/nothing/here/"])
async def test_an_announced_length_beyond_the_limit_is_not_read_at_all(path: str) -> None:
    sender = Sender(150 * 1024 * 1024)
    assert await answer(scope(path, (b"content-length", str(150 * 1024 * 1024).encode())), sender) == 413
    assert sender.taken == 0


@pytest.mark.parametrize("path", ["/accounts/login/", "/api/v1/services", "/nothing/here/"])
@pytest.mark.parametrize("headers", [(), ((b"content-length", b"10"),)], ids=["chunked", "lying"])
async def test_a_body_that_grows_beyond_the_limit_is_read_no_further(path: str, headers: Any) -> None:
    sender = Sender(150 * 1024 * 1024)
    assert await answer(scope(path, *headers), sender) == 413
    assert sender.taken <= MAX_BODY + CHUNK


async def test_a_body_within_the_limit_is_answered_by_the_console() -> None:
    assert (
        await answer(scope("/accounts/login/", (b"content-type", b"text/plain")), Sender(MAX_BODY)) == 403
    )  # without a CSRF token
