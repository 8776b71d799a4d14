"""Bodies in and out of HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from console.sandbox import errors
from console.sandbox.writing import Written

BODY_LIMIT = 3 * 1024 * 1024  # bytes, as kube-apiserver has it


async def read_body(request: Request) -> bytes:
    """The whole body; raises StatusError 413 as soon as it is over the limit, without keeping the rest."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > BODY_LIMIT:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_LIMIT:
            raise _too_large()
        chunks.append(chunk)
    return b"".join(chunks)


def media_type(request: Request) -> str:
    """The Content-Type without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def json_response(body: Any, code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(body), code, dict(headers or {}), media_type="application/json")


def written_response(written: Written) -> Response:
    """The answer to a write."""
    return with_warnings(json_response(written.body, written.code), written.warnings)


def with_warnings(response: Response, warnings: Iterable[str]) -> Response:
    """The answer with warnings as Kubernetes sends them (RFC 7234, code 299)."""
    for warning in warnings:
        quoted = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.append("Warning", f'299 - "{quoted}"')
    return response


class CutConnection(Response):
    """An ordered fault: the answer begins and the connection breaks before its end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Announce more than is sent; the server then closes the connection."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


def _too_large() -> errors.StatusError:
    message = f"Request entity too large: limit is {BODY_LIMIT}"
    return errors.StatusError(413, "RequestEntityTooLarge", message)
