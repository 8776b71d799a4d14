"""An end for each call out, however slowly the other side answers.

Timeouts of sockets begin again with every byte: a server that sends one a second keeps its caller for hours. Within
`within(seconds)` everything that a timed connection does ends in time: looking up the name, connecting, the TLS
handshake, sending the request, and the answer from its first byte to its last.
tests/test_no_call_without_deadline.py lists every place that calls out.
"""

import http.client
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

MAX_PIECE = 16 * 1024  # bytes that are sent under one timeout; TLS would begin a timeout for each record by itself
MAX_ABANDONED = 64  # calls of one process that were given up and have not ended yet

_until: ContextVar[float] = ContextVar("until", default=float("inf"))
_abandoned = threading.BoundedSemaphore(MAX_ABANDONED)
P = ParamSpec("P")
T = TypeVar("T")


class DeadlineExceeded(TimeoutError):
    """The call was not complete at its deadline, though the other side may still be answering."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End what timed connections do inside after so many seconds, or earlier where an outer one says so.

    An answer keeps the deadline of the moment in which it began, also when it is read outside.
    """
    token = _until.set(min(_until.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _until.reset(token)


def left() -> float:
    """The seconds that are left; infinite where there is no deadline, negative when it has passed."""
    return _until.get() - time.monotonic()


def share(timeout: float | None) -> float | None:
    """Return the timeout for the next step (seconds; None: none), cut to what is left; raises DeadlineExceeded."""
    return _cut(timeout, _until.get())


def _cut(timeout: float | None, until: float) -> float | None:
    remaining = until - time.monotonic()
    if remaining <= 0:
        raise DeadlineExceeded("the response was not complete in time")
    if remaining == float("inf"):
        return timeout
    return remaining if timeout is None else min(timeout, remaining)


@contextmanager
def told(until: float) -> Iterator[None]:
    """Turn the timeout of a socket into DeadlineExceeded where the deadline was what ended it."""
    try:
        yield
    except TimeoutError as error:
        if time.monotonic() < until or isinstance(error, DeadlineExceeded):
            raise
        raise DeadlineExceeded("the response was not complete in time") from error


def give_up_in_time(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what the call returns, or raise DeadlineExceeded: for what takes no timeout, as name services do.

    A call that was given up keeps its thread until it ends by itself. Of those a process has MAX_ABANDONED.
    """
    if _until.get() == float("inf"):
        return call(*args, **kwargs)
    if not _abandoned.acquire(timeout=share(None) or 0):
        raise DeadlineExceeded("too many calls are waiting for a response")
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(call(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001  raised where somebody waits for it
            answer.set_exception(error)
        finally:
            _abandoned.release()

    threading.Thread(target=run, daemon=True).start()
    with told(_until.get()):
        return answer.result(max(0.0, left()))


def connect(
    host: str,
    port: int,
    *,
    timeout: float | None,
    options: Sequence[tuple[int, int, Any]] = (),
    source: tuple[str, int] | None = None,
) -> socket.socket:
    """Return a TCP connection to the first address of the host that takes it; each address has `timeout` seconds.

    Raises gaierror or UnicodeError for an unknown name, DeadlineExceeded, or another OSError.
    """
    failure = OSError("the name has no address")
    found = give_up_in_time(socket.getaddrinfo, host.strip("[]"), port, 0, socket.SOCK_STREAM)
    for family, kind, protocol, _name, address in found:
        made = socket.socket(family, kind, protocol)
        try:
            for option in options:
                made.setsockopt(*option)
            if source:
                made.bind(source)
            made.settimeout(share(timeout))
            with told(_until.get()):
                made.connect(address)
        except DeadlineExceeded:
            made.close()
            raise
        except OSError as error:
            made.close()
            failure = error
        else:
            return made
    raise failure


def use(manager: Any) -> None:
    """Let the pools of a urllib3.PoolManager make timed connections."""
    manager.pool_classes_by_scheme = {"http": TimedHttpPool, "https": TimedHttpsPool}


class _Reader(io.RawIOBase):
    """What comes from a socket until a moment; then raises DeadlineExceeded."""

    def __init__(self, source: socket.socket, raw: io.RawIOBase, until: float) -> None:
        self._socket, self._raw, self._until = source, raw, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(_cut(self._socket.gettimeout(), self._until))
        with told(self._until):
            return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer whose head and body must come before the deadline."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        until = _until.get()
        if until != float("inf"):
            raw: Any = self.fp.detach()  # a BufferedReader
            self.fp = io.BufferedReader(_Reader(sock, raw, until))


class Timed(HTTPConnection):
    """A connection that observes the deadline, from looking up the name to the last byte of the answer."""

    response_class = _Response

    def connect(self) -> None:
        """Raise ConnectTimeoutError, which says that nothing was asked yet, when a handshake takes too long."""
        try:
            with told(_until.get()):
                super().connect()
        except TimeoutError as error:
            self.close()
            raise urllib3.exceptions.ConnectTimeoutError(self, f"{self.host}: {error}") from error

    def send(self, data: Any) -> None:
        pieces = [data]
        if isinstance(data, bytes) and len(data) > MAX_PIECE:
            pieces = [data[at : at + MAX_PIECE] for at in range(0, len(data), MAX_PIECE)]
        for piece in pieces:
            if self.sock is not None:
                self.sock.settimeout(share(_seconds(self.timeout)))
            with told(_until.get()):
                super().send(piece)

    def _new_conn(self) -> socket.socket:
        timeout = _seconds(self.timeout)
        options, source = tuple(self.socket_options or ()), self.source_address
        try:
            made = connect(self._dns_host, self.port or 0, timeout=timeout, options=options, source=source)
            made.settimeout(share(timeout))
        except (socket.gaierror, UnicodeError) as error:
            reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise urllib3.exceptions.NameResolutionError(self.host, self, reason) from error
        except TimeoutError as error:
            raise urllib3.exceptions.ConnectTimeoutError(self, f"{self.host}: {error}") from error
        except OSError as error:
            raise urllib3.exceptions.NewConnectionError(self, f"{self.host}: {error}") from error
        return made


def _seconds(timeout: Any) -> float | None:
    return float(timeout) if isinstance(timeout, int | float) else None


class _TimedHttps(Timed, HTTPSConnection):
    pass


class TimedHttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = Timed


class TimedHttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TimedHttps
