"""A cluster in which whatever is written is ready at once, and whose watcher has always seen it.

Real HTTP, as the console talks to any cluster; none of Knative's time. What Knative does is in tests of its own.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from console.cluster.resources import NAMESPACES, REVISIONS, SERVICES
from console.mirror import keys
from console.mirror.capabilities import encoded
from console.mirror.read import KindState
from console.mirror.sealing import seal_key
from console.mirror.store import MIRRORED, MirrorWriter
from console.redis_client import client
from tests import factories
from tests.support.echo_cluster import EchoCluster, Object, serving, status

CONSOLE = "system:serviceaccount:sluice:sluice"  # as whom the console writes
_SERVING = "serving.knative.dev"
FRESH_FOR = 100 * 366 * 24 * 3600.0  # seconds: a test may look at the pages whenever it wants


@dataclass
class ReadyCluster(EchoCluster):
    """Its services by path; `now` says when something is written."""

    name: str = ""
    now: Callable[[], datetime] = datetime.now
    is_down: bool = False
    version: int = 100
    made: int = 0
    namespaces: set[str] = field(default_factory=set)
    writer: MirrorWriter | None = None

    def answer(self, method: str, path: str, query: str, body: Object) -> tuple[int, Object]:
        if self.is_down:
            return 401, status(401, "Unauthorized", "the cluster")
        if method == "GET" or "/services" not in path or path.startswith("/api/"):
            return super().answer(method, path, query, body)
        if method == "DELETE":
            return self._delete(path, is_tried="dryRun" in query)
        return self._write(method, path, body, CONSOLE, "sluice", is_tried="dryRun" in query)

    def service(self, namespace: str, name: str) -> Object:
        return copy.deepcopy(self.objects[path_of(namespace, name)])

    def apply(self, service: Object, who: str, tool: str = "kubectl-edit") -> None:
        """Somebody writes the service with a tool of their own."""
        metadata = service["metadata"]
        code, told = self._write("PUT", path_of(metadata["namespace"], metadata["name"]), service, who, tool)
        assert code < 300, told

    def remove(self, namespace: str, name: str) -> None:
        """Somebody deletes the service with a tool of their own."""
        self._delete(path_of(namespace, name))

    def _write(
        self, method: str, path: str, body: Object, who: str, tool: str, *, is_tried: bool = False
    ) -> tuple[int, Object]:
        path = path if method == "PUT" else f"{path}/{body['metadata']['name']}"
        before = self.objects.get(path)
        if before and method == "POST":
            return 409, status(409, "AlreadyExists", path)
        after = self._written(before, copy.deepcopy(body), who, tool)
        if not is_tried:
            self._keep(path, after)
        return (200 if before else 201), after

    def _written(self, before: Object | None, after: Object, who: str, tool: str) -> Object:
        """What the API server, the webhook and the controllers make of it."""
        was = before["metadata"] if before else {"generation": 0, "creationTimestamp": _text(self.now())}
        metadata, name = after["metadata"], after["metadata"]["name"]
        is_new_spec = before is None or before["spec"] != after["spec"]
        number = _number(before) + (before is None or before["spec"]["template"] != after["spec"]["template"])
        self.version += 1
        annotations = {**(metadata.get("annotations") or {})}
        if before is None:
            annotations[f"{_SERVING}/creator"] = who
        if is_new_spec:
            annotations[f"{_SERVING}/lastModifier"] = who
        after["metadata"] = {
            **metadata,
            "uid": was.get("uid") or f"uid-{self.name}-{metadata['namespace']}-{name}-{self.version}",
            "creationTimestamp": was["creationTimestamp"],
            "generation": was["generation"] + is_new_spec,
            "resourceVersion": str(self.version),
            "annotations": annotations,
            "managedFields": [{"manager": tool, "operation": "Update", "time": _text(self.now())}],
        }
        after["spec"].setdefault("traffic", [{"latestRevision": True, "percent": 100}])
        after["status"] = _status_of(after, f"{name}-{number:05}")
        return after

    def _keep(self, path: str, service: Object) -> None:
        self.objects[path] = service
        revision = _revision_of(service, _text(self.now()))
        address = path.replace("/services/", "/revisions/").rpartition("/")[0] + f"/{revision['metadata']['name']}"
        is_new = address not in self.objects
        self.objects.setdefault(address, revision)
        if self.writer:
            self.writer.put(SERVICES, service)
            if is_new:
                self.writer.put(REVISIONS, revision)

    def _delete(self, path: str, *, is_tried: bool = False) -> tuple[int, Object]:
        if path not in self.objects:
            return 404, status(404, "NotFound", path)
        if not is_tried:
            gone = self.objects.pop(path)
            if self.writer:
                self.writer.drop(SERVICES, gone)
        return 200, {"kind": "Status", "status": "Success"}

    def watched(self) -> None:
        """From here on the mirror has what the cluster has."""
        client().set(keys.LEADER, "month")
        self.writer = MirrorWriter(client(), self.name, "month", seal_key())
        of_kind = {
            SERVICES: [one for one in self.objects.values() if one["kind"] == "Service"],
            REVISIONS: [one for one in self.objects.values() if one["kind"] == "Revision"],
            NAMESPACES: [{"metadata": {"name": name}} for name in sorted(self.namespaces)],
        }
        for kind in MIRRORED:
            self.writer.replace_all(kind, of_kind.get(kind, ()))
            self.writer.note(
                kind, msgspec.json.encode(KindState(self.now().timestamp() + FRESH_FOR, str(self.version)))
            )
        self.writer.keep_capabilities(encoded(factories.capabilities(), self.now().timestamp()))


@contextmanager
def clusters(names: Sequence[str], now: Callable[[], datetime]) -> Iterator[dict[str, ReadyCluster]]:
    """Run one of each name on free loopback ports."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(serving(ReadyCluster(name=name, now=now))) for name in names}


