"""A plain HTTP client for the sandbox's tests: it shows status, headers and body, and hides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import urllib3

SERVING = "/apis/serving.knative.dev/v1"
SERVICES = f"{SERVING}/namespaces/default/services"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is the decoded JSON, or text."""

    code: int
    headers: Mapping[str, str]
    body: Any


class Client:
    """Asks the API as one user."""

    def __init__(self, url: str, token: str, headers: Mapping[str, str] | None = None) -> None:
        self.url = url
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=5, read=20))
        self._headers = urllib3.HTTPHeaderDict(headers or {})
        self._headers["Authorization"] = f"Bearer {token}"
        self._token = token

    def as_(self, user: str, *groups: str) -> Client:
        """The same client, impersonating."""
        headers = urllib3.HTTPHeaderDict({"Impersonate-User": user})
        for group in groups:
            headers.add("Impersonate-Group", group)
        return Client(self.url, self._token, headers)

    def ask(
        self, method: str, path: str, body: Any = None, *, type: str = "application/json", raw: bytes | None = None
    ) -> Answer:
        data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        headers = self._headers.copy()
        if data is not None:
            headers["Content-Type"] = type
        response = self._pool.request(method, self.url + path, body=data, headers=headers)
        text = response.data
        is_json = "json" in response.headers.get("Content-Type", "")
        return Answer(response.status, response.headers, json.loads(text) if is_json else text.decode())

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, body: Any) -> Answer:
        return self.ask("POST", path, body)

    def put(self, path: str, body: Any) -> Answer:
        return self.ask("PUT", path, body)

    def merge(self, path: str, body: Any) -> Answer:
        return self.ask("PATCH", path, body, type="application/merge-patch+json")

    def json_patch(self, path: str, *operations: Mapping[str, Any]) -> Answer:
        return self.ask("PATCH", path, list(operations), type="application/json-patch+json")

    def delete(self, path: str, body: Any = None) -> Answer:
        return self.ask("DELETE", path, body)

    @contextmanager
    def watch(self, path: str) -> Iterator[Iterator[dict[str, Any]]]:
        """The events of a watch, one by one as they come."""
        response = self._pool.request("GET", self.url + path, headers=self._headers, preload_content=False)
        assert response.status == 200, response.read()
        try:
            yield (json.loads(line) for line in _lines(response))
        finally:
            response.close()


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    rest = b""
    for chunk in response.stream(None):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole


def service(name: str = "hello", *, value: str = "First", **labels: str) -> dict[str, Any]:
    """A Service as a person writes it, with a sidecar so that lists have two items."""
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {
                            "image": "gcr.io/knative-samples/helloworld-go",
                            "ports": [{"containerPort": 8080}],
                            "env": [{"name": "TARGET", "value": value}],
                        },
                        {"name": "sidecar", "image": "example.com/sidecar", "envFrom": [{"secretRef": {"name": "db"}}]},
                    ]
                }
            }
        },
    }


def configmap(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
