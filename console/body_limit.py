"""A limit on request bodies, by the announced length and by what really comes, before anything reads or spools them.

Django's own limits apply only when a body is on disk already. These apply before, also to people who are not signed in.
"""

import io
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.utils.translation import get_language_from_request, gettext, override

MAX_BODY = 4 * 1024 * 1024  # bytes; more than DATA_UPLOAD_MAX_MEMORY_SIZE, whose answer is a page of the console


class BodyLimit:
    """ASGI middleware: 413 for a body of more than MAX_BODY bytes; the application sees a client that went away."""

    def __init__(self, application: Any, max_body: int = MAX_BODY) -> None:
        self._application = application
        self._max_body = max_body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        if _announced(scope) > self._max_body:
            await _refuse(scope, send)
            return
        body = _Counted(receive, send, self._max_body)
        await self._application(scope, body.receive, body.send)
        if body.is_too_large and not body.is_answered:
            await _refuse(scope, send)


class _Counted:
    """The two ends of one request, with the bytes of its body counted."""

    def __init__(self, receive: Any, send: Any, max_body: int) -> None:
        self._receive, self._send, self._left = receive, send, max_body
        self.is_too_large = self.is_answered = False

    async def receive(self) -> Any:
        if self.is_too_large:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        self.is_too_large = self._left < 0
        return {"type": "http.disconnect"} if self.is_too_large else message

    async def send(self, message: Any) -> None:
        self.is_answered = True
        await self._send(message)


def _announced(scope: Any) -> int:
    """The bytes that Content-Length announces; 0 when it is missing or not a number (the server refuses the latter)."""
    text = dict(scope["headers"]).get(b"content-length", b"")
    return int(text) if text.isdigit() else 0


async def _refuse(scope: Any, send: Any) -> None:
    # As Django's own middleware chooses it, by cookie and Accept-Language; that one has not seen this request.
    language = get_language_from_request(ASGIRequest(scope, io.BytesIO()))
    with override(language):
        text = gettext("The request is too large. Nothing was saved.")
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-language", language.encode()),
        (b"vary", b"Accept-Language, Cookie"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": f"{text}\n".encode()})
