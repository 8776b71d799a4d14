"""One request to a service through the cluster's ingress, as a client outside would send it.

The address comes from the service's status, or is the ingress that the cluster's settings name; one that was typed in
the console is checked like the others. On a cluster without a configured ingress the
name is resolved once, refused when it points into the machine or the link (SSRF), and the connection goes to exactly
the address that was checked.
"""

import re
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3

from console.cluster.addresses import Address, is_forbidden, resolve
from console.cluster.connections import Connection
from console.deadlines import TimedHttpPool, TimedHttpsPool, within

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 60.0  # for the whole answer; a cold start pulls an image at times
BODY_BYTES = 64 * 1024
SHOWN_CHARACTERS = 120
# The sandbox and the ingress of the test cluster name the revision; a real ingress does not.
REVISION_HEADER = "Knative-Serving-Revision"
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_NAME = re.compile(_LABEL)
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")


class AddressRefused(Exception):
    """Test requests must not go to the host of the service's URL; `host`, and `why` as a code."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host[:253]}: {why}")
        self.host = host
        self.why = why


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: HTTP status (0: nothing), the body's first line, the revision when the ingress names it."""

    status: int
    body: str
    revision: str
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go: an address that was checked, and the name that they ask for."""

    address: str
    port: int
    host: str
    tls: bool


def target(connection: Connection, url: str) -> Target:
    """Return where requests for the service's URL go; raises AddressRefused."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise AddressRefused("", "not-a-host-name") from error
    if parts.scheme not in ("http", "https") or not url.isprintable() or not _HOST.fullmatch(host):
        raise AddressRefused(host, "not-a-host-name")
    tls = parts.scheme == "https"
    if connection.ingress:
        address, _, ingress_port = connection.ingress.rpartition(":")
        address = address.strip("[]")
        if connection.is_guarded:
            address = _checked(address, connection.loopback)
        return Target(address, int(ingress_port), host, tls=False)
    return Target(_resolve(host, connection), port or (443 if tls else 80), host, tls)


def ask(where: Target, *, seconds: float = ANSWER_SECONDS) -> Answer:
    """Send one GET and return the answer; a request that fails is an answer too, with `error`."""
    began = time.monotonic()
    pool = _pool(where, seconds)
    try:
        with within(seconds):
            response = pool.request(
                "GET",
                "/",
                headers={"Host": where.host, "User-Agent": "sluice-access-test"},
                redirect=False,
                preload_content=False,
            )
        line = _first_line(response)
        revision = response.headers.get(REVISION_HEADER, "")
        # Behind a real ingress the program itself may answer anything in any header.
        revision = revision if _NAME.fullmatch(revision) else ""
        return Answer(response.status, line, revision, time.monotonic() - began)
    except urllib3.exceptions.HTTPError as error:
        return Answer(0, "", "", time.monotonic() - began, type(error).__name__)
    finally:
        pool.close()


def _first_line(response: urllib3.BaseHTTPResponse) -> str:
    """The body's first line as far as it can be shown; raises urllib3's ReadTimeoutError when the body drips."""
    body = b""
    # Nothing is decompressed: the request did not ask for it, and a bomb is not worth an exception.
    while len(body) < BODY_BYTES:
        piece = response.read1(BODY_BYTES - len(body), decode_content=False)
        if not piece:
            break
        body += piece
    lines = body.decode(errors="replace").strip().splitlines() or [""]
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in lines[0][:SHOWN_CHARACTERS])


def _pool(where: Target, seconds: float) -> TimedHttpPool | TimedHttpsPool:
    timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds)
    if where.tls:
        return TimedHttpsPool(
            where.address,
            where.port,
            timeout=timeout,
            retries=False,
            assert_hostname=where.host,
            server_hostname=where.host,
        )
    return TimedHttpPool(where.address, where.port, timeout=timeout, retries=False)


def _resolve(host: str, connection: Connection) -> str:
    """The first address of the host, if every one of them may be asked."""
    found = _addresses(host)
    api_server = urlsplit(connection.transport.base).hostname or ""
    forbidden = set(_addresses(api_server)) if api_server else set()
    if any(address in forbidden or is_forbidden(address) for address in found):
        raise AddressRefused(host, "inside-the-machine")
    return str(found[0])


def _checked(host: str, loopback: bool) -> str:
    """The first address of an ingress that somebody typed, if every one of them may be asked."""
    found = _addresses(host)
    if any(is_forbidden(address, loopback=loopback) for address in found):
        raise AddressRefused(host, "inside-the-machine")
    return str(found[0])


def _addresses(host: str) -> tuple[Address, ...]:
    try:
        return resolve(host)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(host, "not-found") from error
