"""Sets of field paths, as `fieldsV1` writes them.

A set is a tree of path elements: `f:name` a field, `k:{"name":"x"}` the item of a list that is keyed, `v:"x"` the item
of a list that is a set. A node that belongs to the set itself has the element `.`. Trees are never changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Fields = dict[str, Any]  # path element -> Fields; MEMBER -> {}
Path = tuple[str, ...]

MEMBER = "."
EMPTY: Fields = {}
LEAF: Fields = {MEMBER: EMPTY}


def from_json(tree: dict[str, Any]) -> Fields:
    """A set as `fieldsV1` has it: there, a leaf is an empty object."""
    return {element: _node(inner) for element, inner in tree.items() if element != MEMBER}


def _node(tree: dict[str, Any]) -> Fields:
    if not tree:
        return LEAF
    own = LEAF if MEMBER in tree else EMPTY
    return {**own, **from_json(tree)}


def as_json(fields: Fields) -> dict[str, Any]:
    """The reverse of `from_json`, elements in their order."""
    return {
        element: {} if inner == LEAF or element == MEMBER else as_json(inner)
        for element, inner in sorted(fields.items())
    }


def union(one: Fields, other: Fields) -> Fields:
    """What is in either."""
    if not one or not other:
        return one or other
    merged = {**one, **other}
    for element in one.keys() & other.keys():
        merged[element] = union(one[element], other[element])
    return merged


def difference(one: Fields, other: Fields) -> Fields:
    """What is in the first only."""
    if not one or not other:
        return one
    left = {}
    for element, inner in one.items():
        if element not in other:
            left[element] = inner
        elif element != MEMBER and (rest := difference(inner, other[element])):
            left[element] = rest
    return left


def intersection(one: Fields, other: Fields) -> Fields:
    """What is in both."""
    common = {}
    for element in one.keys() & other.keys():
        if element == MEMBER:
            common[element] = EMPTY
        elif inner := intersection(one[element], other[element]):
            common[element] = inner
    return common


def with_parents(fields: Fields) -> Fields:
    """The set with every field that has something below it as a member, but not the root."""
    wider = {}
    for element, inner in fields.items():
        if element == MEMBER:
            wider[element] = inner
        else:
            own = LEAF if element.startswith("f:") else EMPTY
            wider[element] = {**own, **with_parents(inner)}
    return wider


def paths(fields: Fields, above: Path = ()) -> Iterator[Path]:
    """The members as paths, in their order."""
    for element, inner in sorted(fields.items()):
        if element == MEMBER:
            yield above
        else:
            yield from paths(inner, (*above, element))


def spelled(path: Path) -> str:
    """A path as Kubernetes' messages write it: `.spec.containers[name="x"].image`."""
    return "".join(map(_spelled, path))


def _spelled(element: str) -> str:
    kind, _, content = element.partition(":")
    if kind == "f":
        return f".{content}"
    if kind == "v":
        return f"[={content}]"
    return "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(content).items()) + "]"
