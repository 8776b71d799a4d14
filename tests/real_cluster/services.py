"""Kubernetes services without kube-proxy and cluster DNS: where a service's ready endpoints are, and a request to one.

There are no virtual addresses here. Every name under cluster.local resolves to the node (dns.py), and there a server on
port 80 finds the service by the Host header: Knative's autoscaler asks a revision's service that way whether the
activator stands behind it, before it takes the last pod away.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import urllib3

from tests.real_cluster.http_front import HOP_BY_HOP, Answer, HttpFront, Request
from tests.real_cluster.ingress import INSIDE, Split, StandInIngress
from tests.real_cluster.watching import Watched

if TYPE_CHECKING:
    from tests.real_cluster.control_plane import ControlPlane

CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 60.0  # for an answer: a cold start is inside
HTTP_PORT = 80


class Services:
    """Follows Services and Endpoints; the backend of an ingress that sends requests to where the pods are."""

    def __init__(self, box: ControlPlane) -> None:
        self._services = Watched(box, "/api/v1/services")
        self._endpoints = Watched(box, "/api/v1/endpoints")
        self._random = random.Random(42)
        self._pool = urllib3.PoolManager(
            num_pools=200, maxsize=20, retries=False, timeout=urllib3.Timeout(CONNECT_SECONDS, ANSWER_SECONDS)
        )

    def start(self) -> None:
        self._services.start()
        self._endpoints.start()

    def stop(self) -> None:
        self._services.stop()
        self._endpoints.stop()

    def __call__(self, split: Split, request: Request) -> Answer:
        return self.ask(split.namespace, split.service, split.port, request)

    def ask(self, namespace: str, service: str, port: int, request: Request) -> Answer:
        """Send the request to one of the service's ready endpoints and return the answer; 503 or 502 without one."""
        ready = self.endpoints(namespace, service, port)
        if not ready:
            return Answer(503, b"no healthy upstream\n")
        address, number = self._random.choice(ready)
        try:
            found = self._pool.request(
                request.method,
                f"http://{address}:{number}{request.path}",
                headers=request.headers,
                body=request.body or None,
                redirect=False,
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            return Answer(502, f"upstream {address}: {type(error).__name__}\n".encode())
        headers = [(name, value) for name, value in found.headers.items() if name.lower() not in HOP_BY_HOP]
        return Answer(found.status, found.data, headers)

    def endpoints(self, namespace: str, service: str, port: int) -> list[tuple[str, int]]:
        """Return address and port of every ready endpoint behind the port of the service."""
        found = self._services.get((namespace, service))
        behind = self._endpoints.get((namespace, service))
        ports = found["spec"].get("ports") or [] if found else []
        name = next((one.get("name", "") for one in ports if one["port"] == port), None)
        return [
            (address["ip"], one["port"])
            for subset in (behind or {}).get("subsets") or []
            for one in subset.get("ports") or []
            if one.get("name", "") == name
            for address in subset.get("addresses") or []
        ]


class ServiceFront:
    """What answers at port 80 of every name inside the cluster: Knative's routes first, then Kubernetes' services."""

    def __init__(self, address: str, services: Services, ingress: StandInIngress) -> None:
        self._services = services
        self._ingress = ingress
        self._front = HttpFront(address, HTTP_PORT, self._answer)

    def stop(self) -> None:
        self._front.stop()

    def _answer(self, request: Request) -> Answer:
        if routed := self._ingress.route(request, INSIDE):
            return routed
        service, namespace, *rest = [*request.host.split("."), ""]
        if rest[:1] != ["svc"]:
            return Answer(404, b"no such service\n")
        return self._services.ask(namespace, service, HTTP_PORT, request)
