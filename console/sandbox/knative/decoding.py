"""Values of the wrong type: what the defaulting webhook answers when Go's decoder cannot read the object."""

from __future__ import annotations

import json
from typing import Any

from console.sandbox import errors

PREFIX = (
    'admission webhook "webhook.serving.knative.dev" denied the request: mutation failed: '
    "cannot decode incoming new object: json: cannot unmarshal "
)
STRING, BOOL, INT32, INT64 = "string", "bool", "int32", "int64"
# (Go struct, JSON path with [] for lists, type of the field). Only fields that people write by hand.
_TEMPLATE_FIELDS = (
    ("RevisionSpec", "containerConcurrency", INT64),
    ("RevisionSpec", "timeoutSeconds", INT64),
    ("Container", "containers[].name", STRING),
    ("Container", "containers[].image", STRING),
    ("EnvVar", "containers[].env[].name", STRING),
    ("EnvVar", "containers[].env[].value", STRING),
    ("ContainerPort", "containers[].ports[].containerPort", INT32),
)
_TRAFFIC_FIELDS = (
    ("TrafficTarget", "traffic[].percent", INT64),
    ("TrafficTarget", "traffic[].revisionName", STRING),
    ("TrafficTarget", "traffic[].configurationName", STRING),
    ("TrafficTarget", "traffic[].tag", STRING),
    ("TrafficTarget", "traffic[].latestRevision", BOOL),
)
_FIELDS = tuple(
    [(struct, f"spec.template.spec.{path}", kind) for struct, path, kind in _TEMPLATE_FIELDS]
    + [(struct, f"spec.{path}", kind) for struct, path, kind in _TEMPLATE_FIELDS + _TRAFFIC_FIELDS]
)
_OBJECTS = (
    "spec", "spec.template", "spec.template.metadata", "spec.template.spec", "spec.template.spec.containers[]",
    "spec.template.spec.containers[].env[]", "spec.containers[]", "spec.containers[].env[]", "spec.traffic[]",
    "spec.template.spec.containers[].resources", "spec.template.spec.containers[].readinessProbe",
)  # fmt: skip
_JSON_NAMES: dict[type, str] = {dict: "object", list: "array", str: "string"}
_MAPS = ("spec.template.metadata.annotations", "spec.template.metadata.labels", "metadata.annotations")


def check_types(obj: dict[str, Any]) -> None:
    """Raise StatusError 400 for the first value of a wrong type in a Knative object."""
    for path in _OBJECTS:
        for value in _values(obj, path):
            if value is not None and not isinstance(value, dict):
                raise _refusal(value, path, "", "object")
    for path in _MAPS:
        for mapping in _values(obj, path):
            for value in (mapping or {}).values() if isinstance(mapping, dict | None) else [mapping]:
                if not isinstance(value, str):
                    raise _refusal(value, path, "ObjectMeta", STRING)
    for struct, path, kind in _FIELDS:
        for value in _values(obj, path):
            if value is not None and not _is(value, kind):
                raise _refusal(value, path, struct, kind)


def _values(value: Any, path: str) -> list[Any]:
    found = [value]
    for step in path.split("."):
        key, is_list = step.removesuffix("[]"), step.endswith("[]")
        found = [each[key] for each in found if isinstance(each, dict) and each.get(key) is not None]
        if is_list:
            for each in found:
                if not isinstance(each, list):
                    raise _refusal(each, path, "", "array")
            found = [item for each in found for item in each]
    return found


def _is(value: Any, kind: str) -> bool:
    if kind == BOOL:
        return isinstance(value, bool)
    if kind == STRING:
        return isinstance(value, str)
    limit = 2**31 if kind == INT32 else 2**63
    return isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit


def _refusal(value: Any, path: str, struct: str, kind: str) -> errors.StatusError:
    if isinstance(value, bool):
        got = "bool"
    elif isinstance(value, int | float):
        got = f"number {json.dumps(value)}" if kind in (INT32, INT64) else "number"
    else:
        got = _JSON_NAMES.get(type(value), "null")
    field = f"{struct}.{path}" if struct else path
    return errors.bad_request(f"{PREFIX}{got} into Go struct field {field.replace('[]', '')} of type {kind}")
