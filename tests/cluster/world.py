"""A transport to a scripted server, whose waiting takes no time and is written down."""

from __future__ import annotations

from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject

from console.cluster.connections import Connection
from console.cluster.transport import Transport


def transport_to(url: str, *, token: str = "") -> tuple[Transport, list[float]]:
    """Return the transport and the list of seconds that it (would have) waited; jitter is always 1."""
    configuration = Configuration()
    configuration.host = url
    if token:
        configuration.api_key["BearerToken"] = f"Bearer {token}"
    waits: list[float] = []
    pool = RESTClientObject(configuration).pool_manager
    return Transport(configuration, pool, sleep=waits.append, jitter=lambda: 1.0), waits


def connection_to(url: str, *, ingress: str = "", name: str = "box") -> Connection:
    return Connection(name, transport_to(url)[0], ingress)
