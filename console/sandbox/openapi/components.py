"""Kubernetes' own kinds as components of an OpenAPI v3 document: each struct has a name and is referred to by it.

Lists that a patch merges say by which key: `kubectl apply` of these kinds goes by them.
"""

from __future__ import annotations

from typing import Any

from console.sandbox.crd.descriptions import described
from console.sandbox.crd.openapi import REFERENCE
from console.sandbox.crd.types import BOOL, INT32, INT64, PORT, QUANTITY, STRING, URL, ListOf, MapOf, Struct, Type

Schema = dict[str, Any]
MACHINERY = "io.k8s.apimachinery.pkg"
_OF_META = frozenset({
    "Condition", "FieldsV1", "LabelSelector", "LabelSelectorRequirement", "ManagedFieldsEntry", "ObjectMeta",
    "OwnerReference",
})  # fmt: skip
_SCALARS: dict[Type, Schema] = {
    STRING: {"type": "string"},
    URL: {"type": "string"},
    BOOL: {"type": "boolean"},
    INT32: {"type": "integer", "format": "int32"},
    INT64: {"type": "integer", "format": "int64"},
}
_NAMED: dict[Type, str] = {
    QUANTITY: f"{MACHINERY}.api.resource.Quantity",
    PORT: f"{MACHINERY}.util.intstr.IntOrString",
}
_NEITHER = {"oneOf": [{"type": "string"}, {"type": "number"}]}
# Structs that have to be there; among plain fields it is those that Go always writes.
_NEEDED = frozenset({
    "Event.involvedObject", "Event.metadata", "RoleBinding.roleRef", "ClusterRoleBinding.roleRef",
    "DeploymentSpec.selector", "DeploymentSpec.template", "ReplicaSetSpec.selector",
})  # fmt: skip
_SETS = ("finalizers",)


class Components:
    """The components of one document, each written once."""

    def __init__(self, group: str) -> None:
        self.schemas: dict[str, Schema] = {}
        area = {"": "core", "rbac.authorization.k8s.io": "rbac"}.get(group, group)
        self._prefix = f"io.k8s.api.{area}.v1"

    def add(self, kind: Struct) -> str:
        """Write a struct with all that it refers to; returns its name."""
        name = f"{MACHINERY}.apis.meta.v1.{kind.name}" if kind.name in _OF_META else f"{self._prefix}.{kind.name}"
        if name not in self.schemas:
            self.schemas[name] = {}  # before its fields, which may refer to it
            self.schemas[name] = self._struct(kind)
        return name

    def _struct(self, kind: Struct) -> Schema:
        properties = {key: described(kind.name, key, self._field(key, kind)) for key in kind.fields}
        required = sorted(key for key in kind.fields if _is_needed(kind, key))
        schema: Schema = {"type": "object", "properties": properties} if properties else {"type": "object"}
        return schema | ({"required": required} if required else {})

    def _field(self, key: str, kind: Struct) -> Schema:
        field = kind.fields[key]
        schema = self._of(field.type)
        if isinstance(field.type, ListOf) and (field.type.keys or key in _SETS):
            schema["x-kubernetes-patch-strategy"] = "merge"
            schema |= {"x-kubernetes-patch-merge-key": field.type.keys[0]} if field.type.keys else {}
        return schema

    def _of(self, kind: Type) -> Schema:
        if isinstance(kind, ListOf):
            return {"type": "array", "items": self._of(kind.item)}
        if isinstance(kind, MapOf):
            return {"type": "object", "additionalProperties": self._of(kind.value)}
        if isinstance(kind, Struct):
            return {"allOf": [{"$ref": REFERENCE + self.add(kind)}], "default": {}}
        if kind in _NAMED:
            self.schemas.setdefault(_NAMED[kind], dict(_NEITHER))
            return {"allOf": [{"$ref": REFERENCE + _NAMED[kind]}]}
        return dict(_SCALARS.get(kind, {"type": "object"}))


def _is_needed(kind: Struct, key: str) -> bool:
    field, place = kind.fields[key], f"{kind.name}.{key}"
    is_plain = not isinstance(field.type, Struct) and field.type is not QUANTITY and key != "sources"
    return place in _NEEDED or (field.is_always and field.default is None and is_plain)
