"""A Kubernetes API that accepts every object as it is, for what forms make of objects, not what Knative thinks of them.

It is an HTTP server of its own; the console talks to it as to any cluster. Dry runs answer with what was sent, without
defaults, so that whatever stands in a request was put there by the console.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import urlsplit

Object = dict[str, Any]


@dataclass
class Sent:
    """A write that the console asked for: POST, PUT, PATCH or DELETE."""

    method: str
    path: str
    query: str
    body: Object

    @property
    def is_dry_run(self) -> bool:
        return "dryRun=All" in self.query


@dataclass
class EchoCluster:
    """What is in the cluster, by path, and what was sent to it."""

    url: str = ""
    objects: dict[str, Object] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)

    def put(self, service: Object) -> None:
        metadata = service["metadata"]
        path = f"/apis/serving.knative.dev/v1/namespaces/{metadata['namespace']}/services/{metadata['name']}"
        self.objects[path] = copy.deepcopy(service)

    def answer(self, method: str, path: str, query: str, body: Object) -> tuple[int, Object]:
        if method == "GET":
            return self._read(path)
        if not path.startswith("/apis/authorization.k8s.io/"):  # a review of rights is asked by POST and writes nothing
            self.sent.append(Sent(method, path, query, copy.deepcopy(body)))
        if method == "PUT" and path not in self.objects:
            return 404, status(404, "NotFound", path)
        return (201 if method == "POST" else 200), body

    def _read(self, path: str) -> tuple[int, Object]:
        if path in self.objects:
            return 200, copy.deepcopy(self.objects[path])
        is_list = path.rpartition("/")[2] in ("services", "revisions", "secrets", "configmaps", "pods", "events")
        if is_list or path.endswith(("serviceaccounts", "persistentvolumeclaims")):
            return 200, {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"}, "items": []}
        return 404, status(404, "NotFound", path)


def status(code: int, reason: str, message: str) -> Object:
    base = {"apiVersion": "v1", "kind": "Status", "status": "Failure"}
    return {**base, "code": code, "reason": reason, "message": f"{message} not found"}


Cluster = TypeVar("Cluster", bound=EchoCluster)


@contextmanager
def echo_cluster() -> Iterator[EchoCluster]:
    """Run one on a free loopback port."""
    with serving(EchoCluster()) as cluster:
        yield cluster


@contextmanager
def serving(cluster: Cluster) -> Iterator[Cluster]:
    """Let this cluster answer on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: in two, each answer waits 40 ms for the other side's word

        def _do(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            code, answer = cluster.answer(self.command, parts.path, parts.query, body)
            data = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _do

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    cluster.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
