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


async def sent(about: dict[str, Any], sender: Sender) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    await application(about, sender.receive, send)
    return messages


async def answer(about: dict[str, Any], sender: Sender) -> int:
    [status] = [one["status"] for one in await sent(about, sender) if one["type"] == "http.response.start"]
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


ENGLISH, CHINESE = "The request is too large. Nothing was saved.", "请求过大，未保存任何内容。"
ASKED = {
    "nothing": ((), ENGLISH, "en"),
    "the browser's language": (((b"accept-language", b"zh-CN,zh;q=0.9,en;q=0.5"),), CHINESE, "zh-hans"),
    "the chosen one": (((b"accept-language", b"en"), (b"cookie", b"a=b; django_language=zh-hans")), CHINESE, "zh-hans"),
    "one that is not there": (((b"accept-language", b"tlh"), (b"cookie", b"django_language=xx")), ENGLISH, "en"),
    "rubbish": (((b"accept-language", b"\xff;q=\x00"), (b"cookie", b"\xff=;;django_language")), ENGLISH, "en"),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("announced", [True, False])
async def test_a_sender_of_too_much_is_told_in_their_language(asked: str, announced: bool) -> None:
    headers, text, language = ASKED[asked]
    size = MAX_BODY + CHUNK
    length = ((b"content-length", str(size).encode()),) if announced else ()
    start, body = await sent(scope("/nothing/here/", *headers, *length), Sender(size))
    assert body["body"].decode() == f"{text}\n"
    assert dict(start["headers"])[b"content-language"] == language.encode()
