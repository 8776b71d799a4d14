"""A plain HTTP client: it shows status, headers and body, and hides nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from tests.waiting import eventually

Object = dict[str, Any]
Change = Callable[[Object], None]
SERVING = "/apis/serving.knative.dev/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1"
SETTLE_SECONDS = 30
WATCH_SECONDS = 110  # longer than any watch of these tests asks for


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is the decoded JSON, or text."""

    code: int
    headers: Mapping[str, str]
    body: Any

    @property
    def refusal(self) -> tuple[int, str, str]:
        """(code, reason, message) of a Status."""
        return self.code, self.body.get("reason", ""), self.body.get("message", "")


class Client:
    """Asks the API as one user."""

    def __init__(self, url: str, token: str, ca: Path | None = None, headers: Mapping[str, str] | None = None) -> None:
        self.url, self._token, self._ca = url, token, ca
        self._pool = urllib3.PoolManager(
            maxsize=10, retries=False, timeout=urllib3.Timeout(connect=5, read=30), ca_certs=str(ca) if ca else None
        )
        self._headers = urllib3.HTTPHeaderDict(headers or {})
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def as_(self, user: str, *groups: str) -> Client:
        """The same client, impersonating."""
        headers = urllib3.HTTPHeaderDict({"Impersonate-User": user})
        for group in groups:
            headers.add("Impersonate-Group", group)
        return Client(self.url, self._token, self._ca, headers)

    def with_token(self, token: str) -> Client:
        return Client(self.url, token, self._ca)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        type: str = "application/json",
        raw: bytes | None = None,
        accept: str = "application/json",
    ) -> Answer:
        data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        headers = self._headers.copy()
        headers["Accept"] = accept
        if data is not None:
            headers["Content-Type"] = type
        response = self._pool.request(method, self.url + path, body=data, headers=headers)
        is_json = "json" in response.headers.get("Content-Type", "")
        text = response.data.decode()
        return Answer(response.status, response.headers, json.loads(text) if is_json else text)

    def get(self, path: str, accept: str = "application/json") -> Answer:
        return self.ask("GET", path, accept=accept)

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
    def watch(self, path: str, accept: str = "application/json") -> Iterator[Iterator[Object]]:
        """The events of a watch, one by one as they come."""
        headers = self._headers.copy()
        headers["Accept"] = accept
        response = self._pool.request(
            "GET", self.url + path, headers=headers, preload_content=False, timeout=WATCH_SECONDS
        )
        assert response.status == 200, response.read()
        try:
            yield (json.loads(line) for line in _lines(response))
        finally:
            response.close()


@dataclass(frozen=True)
class Namespace:
    """One namespace as one user sees it: paths and the changes that tests make."""

    api: Client
    name: str

    def path(self, plural: str, name: str = "") -> str:
        root = SERVING if plural in ("services", "configurations", "revisions", "routes") else "/api/v1"
        return f"{root}/namespaces/{self.name}/{plural}" + (f"/{name}" if name else "")

    def create(self, name: str = "greet", *changes: Change, **labels: str) -> Answer:
        manifest = service(name, **labels)
        for change in changes:
            change(manifest)
        return self.api.post(self.path("services"), manifest)

    def get(self, plural: str = "services", name: str = "greet") -> Object:
        answer = self.api.get(self.path(plural, name))
        assert answer.code == 200, answer
        return answer.body

    def names(self, plural: str, query: str = "") -> list[str]:
        return [item["metadata"]["name"] for item in self.api.get(self.path(plural) + query).body["items"]]

    def update(self, *changes: Change, name: str = "greet", plural: str = "services", query: str = "") -> Answer:
        """Read, change, PUT; again when a controller wrote in between (a client's update loop)."""

        def attempt() -> Answer | None:
            changed = self.get(plural, name)
            for change in changes:
                change(changed)
            answer = self.api.put(self.path(plural, name) + query, changed)
            return None if answer.code == 409 else answer

        return eventually(attempt)

    def settle(self, ready: str = "True", name: str = "greet") -> Object:
        """Wait until the Service is settled with this Ready status, and return it."""

        def settled() -> Object | None:
            found = self.get("services", name)
            status = found.get("status") or {}
            assert status.get("observedGeneration") == found["metadata"]["generation"], "not observed"
            condition = next(one for one in status.get("conditions") or [{}] if one.get("type") == "Ready")
            assert condition["status"] == ready, condition
            return found

        return eventually(settled, timeout=SETTLE_SECONDS)


GO, RUST = "gcr.io/knative-samples/helloworld-go", "gcr.io/knative-samples/helloworld-rust"


def service(name: str = "greet", **labels: str) -> Object:
    """A Service as a person writes it."""
    container = {"image": GO, "env": [{"name": "TARGET", "value": "First"}]}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": labels},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def configmap(name: str, labels: Mapping[str, str] | None = None, **data: str) -> Object:
    metadata = {"name": name, "labels": dict(labels or {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def put(*path: str | int, value: Any) -> Change:
    """A change: the field at `path` (missing objects are made) becomes `value`."""

    def change(obj: Object) -> None:
        at: Any = obj
        for step in path[:-1]:
            at = at.setdefault(step, {}) if isinstance(step, str) else at[step]
        at[path[-1]] = copy.deepcopy(value)

    return change


CONTAINER = ("spec", "template", "spec", "containers", 0)


def env(*pairs: tuple[str, str]) -> Change:
    return put(*CONTAINER, "env", value=[{"name": name, "value": value} for name, value in pairs])


def image(reference: str) -> Change:
    return put(*CONTAINER, "image", value=reference)


def traffic(*targets: Object) -> Change:
    return put("spec", "traffic", value=list(targets))


def to(revision: str, percent: int, tag: str = "") -> Object:
    return {"revisionName": revision, "percent": percent} | ({"tag": tag} if tag else {})


def annotation(name: str, value: str) -> Change:
    return put("spec", "template", "metadata", "annotations", value={name: value})


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    rest = b""
    for chunk in response.stream(None):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
