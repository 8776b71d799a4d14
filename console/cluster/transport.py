"""One HTTP exchange with an API server, with timeouts, a size limit and one policy for trying again."""

import contextlib
import functools
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec
import urllib3
from kubernetes.client import Configuration
from kubernetes.config import ConfigException

from console.cluster import errors
from console.cluster.guarding import AddressForbidden
from console.deadlines import DeadlineExceeded, give_up_in_time, left, within

READ_TIMEOUT = urllib3.Timeout(connect=3, read=20)  # seconds
# An API server waits up to 30 s for an admission webhook, and the write happens after that: giving up before the API
# server does leaves behind a write of which nobody knows whether it happened.
WRITE_TIMEOUT = urllib3.Timeout(connect=3, read=40)
# For a whole exchange, since the timeouts above begin again with every byte; an answer may be MAX_ANSWER long.
READ_SECONDS = 60.0
WRITE_SECONDS = 45.0
MAX_CALL = 120.0  # seconds for one call with all its attempts and waits
MAX_LIST = 120.0  # seconds in which a server gives out all pages of one list
MAX_LIST_BYTES = 1024 * 1024 * 1024  # of all pages: a list without an end must not fill the memory
WATCH_GRACE = 15.0  # seconds; a watch ends by itself when its time is over: silence beyond is a dead link
MAX_ANSWER = 64 * 1024 * 1024  # bytes
MAX_ERROR = 1024 * 1024  # bytes of a refusal that are read
MAX_LINE = 16 * 1024 * 1024  # bytes of one watch event; etcd keeps objects under 2 MiB
MAX_WAIT = 30.0  # seconds that one Retry-After may ask for
MAX_WAITS = 45.0  # seconds that one call waits in all: a task must not last
ATTEMPTS = 4
JSON = "application/json, */*"
# A server that cannot leave the rest out answers 406: a request for names must never get values.
ONLY_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

# The request never left: what it asked did not happen.
_NOT_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.SSLError,
    AddressForbidden,
)
_decoder = msgspec.json.Decoder(dict[str, Any])


OnWait = Callable[[errors.ClusterError, float], None]


@dataclass(frozen=True, slots=True)
class Identity:
    """The person as whom the cluster should see a request (Kubernetes: user impersonation)."""

    user: str
    groups: tuple[str, ...] = ()

    def headers(self) -> list[tuple[str, str]]:
        """Return the impersonation headers; raises ValueError for what could widen rights or split a header."""
        for text in (self.user, *self.groups):
            # Servers trim the spaces around a header's value: " system:masters" is a way in.
            if not text.strip() or text != text.strip() or not text.isprintable() or text.startswith("system:"):
                raise ValueError("not a name that may be impersonated")
        named = [("Impersonate-User", self.user), *(("Impersonate-Group", group) for group in self.groups)]
        # http.client writes headers as latin-1; this way the bytes are UTF-8, which Kubernetes reads.
        return [(header, text.encode().decode("latin-1")) for header, text in named]


class WatchStream:
    """An open watch. `hang_up` may be called from any thread and ends `lines` at once."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        self._is_hung_up = False

    def lines(self) -> Iterator[bytes]:
        """Yield whole lines until the server ends the watch; raises Unreachable when it breaks.

        What follows the last newline when the stream ends was cut and is dropped: the next watch brings it again.
        """
        pending = bytearray()
        try:
            # read1 returns what has arrived, also behind a proxy that takes the chunks away.
            while (chunk := self._response.read1(65536)) and not self._is_hung_up:
                *whole, rest = chunk.split(b"\n")
                for piece in whole:
                    yield bytes(pending + piece)
                    pending.clear()
                pending += rest
                if len(pending) > MAX_LINE:
                    raise errors.ServerFailed(f"An event of the watch is larger than {MAX_LINE} bytes")
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if not self._is_hung_up:
                raise errors.Unreachable(_words(error)) from error
        finally:
            self._response.close()

    def hang_up(self) -> None:
        self._is_hung_up = True
        # A socket that was closed by the other side meanwhile cannot be shut down, and need not be.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self._response.shutdown()


@dataclass(frozen=True, slots=True)
class _Request:
    """What is asked of an API server, the same in each attempt."""

    method: str
    path: str
    query: Mapping[str, Any] | None = None
    body: Any = None
    content_type: str = ""
    identity: Identity | None = None
    accept: str = JSON

    @property
    def changes_nothing(self) -> bool:
        return self.method == "GET"

    @property
    def unanswered(self) -> type[errors.ClusterError]:
        """What it means that no whole answer came."""
        return errors.Unreachable if self.changes_nothing else errors.Uncertain

    def headers(self) -> urllib3.HTTPHeaderDict:
        """Return the headers without those of the console's own credentials; ValueError as Identity.headers."""
        headers = urllib3.HTTPHeaderDict({"Accept": self.accept, "User-Agent": "sluice"})
        for name, value in self.identity.headers() if self.identity else ():
            headers.add(name, value)
        if self.body is not None:
            headers["Content-Type"] = self.content_type
        return headers


