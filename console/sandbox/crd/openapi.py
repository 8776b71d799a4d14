"""The tables as OpenAPI v3, as the CustomResourceDefinitions of Serving are: what `kubectl explain` prints.

Where a field is behind a feature gate the CRD says no more than that it is an object, and so does this document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from console.sandbox.crd.descriptions import described
from console.sandbox.crd.statuses import STATUSES
from console.sandbox.crd.types import (
    ANY,
    BOOL,
    INT32,
    INT64,
    PORT,
    QUANTITY,
    STRING,
    URL,
    Field,
    ListOf,
    MapOf,
    Scalar,
    Struct,
    Type,
)

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
REFERENCE = "#/components/schemas/"
_NUMBER_OR_TEXT = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
_SCALARS: dict[Type, dict[str, Any]] = {
    STRING: {"type": "string"},
    URL: {"type": "string"},
    BOOL: {"type": "boolean"},
    INT32: {"type": "integer", "format": "int32"},
    INT64: {"type": "integer", "format": "int64"},
    PORT: _NUMBER_OR_TEXT,
    QUANTITY: _NUMBER_OR_TEXT,
}
_OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_OF_A_TEMPLATE = ("annotations", "finalizers", "labels", "name", "namespace")


@dataclass(frozen=True)
class Dialect:
    """What a release's schema says otherwise than the tables, which follow what Go reads and writes.

    Go always writes the `optional` fields, and the schema does not ask for them; of the `open` ones it says nothing.
    """

    optional: frozenset[str]
    open: frozenset[str] = frozenset()


_ALWAYS_OPTIONAL = frozenset({"Container.name", "GRPCAction.service"})
NEWER = Dialect(_ALWAYS_OPTIONAL | {"ContainerPort.containerPort", "GRPCAction.port"})
OLDER = Dialect(_ALWAYS_OPTIONAL, open=frozenset({"RevisionSpec.nodeSelector"}))


def custom_kind(kind: Struct, dialect: Dialect = NEWER) -> dict[str, Any]:
    """The schema of one of Knative's kinds."""
    spec, status = (as_openapi(each, dialect) for each in (kind.fields["spec"].type, STATUSES[kind.name]))
    properties = {
        "apiVersion": described("Object", "apiVersion", {"type": "string"}),
        "kind": described("Object", "kind", {"type": "string"}),
        "metadata": described("Object", "metadata", {"allOf": [{"$ref": REFERENCE + OBJECT_META}], "default": {}}),
        "spec": described(kind.name, "spec", spec),
        "status": described(kind.name, "status", status),
    }
    return described("", kind.name, {"type": "object", "properties": properties})


def as_openapi(kind: Type, dialect: Dialect = NEWER) -> dict[str, Any]:
    """The schema of a type."""
    if isinstance(kind, ListOf):
        maps = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(kind.keys)} if kind.keys else {}
        return {"type": "array", "items": as_openapi(kind.item, dialect), **maps}
    if isinstance(kind, MapOf):
        return {"type": "object", "additionalProperties": as_openapi(kind.value, dialect)}
    if isinstance(kind, Struct):
        return _struct(kind, dialect)
    return dict(_OPEN) if kind is ANY else dict(_SCALARS[kind])


def _struct(kind: Struct, dialect: Dialect) -> dict[str, Any]:
    if kind.name == "ObjectMeta":  # of a template
        fields = {key: kind.fields[key] for key in _OF_A_TEMPLATE}
    elif kind.is_open:
        return dict(_OPEN)
    else:
        fields = kind.fields
    required = sorted(key for key, field in fields.items() if _is_required(kind, key, field, dialect))
    properties = {key: described(kind.name, key, _of_field(kind, key, dialect)) for key in fields}
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def _is_required(kind: Struct, key: str, field: Field, dialect: Dialect) -> bool:
    if key == "containers":
        return True
    is_plain = isinstance(field.type, Scalar) and field.type not in (PORT, QUANTITY)
    return field.is_always and field.default is None and is_plain and f"{kind.name}.{key}" not in dialect.optional


def _of_field(kind: Struct, key: str, dialect: Dialect) -> dict[str, Any]:
    if f"{kind.name}.{key}" in dialect.open:
        return dict(_OPEN)
    field = kind.fields[key]
    return as_openapi(field.type, dialect) | ({} if field.default is None else {"default": field.default})
