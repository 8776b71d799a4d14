"""A stand-in for Knative's ingress.

It reconciles `networking.internal.knative.dev` ingresses as a real one does (status Unknown "Waiting for load balancer
to be ready", then ready, observedGeneration) and routes HTTP by Host, by header and by weight. What a chosen split's
service answers is its backend's matter: services.py asks the pods, answering.py answers by itself where there are
none. The answer names the revision in the header that the console's access test reads.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import urllib3

from tests.real_cluster.http_front import Answer, HttpFront, Request
from tests.real_cluster.watching import Key, Object, Watched, key_of

if TYPE_CHECKING:
    from tests.real_cluster.control_plane import ControlPlane

logger = logging.getLogger(__name__)

INGRESSES = "/apis/networking.internal.knative.dev/v1alpha1"
REVISION_HEADER = "Knative-Serving-Revision"
NOTICE_SECONDS = 0.06  # as in the recording: Knative writes IngressNotConfigured before the ingress says anything
SETTLE_SECONDS = 0.1
GATEWAY = "gateway.stand-in.svc.cluster.local"
OUTSIDE, INSIDE = "ExternalIP", "ClusterLocal"


@dataclass(frozen=True)
class Split:
    """One of a path's shares: the Kubernetes service that gets it, and the headers that it is sent with."""

    percent: int
    namespace: str
    service: str
    port: int
    headers: dict[str, str]

    @property
    def revision(self) -> str:
        return self.headers.get(REVISION_HEADER, self.service)


@dataclass(frozen=True)
class Path:
    """What a request has to look like, and where it goes then."""

    prefix: str
    headers: dict[str, str]
    splits: list[Split]

    def takes(self, request: Request) -> bool:
        sent = {name.lower(): value for name, value in request.headers.items()}
        has_headers = all(sent.get(name.lower()) == value for name, value in self.headers.items())
        return request.path.startswith(self.prefix) and has_headers


Backend = Callable[[Split, Request], Answer]


class StandInIngress:
    """A watch that reconciles, and a server on loopback that routes what comes from outside."""

    def __init__(self, box: ControlPlane, backend: Backend) -> None:
        self._box = box
        self._backend = backend
        self._routes: dict[Key, dict[tuple[str, str], list[Path]]] = {}  # ingress -> (visibility, host) -> paths
        self._random = random.Random(42)
        self._stop = threading.Event()
        self._work = ThreadPoolExecutor(8, thread_name_prefix="ingress")
        self._under_way: set[str] = set()  # uids
        self._done: dict[str, int] = {}  # uid -> generation
        self._watched = Watched(box, f"{INGRESSES}/ingresses", self._changed)
        self._front = HttpFront("127.0.0.1", 0, self._answer)
        self.port = self._front.port

    def start(self) -> None:
        self._watched.start()

    def stop(self) -> None:
        self._stop.set()
        self._watched.stop()
        self._front.stop()
        self._work.shutdown(cancel_futures=True)

    def _answer(self, request: Request) -> Answer:
        return self.route(request, OUTSIDE) or Answer(404, b"no route\n")

    def route(self, request: Request, visibility: str) -> Answer | None:
        """Answer a request from outside or inside the cluster; None when no ingress has its host and path."""
        tables = list(self._routes.values())
        paths = next((one[visibility, request.host] for one in tables if (visibility, request.host) in one), [])
        path = next((path for path in paths if path.takes(request)), None)
        if path is None:
            return None
        split = self._random.choices(path.splits, weights=[split.percent for split in path.splits])[0]
        answer = self._backend(split, replace(request, headers={**request.headers, **split.headers}))
        return replace(answer, headers=[*answer.headers, (REVISION_HEADER, split.revision)])

    def _changed(self, ingress: Object, is_gone: bool) -> None:
        metadata = ingress["metadata"]
        if is_gone or metadata.get("deletionTimestamp"):
            self._routes.pop(key_of(ingress), None)
        elif metadata["uid"] not in self._under_way and self._done.get(metadata["uid"]) != metadata["generation"]:
            self._under_way.add(metadata["uid"])
            self._work.submit(self._reconcile, ingress)

    def _reconcile(self, ingress: Object) -> None:
        """Bring the ingress up, once for each generation; what changed meanwhile comes next."""
        uid = ingress["metadata"]["uid"]
        try:
            while not self._stop.is_set() and not self._bring_up(ingress):
                self._stop.wait(0.2)  # the API server is away
            self._done[uid] = ingress["metadata"]["generation"]
        except Exception:
            logger.exception("ingress %s stays as it is", key_of(ingress))
        self._under_way.discard(uid)
        newest = self._watched.get(key_of(ingress))
        if newest and newest["metadata"]["generation"] != ingress["metadata"]["generation"]:
            self._changed(newest, is_gone=False)

    def _bring_up(self, ingress: Object) -> bool:
        """Say that it waits, take its routes, say that it is ready; False when the API server does not answer."""
        waiting = {"status": "Unknown", "reason": "Uninitialized", "message": "Waiting for load balancer to be ready"}
        self._stop.wait(NOTICE_SECONDS)
        try:
            self._write(ingress, waiting)
            self._stop.wait(SETTLE_SECONDS)
            self._routes[key_of(ingress)] = _routes(ingress)
            self._write(ingress, {"status": "True"})
        except urllib3.exceptions.HTTPError:
            return False
        return True

    def _write(self, ingress: Object, state: dict[str, str]) -> None:
        metadata = ingress["metadata"]
        path = f"{INGRESSES}/namespaces/{metadata['namespace']}/ingresses/{metadata['name']}/status"
        kinds = ("LoadBalancerReady", "NetworkConfigured", "Ready")
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        states = {kind: {"status": "True"} if kind == "NetworkConfigured" else state for kind in kinds}
        conditions = [{"type": kind, "lastTransitionTime": now, **states[kind]} for kind in kinds]
        balancer = {"ingress": [{"domainInternal": GATEWAY}]}
        body = {"status": {"observedGeneration": metadata["generation"], "conditions": conditions}}
        body["status"] |= {"publicLoadBalancer": balancer, "privateLoadBalancer": balancer}
        answer = self._box.ask("PATCH", path, body, content_type="application/merge-patch+json")
        if answer.status not in (200, 404):  # 404: deleted meanwhile
            raise RuntimeError(f"the ingress status was refused: {answer.data[:500]!r}")


def _routes(ingress: Object) -> dict[tuple[str, str], list[Path]]:
    """The ingress's paths, by visibility and host."""
    return {
        (rule.get("visibility") or OUTSIDE, host): [_path(path) for path in rule["http"]["paths"]]
        for rule in ingress["spec"].get("rules") or []
        for host in rule["hosts"]
    }


def _path(path: dict[str, Any]) -> Path:
    headers = {name: match["exact"] for name, match in (path.get("headers") or {}).items()}
    added = path.get("appendHeaders") or {}
    splits = [
        Split(
            split.get("percent") or (100 if len(path["splits"]) == 1 else 0),
            split["serviceNamespace"],
            split["serviceName"],
            split["servicePort"],
            {**added, **(split.get("appendHeaders") or {})},
        )
        for split in path["splits"]
    ]
    return Path(path.get("path") or "/", headers, splits)
