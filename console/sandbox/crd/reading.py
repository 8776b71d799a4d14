"""What an API server makes of an object before anybody judges it: unknown fields, nulls, the schema's defaults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from console.sandbox.crd.types import ANY, ListOf, MapOf, Struct, Type


def unknown_fields(kind: Type, value: Any) -> list[str]:
    """The paths of the fields that the schema does not have, as Kubernetes writes them."""
    return sorted(_unknown(kind, value, ""))


def pruned(kind: Type, value: Any) -> Any:
    """The value without the fields that the schema does not have."""
    if isinstance(kind, Struct) and isinstance(value, dict):
        known = kind.fields
        return {
            key: pruned(known[key].type, each) if key in known else each
            for key, each in value.items()
            if key in known or kind.is_open
        }
    return _within(kind, value, pruned)


def without_nulls(kind: Type, value: Any) -> Any:
    """The value without nulls where the schema takes none and has no default; in lists they stay."""
    if isinstance(kind, Struct) and isinstance(value, dict):
        known = kind.fields
        return {
            key: without_nulls(known[key].type if key in known else ANY, each)
            for key, each in value.items()
            if each is not None or (key not in known or known[key].default is not None)
        }
    if isinstance(kind, MapOf) and isinstance(value, dict):
        return {key: without_nulls(kind.value, each) for key, each in value.items() if each is not None}
    return _within(kind, value, without_nulls)


def with_defaults(kind: Type, value: Any) -> Any:
    """The value with the defaults of the schema."""
    if isinstance(kind, Struct) and isinstance(value, dict):
        given = {
            key: with_defaults(kind.fields[key].type if key in kind.fields else ANY, each)
            for key, each in value.items()
        }
        missing = {
            key: field.default
            for key, field in kind.fields.items()
            if field.default is not None and given.get(key) is None
        }
        return given | missing
    return _within(kind, value, with_defaults)


def _within(kind: Type, value: Any, change: Any) -> Any:
    """The change made to each item of a list or map; other values stay."""
    if isinstance(kind, ListOf) and isinstance(value, list):
        return [change(kind.item, each) for each in value]
    if isinstance(kind, MapOf) and isinstance(value, dict):
        return {key: change(kind.value, each) for key, each in value.items()}
    return value


def _unknown(kind: Type, value: Any, path: str) -> Iterator[str]:
    if isinstance(kind, ListOf) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown(kind.item, item, f"{path}[{index}]")
    elif isinstance(kind, Struct) and isinstance(value, dict):
        yield from _unknown_in(kind, value, path)


def _unknown_in(kind: Struct, value: dict[str, Any], path: str) -> Iterable[str]:
    for key, item in value.items():
        inner = f"{path}.{key}" if path else key
        if key in kind.fields:
            yield from _unknown(kind.fields[key].type, item, inner)
        elif not kind.is_open:
            yield inner
