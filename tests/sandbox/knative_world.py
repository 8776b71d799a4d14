"""The small Knative over a store in this process, driven as the API drives it, without HTTP in between."""

from __future__ import annotations

import asyncio
import copy
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from console.sandbox.knative.admission import admit
from console.sandbox.knative.clock import Clock
from console.sandbox.knative.run import run
from console.sandbox.resources import CONFIGURATIONS, REVISIONS, ROUTES, SERVICES, Resource
from console.sandbox.store import Store

KINDS = {"services": SERVICES, "configurations": CONFIGURATIONS, "revisions": REVISIONS, "routes": ROUTES}
INTERVAL_SECONDS = 0.005
Object = dict[str, Any]


class World:
    """A store with controllers; changes go through admission like a user's."""

    def __init__(self, store: Store, ingress_port: int) -> None:
        self.store = store
        self.ingress_port = ingress_port

    def create(
        self, name: str, *, image: str = "gcr.io/knative-samples/helloworld-go", user: str = "admin", **more: Any
    ):
        """Create a Service in default with TARGET=First; `metadata`, `template` and `container` add to it."""
        container = {"image": image, "env": [{"name": "TARGET", "value": "First"}], **more.get("container", {})}
        template = {"spec": {"containers": [container], **more.get("spec", {})}, **more.get("template", {})}
        service = {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": "default", **more.get("metadata", {})},
            "spec": {"template": template},
        }
        return self.store.create(SERVICES, admit("create", SERVICES, None, service, user))

    def update(self, name: str, change: Callable[[Object], None], *, user: str = "admin") -> Object:
        """Apply `change` to a copy of the Service, as a PUT would; raises StatusError."""
        old = self.store.get(SERVICES, "default", name)
        new = copy.deepcopy(old)
        change(new)
        return self.store.update(SERVICES, admit("update", SERVICES, old, new, user))

    def get(self, resource: Resource, name: str) -> Object:
        """An object of the default namespace."""
        return self.store.get(resource, "default", name)

    def conditions(self, resource: Resource, name: str) -> dict[str, tuple[str, str, str]]:
        """(status, reason, message) by type."""
        status = self.get(resource, name).get("status", {})
        return {
            each["type"]: (each["status"], each.get("reason", ""), each.get("message", ""))
            for each in status.get("conditions", [])
        }

    async def ready(self, name: str, status: str = "True") -> None:
        """Wait until the Service is settled with this Ready status."""

        def is_there() -> bool:
            service = self.get(SERVICES, name)
            observed = service.get("status", {}).get("observedGeneration") == service["metadata"]["generation"]
            return observed and self.conditions(SERVICES, name)["Ready"][0] == status

        await eventually(is_there, message=f"{name} is not Ready={status}")

    async def request(self, host: str, path: str = "/") -> tuple[int, dict[str, str], str]:
        """GET through the ingress: status, headers (lower case), body."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ingress_port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        text = (await asyncio.wait_for(reader.read(), 60)).decode()
        writer.close()
        head, _, body = text.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return int(first.split()[1]), headers, body


async def eventually(predicate: Callable[[], Any], *, timeout: float = 60, message: str = "") -> Any:
    """Ask until it is true; raises AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := predicate()):
        assert time.monotonic() < deadline, message or f"not within {timeout} s"
        await asyncio.sleep(INTERVAL_SECONDS)
    return value


@asynccontextmanager
async def knative(*, speed: float = 40, store: Store | None = None, **options: Any) -> AsyncIterator[World]:
    """Controllers and ingress on a free port; options as those of `run`."""
    store = store or Store()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        work = run(store, clock=Clock(speed), ingress_socket=listener, chance=Random(7), **options)
        task = asyncio.create_task(work)
        try:
            yield World(store, listener.getsockname()[1])
        finally:
            assert not task.done() or task.exception() is None, task.exception()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def set_env(name: str, value: str) -> Callable[[Object], None]:
    """A change: the first variable of the first container."""

    def change(service: Object) -> None:
        service["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": name, "value": value}]

    return change


def set_image(image: str) -> Callable[[Object], None]:
    """A change: the first container's image."""

    def change(service: Object) -> None:
        service["spec"]["template"]["spec"]["containers"][0]["image"] = image

    return change


def set_traffic(*targets: Object) -> Callable[[Object], None]:
    """A change: the whole traffic."""

    def change(service: Object) -> None:
        service["spec"]["traffic"] = list(targets)

    return change
