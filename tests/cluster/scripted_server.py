"""An HTTP server that answers what a test tells it, byte for byte, also what no sane server would."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

HANG = b"<hang>"  # in a script: say no more, keep the connection open
CUT = b"<cut>"  # close the connection here, in the middle of the answer
DRIP_SECONDS = 0.02


class Drip(bytes):
    """In a script: sent one byte at a time, so slowly that no timeout between two bytes ever ends it."""


@dataclass
class Request:
    """What arrived: the request line's parts and the headers as they were sent."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class ScriptedServer:
    """Answers each request with the next of its scripts, the last one without end. A script is a list of pieces."""

    scripts: list[Sequence[bytes]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    tls: ssl.SSLContext | None = None
    has_dripped_all: bool = False  # a Drip came to its end, though nobody was to wait for it
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._shake_hands, args=(connection,), daemon=True).start()

    def _shake_hands(self, connection: socket.socket) -> None:
        if self.tls is None:
            self._converse(connection)
            return
        with contextlib.suppress(OSError):  # the client may have gone
            self._converse(self.tls.wrap_socket(connection, server_side=True))

    def _converse(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as incoming:
            while request := _read(incoming):
                script = self.scripts[min(len(self.requests), len(self.scripts) - 1)]
                self.requests.append(request)
                for piece in script:
                    if piece == CUT:
                        connection.shutdown(socket.SHUT_RDWR)
                        return
                    if piece == HANG:
                        self._over.wait(60)
                        return
                    try:
                        self._say(connection, piece)
                    except OSError:
                        return

    def _say(self, connection: socket.socket, piece: bytes) -> None:
        if not isinstance(piece, Drip):
            connection.sendall(piece)
            return
        for at in range(len(piece)):
            connection.sendall(piece[at : at + 1])
            if self._over.wait(DRIP_SECONDS):
                return
        self.has_dripped_all = True

    def end(self) -> None:
        self._over.set()


@contextmanager
def scripted(*scripts: Sequence[bytes], tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """Run a server on a free loopback port."""
    server = ScriptedServer(list(scripts), tls=tls)
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]
    threading.Thread(target=server.serve, args=(listener,), daemon=True).start()
    try:
        yield server
    finally:
        server.end()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def answer(body: Any, code: int = 200, **headers: str) -> list[bytes]:
    """A whole answer in JSON; text and bytes go as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}
    lines = [f"HTTP/1.1 {code} Told", *(f"{name.replace('_', '-')}: {value}" for name, value in named.items())]
    return ["\r\n".join(lines).encode() + b"\r\n\r\n" + data]


def status(code: int, reason: str = "", message: str = "told so", **details: Any) -> dict[str, Any]:
    """A Status body."""
    return {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}


def stream(*lines: Any, then: bytes | None = None) -> list[bytes]:
    """A watch: each line as one chunk; then the proper end, or HANG or CUT."""
    pieces = [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"]
    for line in lines:
        data = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
        pieces.append(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    return [*pieces, then or b"0\r\n\r\n"]


def event(kind: str, name: str, version: int, **metadata: Any) -> dict[str, Any]:
    """A line of a watch."""
    return {"type": kind, "object": {"metadata": {"name": name, "resourceVersion": str(version), **metadata}}}


def listed(*names: str, version: int = 10, token: str = "") -> list[bytes]:
    """An answer to a list."""
    items = [{"metadata": {"name": name, "resourceVersion": "1"}} for name in names]
    return answer({"items": items, "metadata": {"resourceVersion": str(version), "continue": token}})


def _read(incoming: Any) -> Request | None:
    try:
        first = incoming.readline().decode("latin-1").split()
        if len(first) != 3:
            return None
        headers = []
        while line := incoming.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers.append((name, value.strip()))
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        return Request(first[0], first[1], headers, incoming.read(length))
    except OSError:
        return None
