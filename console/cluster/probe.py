"""Is this a cluster that the console can work with? One answer, with the first obstacle."""

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import urlsplit

import urllib3

from console.cluster import errors
from console.cluster.addresses import is_forbidden, resolve
from console.cluster.connections import ClusterSettings, Connection, connect
from console.cluster.errors import ClusterError
from console.cluster.gateway import Gateway
from console.cluster.guarding import AddressForbidden
from console.cluster.resources import (
    CONFIGURATIONS,
    EVENTS,
    GROUPS,
    NAMESPACES,
    PODS,
    REVISIONS,
    ROUTES,
    SERVICES,
    USERS,
    Resource,
)
from console.deadlines import DeadlineExceeded, left, within

CALL_SECONDS = 3.0
PROBE_SECONDS = 15.0  # for all questions together


class ProbeResult(StrEnum):
    """The obstacle."""

    NONE = ""
    ADDRESS = "address-forbidden"
    NAME = "name-not-found"
    CONNECTION = "connection-refused"
    TIMEOUT = "timeout"
    AUTHORITY = "unknown-authority"
    HOST = "wrong-host"
    EXPIRED = "certificate-expired"
    TLS = "tls"
    UNREACHABLE = "unreachable"
    REDIRECT = "redirect"
    NOT_KUBERNETES = "not-kubernetes"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NO_KNATIVE = "no-knative"
    MAY_NOT_READ = "may-not-read"
    FAILED = "failed"


class NameNotFound(errors.Unreachable):
    """The host of the address is not known to the name service."""


@dataclass(frozen=True, slots=True)
class Right:
    """Something that the console asks of a cluster."""

    verb: str
    resource: Resource
    subresource: str = ""

    def __str__(self) -> str:
        group = f".{self.resource.group}" if self.resource.group else ""
        below = f"/{self.subresource}" if self.subresource else ""
        return f"{self.verb} {self.resource.plural}{group}{below}"


# Without these nothing can be shown.
READING = tuple(
    Right(verb, resource) for resource in (SERVICES, REVISIONS, ROUTES, PODS, NAMESPACES) for verb in ("list", "watch")
)
# Without these changes, or their explanations, are missing.
CHANGING = (
    *(Right("get", resource) for resource in (SERVICES, REVISIONS, ROUTES, CONFIGURATIONS, PODS)),
    *(Right(verb, SERVICES) for verb in ("create", "update", "delete")),
    Right("delete", REVISIONS),
    Right("get", PODS, "log"),
    Right("list", EVENTS),
    Right("create", EVENTS),
)
IMPERSONATING = (Right("impersonate", USERS), Right("impersonate", GROUPS))


@dataclass(frozen=True, slots=True)
class Report:
    """What a test of a connection found. `missing` names rights (`update services.serving.knative.dev`)."""

    result: ProbeResult = ProbeResult.NONE
    raw: str = ""  # the message of the other side
    kubernetes: str = ""
    knative: str = ""
    milliseconds: float | None = None  # of one question, the connection being open
    missing: tuple[str, ...] = ()
    at: float = field(default_factory=time.time)

    @property
    def is_usable(self) -> bool:
        """The console can show this cluster; with rights missing, not all of it can be changed."""
        return not self.result


def probe(settings: ClusterSettings, *, impersonates: bool) -> Report:
    """Connect and examine. Never raises for what the address, the credential or the cluster turn out to be.

    Takes PROBE_SECONDS at most, whatever the name service, the address or the cluster do.
    """
    with within(PROBE_SECONDS):
        try:
            refuse_forbidden_addresses(settings)
            connection = connect(settings)
        except (ClusterError, AddressForbidden) as error:
            return Report(trouble_of(error), str(error)[:500])
        return examine(connection, impersonates=impersonates)


def examine(connection: Connection, *, impersonates: bool) -> Report:
    """Ask the cluster who it is and what the console's account may do there; takes PROBE_SECONDS at most."""
    rights = (*READING, *CHANGING, *(IMPERSONATING if impersonates else ()))
    try:
        with within(PROBE_SECONDS):
            return _ask(connection, rights)
    except ClusterError as error:
        return Report(trouble_of(error), str(error)[:500])


