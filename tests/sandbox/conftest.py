"""Fixtures of the sandbox's tests.

`api` is the API machinery alone, without Knative's behaviour: objects stay as they are written, so a test sees what
the API itself does. `box` is the whole sandbox as a process.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.sandbox.announcement import address
from console.sandbox.api import Api
from console.sandbox.bootstrap import bootstrap
from console.sandbox.http_server import Server, configured, listening
from console.sandbox.identity import Tokens, authenticated
from console.sandbox.store import Store
from tests.sandbox.api_client import Client
from tests.sandbox_process import Sandbox, sandbox
from tests.waiting import eventually

RECORDED = Path(__file__).with_name("recorded_statuses.json")
USERS = {"admin": ["system:masters"], "viewer": ["viewers"], "nobody": []}


class RunningApi:
    """The API in a thread of its own; `client(user)` asks it."""

    def __init__(self) -> None:
        self.url = ""
        self._is_ready = threading.Event()
        self._server: Server | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def start(self) -> None:
        self._thread.start()
        assert self._is_ready.wait(60)

    def stop(self) -> None:
        assert self._server is not None
        self._server.should_exit = True
        self._thread.join(60)
        assert not self._thread.is_alive()

    def client(self, user: str = "admin", **headers: str) -> Client:
        return Client(self.url, f"token-of-{user}", headers)

    async def _serve(self) -> None:
        store = Store()
        bootstrap(store)
        tokens = Tokens({f"token-of-{name}": authenticated(name, name, groups) for name, groups in USERS.items()})
        api = Api(store, tokens, lambda verb, resource, old, new, user, *, is_dry_run: new, bookmark_seconds=0.2)
        self._server = Server(configured(api), api.end_streams)
        with listening("127.0.0.1", 0) as listener:
            self.url = address(listener)
            serving = asyncio.ensure_future(self._server.serve([listener]))
            await self._server.is_listening.wait()
            self._is_ready.set()
            await serving


@pytest.fixture(scope="session")
def running_api() -> Iterator[RunningApi]:
    api = RunningApi()
    api.start()
    yield api
    api.stop()


@pytest.fixture
def api(running_api: RunningApi) -> Client:
    """The admin's client on an empty default namespace, without ordered faults."""
    client = running_api.client()
    client.delete("/sandbox/faults")
    for group in ("/api/v1", "/apis/serving.knative.dev/v1"):
        for resource in client.get(group).body["resources"]:
            if resource["namespaced"] and "deletecollection" in resource["verbs"]:
                path = f"{group}/namespaces/default/{resource['name']}"
                client.delete(f"{path}?gracePeriodSeconds=0")
                for held in client.get(path).body["items"]:
                    client.merge(f"{path}/{held['metadata']['name']}", {"metadata": {"finalizers": None}})
    eventually(lambda: not client.get("/apis/serving.knative.dev/v1/services").body["items"])
    return client


@pytest.fixture(scope="session")
def recorded() -> dict[str, Any]:
    """Status bodies that a real API server with Knative Serving 0.42 answered, by what was asked."""
    return json.loads(RECORDED.read_text())


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    """A fast, empty sandbox."""
    with sandbox(speed=50, users={"viewer": ["viewers"]}) as running:
        yield running
