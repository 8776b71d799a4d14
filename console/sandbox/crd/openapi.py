"""The tables as OpenAPI v3, as the CustomResourceDefinitions of Serving are."""

from __future__ import annotations

from typing import Any

from console.sandbox.crd.types import (
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
    Struct,
    Type,
)

_SCALARS: dict[Type, dict[str, Any]] = {
    STRING: {"type": "string"},
    URL: {"type": "string"},
    BOOL: {"type": "boolean"},
    INT32: {"type": "integer", "format": "int32"},
    INT64: {"type": "integer", "format": "int64"},
    PORT: {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True},
    QUANTITY: {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True},
}
_OPEN = {"x-kubernetes-preserve-unknown-fields": True}


def as_openapi(kind: Type) -> dict[str, Any]:
    """The schema of a type."""
    if isinstance(kind, ListOf):
        maps = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(kind.keys)} if kind.keys else {}
        return {"type": "array", "items": as_openapi(kind.item), **maps}
    if isinstance(kind, MapOf):
        return {"type": "object", "additionalProperties": as_openapi(kind.value)}
    if isinstance(kind, Struct):
        properties = {key: _of_field(field) for key, field in kind.fields.items()}
        return {"type": "object", "properties": properties, **(_OPEN if kind.is_open else {})}
    return dict(_SCALARS.get(kind, _OPEN))


def _of_field(field: Field) -> dict[str, Any]:
    filled = {} if field.default is None else {"default": field.default}
    return as_openapi(field.type) | filled
