"""The clusters that this console knows, by name.

`CONSOLE_CLUSTERS` is a JSON list. Each entry has a `name` and one of
  {"kubeconfig": path, "context": name}                          a context of a kubeconfig (the current one by default)
  {"in_cluster": true}                                           the cluster that the console runs in
  {"url": address, "token_file": path, "ca_file": path}          an address with a bearer token
and may have "ingress": "host:port" (where access tests go) and "impersonate": true or false (else CONSOLE_IMPERSONATE
says). Further sources can be registered.
A token file is read again every minute: a projected service account token changes while the console runs.
"""

import dataclasses
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml
from kubernetes import config
from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject

from console import deadlines
from console.cluster.errors import ClusterError
from console.cluster.guarding import guard, tls_context
from console.cluster.transport import Transport

POOL = 48  # connections kept to one API server; one operation or watch uses one at a time
TOKEN_SECONDS = 60.0  # between two readings of a token file
CREDENTIALS_SECONDS = 30.0  # for reading a kubeconfig, with the programs that it names
# A link that died without a word is noticed after about 25 s, not at the end of a watch.
KEEPALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)] + [
    (socket.IPPROTO_TCP, getattr(socket, name), value)
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
    if hasattr(socket, name)
]
_INGRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


class UnknownCluster(ClusterError):
    """No cluster of that name is configured."""


class SourceUnavailable(ClusterError):
    """Which clusters there are cannot be read at the moment."""


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """How to reach one cluster; the fields are those of the JSON above.

    Those that people added carry certificates and keys as text (PEM), and are `guarded`: they may not lead to this
    machine (unless `loopback`), to the link or to a cloud's metadata.
    """

    name: str
    kubeconfig: str = ""
    context: str = ""
    in_cluster: bool = False
    url: str = ""
    token_file: str = ""
    token: str = dataclasses.field(default="", repr=False)
    ca_file: str = ""
    ca: str = ""
    certificate: str = ""
    key: str = dataclasses.field(default="", repr=False)
    ingress: str = ""
    impersonate: bool | None = None
    guarded: bool = False
    loopback: bool = False

    @property
    def origin(self) -> str:
        """Where its address and credentials come from, for people."""
        if self.in_cluster:
            return "in-cluster"
        return "url" if self.url else f"kubeconfig {self.context}".strip()


@dataclass(frozen=True, slots=True)
class Connection:
    """One cluster, ready to be asked. `ingress` is `host:port`, or empty for the address in a service's URL.

    `impersonates`: changes are made as the person; None leaves it to the installation's setting. `is_guarded`: its
    addresses were typed by a person, and may lead to this machine only when `loopback` is set.
    """

    name: str
    transport: Transport
    ingress: str = ""
    impersonates: bool | None = None
    is_guarded: bool = False
    loopback: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """The clusters that are known now. Not complete while a source cannot be read: others may exist."""

    names: tuple[str, ...]
    is_complete: bool


Source = Callable[[], Iterable[ClusterSettings]]


class Connections:
    """All known clusters. A connection is made on first use, and made again when its settings changed."""

    def __init__(self) -> None:
        self._sources: list[Source] = []
        self._made: dict[str, tuple[ClusterSettings, Connection]] = {}
        self._lock = threading.Lock()

    def register(self, source: Source) -> None:
        """Add a source of clusters; of two with one name the earlier source wins."""
        self._sources.append(source)

    def names(self) -> tuple[str, ...]:
        """Return the names of all clusters that are known at the moment."""
        return self.known().names

    def known(self) -> Known:
        """Return the names, and whether every source could be read."""
        found: dict[str, None] = {}
        is_complete = True
        for source in self._sources:
            try:
                found |= dict.fromkeys(settings.name for settings in source())
            except SourceUnavailable:
                is_complete = False
        return Known(tuple(found), is_complete)

    def get(self, name: str) -> Connection:
        """Return the connection; raises UnknownCluster, or another ClusterError when its credentials cannot be read."""
        settings = self._settings(name)
        with self._lock:
            known = self._made.get(name)
            if known is None or known[0] != settings:
                known = self._made[name] = (settings, connect(settings))
            return known[1]

    def _settings(self, name: str) -> ClusterSettings:
        # A source is asked only when the ones before it do not know the name.
        for source in self._sources:
            for settings in source():
                if settings.name == name:
                    return settings
        with self._lock:
            self._made.pop(name, None)  # with its credentials
        raise UnknownCluster(f"no cluster named {name!r}", 404)


