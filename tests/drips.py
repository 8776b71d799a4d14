"""Servers that never finish: they answer one byte at a time for minutes, and no timeout between two bytes ends that."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from console.deadlines import DeadlineExceeded
from tests.cluster.scripted_server import DRIP_SECONDS, Drip

SHORT = 0.15  # seconds: the deadline in these tests; what a server drips takes more than a thousand times as long
LONG = b"x" * 10_000
HEAD = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "the status line": [Drip(b"HTTP/1.1 200 " + LONG)],
    "the headers": [HEAD, Drip(b"X-Slow: " + LONG)],
    "many headers": [HEAD, Drip(b"X: y\r\n" * 2000)],
    "the body": [HEAD, b"Content-Length: 10000\r\n\r\n", Drip(LONG)],
    "the chunks": [HEAD, b"Transfer-Encoding: chunked\r\n\r\n", Drip(b"1\r\nx\r\n" * 2000)],
    "the length of a chunk": [HEAD, b"Transfer-Encoding: chunked\r\n\r\n", Drip(b"0" * 10_000)],
    "a body without end": [HEAD, b"\r\n", Drip(LONG)],
    "the body of a refusal": [b"HTTP/1.1 403 No\r\nContent-Length: 10000\r\n\r\n", Drip(LONG)],
    "go on": [Drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 400)],
}
assert len(LONG) * DRIP_SECONDS > 1000 * SHORT


def ended_by_deadline(error: BaseException | None) -> bool:
    """Whether the deadline is what the error came from."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop()
        if isinstance(found, DeadlineExceeded):
            return True
        if isinstance(found, BaseException) and found not in seen:
            seen.append(found)
            waiting += [found.__cause__, found.__context__, getattr(found, "reason", None), *found.args]
    return False


@contextmanager
def dripping_port(first: bytes = b"") -> Iterator[tuple[int, threading.Event]]:
    """A port that drips to each connection once it has sent something; the event is set when it has come to an end."""
    over, ended = threading.Event(), threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def drip(connection: socket.socket) -> None:
        with connection:
            connection.recv(1)
            for at in range(len(first + LONG)):
                try:
                    connection.sendall((first + LONG)[at : at + 1])
                except OSError:
                    return
                if over.wait(DRIP_SECONDS):
                    return
            ended.set()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], ended
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


# A record of TLS that promises a ServerHello of 16 kB.
HALF_A_HANDSHAKE = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"


@contextmanager
def greedy_port() -> Iterator[int]:
    """A port that takes the connection and then hardly a byte of what it is sent, never the whole."""
    over = threading.Event()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def take() -> None:
            connection, _ = listener.accept()
            with connection:
                while not over.wait(DRIP_SECONDS):
                    try:
                        connection.recv(1)
                    except OSError:
                        return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join(10)
