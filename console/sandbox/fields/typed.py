"""Objects as structured merge sees them: what is one value, what is a map or a keyed list of values of their own.

The rules are those of Kubernetes' OpenAPI (x-kubernetes-list-type, x-kubernetes-map-type) and of Knative's CRDs, by the
name of the field: a map is granular unless it is named here, a list is one value unless it is named here. Knative's
are those of Serving 1.23, whatever release the sandbox speaks as: in 1.15 volumes and pull secrets are one value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from console.sandbox import errors
from console.sandbox.fields.sets import EMPTY, LEAF, MEMBER, Fields, spelled
from console.sandbox.resources import CORE_SERVICES, PODS, SERVICEACCOUNTS, Resource

MISSING: Any = object()
Keys = tuple[str, ...]
Rules = Mapping[str, Keys]

SET_LISTS = frozenset({"finalizers"})
WHOLE_MAPS = frozenset({
    "configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef", "fileKeyRef", "involvedObject", "nodeSelector",
    "roleRef", "selector", "labelSelector", "claimRef", "dataSource",
})  # fmt: skip
WHOLE_ITEMS = frozenset({"ownerReferences", "imagePullSecrets", "secrets"})  # keyed lists of references
_METADATA = {"ownerReferences": ("uid",)}
_POD: Rules = {
    **_METADATA,
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "ports": ("containerPort", "protocol"),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "volumes": ("name",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "conditions": ("type",),
    "podIPs": ("ip",),
}
_KEYS: dict[Resource, Rules] = {
    PODS: _POD,
    SERVICEACCOUNTS: {**_METADATA, "secrets": ("name",)},
    CORE_SERVICES: {**_METADATA, "conditions": ("type",), "ports": ("port", "protocol")},
}
_KNATIVE: Rules = {**_METADATA, "volumes": ("name",), "imagePullSecrets": ("name",)}  # containers are one value
_CORE: Rules = {**_METADATA, "conditions": ("type",)}
_DEFAULTS = {"protocol": "TCP"}


class Comparison(NamedTuple):
    """The fields that the second object has more, has otherwise, and lacks."""

    added: Fields = EMPTY
    modified: Fields = EMPTY
    removed: Fields = EMPTY


SAME = Comparison()


class Typed:
    """The operations on objects of one resource."""

    def __init__(self, resource: Resource) -> None:
        self._keys = _KEYS.get(resource, _KNATIVE if resource.is_custom else _CORE)

    def compare(self, before: Any, after: Any, name: str = "") -> Comparison:
        """What changed between two values of the field `name`; what both share costs nothing."""
        if before is after:
            return SAME
        olds, news = self._elements(before, name), self._elements(after, name)
        if not olds and not news:
            return _compared_whole(before, after)
        found: tuple[Fields, Fields, Fields] = ({}, {}, {})
        for element in olds.keys() | news.keys():
            old, new = olds.get(element, MISSING), news.get(element, MISSING)
            for tree, changes in zip(found, self.compare(old, new, _inner_name(element, name)), strict=True):
                if changes:
                    tree[element] = changes
        if before is MISSING:
            found[0][MEMBER] = EMPTY
        elif after is MISSING:
            found[2][MEMBER] = EMPTY
        return Comparison(*found)

    def fields(self, value: Any, name: str = "") -> Fields:
        """The set of all fields of a value, as an apply owns them: leaves, empty maps and the items of keyed lists."""
        if self._is_whole(value, name):
            return LEAF
        found: Fields = {}
        for element, inner in self._elements(value, name).items():
            below = self.fields(inner, _inner_name(element, name))
            is_member = not element.startswith("f:") or inner is None or inner == {}
            if is_member or below:
                found[element] = {**(LEAF if is_member else EMPTY), **below}
        return found

    def merged(self, live: Any, applied: Any, name: str = "", at: str = "") -> Any:
        """The live value with the applied one over it; raises StatusError 500 when a keyed list names an item twice.

        `at` is the path of the value as messages write it.
        """
        if self._is_whole(applied, name):
            return applied
        if isinstance(applied, dict):
            below = live if isinstance(live, dict) and not self._is_whole(live, name) else {}
            return below | {
                key: self.merged(below.get(key, MISSING), value, key, f"{at}.{key}") for key, value in applied.items()
            }
        return self._merged_list(live if isinstance(live, list) else [], applied, name, at)

    def without(self, value: Any, removed: Fields, name: str = "") -> Any:
        """The value without the fields of a set; MISSING when nothing is left of a map or list."""
        if isinstance(value, dict) and not self._is_whole(value, name):
            kept = {}
            for key, inner in value.items():
                node = removed.get(f"f:{key}", EMPTY)
                rest = MISSING if MEMBER in node else self.without(inner, node, key) if node else inner
                if rest is not MISSING:
                    kept[key] = rest
            return kept if kept or not value else MISSING
        if isinstance(value, list) and not self._is_whole(value, name):
            items = []
            for item in value:
                node = removed.get(self._element(item, name), EMPTY)
                if MEMBER not in node:
                    items.append(self.without(item, node, _item_name(name)) if node else item)
            return items if items or not value else MISSING
        return value

    def _is_whole(self, value: Any, name: str) -> bool:
        """Whether the value is one leaf: a scalar, an atomic map or an atomic list."""
        if isinstance(value, dict):
            return name in WHOLE_MAPS or name.endswith("[]whole")
        if isinstance(value, list):
            return name not in self._keys and name not in SET_LISTS
        return True

    def _elements(self, value: Any, name: str) -> dict[str, Any]:
        """The parts of a value that have owners of their own, by their path element; none for a leaf."""
        if not value or value is MISSING or self._is_whole(value, name):
            return {}
        if isinstance(value, dict):
            return {f"f:{key}": inner for key, inner in value.items()}
        return {self._element(item, name): item for item in value}

    def _element(self, item: Any, name: str) -> str:
        keys = self._keys.get(name)
        if keys is None:
            return f"v:{json.dumps(item)}"
        read = item if isinstance(item, dict) else {}
        values = {key: read.get(key, _DEFAULTS.get(key)) for key in sorted(keys)}
        present = {key: value for key, value in values.items() if value is not None}
        return f"k:{json.dumps(present, separators=(',', ':'))}"

    def _merged_list(self, live: list[Any], applied: list[Any], name: str, at: str) -> list[Any]:
        """Items in the order that is applied, those of the live list alone where they were."""
        olds = {self._element(item, name): item for item in live}
        news: dict[str, Any] = {}
        for item in applied:
            element = self._element(item, name)
            if element in news:
                raise errors.StatusError(500, "", f"{at}: duplicate entries for key {spelled((element,))}")
            news[element] = item
        merged: list[Any] = []
        waiting = list(olds)
        for element, item in news.items():
            if element in olds:  # first what came before it and is not applied
                place = waiting.index(element)
                merged += [olds[each] for each in waiting[:place] if each not in news]
                waiting = [each for each in waiting[:place] if each in news] + waiting[place + 1 :]
            inside = at + spelled((element,))
            merged.append(self.merged(olds.get(element, MISSING), item, _item_name(name), inside))
        return merged + [olds[each] for each in waiting if each not in news]


def _compared_whole(before: Any, after: Any) -> Comparison:
    if before is MISSING:
        return Comparison(added=LEAF)
    if after is MISSING:
        return Comparison(removed=LEAF)
    return SAME if before == after else Comparison(modified=LEAF)


def _inner_name(element: str, name: str) -> str:
    return element[2:] if element.startswith("f:") else _item_name(name)


def _item_name(name: str) -> str:
    return f"{name}[]whole" if name in WHOLE_ITEMS else f"{name}[]"
