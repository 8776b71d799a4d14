"""The objects that Knative's controllers make from one another, with the labels and annotations of the recording."""

from __future__ import annotations

from typing import Any

from console.sandbox.names import child_name
from console.sandbox.resources import CONFIGURATIONS, REVISIONS, ROUTES, Resource

GROUP = "serving.knative.dev"
SERVICE_LABEL = f"{GROUP}/service"
SERVICE_UID_LABEL = f"{GROUP}/serviceUID"
CONFIGURATION_LABEL = f"{GROUP}/configuration"
CONFIGURATION_UID_LABEL = f"{GROUP}/configurationUID"
GENERATION_LABEL = f"{GROUP}/configurationGeneration"
REVISION_LABEL = f"{GROUP}/revision"
ROUTING_STATE_LABEL = f"{GROUP}/routingState"
ROUTES_ANNOTATION = f"{GROUP}/routes"
ROUTING_STATE_MODIFIED = f"{GROUP}/routingStateModified"
CREATOR = f"{GROUP}/creator"
LAST_MODIFIER = f"{GROUP}/lastModifier"
ROLLOUT_DURATION = f"{GROUP}/rollout-duration"
ROUTE_FINALIZER = "routes.serving.knative.dev"
VISIBILITY_LABEL = "networking.knative.dev/visibility"
NOT_INHERITED = ("kubectl.kubernetes.io/last-applied-configuration",)
DOMAIN = "example.com"

Object = dict[str, Any]
Key = tuple[str, str]


def key_of(obj: Object) -> Key:
    """Its namespace and name."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def labels_of(obj: Object) -> dict[str, str]:
    """Its labels, none when there are none."""
    return obj["metadata"].get("labels") or {}


def annotations_of(obj: Object) -> dict[str, str]:
    """Its annotations, none when there are none."""
    return obj["metadata"].get("annotations") or {}


def status_of(obj: Object) -> Object:
    """Its status, empty before a controller wrote one."""
    return obj.get("status") or {}


def with_metadata(obj: Object, **fields: Any) -> Object:
    """A copy with some metadata replaced; None removes a field."""
    metadata = {name: value for name, value in (obj["metadata"] | fields).items() if value is not None}
    return obj | {"metadata": metadata}


def controller_reference(owner: Object) -> Object:
    """The ownerReference of what `owner` controls."""
    return {
        "apiVersion": owner["apiVersion"],
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }


def configuration_for(service: Object) -> Object:
    """The Configuration that a Service wants, without status."""
    name = service["metadata"]["name"]
    annotations = {key: value for key, value in _inherited(service).items() if key != ROLLOUT_DURATION}
    labels = labels_of(service) | {SERVICE_LABEL: name, SERVICE_UID_LABEL: service["metadata"]["uid"]}
    metadata = _owned_metadata(service, name, labels, annotations | {ROUTES_ANNOTATION: name})
    return _object(CONFIGURATIONS, metadata, {"template": service["spec"]["template"]})


def route_for(service: Object) -> Object:
    """The Route that a Service wants, without status."""
    name = service["metadata"]["name"]
    metadata = _owned_metadata(service, name, labels_of(service) | {SERVICE_LABEL: name}, _inherited(service))
    targets = [
        target if target.get("revisionName") else {"configurationName": name} | target
        for target in service["spec"]["traffic"]
    ]
    return _object(ROUTES, metadata, {"traffic": targets})


def revision_name_for(configuration: Object) -> str:
    """The name that the template brings, or `name-00001` by the generation."""
    own = (configuration["spec"]["template"].get("metadata") or {}).get("name")
    generation = configuration["metadata"]["generation"]
    return own or child_name(configuration["metadata"]["name"], f"-{generation:05d}")


def revision_for(configuration: Object, now: str) -> Object:
    """The Revision of a Configuration's present generation, without status."""
    template, metadata = configuration["spec"]["template"], configuration["metadata"]
    own = template.get("metadata") or {}
    creator = annotations_of(configuration).get(LAST_MODIFIER) or annotations_of(configuration).get(CREATOR, "")
    annotations = dict(own.get("annotations") or {}) | ({CREATOR: creator} if creator else {})
    is_routed = ROUTES_ANNOTATION in annotations_of(configuration)
    if is_routed:
        annotations[ROUTES_ANNOTATION] = annotations_of(configuration)[ROUTES_ANNOTATION]
    annotations[ROUTING_STATE_MODIFIED] = now
    labels = dict(own.get("labels") or {}) | {
        CONFIGURATION_LABEL: metadata["name"],
        GENERATION_LABEL: str(metadata["generation"]),
        CONFIGURATION_UID_LABEL: metadata["uid"],
        ROUTING_STATE_LABEL: "active" if is_routed else "pending",
    }
    for label in (SERVICE_LABEL, SERVICE_UID_LABEL):
        if label in labels_of(configuration):
            labels[label] = labels_of(configuration)[label]
    made = _owned_metadata(configuration, revision_name_for(configuration), labels, annotations)
    return _object(REVISIONS, made, template["spec"])


def is_cluster_local(obj: Object) -> bool:
    """Whether a Service or Route is to be reachable inside the cluster only."""
    return labels_of(obj).get(VISIBILITY_LABEL) == "cluster-local"


def host_of(route: Object, tag: str = "") -> str:
    """The host name of a Route, or of one of its tags."""
    namespace, name = key_of(route)
    domain = "svc.cluster.local" if is_cluster_local(route) else DOMAIN
    return f"{f'{tag}-' if tag else ''}{name}.{namespace}.{domain}"


def local_url_of(route: Object) -> str:
    """The URL inside the cluster."""
    namespace, name = key_of(route)
    return f"http://{name}.{namespace}.svc.cluster.local"


def serving_container(revision: Object) -> Object:
    """The container that answers requests: the only one, or the one with a port."""
    containers: list[Object] = revision["spec"]["containers"]
    return next((each for each in containers if each.get("ports")), containers[0])


def _inherited(service: Object) -> dict[str, str]:
    return {key: value for key, value in annotations_of(service).items() if key not in NOT_INHERITED}


def _owned_metadata(owner: Object, name: str, labels: dict[str, str], annotations: dict[str, str]) -> Object:
    return {
        "annotations": annotations,
        "labels": labels,
        "name": name,
        "namespace": owner["metadata"]["namespace"],
        "ownerReferences": [controller_reference(owner)],
    }


def _object(resource: Resource, metadata: Object, spec: Object) -> Object:
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, "spec": spec}
