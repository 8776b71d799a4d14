"""The ingress: answers HTTP by Host header, splits by weight, and lets requests wait for the first pod.

Every answer names the revision in `Knative-Serving-Revision`. A real ingress does not; there, an access test has to
ask the tags' own hosts, or the programs have to say who they are.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from console.sandbox.knative import programs, registry
from console.sandbox.knative.autoscaler import Autoscaler
from console.sandbox.knative.cluster import Cluster
from console.sandbox.knative.objects import DOMAIN, Key, serving_container
from console.sandbox.knative.programs import Answer
from console.sandbox.knative.references import environment
from console.sandbox.knative.routing import RoutingTable
from console.sandbox.resources import REVISIONS

REVISION_HEADER = "Knative-Serving-Revision"
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Ingress:
    """An ASGI application."""

    def __init__(self, cluster: Cluster, table: RoutingTable, autoscaler: Autoscaler) -> None:
        self._cluster = cluster
        self._table = table
        self._autoscaler = autoscaler

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; other kinds of connections are not for an ingress without them."""
        if scope["type"] != "http":
            return
        started = time.monotonic()
        await _drain(receive)
        host = _host(scope)
        revision = self._table.pick(host) if host.endswith(f".{DOMAIN}") else None
        if revision is None:
            await _send(send, Answer(404, ""), {"Server": "envoy"})
            return
        answer = await self._answer(revision, scope["method"], scope["path"])
        took = str(round((time.monotonic() - started) * 1000))
        headers = {"Server": "envoy", "X-Envoy-Upstream-Service-Time": took, REVISION_HEADER: revision[1]}
        await _send(send, answer, headers, has_body=scope["method"] != "HEAD")

    async def _answer(self, key: Key, method: str, path: str) -> Answer:
        try:
            async with self._autoscaler.lease(key) as pod:
                revision = self._cluster.store.get(REVISIONS, *key)
                container = serving_container(revision)
                image = registry.inspect(container["image"])
                if image.answer_seconds:
                    await self._cluster.clock.sleep(image.answer_seconds)
                line = programs.request_line(image, method, path)
                self._cluster.store.logs.append(key[0], pod, container["name"], line)
                return programs.answer(image, environment(self._cluster.store, key[0], container), path)
        except TimeoutError:
            return Answer(504, "activator request timeout\n")
        except KeyError:
            return Answer(503, "no healthy upstream")


def _host(scope: Message) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            return str(value.decode("latin-1").partition(":")[0].lower())
    return ""


async def _drain(receive: Receive) -> None:
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return


async def _send(send: Send, answer: Answer, headers: dict[str, str], *, has_body: bool = True) -> None:
    body = answer.body.encode()
    sent = {"Content-Length": str(len(body))} | ({"Content-Type": answer.content_type} if body else {}) | headers
    pairs = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body if has_body else b""})
