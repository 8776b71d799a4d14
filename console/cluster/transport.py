"""One HTTP exchange with an API server, with timeouts, a size limit and one policy for trying again."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec
import urllib3
from kubernetes.client import ApiClient

from console.cluster import errors

CALL_TIMEOUT = urllib3.Timeout(connect=3, read=20)  # seconds
WATCH_TIMEOUT = urllib3.Timeout(connect=3, read=75)  # a watch ends by itself after 60 s; silence beyond is a dead link
MAX_ANSWER = 64 * 1024 * 1024  # bytes
MAX_WAIT = 30.0  # seconds that one Retry-After may ask for
ATTEMPTS = 4
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

_decoder = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class Identity:
    """The person as whom the cluster should see a request (Kubernetes: user impersonation)."""

    user: str
    groups: tuple[str, ...] = ()

    def headers(self) -> list[tuple[str, str]]:
        """Return the impersonation headers; raises ValueError for what could widen rights or split a header."""
        for text in (self.user, *self.groups):
            if not text or not text.isprintable() or text.startswith("system:"):
                raise ValueError("not a name that may be impersonated")
        return [("Impersonate-User", self.user), *(("Impersonate-Group", group) for group in self.groups)]


class Transport:
    """The pool and the credentials of one cluster. Headers are built anew for each call and never shared."""

    def __init__(
        self,
        client: ApiClient,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._sleep = sleep
        self._jitter = jitter
        self.base = client.configuration.host.rstrip("/")

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        identity: Identity | None = None,
        on_wait: Callable[[errors.ClusterError, float], None] | None = None,
    ) -> Any:
        """Return the decoded JSON answer (text for logs); raises a ClusterError.

        Reads are tried again when the server fails or cannot be reached; every call is tried again after 429, whose
        Retry-After is honoured up to 30 s. A write that may have arrived is never repeated: it raises Uncertain.
        `on_wait` hears of each wait, in seconds.
        """
        for attempt in range(ATTEMPTS):
            try:
                return self._exchange(method, path, query, body, content_type, identity)
            except errors.ClusterError as error:
                wait = self._wait(error, method, attempt)
                if wait is None:
                    raise
                if on_wait:
                    on_wait(error, wait)
                self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def lines(self, path: str, query: Mapping[str, Any], stop: threading.Event) -> Iterator[bytes]:
        """Yield the lines of a watch until it ends, breaks (a ClusterError) or `stop` is set."""
        response = self._send("GET", path, query, None, "application/json", None, WATCH_TIMEOUT)
        try:
            if response.status >= 400:
                raise self._error(response)
            pending = b""
            for chunk in response.stream(65536):
                if stop.is_set():
                    return
                *whole, pending = (pending + chunk).split(b"\n")
                yield from whole
        except urllib3.exceptions.HTTPError as error:
            raise errors.Unreachable(_words(error)) from error
        finally:
            response.close()
            response.release_conn()

    def _wait(self, error: errors.ClusterError, method: str, attempt: int) -> float | None:
        """Seconds until the next attempt, or None when there should be none."""
        if attempt == ATTEMPTS - 1:
            return None
        if isinstance(error, errors.Throttled):
            return min(error.retry_after, MAX_WAIT) + self._jitter()
        passing = isinstance(error, errors.Unreachable) or error.code in (500, 502, 503, 504)
        return self._jitter() * 0.5 * 2**attempt if passing and method == "GET" else None

    def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Any,
        content_type: str,
        identity: Identity | None,
    ) -> Any:
        response = self._send(method, path, query, body, content_type, identity, CALL_TIMEOUT)
        try:
            if response.status >= 400:
                raise self._error(response)
            data = response.read(MAX_ANSWER + 1, decode_content=True)
        except urllib3.exceptions.HTTPError as error:
            kind = errors.Unreachable if method == "GET" else errors.Uncertain
            raise kind(_words(error)) from error
        finally:
            response.release_conn()
        if len(data) > MAX_ANSWER:
            response.close()
            raise errors.ServerFailed(f"The answer is larger than {MAX_ANSWER} bytes")
        if not response.headers.get("Content-Type", "").startswith("application/json"):
            return data.decode(errors="replace")
        try:
            return _decoder.decode(data)
        except msgspec.DecodeError as error:
            raise errors.ServerFailed(f"The answer is not JSON: {error}") from error

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Any,
        content_type: str,
        identity: Identity | None,
        timeout: urllib3.Timeout,
    ) -> urllib3.BaseHTTPResponse:
        headers = urllib3.HTTPHeaderDict({"Accept": "application/json, */*", "User-Agent": "sluice"})
        configuration = self._client.configuration
        if token := configuration.get_api_key_with_prefix("BearerToken", alias="authorization"):
            headers["Authorization"] = token
        for name, value in identity.headers() if identity else ():
            headers.add(name, value)
        if body is not None:
            headers["Content-Type"] = content_type
        url = f"{self.base}{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            answer: urllib3.BaseHTTPResponse = self._client.rest_client.pool_manager.request(
                method,
                url,
                body=None if body is None else msgspec.json.encode(body),
                headers=headers,
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
            raise errors.Unreachable(_words(error)) from error
        except urllib3.exceptions.SSLError as error:
            raise errors.Unreachable(_words(error)) from error
        except urllib3.exceptions.HTTPError as error:
            kind = errors.Unreachable if method == "GET" else errors.Uncertain
            raise kind(_words(error)) from error
        return answer

    @staticmethod
    def _error(response: urllib3.BaseHTTPResponse) -> errors.ClusterError:
        data = response.read(1024 * 1024, decode_content=True)
        try:
            body = _decoder.decode(data)
        except msgspec.DecodeError:
            body = {}
        text = data.decode(errors="replace")
        return errors.from_answer(response.status, body if isinstance(body, dict) else {}, text, response.headers)


def _words(error: Exception) -> str:
    """The innermost reason, without the pool's address in memory."""
    reason = getattr(error, "reason", None) or error.__cause__ or error
    return str(reason).rpartition("object at 0x")[2].partition(">: ")[2] or str(reason)
