"""Values of the wrong type: what Go's JSON decoder says when it cannot read an object into its type."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from console.sandbox.crd import quantities
from console.sandbox.crd.types import (
    BOOL,
    INT32,
    INT64,
    PORT,
    QUANTITY,
    STRING,
    URL,
    ListOf,
    MapOf,
    Scalar,
    Struct,
    Type,
)

_LIMITS = {INT32: 2**31, INT64: 2**63}
_JSON_NAMES: dict[type, str] = {dict: "object", list: "array", str: "string", bool: "bool"}


class _Place(NamedTuple):
    """Where a value is: its path, and the Go struct whose field it is."""

    path: str
    owner: str


class WrongType(ValueError):
    """The decoder's words."""


def check(kind: Struct, value: dict[str, Any]) -> None:
    """Raise WrongType for the first value that Go cannot read; null means nothing everywhere."""
    _check(kind, value, _Place("", kind.name))


def _check(kind: Type, value: Any, at: _Place) -> None:
    if value is None:
        return
    if isinstance(kind, Struct):
        _check_struct(kind, value, at)
    elif isinstance(kind, ListOf):
        if not isinstance(value, list):
            raise _refusal(value, at, _go_name(kind))
        for item in value:
            _check(kind.item, item, at)
    elif isinstance(kind, MapOf):
        if not isinstance(value, dict):
            raise _refusal(value, at, _go_name(kind))
        for item in value.values():
            _check(kind.value, item, at)
    elif isinstance(kind, Scalar):
        _check_scalar(kind, value, at)


def _check_struct(kind: Struct, value: Any, at: _Place) -> None:
    if not isinstance(value, dict):
        raise _refusal(value, at, _go_name(kind))
    for key, item in value.items():
        if key in kind.fields:
            field = kind.fields[key]
            path = ".".join(part for part in (at.path, field.inside, key) if part)
            _check(field.type, item, _Place(path, kind.name))


def _check_scalar(kind: Scalar, value: Any, at: _Place) -> None:
    if kind == QUANTITY:
        problem = quantities.problem(value if isinstance(value, str) else json.dumps(value))
        if problem:
            raise WrongType(problem)
    elif kind == PORT:
        if not isinstance(value, str) and not _is_whole(value, INT32):
            raise _refusal(value, at, "int32")
    elif not _is(value, kind):
        raise _refusal(value, at, "string" if kind == URL else kind.name)


def _is(value: Any, kind: Scalar) -> bool:
    if kind == BOOL:
        return isinstance(value, bool)
    if kind in (STRING, URL):
        return isinstance(value, str)
    return _is_whole(value, kind)


def _is_whole(value: Any, kind: Scalar) -> bool:
    limit = _LIMITS[kind]
    return isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit


def _refusal(value: Any, at: _Place, wanted: str) -> WrongType:
    got = _JSON_NAMES.get(type(value), "number")
    if got == "number" and wanted in ("int32", "int64"):
        got = f"number {_number(value)}"
    return WrongType(f"json: cannot unmarshal {got} into Go struct field {at.owner}.{at.path} of type {wanted}")


def _number(value: float) -> str:
    """As it is on its way through a server, where whole numbers have 64 bits and all others are floats."""
    return json.dumps(value if isinstance(value, int) and -(2**63) <= value < 2**63 else float(value))


def _go_name(kind: Type) -> str:
    """As Go's reflection writes a type."""
    if isinstance(kind, ListOf):
        return f"[]{_go_name(kind.item)}"
    if isinstance(kind, MapOf):
        return kind.name or f"map[string]{_go_name(kind.value)}"
    if isinstance(kind, Struct):
        return f"v1.{kind.name}"
    return kind.name if isinstance(kind, Scalar) else "interface {}"
