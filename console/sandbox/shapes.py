"""The types of the fields that the API machinery itself reads; the rest of an object is not its business.

Field names are Kubernetes'. Wrong types are refused with 400, as a real server's decoder refuses them.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec

from console.sandbox import errors
from console.sandbox.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    CONFIGMAPS,
    EVENTS,
    NAMESPACES,
    PODS,
    ROLEBINDINGS,
    ROLES,
    SECRETS,
    Resource,
)

T = TypeVar("T")
Texts = list[str] | None
TextMap = dict[str, str] | None


class OwnerReference(msgspec.Struct):
    """metadata.ownerReferences[]"""

    name: str
    uid: str
    apiVersion: str = ""
    kind: str = ""


class Metadata(msgspec.Struct):
    """metadata"""

    name: str | None = None
    generateName: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resourceVersion: str | None = None
    labels: TextMap = None
    annotations: TextMap = None
    finalizers: Texts = None
    ownerReferences: list[OwnerReference] | None = None


class Object(msgspec.Struct):
    """Any object."""

    metadata: Metadata | None = None
    spec: dict[str, Any] | None = None
    status: dict[str, Any] | None = None


class ConfigMap(Object):
    """A ConfigMap."""

    data: TextMap = None


class Secret(Object):
    """A Secret; data is base64, stringData is not."""

    data: TextMap = None
    stringData: TextMap = None


class Event(Object):
    """An Event of the core group."""

    involvedObject: dict[str, Any] | None = None
    source: dict[str, Any] | None = None


class Container(msgspec.Struct):
    """spec.containers[] of a pod"""

    name: str


class PodSpec(msgspec.Struct):
    """spec of a pod"""

    containers: Annotated[list[Container], msgspec.Meta(min_length=1)]


class Pod(msgspec.Struct):
    """A Pod; its containers are what logs are asked for by."""

    spec: PodSpec
    metadata: Metadata | None = None
    status: dict[str, Any] | None = None


class Rule(msgspec.Struct):
    """rules[] of a Role or ClusterRole"""

    verbs: list[str]
    apiGroups: Texts = None
    resources: Texts = None
    resourceNames: Texts = None
    nonResourceURLs: Texts = None


class Expression(msgspec.Struct):
    """matchExpressions[]"""

    key: str
    operator: Annotated[str, msgspec.Meta(pattern="^(In|NotIn|Exists|DoesNotExist)$")]
    values: Texts = None


class Selector(msgspec.Struct):
    """A LabelSelector."""

    matchLabels: TextMap = None
    matchExpressions: list[Expression] | None = None


class AggregationRule(msgspec.Struct):
    """aggregationRule of a ClusterRole"""

    clusterRoleSelectors: list[Selector] | None = None


class Role(Object):
    """A Role or ClusterRole."""

    rules: list[Rule] | None = None
    aggregationRule: AggregationRule | None = None


class RoleReference(msgspec.Struct):
    """roleRef of a binding"""

    kind: str
    name: str


class Subject(msgspec.Struct):
    """subjects[] of a binding"""

    kind: str
    name: str
    namespace: str | None = None


class Binding(Object, kw_only=True):
    """A RoleBinding or ClusterRoleBinding."""

    roleRef: RoleReference
    subjects: list[Subject] | None = None


class Preconditions(msgspec.Struct):
    """preconditions of a delete"""

    uid: str | None = None
    resourceVersion: str | None = None


class DeleteOptions(msgspec.Struct):
    """The body of a delete."""

    preconditions: Preconditions | None = None
    propagationPolicy: str | None = None
    orphanDependents: bool | None = None
    gracePeriodSeconds: Annotated[int, msgspec.Meta(ge=0)] | None = None
    dryRun: Texts = None


class ResourceAttributes(msgspec.Struct):
    """What a review asks about: a verb on a resource."""

    namespace: str = ""
    verb: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""


class PathAttributes(msgspec.Struct):
    """What a review asks about: a verb on a path."""

    path: str = ""
    verb: str = ""


class ReviewSpec(msgspec.Struct):
    """The spec of the reviews and of a TokenRequest."""

    resourceAttributes: ResourceAttributes | None = None
    nonResourceAttributes: PathAttributes | None = None
    user: str = ""
    uid: str = ""
    groups: Texts = None
    namespace: str = ""
    expirationSeconds: Annotated[int, msgspec.Meta(ge=1, le=2**31)] | None = None


class Review(msgspec.Struct):
    """A review or TokenRequest."""

    spec: ReviewSpec | None = None


_SHAPES: dict[Resource, type[msgspec.Struct]] = {
    NAMESPACES: Object,
    CONFIGMAPS: ConfigMap,
    SECRETS: Secret,
    EVENTS: Event,
    PODS: Pod,
    ROLES: Role,
    CLUSTERROLES: Role,
    ROLEBINDINGS: Binding,
    CLUSTERROLEBINDINGS: Binding,
}


def read(value: Any, shape: type[T]) -> T:
    """The value as that type; raises StatusError 400 with the field that is wrong."""
    try:
        return msgspec.convert(value, shape)
    except (msgspec.ValidationError, OverflowError) as error:
        raise errors.bad_request(f"the object provided is not valid: {error}") from error


def check(resource: Resource, obj: dict[str, Any]) -> None:
    """Raise StatusError 400 when a field that is read has the wrong type, or the object is of another kind."""
    kind, version = obj.get("kind", resource.kind), obj.get("apiVersion", resource.api_version)
    if (version, kind) != (resource.api_version, resource.kind):
        raise errors.bad_request(
            f"the object provided is {version} {kind}, which {resource.qualified} does not take "
            f"({resource.api_version} {resource.kind})"
        )
    read(obj, _SHAPES.get(resource, Object))
