"""The notation of the tables: types of fields, and when Go writes a field.

A type is one of the scalars below, ANY, or a ListOf, MapOf or Struct of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Scalar:
    """A plain value by the name of its Go type; `zero` is what Go holds when nothing is given."""

    name: str
    zero: Any


@dataclass(frozen=True, slots=True)
class Anything:
    """A value that is kept as it is."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list. With `keys` no two of its objects may have the same values of these fields (a list map)."""

    item: Type
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map from strings; some have a name of their own in Go."""

    value: Type
    name: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct.

    Go leaves out a field that holds its type's zero ("omitempty"); one that is `kept` is behind a pointer, so that
    only null counts as nothing; one that is `always` there is written whatever it holds. `default` is the schema's.
    `inside` names the struct that Go embeds the field through, which JSON does not show and Go's decoder tells.
    """

    type: Type
    is_kept: bool = False
    is_always: bool = False
    default: Any = None
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Struct:
    """A Go struct by name. Where it `is_open` the schema keeps fields that it does not know (Go drops them later)."""

    name: str
    fields: dict[str, Field] = field(default_factory=dict)
    is_open: bool = False


Type = Scalar | Anything | ListOf | MapOf | Struct
Shared = Mapping[str, Type | Field]

ANY = Anything()
STRING, BOOL = Scalar("string", ""), Scalar("bool", False)
INT32, INT64 = Scalar("int32", 0), Scalar("int64", 0)
QUANTITY = Scalar("resource.Quantity", "0")
PORT = Scalar("intstr.IntOrString", 0)
URL = Scalar("apis.URL", "")
TEXTS, TEXT_MAP = ListOf(STRING), MapOf(STRING)


def struct(name: str, /, *shared: Shared, is_open: bool = False, **fields: Type | Field) -> Struct:
    """A struct of the named fields and of some that it shares with others, plain types being left out when zero."""
    everything = {key: _field(each) for some in (*shared, fields) for key, each in some.items()}
    return Struct(name, everything, is_open)


def kept(kind: Type) -> Field:
    """A field behind a pointer: zero is written, null is not."""
    return Field(kind, is_kept=True)


def always(kind: Type, default: Any = None) -> Field:
    """A field that is written whatever it holds."""
    return Field(kind, is_always=True, default=default)


def default(kind: Type, value: Any) -> Field:
    """A field that the schema fills in."""
    return Field(kind, default=value)


def embedded(name: str, whole: Struct, *, but: tuple[str, ...] = ()) -> Struct:
    """The struct with its fields embedded through the named one, except for `but`."""
    fields = {key: each if key in but else replace(each, inside=name) for key, each in whole.fields.items()}
    return replace(whole, fields=fields)


def without(whole: Struct, *names: str, **changed: Type | Field) -> Struct:
    """The struct without some fields and with others changed."""
    fields = {key: each for key, each in whole.fields.items() if key not in names}
    return Struct(whole.name, fields | {key: _field(each) for key, each in changed.items()}, whole.is_open)


def without_defaults(kind: Struct, *, but: tuple[str, ...]) -> Struct:
    """The struct without the schema's defaults at any depth, except below the fields `but`."""
    fields = {
        key: each if key in but else replace(each, default=None, type=_without_defaults(each.type, but))
        for key, each in kind.fields.items()
    }
    return replace(kind, fields=fields)


def _without_defaults(kind: Type, but: tuple[str, ...]) -> Type:
    if isinstance(kind, ListOf):
        return replace(kind, item=_without_defaults(kind.item, but))
    return without_defaults(kind, but=but) if isinstance(kind, Struct) else kind


def _field(value: Type | Field) -> Field:
    return value if isinstance(value, Field) else Field(value)