class Transport:
    """The pool and the credentials of one cluster. Headers are built for each call and never shared."""

    def __init__(
        self,
        configuration: Configuration,
        pool: urllib3.PoolManager,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        timeout: urllib3.Timeout | None = None,
        attempts: int = ATTEMPTS,
        seconds: float = MAX_CALL,
    ) -> None:
        self._configuration, self._pool = configuration, pool
        self._timeouts = (timeout or READ_TIMEOUT, timeout or WRITE_TIMEOUT)
        self._seconds = seconds
        self._attempts = attempts
        self._sleep = sleep
        self._jitter = jitter
        self.base = configuration.host.rstrip("/")

    def with_timeout(self, seconds: float, *, attempts: int = 1) -> "Transport":
        """Return the same cluster for somebody who waits: a call with all its attempts is given up after `seconds`."""
        return Transport(
            self._configuration,
            self._pool,
            sleep=self._sleep,
            jitter=self._jitter,
            timeout=urllib3.Timeout(total=seconds),
            attempts=attempts,
            seconds=seconds,
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        identity: Identity | None = None,
        on_wait: OnWait | None = None,
        accept: str = JSON,
    ) -> dict[str, Any]:
        """Return the decoded JSON answer, an object; raises a ClusterError.

        Reads are tried again when the server fails or cannot be reached; every call is tried again after 429, whose
        Retry-After is honoured up to 30 s. A write that may have arrived is never repeated: it raises Uncertain.
        `on_wait` hears of each wait, in seconds. One attempt has READ_SECONDS or WRITE_SECONDS from looking up the
        name to the answer's last byte, all of them together MAX_CALL; an answer may have MAX_ANSWER bytes.
        """
        request = _Request(method, path, query, body, content_type, identity, accept)
        data = self._read(request, on_wait)
        return _decoded(data, errors.ServerFailed if request.changes_nothing else errors.Uncertain)

    def pages(
        self,
        path: str,
        *,
        query: Mapping[str, Any],
        identity: Identity | None = None,
        on_wait: OnWait | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield the answers that together are a list; raises a ClusterError, also for a list without an end.

        The server has MAX_LIST seconds for all of them; what is done with a page meanwhile does not count.
        """
        asked, seconds, size = dict(query), MAX_LIST, 0
        while True:
            began = time.monotonic()
            with within(seconds):
                data = self._read(_Request("GET", path, asked, identity=identity), on_wait)
            seconds -= time.monotonic() - began
            size += len(data)
            if size > MAX_LIST_BYTES:
                raise errors.ServerFailed(f"The list is larger than {MAX_LIST_BYTES} bytes")
            answer = _decoded(data, errors.ServerFailed)
            yield answer
            metadata = answer.get("metadata")
            if not isinstance(metadata, dict) or not metadata.get("continue"):
                return
            asked["continue"] = metadata["continue"]

    def text(
        self,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        identity: Identity | None = None,
        on_wait: OnWait | None = None,
    ) -> str:
        """Return what a GET brings as text, as logs are; raises a ClusterError. The limits are those of `call`."""
        return self._read(_Request("GET", path, query, identity=identity), on_wait).decode(errors="replace")

    def watch(
        self, path: str, query: Mapping[str, Any], *, seconds: int, identity: Identity | None = None
    ) -> WatchStream:
        """Open a watch that the server is to end after `seconds`; raises a ClusterError.

        WATCH_GRACE later it ends with Unreachable, whatever has come meanwhile.
        """
        asked = {**query, "watch": "true", "timeoutSeconds": seconds}
        request = _Request("GET", path, asked, identity=identity)
        timeout = urllib3.Timeout(connect=3, read=seconds + WATCH_GRACE)
        with within(seconds + WATCH_GRACE):
            response = self._send(request, timeout)
        if response.status >= 300:
            try:
                raise self._error(response, request)
            finally:
                response.close()
        return WatchStream(response)

    def _read(self, request: _Request, on_wait: OnWait | None) -> bytes:
        with within(self._seconds):
            return self._attempt(request, on_wait)

    def _attempt(self, request: _Request, on_wait: OnWait | None) -> bytes:
        waited = 0.0
        for attempt in range(self._attempts):
            try:
                with within(READ_SECONDS if request.changes_nothing else WRITE_SECONDS):
                    return self._exchange(request)
            except errors.ClusterError as error:
                wait = self._wait(error, request, attempt)
                if wait is None or waited + wait > MAX_WAITS or wait > left():
                    raise
                if on_wait:
                    on_wait(error, wait)
                self._sleep(wait)
                waited += wait
        raise AssertionError("the last attempt returns or raises")

    def _wait(self, error: errors.ClusterError, request: _Request, attempt: int) -> float | None:
        """Seconds until the next attempt, or None when there should be none."""
        if attempt == self._attempts - 1:
            return None
        if isinstance(error, errors.Throttled):
            return min(error.retry_after, MAX_WAIT) + self._jitter()
        passing = isinstance(error, errors.Unreachable) or error.code in (500, 502, 503, 504)
        return self._jitter() * 0.5 * 2**attempt if passing and request.changes_nothing else None

    def _exchange(self, request: _Request) -> bytes:
        if left() <= 0:
            raise errors.Unreachable("No time was left for this request") from DeadlineExceeded()
        reading, writing = self._timeouts
        response = self._send(request, reading if request.changes_nothing else writing)
        try:
            if response.status >= 300:
                raise self._error(response, request)
            data: bytes = response.read(MAX_ANSWER + 1, decode_content=True)
            if len(data) > MAX_ANSWER:
                raise errors.ServerFailed(f"The response is larger than {MAX_ANSWER} bytes")
            # Only a connection whose answer was read to its end may serve again.
            response.drain_conn()
            response.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise request.unanswered(_words(error)) from error
        except errors.ClusterError:
            response.close()
            raise
        return data

    def _send(self, request: _Request, timeout: urllib3.Timeout) -> urllib3.BaseHTTPResponse:
        headers = request.headers()
        try:
            token = _token(self._configuration)
        except (OSError, ConfigException) as error:
            raise errors.Unauthorized(f"The credentials cannot be read: {error}") from error
        if token:
            headers["Authorization"] = token
        url = f"{self.base}{request.path}" + (f"?{urlencode(request.query)}" if request.query else "")
        try:
            answer: urllib3.BaseHTTPResponse = self._pool.request(
                request.method,
                url,
                body=None if request.body is None else msgspec.json.encode(request.body),
                headers=headers,
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except _NOT_SENT as error:
            raise errors.Unreachable(_words(error)) from error
        except urllib3.exceptions.HTTPError as error:
            raise request.unanswered(_words(error)) from error
        return answer

    @staticmethod
    def _error(response: urllib3.BaseHTTPResponse, request: _Request) -> errors.ClusterError:
        """The error that the answer means, a redirect among them: it could lead the credentials anywhere."""
        try:
            data: bytes = response.read(MAX_ERROR, decode_content=True)
        except urllib3.exceptions.HTTPError as error:
            unread = request.unanswered(_words(error), response.status)
            unread.__cause__ = error
            return unread
        try:
            body = _decoder.decode(data)
        except (msgspec.DecodeError, RecursionError):
            body = {}
        return errors.from_answer(response.status, body, data.decode(errors="replace"), response.headers)


def _token(configuration: Configuration) -> str | None:
    """The Authorization header. Asks an exec plugin or a token file for a newer token when it is time."""
    read = functools.partial(configuration.get_api_key_with_prefix, "BearerToken", alias="authorization")
    token: str | None = give_up_in_time(read) if configuration.refresh_api_key_hook else read()
    return token


def _decoded(data: bytes, kind: type[errors.ClusterError]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise kind(f"The response is not a JSON object: {error}") from error
    return answer


def _words(error: Exception) -> str:
    """The innermost reason, without the pool's address in memory."""
    reason = getattr(error, "reason", None) or error.__cause__ or error
    return str(reason).rpartition("object at 0x")[2].partition(">: ")[2] or str(reason)
