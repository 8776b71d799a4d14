"""One document: the kinds of a group and version, and what can be asked of them."""

from __future__ import annotations

from typing import Any

from console.sandbox import patches, schema
from console.sandbox.openapi.components import Components
from console.sandbox.openapi.core_kinds import KINDS, OBJECT_META
from console.sandbox.resources import Resource


def document(group: str, rows: list[Resource], version: str) -> dict[str, Any]:
    """The OpenAPI v3 document of these resources, all of one group; `version` is the server's."""
    info = {"title": "Kubernetes", "version": version}
    return {"openapi": "3.0.0", "info": info, "paths": _paths(rows), "components": {"schemas": _schemas(group, rows)}}


def _schemas(group: str, rows: list[Resource]) -> dict[str, Any]:
    components = Components(group)
    components.add(OBJECT_META)
    for resource in rows:
        if resource.is_custom:
            reversed_group = ".".join(reversed(resource.group.split(".")))
            name = f"{reversed_group}.{resource.version}.{resource.kind}"
            components.schemas[name] = schema.openapi(resource)
        elif (group, resource.kind) in KINDS:
            name = components.add(KINDS[group, resource.kind])
        else:
            continue
        named = {"x-kubernetes-group-version-kind": [_group_version_kind(resource)]}
        components.schemas[name] = components.schemas[name] | named
    return components.schemas


def _paths(rows: list[Resource]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for resource in rows:
        collection = resource.path("{namespace}" if resource.namespaced else "")
        one = paths[f"{collection}/{{name}}"] = {"get": _operation(resource, "get", [])}
        if "create" in resource.verbs:
            paths[collection] = {"post": _operation(resource, "post", ["application/json"])}
            one["put"] = _operation(resource, "put", ["application/json"])
            one["patch"] = _operation(resource, "patch", _patch_types(resource))
    return paths


def _operation(resource: Resource, action: str, body_types: list[str]) -> dict[str, Any]:
    parameters = ["pretty"] if action == "get" else ["pretty", "dryRun", "fieldManager", "fieldValidation"]
    operation: dict[str, Any] = {
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in parameters],
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": _group_version_kind(resource),
    }
    if body_types:
        operation["requestBody"] = {"content": {each: {"schema": {"type": "object"}} for each in body_types}}
    return operation


def _patch_types(resource: Resource) -> list[str]:
    common = [patches.JSON_PATCH, patches.MERGE_PATCH]
    return common if resource.is_custom else [*common, patches.STRATEGIC_PATCH]


def _group_version_kind(resource: Resource) -> dict[str, str]:
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}
