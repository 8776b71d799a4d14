"""What the schema itself refuses after the defaulting webhook: with 422, before the validating webhook is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from console.sandbox.crd.types import ListOf, MapOf, Struct, Type


class Refusal(NamedTuple):
    """A field, the problem in the API server's words, and the reason of its cause."""

    field: str
    problem: str
    reason: str


def refusals(kind: Type, value: Any) -> list[Refusal]:
    """All that the schema refuses: nulls where a list has to be, and items of a list map with the same keys."""
    return [*_nulls(kind, value, ""), *_duplicates(kind, value, "")]


def _nulls(kind: Type, value: Any, path: str) -> Iterator[Refusal]:
    for inner, item, at in _below(kind, value, path):
        if item is None and isinstance(inner, ListOf):
            problem = f'Invalid value: "null": {at} in body must be of type array: "null"'
            yield Refusal(at, problem, "FieldValueTypeInvalid")
        yield from _nulls(inner, item, at)


def _duplicates(kind: Type, value: Any, path: str) -> Iterator[Refusal]:
    if isinstance(kind, ListOf) and kind.keys and isinstance(value, list):
        seen: list[dict[str, Any]] = []
        for index, item in enumerate(value):
            key = {name: item[name] for name in kind.keys if name in item} if isinstance(item, dict) else {}
            if seen.count(key) == 1:
                text = json.dumps(key, separators=(",", ":"), ensure_ascii=False)
                yield Refusal(f"{path}[{index}]", f"Duplicate value: {text}", "FieldValueDuplicate")
            seen.append(key)
    for inner, item, at in _below(kind, value, path):
        yield from _duplicates(inner, item, at)


def _below(kind: Type, value: Any, path: str) -> Iterator[tuple[Type, Any, str]]:
    """The fields and items that the schema describes, each with its type and path."""
    if isinstance(kind, Struct) and isinstance(value, dict):
        for key, item in value.items():
            if key in kind.fields:
                yield kind.fields[key].type, item, f"{path}.{key}" if path else key
    elif isinstance(kind, ListOf) and isinstance(value, list):
        for index, item in enumerate(value):
            yield kind.item, item, f"{path}[{index}]"
    elif isinstance(kind, MapOf) and isinstance(value, dict):
        for key, item in value.items():
            yield kind.value, item, f"{path}.{key}"
