"""Everything that the console asks of a cluster, one method each."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from console.cluster.connections import Connection
from console.cluster.errors import ClusterError, NotFound
from console.cluster.resources import (
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    PODS,
    REVISIONS,
    ROUTES,
    SERVICES,
    Resource,
)
from console.cluster.transport import JSON, ONLY_METADATA, Identity
from console.cluster.watches import WatchEvent, decode_event
from console.knative.authors import FIELD_MANAGER
from console.knative.objects import Revision, Route, Service
from console.knative.pods import Event, Pod

LOG_TAIL_LINES = 50
LOG_LIMIT_BYTES = 64 * 1024
MAX_WARNINGS = 1000  # of all pods of a namespace
MAX_NAMES = 500  # of one kind in one namespace that a form offers
KNATIVE_NAMESPACE = "app.kubernetes.io/name=knative-serving"  # the label of the namespace that Knative runs in
VERSION_LABEL = "app.kubernetes.io/version"


@dataclass(frozen=True)
class Gateway:
    """A cluster as one identity sees it: the console's own, or a person's through impersonation.

    Every method raises a ClusterError of console.cluster.errors; none waits longer than the transport's deadlines.
    `on_wait(error, seconds)` hears when the API server is slow or throttles.
    """

    connection: Connection
    identity: Identity | None = None
    on_wait: Callable[[ClusterError, float], None] | None = field(default=None, compare=False)

    def with_timeout(self, seconds: float, *, attempts: int = 1) -> "Gateway":
        """Return the same for somebody who waits: each call with all its attempts is given up after `seconds`."""
        transport = self.connection.transport.with_timeout(seconds, attempts=attempts)
        return replace(self, connection=replace(self.connection, transport=transport))

    def service(self, namespace: str, name: str) -> Service:
        return Service(self._get(SERVICES, namespace, name))

    def services(self) -> tuple[Service, ...]:
        """Return all services of the cluster."""
        return tuple(Service(raw) for raw in self._list(SERVICES, None, ""))

    def revisions(self) -> tuple[Revision, ...]:
        """Return all revisions of the cluster."""
        return tuple(Revision(raw) for raw in self._list(REVISIONS, None, ""))

    def route(self, namespace: str, name: str) -> Route:
        return Route(self._get(ROUTES, namespace, name))

    def revision(self, namespace: str, name: str) -> Revision:
        return Revision(self._get(REVISIONS, namespace, name))

    def pods(self, namespace: str, *, revision: str) -> tuple[Pod, ...]:
        return tuple(Pod(raw) for raw in self._list(PODS, namespace, f"serving.knative.dev/revision={revision}"))

    def object_names(self, resource: Resource, namespace: str) -> tuple[str, ...]:
        """Return the names of a kind's objects, of which nothing but the metadata is asked for."""
        answer = self._call("GET", resource.path(namespace), query={"limit": MAX_NAMES}, accept=ONLY_METADATA)
        return tuple(sorted(str(raw["metadata"]["name"]) for raw in answer.get("items") or ()))

    def config_map(self, namespace: str, name: str) -> dict[str, str]:
        """Return the data of a config map."""
        return dict(self.config_map_object(namespace, name).get("data") or {})

    def config_map_object(self, namespace: str, name: str) -> dict[str, Any]:
        """Return a config map with its labels."""
        return self._get(CONFIG_MAPS, namespace, name)

    def events(self, namespace: str, *, about: str) -> tuple[Event, ...]:
        """Return the events about the object of that name, of any kind."""
        query = {"fieldSelector": f"involvedObject.name={about}"}
        answer = self._call("GET", EVENTS.path(namespace), query=query)
        return tuple(Event(raw) for raw in answer.get("items") or ())

    def pod_warnings(self, namespace: str, revision: str) -> tuple[Event, ...]:
        """Return the warnings about pods of a revision, also of pods that are gone."""
        query = {"fieldSelector": "involvedObject.kind=Pod,type=Warning", "limit": MAX_WARNINGS}
        answer = self._call("GET", EVENTS.path(namespace), query=query)
        events = (Event(raw) for raw in answer.get("items") or ())
        return tuple(event for event in events if event.about.startswith(f"Pod/{revision}-deployment-"))

    def create_event(self, namespace: str, event: Mapping[str, Any]) -> None:
        self._call("POST", EVENTS.path(namespace), body=event)

    def pod_log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        lines: int = LOG_TAIL_LINES,
        max_bytes: int = LOG_LIMIT_BYTES,
    ) -> str:
        """Return the last lines of a container's log; of more bytes than that the end is missing."""
        query = {"container": container, "tailLines": lines, "limitBytes": max_bytes}
        if previous:
            query["previous"] = "true"
        path = f"{PODS.path(namespace, pod)}/log"
        return self.connection.transport.text(path, query=query, identity=self.identity, on_wait=self.on_wait)

    def replace_service(self, service: Service, *, dry_run: bool = False) -> Service:
        """Write the whole service with its resourceVersion; raises Conflict when it was modified meanwhile."""
        path = SERVICES.path(service.namespace, service.name)
        return Service(self._call("PUT", path, query=_write_options(dry_run), body=service.raw))

    def create_service(self, service: Service, *, dry_run: bool = False) -> Service:
        path = SERVICES.path(service.namespace)
        return Service(self._call("POST", path, query=_write_options(dry_run), body=service.raw))

    def delete_service(self, namespace: str, name: str, *, uid: str, version: str = "", dry_run: bool = False) -> None:
        """Delete the service if it is still the one with that uid, and of that version; raises Conflict if not."""
        self._delete(SERVICES, namespace, name, uid, version, dry_run)

    def delete_revision(self, namespace: str, name: str, *, uid: str, version: str = "", dry_run: bool = False) -> None:
        """Delete the revision if it is still the one with that uid, and of that version; raises Conflict if not."""
        self._delete(REVISIONS, namespace, name, uid, version, dry_run)

    def watch_service(
        self, namespace: str, name: str, resource_version: str, *, seconds: int, stop: threading.Event
    ) -> Iterator[WatchEvent]:
        """Yield what happens to one service after `resource_version`, for at most `seconds`."""
        query = {"fieldSelector": f"metadata.name={name}", "resourceVersion": resource_version}
        transport = self.connection.transport
        stream = transport.watch(SERVICES.path(namespace), query, seconds=seconds, identity=self.identity)
        for line in stream.lines():
            if stop.is_set():
                return
            if event := decode_event(line):
                yield event

    def can_i(self, verb: str, resource: Resource, namespace: str, *, name: str = "", subresource: str = "") -> bool:
        """Ask the cluster whether this identity may (SelfSubjectAccessReview); an empty namespace means all of them."""
        attributes = {"verb": verb, "group": resource.group, "resource": resource.plural, "namespace": namespace}
        attributes |= {"name": name, "subresource": subresource}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
        }
        answer = self._call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=body)
        return bool((answer.get("status") or {}).get("allowed"))

    def serves_knative(self) -> bool:
        """Whether the API server knows Knative's services."""
        try:
            found = self._call("GET", f"/apis/{SERVICES.group}/{SERVICES.version}").get("resources") or ()
        except NotFound:
            return False
        return any(isinstance(one, dict) and one.get("name") == SERVICES.plural for one in found)

    def knative_version(self) -> str:
        """Return Knative Serving's version from the label of its namespace, empty when there is none."""
        labels = ({**(raw["metadata"].get("labels") or {})} for raw in self._list(NAMESPACES, None, KNATIVE_NAMESPACE))
        return next((str(found[VERSION_LABEL]) for found in labels if found.get(VERSION_LABEL)), "")

    def version(self) -> str:
        return str(self._call("GET", "/version").get("gitVersion", ""))

    def _get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        return self._call("GET", resource.path(namespace, name))

    def _list(self, resource: Resource, namespace: str | None, selector: str) -> list[dict[str, Any]]:
        query: dict[str, Any] = {"limit": 500}
        if selector:
            query["labelSelector"] = selector
        path, transport = resource.path(namespace), self.connection.transport
        pages = transport.pages(path, query=query, identity=self.identity, on_wait=self.on_wait)
        return [item for answer in pages for item in answer.get("items") or ()]

    def _delete(self, resource: Resource, namespace: str, name: str, uid: str, version: str, dry_run: bool) -> None:
        preconditions = {"uid": uid, **({"resourceVersion": version} if version else {})}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        query = {"dryRun": "All"} if dry_run else None
        self._call("DELETE", resource.path(namespace, name), query=query, body=body)

    def _call(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None, accept: str = JSON
    ) -> dict[str, Any]:
        return self.connection.transport.call(
            method, path, query=query, body=body, identity=self.identity, on_wait=self.on_wait, accept=accept
        )


def _write_options(dry_run: bool) -> dict[str, str]:
    options = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
    return {**options, "dryRun": "All"} if dry_run else options