def settings_of(found: dict[str, ReadyCluster]) -> str:
    """The value of CONSOLE_CLUSTERS for them."""
    return json.dumps([{"name": name, "url": one.url, "token": "t"} for name, one in found.items()])


def manifest(namespace: str, name: str, image: str, labels: dict[str, str], env: dict[str, str]) -> Object:
    variables = [{"name": key, "value": value} for key, value in env.items()]
    template = {
        "metadata": {"annotations": {}},
        "spec": {"containers": [{"name": "app", "image": image, "env": variables}]},
    }
    return {
        "apiVersion": f"{_SERVING}/v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"template": template},
    }


def path_of(namespace: str, name: str) -> str:
    return f"/apis/{_SERVING}/v1/namespaces/{namespace}/services/{name}"


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _number(service: Object | None) -> int:
    """Of its newest revision."""
    return int(service["status"]["latestCreatedRevisionName"].rpartition("-")[2]) if service else 0


def _status_of(service: Object, newest: str) -> Object:
    metadata = service["metadata"]
    targets = [
        {
            "revisionName": one.get("revisionName") or newest,
            "percent": one.get("percent", 0),
            **({"tag": one["tag"]} if one.get("tag") else {}),
            **({"latestRevision": True} if one.get("latestRevision") else {}),
        }
        for one in service["spec"]["traffic"]
    ]
    return {
        "observedGeneration": metadata["generation"],
        "url": f"http://{metadata['name']}.{metadata['namespace']}.example.com",
        "latestCreatedRevisionName": newest,
        "latestReadyRevisionName": newest,
        "traffic": targets,
        "conditions": [{"type": kind, "status": "True"} for kind in ("ConfigurationsReady", "Ready", "RoutesReady")],
    }


def _revision_of(service: Object, at: str) -> Object:
    metadata, newest = service["metadata"], service["status"]["latestCreatedRevisionName"]
    labels = {f"{_SERVING}/service": metadata["name"], f"{_SERVING}/configuration": metadata["name"]}
    labels[f"{_SERVING}/configurationGeneration"] = str(_number(service))
    return {
        "apiVersion": f"{_SERVING}/v1",
        "kind": "Revision",
        "metadata": {
            "name": newest,
            "namespace": metadata["namespace"],
            "uid": f"uid-{newest}",
            "resourceVersion": metadata["resourceVersion"],
            "generation": 1,
            "creationTimestamp": at,
            "labels": labels,
        },
        "spec": copy.deepcopy(service["spec"]["template"]["spec"]),
        "status": {
            "observedGeneration": 1,
            "conditions": [{"type": kind, "status": "True"} for kind in ("Active", "ContainerHealthy", "Ready")],
        },
    }
