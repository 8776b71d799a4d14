"""One request to a service through the cluster's ingress, as a client outside would send it.

The address comes from the service's status only, never from a person. On a cluster without a configured ingress the
name is resolved once, refused when it points into the machine or the link (SSRF), and the connection goes to exactly
the address that was checked.
"""

import ipaddress
import re
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3

from console.cluster.connections import Connection

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 60.0  # for the whole answer; a cold start pulls an image at times
BODY_BYTES = 64 * 1024
SHOWN_CHARACTERS = 120
# The sandbox and the ingress of the test cluster name the revision; a real ingress does not.
REVISION_HEADER = "Knative-Serving-Revision"
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_NAME = re.compile(_LABEL)
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
# Clouds give out credentials at these; 169.254.0.0/16 and fe80::/10 are refused as link-local anyway.
_METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "fd00:ec2::254", "fd20:ce::254", "192.0.0.192")))
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(Exception):
    """The service's URL leads where an access test must not go; `host` and `why` (a code) tell."""

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
        return Target(address.strip("[]"), int(ingress_port), host, tls=False)
    return Target(_resolve(host, connection), port or (443 if tls else 80), host, tls)


def ask(where: Target, *, seconds: float = ANSWER_SECONDS) -> Answer:
    """Send one GET and return the answer; a request that fails is an answer too, with `error`."""
    began = time.monotonic()
    pool = _pool(where, seconds)
    try:
        response = pool.request(
            "GET",
            "/",
            headers={"Host": where.host, "User-Agent": "sluice-access-test"},
            redirect=False,
            preload_content=False,
        )
        line = _first_line(response, began + seconds)
        revision = response.headers.get(REVISION_HEADER, "")
        # Behind a real ingress the program itself may answer anything in any header.
        revision = revision if _NAME.fullmatch(revision) else ""
        return Answer(response.status, line, revision, time.monotonic() - began)
    except urllib3.exceptions.HTTPError as error:
        return Answer(0, "", "", time.monotonic() - began, type(error).__name__)
    finally:
        pool.close()


def _first_line(response: urllib3.BaseHTTPResponse, until: float) -> str:
    """The body's first line as far as it can be shown; raises urllib3's ReadTimeoutError when the body drips."""
    body = b""
    # Nothing is decompressed: the request did not ask for it, and a bomb is not worth an exception.
    while len(body) < BODY_BYTES:
        piece = response.read1(BODY_BYTES - len(body), decode_content=False)
        if not piece:
            break
        body += piece
        if time.monotonic() > until:
            raise urllib3.exceptions.TimeoutError
    lines = body.decode(errors="replace").strip().splitlines() or [""]
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in lines[0][:SHOWN_CHARACTERS])


def _pool(where: Target, seconds: float) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds)
    if where.tls:
        return urllib3.HTTPSConnectionPool(
            where.address,
            where.port,
            timeout=timeout,
            retries=False,
            assert_hostname=where.host,
            server_hostname=where.host,
        )
    return urllib3.HTTPConnectionPool(where.address, where.port, timeout=timeout, retries=False)


def _resolve(host: str, connection: Connection) -> str:
    """The first address of the host, if every one of them may be asked."""
    found = _addresses(host)
    api_server = urlsplit(connection.transport.base).hostname or ""
    forbidden = set(_addresses(api_server)) if api_server else set()
    if any(address in forbidden or _is_forbidden(address) for address in found):
        raise AddressRefused(host, "inside-the-machine")
    return str(found[0])


def _addresses(host: str) -> tuple[Address, ...]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(host, "not-found") from error
    return tuple(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found)


def _is_forbidden(address: Address) -> bool:
    """This machine, the link (cloud metadata lives there), nothing at all; also when hidden in an IPv6 address."""
    return any(
        ip.is_loopback
        or ip.is_link_local
        or ip.is_unspecified
        or ip.is_multicast
        or (ip.is_reserved and ip not in _NAT64)
        or ip in _THIS_NETWORK
        or ip in _METADATA
        for ip in _meant(address)
    )


def _meant(address: Address) -> Iterable[Address]:
    """The address, and the IPv4 address that a gateway or the kernel makes of it."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        inside = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
        yield from (found for found in inside if found)
        if address in _NAT64:
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