@cache
def parse(text: str) -> tuple[ClusterSettings, ...]:
    """Return the clusters that CONSOLE_CLUSTERS lists; raises ValueError with what is wrong."""
    if not text.strip():
        return ()
    try:
        # A misspelt key must not quietly mean "the current context of the default kubeconfig".
        unknown = {key for entry in msgspec.json.decode(text, type=list[dict[str, Any]]) for key in entry}
        unknown -= _KEYS | _FORMER_KEYS
        found = msgspec.json.decode(text, type=tuple[ClusterSettings, ...])
    except msgspec.DecodeError as error:
        raise ValueError(f"CONSOLE_CLUSTERS: {error}") from error
    if unknown:
        raise ValueError(f"CONSOLE_CLUSTERS: unknown keys {', '.join(sorted(unknown))}")
    for settings in found:
        if settings.ingress and not is_host_and_port(settings.ingress):
            raise ValueError(f"CONSOLE_CLUSTERS: the ingress of {settings.name} is not host:port")
    names = [settings.name for settings in found]
    if len(set(names)) < len(names) or not all(names):
        raise ValueError("CONSOLE_CLUSTERS: each cluster needs a name of its own")
    return found


_KEYS = {field.name for field in dataclasses.fields(ClusterSettings)}
# Version 0.1 accepted this key. It is ignored for one release, so that a console with such an entry still starts.
_FORMER_KEYS = {"sandbox"}


def is_host_and_port(text: str) -> bool:
    """Whether the text is `host:port` or `[address]:port`."""
    found = _INGRESS.fullmatch(text)
    return found is not None and 0 < int(found[2]) < 65536


def connect(settings: ClusterSettings) -> Connection:
    """Return a connection; raises ClusterError when a kubeconfig or token cannot be read in CREDENTIALS_SECONDS."""
    configuration = Configuration()
    try:
        with deadlines.within(CREDENTIALS_SECONDS):  # a kubeconfig may name a program that is asked for a token
            deadlines.give_up_in_time(_configure, settings, configuration)
    except (config.ConfigException, OSError, yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
        # The package fails on a malformed kubeconfig with whatever Python happens to raise.
        raise ClusterError(f"cluster {settings.name}: {error}") from error
    configuration.connection_pool_maxsize = POOL
    configuration.socket_options = KEEPALIVE
    if settings.guarded:
        configuration.proxy = None  # a proxy would look the name up itself
    manager = RESTClientObject(configuration).pool_manager
    deadlines.use(manager)
    if settings.guarded:
        guard(manager, loopback=settings.loopback)
    if settings.ca or settings.certificate:
        manager.connection_pool_kw["ssl_context"] = _context(settings)
    return Connection(
        settings.name,
        Transport(configuration, manager),
        settings.ingress,
        settings.impersonate,
        settings.guarded,
        settings.loopback,
    )


def _context(settings: ClusterSettings) -> ssl.SSLContext:
    try:
        return tls_context(settings.ca, settings.certificate, settings.key)
    except ValueError as error:
        raise ClusterError(f"cluster {settings.name}: {error}") from error


def _configure(settings: ClusterSettings, configuration: Any) -> None:
    if settings.in_cluster:
        config.load_incluster_config(client_configuration=configuration)
    elif settings.url:
        configuration.host = settings.url
        configuration.ssl_ca_cert = settings.ca_file or None
        if settings.token_file:
            configuration.refresh_api_key_hook = _TokenFile(Path(settings.token_file))
            configuration.refresh_api_key_hook(configuration)
        elif settings.token:
            configuration.api_key["BearerToken"] = f"Bearer {settings.token}"
    else:
        config.load_kube_config(
            settings.kubeconfig or None,
            context=settings.context or None,
            client_configuration=configuration,
            persist_config=False,
        )


class _TokenFile:
    """A bearer token in a file, read again when it may have changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = float("-inf")

    def __call__(self, configuration: Any) -> None:
        if time.monotonic() - self._read_at < TOKEN_SECONDS:
            return
        token = self._path.read_text().strip()
        self._read_at = time.monotonic()
        configuration.api_key["BearerToken"] = f"Bearer {token}"
