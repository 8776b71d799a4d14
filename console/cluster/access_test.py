"""One request to a service through the cluster's ingress, as a client outside would send it.

The address comes from the service's status only, never from a person. On a cluster without a configured ingress the
name is resolved once, refused when it points into the machine or the link (SSRF), and the connection goes to exactly
the address that was checked.
"""

import ipaddress
import re
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3

from console.cluster.connections import Connection

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 60.0  # a cold start pulls an image at times
BODY_BYTES = 64 * 1024
SHOWN_CHARACTERS = 120
# The sandbox and the ingress of the test cluster name the revision; a real ingress does not.
REVISION_HEADER = "Knative-Serving-Revision"
_HOST = re.compile(r"^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$")


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
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not _HOST.match(host):
        raise AddressRefused(host, "not-a-host-name")
    tls = parts.scheme == "https"
    if connection.ingress:
        address, _, port = connection.ingress.rpartition(":")
        return Target(address, int(port), host, tls=False)
    return Target(_resolve(host, connection), parts.port or (443 if tls else 80), host, tls)


def ask(where: Target) -> Answer:
    """Send one GET and return the answer; a request that fails is an answer too, with `error`."""
    began = time.monotonic()
    pool = _pool(where)
    try:
        response = pool.request(
            "GET",
            "/",
            headers={"Host": where.host, "User-Agent": "sluice-access-test"},
            redirect=False,
            preload_content=False,
        )
        body = response.read(BODY_BYTES, decode_content=True).decode(errors="replace")
        lines = body.strip().splitlines() or [""]
        revision = response.headers.get(REVISION_HEADER, "")
        return Answer(response.status, lines[0][:SHOWN_CHARACTERS], revision, time.monotonic() - began)
    except urllib3.exceptions.HTTPError as error:
        return Answer(0, "", "", time.monotonic() - began, type(error).__name__)
    finally:
        pool.close()


def _pool(where: Target) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS)
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
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise AddressRefused(host, "not-found") from error
    addresses = [str(entry[4][0]) for entry in found]
    if any(_is_forbidden(address, connection) for address in addresses):
        raise AddressRefused(host, "inside-the-machine")
    return addresses[0]


def _is_forbidden(address: str, connection: Connection) -> bool:
    """This machine, the link (cloud metadata lives there), nothing at all, or the API server itself."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast or ip.is_reserved:
        return True
    return str(ip) == (urlsplit(connection.transport.base).hostname or "")
