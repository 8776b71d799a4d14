"""A stand-in for what needs containers: the ingress, and the pods behind it.

It reconciles `networking.internal.knative.dev` ingresses as a real one does (status Unknown "Waiting for load balancer
to be ready", then ready, observedGeneration) and routes HTTP by Host and by weight. There is no kubelet here, so
instead of forwarding to a pod it answers by itself as the revision's program would: the samples helloworld-go and
helloworld-rust with their TARGET. The answer names the revision in the header that the console's access test reads.
"""

from __future__ import annotations

import json
import logging
import random
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import urllib3

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane

logger = logging.getLogger(__name__)

INGRESSES = "/apis/networking.internal.knative.dev/v1alpha1"
REVISIONS = "/apis/serving.knative.dev/v1/namespaces/{}/revisions/{}"
SETTLE_SECONDS = 0.1
GATEWAY = "gateway.stand-in.svc.cluster.local"


class StandInIngress:
    """One thread that reconciles, one server that answers."""

    def __init__(self, box: ControlPlane) -> None:
        self._box = box
        self._routes: dict[str, list[tuple[int, str, str]]] = {}  # host -> (percent, namespace, revision)
        self._stop = threading.Event()
        self._random = random.Random(42)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port: int = self._server.server_address[1]

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        threading.Thread(target=self._reconcile_forever, daemon=True).start()

    def stop(self) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()

    def _reconcile_forever(self) -> None:
        while not self._stop.is_set():
            try:
                answer = self._box.ask("GET", f"{INGRESSES}/ingresses")
                for ingress in json.loads(answer.data).get("items", []):
                    self._reconcile(ingress)
            except urllib3.exceptions.HTTPError:
                pass  # the API server is away; the next round finds what changed
            except Exception:
                logger.exception("the ingress goes on")  # a thread that ended here would leave routes unready
            self._stop.wait(0.03)

    def _reconcile(self, ingress: dict[str, Any]) -> None:
        metadata, status = ingress["metadata"], ingress.get("status") or {}
        if metadata.get("deletionTimestamp"):
            return
        conditions = {one["type"]: one["status"] for one in status.get("conditions") or []}
        if status.get("observedGeneration") == metadata["generation"] and conditions.get("Ready") == "True":
            return
        path = f"{INGRESSES}/namespaces/{metadata['namespace']}/ingresses/{metadata['name']}/status"
        waiting = {"status": "Unknown", "reason": "Uninitialized", "message": "Waiting for load balancer to be ready"}
        if self._write(path, metadata["generation"], waiting):
            self._stop.wait(SETTLE_SECONDS)
            self._take_routes(ingress)
            self._write(path, metadata["generation"], {"status": "True"})

    def _write(self, path: str, generation: int, state: dict[str, str]) -> bool:
        kinds = ("LoadBalancerReady", "NetworkConfigured", "Ready")
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        states = {kind: {"status": "True"} if kind == "NetworkConfigured" else state for kind in kinds}
        conditions = [{"type": kind, "lastTransitionTime": now, **states[kind]} for kind in kinds]
        balancer = {"ingress": [{"domainInternal": GATEWAY}]}
        body = {"status": {"observedGeneration": generation, "conditions": conditions}}
        body["status"] |= {"publicLoadBalancer": balancer, "privateLoadBalancer": balancer}
        answer = self._box.ask("PATCH", path, body, content_type="application/merge-patch+json")
        if answer.status not in (200, 404, 409):
            raise RuntimeError(f"the ingress status was refused: {answer.data[:500]!r}")
        return answer.status == 200

    def _take_routes(self, ingress: dict[str, Any]) -> None:
        for rule in ingress["spec"].get("rules") or []:
            if rule.get("visibility") != "ExternalIP":
                continue
            splits = [
                (split.get("percent", 0), split["serviceNamespace"], split["serviceName"])
                for path in rule["http"]["paths"]
                if not path.get("headers")
                for split in path["splits"]
            ]
            for host in rule["hosts"]:
                self._routes[host] = splits

    def answer(self, host: str) -> tuple[int, str, str]:
        """Return (status, body, revision) for a request to the host."""
        splits = self._routes.get(host.partition(":")[0])
        if not splits:
            return 404, "no route\n", ""
        _, namespace, revision = self._random.choices(splits, weights=[percent for percent, _, _ in splits])[0]
        found = self._box.ask("GET", REVISIONS.format(namespace, revision))
        if found.status != 200:
            return 503, "no healthy upstream\n", ""
        container = json.loads(found.data)["spec"]["containers"][0]
        target = next((e.get("value", "") for e in container.get("env") or [] if e["name"] == "TARGET"), "World")
        body = f"Hello world: {target}\n" if "rust" in container["image"] else f"Hello {target}!\n"
        return 200, body, revision

    def _handler(ingress) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, body, revision = ingress.answer(self.headers.get("Host", ""))
                data = body.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Knative-Serving-Revision", revision)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_arguments: object) -> None:
                """Quiet: the tests read answers, not logs."""

        return Handler