def refuse_forbidden_addresses(settings: ClusterSettings) -> None:
    """Raise AddressForbidden or NameNotFound before anything is sent."""
    if not settings.guarded:
        return
    host = urlsplit(settings.url).hostname or ""
    try:
        found = resolve(host)
    except DeadlineExceeded as error:
        raise errors.Unreachable(f"{host}: the name service did not respond in time") from error
    except (OSError, UnicodeError) as error:
        raise NameNotFound(f"{host}: {error}") from error
    for address in found:
        if is_forbidden(address, loopback=settings.loopback):
            raise AddressForbidden(str(address))


def _ask(connection: Connection, rights: tuple[Right, ...]) -> Report:
    transport = connection.transport.with_timeout(CALL_SECONDS)
    gateway = Gateway(replace(connection, transport=transport))
    report = Report(kubernetes=gateway.version())
    if not report.kubernetes:
        return replace(report, result=ProbeResult.NOT_KUBERNETES)
    began = time.monotonic()
    knows_knative = gateway.serves_knative()
    report = replace(report, milliseconds=1000 * (time.monotonic() - began))
    if not knows_knative:
        return replace(report, result=ProbeResult.NO_KNATIVE)
    missing: list[Right] = []
    for right in rights:
        if left() < 0:
            return replace(report, result=ProbeResult.TIMEOUT, missing=tuple(map(str, missing)))
        if not gateway.can_i(right.verb, right.resource, "", subresource=right.subresource):
            missing.append(right)
    result = ProbeResult.MAY_NOT_READ if any(right in READING for right in missing) else ProbeResult.NONE
    version = "" if Right("list", NAMESPACES) in missing else _knative_version(gateway)
    return replace(report, result=result, knative=version, missing=tuple(map(str, missing)))


def _knative_version(gateway: Gateway) -> str:
    try:
        return gateway.knative_version()
    except errors.Forbidden:
        return ""


def trouble_of(error: Exception) -> ProbeResult:
    """Return what the error of a call means."""
    if isinstance(error, errors.Unauthorized | errors.Forbidden):
        return ProbeResult.UNAUTHORIZED if isinstance(error, errors.Unauthorized) else ProbeResult.FORBIDDEN
    if isinstance(error, ClusterError) and 300 <= error.code < 400:
        return ProbeResult.REDIRECT
    if isinstance(error, errors.NotFound | errors.Refused):
        return ProbeResult.NOT_KUBERNETES
    for cause in _causes(error):
        if found := _by_cause(cause):
            return found
    return ProbeResult.UNREACHABLE if isinstance(error, errors.Unreachable | errors.Uncertain) else ProbeResult.FAILED


def _by_cause(cause: BaseException) -> ProbeResult:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _CERTIFICATE.get(cause.verify_code, ProbeResult.AUTHORITY)
    return next((result for kind, result in _BY_KIND if isinstance(cause, kind)), ProbeResult.NONE)


# The first that fits. What it means that no connection could be made is told by what that came from.
_BY_KIND: tuple[tuple[type[BaseException], ProbeResult], ...] = (
    (AddressForbidden, ProbeResult.ADDRESS),
    (NameNotFound, ProbeResult.NAME),
    (urllib3.exceptions.NameResolutionError, ProbeResult.NAME),
    (urllib3.exceptions.NewConnectionError, ProbeResult.NONE),
    (ssl.SSLError, ProbeResult.TLS),
    (ConnectionRefusedError, ProbeResult.CONNECTION),
    (urllib3.exceptions.TimeoutError, ProbeResult.TIMEOUT),
    (TimeoutError, ProbeResult.TIMEOUT),
)
# OpenSSL's X509_V_ERR_*: not yet valid, expired; another host name, another address.
_CERTIFICATE = {9: ProbeResult.EXPIRED, 10: ProbeResult.EXPIRED, 62: ProbeResult.HOST, 64: ProbeResult.HOST}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from; urllib3 hands some of them on as an argument."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        found = waiting.pop(0)
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [found.__cause__, *(one for one in found.args if isinstance(one, BaseException))]
        waiting.append(getattr(found, "reason", None))
