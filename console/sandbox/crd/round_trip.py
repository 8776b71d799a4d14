"""What is left of an object after Go has read it into its type and written it again, as the defaulting webhook does.

Fields that Go does not know are gone, empty ones are left out unless they are behind a pointer, and those that Go
always writes are there.
"""

from __future__ import annotations

from typing import Any

from console.sandbox.crd.quantities import canonical
from console.sandbox.crd.types import QUANTITY, Anything, Field, ListOf, MapOf, Scalar, Struct, Type


def round_trip(kind: Type, value: Any) -> Any:
    """The value as Go writes it; the types have been checked before."""
    if isinstance(kind, Struct):
        return _struct(kind, value or {})
    if value is None or isinstance(kind, Anything):
        return value
    if isinstance(kind, ListOf):
        return [round_trip(kind.item, _present(kind.item, each)) for each in value]
    if isinstance(kind, MapOf):
        return {key: round_trip(kind.value, _present(kind.value, each)) for key, each in value.items()}
    return canonical(value) if kind == QUANTITY else value


def _struct(kind: Struct, value: dict[str, Any]) -> dict[str, Any]:
    written = {}
    for key in [*value, *(key for key in kind.fields if key not in value)]:
        field = kind.fields.get(key)
        if field and _is_written(field, value.get(key)):
            written[key] = round_trip(field.type, _present(field.type, value.get(key)))
    return written


def _is_written(field: Field, value: Any) -> bool:
    if field.is_always:
        return True
    if value is None:
        return False
    return field.is_kept or isinstance(field.type, Struct | Anything) or not _is_zero(field.type, value)


def _is_zero(kind: Type, value: Any) -> bool:
    if isinstance(kind, Scalar):
        return bool(value == kind.zero)
    return not value


def _present(kind: Type, value: Any) -> Any:
    """The value that Go holds where nothing is given; a list stays null."""
    if value is not None:
        return value
    if isinstance(kind, Scalar):
        return kind.zero
    return {} if isinstance(kind, Struct) else None
