"""Request bodies in Kubernetes' protobuf, which kubectl sends for built-in kinds (`create namespace`, `auth can-i`).

Only reading, and only the kinds below; answers are always JSON, which such clients accept. Field numbers are those of
the generated.proto files of k8s.io/api; unknown fields are skipped.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from console.sandbox import errors

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Field:
    """How a field's value is read: as "text", "number", "flag", "bytes", or as a message of `fields`."""

    name: str
    type: str = "text"
    fields: dict[int, Field] | None = None
    is_repeated: bool = False
    is_map: bool = False


def _texts(name: str) -> Field:
    return Field(name, is_repeated=True)


def _message(name: str, fields: dict[int, Field], *, is_repeated: bool = False) -> Field:
    return Field(name, "message", fields, is_repeated)


_METADATA = _message(
    "metadata",
    {
        1: Field("name"),
        2: Field("generateName"),
        3: Field("namespace"),
        5: Field("uid"),
        6: Field("resourceVersion"),
        11: Field("labels", is_map=True),
        12: Field("annotations", is_map=True),
        14: _texts("finalizers"),
    },
)
_RESOURCE_ATTRIBUTES = dict(
    enumerate(
        (Field(name) for name in ("namespace", "verb", "group", "version", "resource", "subresource", "name")), start=1
    )
)
_ACCESS = {
    1: _message("resourceAttributes", _RESOURCE_ATTRIBUTES),
    2: _message("nonResourceAttributes", {1: Field("path"), 2: Field("verb")}),
}
_SUBJECT_ACCESS = {**_ACCESS, 3: Field("user"), 4: _texts("groups"), 6: Field("uid")}
_RULES = _message(
    "rules",
    {
        1: _texts("verbs"),
        2: _texts("apiGroups"),
        3: _texts("resources"),
        4: _texts("resourceNames"),
        5: _texts("nonResourceURLs"),
    },
    is_repeated=True,
)
_ROLE = {1: _METADATA, 2: _RULES}
_BINDING = {
    1: _METADATA,
    2: _message(
        "subjects", {1: Field("kind"), 2: Field("apiGroup"), 3: Field("name"), 4: Field("namespace")}, is_repeated=True
    ),
    3: _message("roleRef", {1: Field("apiGroup"), 2: Field("kind"), 3: Field("name")}),
}
_KINDS: dict[str, dict[int, Field]] = {
    "Namespace": {1: _METADATA},
    "ConfigMap": {1: _METADATA, 2: Field("data", is_map=True), 3: Field("binaryData", "bytes", is_map=True)},
    "Secret": {
        1: _METADATA,
        2: Field("data", "bytes", is_map=True),
        3: Field("type"),
        4: Field("stringData", is_map=True),
    },
    "ServiceAccount": {1: _METADATA},
    "TokenRequest": {
        1: _METADATA,
        2: _message("spec", {1: _texts("audiences"), 4: Field("expirationSeconds", "number")}),
    },
    "SelfSubjectReview": {1: _METADATA},
    "SelfSubjectAccessReview": {1: _METADATA, 2: _message("spec", _ACCESS)},
    "SelfSubjectRulesReview": {1: _METADATA, 2: _message("spec", {1: Field("namespace")})},
    "SubjectAccessReview": {1: _METADATA, 2: _message("spec", _SUBJECT_ACCESS)},
    "Role": _ROLE,
    "ClusterRole": _ROLE,
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "DeleteOptions": {
        1: Field("gracePeriodSeconds", "number"),
        2: _message("preconditions", {1: Field("uid"), 2: Field("resourceVersion")}),
        4: Field("propagationPolicy"),
        5: _texts("dryRun"),
    },
}
_ENVELOPE = {1: _message("type", {1: Field("apiVersion"), 2: Field("kind")}), 2: Field("raw", "raw")}


def decode(body: bytes) -> dict[str, Any]:
    """The object as JSON would have it; raises StatusError 400 for broken bytes, 415 for a kind not in the table."""
    if not body.startswith(MAGIC):
        raise errors.bad_request("the body of the request is not Kubernetes' protobuf")
    try:
        envelope = _decoded(_ENVELOPE, body[len(MAGIC) :])
        type_meta = envelope.get("type", {})
        fields = _KINDS.get(type_meta.get("kind", ""))
        if fields is not None:
            return {**type_meta, **_decoded(fields, envelope.get("raw", b""))}
    except (ValueError, IndexError) as error:
        raise errors.bad_request(f"the body of the request is not valid protobuf: {error}") from error
    message = f"{type_meta.get('kind') or 'an object'} is not taken as protobuf; send application/json"
    raise errors.StatusError(415, "UnsupportedMediaType", message)


def _decoded(fields: dict[int, Field], data: bytes) -> dict[str, Any]:
    decoded: dict[str, Any] = {}
    for number, value in _wire_fields(data):
        field = fields.get(number)
        if field is None:
            continue
        if field.is_map:
            entry = _decoded({1: Field("key"), 2: Field("value", field.type)}, _as_bytes(value))
            decoded.setdefault(field.name, {})[entry.get("key", "")] = entry.get("value", "")
        elif field.is_repeated:
            decoded.setdefault(field.name, []).append(_value(field, value))
        elif (read := _value(field, value)) != "":  # Go writes absent strings as empty ones
            decoded[field.name] = read
    return decoded


def _value(field: Field, value: int | bytes) -> Any:
    if field.type == "number":
        return value
    data = _as_bytes(value)
    if field.fields is not None:
        return _decoded(field.fields, data)
    if field.type == "raw":
        return data
    return base64.b64encode(data).decode() if field.type == "bytes" else data.decode()


def _as_bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where bytes belong")  # noqa: TRY004 - the caller reports broken input
    return value


def _wire_fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if wire_type == BYTES:
            length, position = _varint(data, position)
        elif wire_type in (FIXED64, FIXED32):
            length = 8 if wire_type == FIXED64 else 4
        else:
            raise ValueError(f"unknown wire type {wire_type}")
        if position + length > len(data):
            raise ValueError("it ends too early")
        yield number, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if not byte & 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")
