"""A small HTTP server: a function takes the request and returns the answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Headers of one connection, which must not be passed on.
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "content-length"})
IDLE_SECONDS = 75


@dataclass(frozen=True)
class Request:
    """A request; `headers` without those of the connection."""

    method: str
    path: str
    host: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """An answer; `headers` without those of the connection."""

    status: int
    body: bytes
    headers: Sequence[tuple[str, str]] = ()


class HttpFront:
    """Serves from the moment it is made, on `port` of the address (0: a free one); raises OSError when it is taken."""

    def __init__(self, address: str, port: int, answer: Callable[[Request], Answer]) -> None:
        self._server = ThreadingHTTPServer((address, port), _handler(answer))
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, name=f"HTTP on {self.port}", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(answer: Callable[[Request], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = IDLE_SECONDS

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            host = self.headers.get("Host", "").partition(":")[0]
            found = answer(Request(self.command, self.path, host, headers, body))
            self.send_response(found.status)
            for name, value in found.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(found.body)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET

        def log_message(self, *_arguments: object) -> None:
            """Quiet: the tests read answers, not logs."""

    return Handler
