"""Label and field selectors of list, watch and deletecollection."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from console.sandbox import errors
from console.sandbox.resources import EVENTS, NAMESPACES, PODS, SECRETS, Resource

Predicate = Callable[[dict[str, Any]], bool]

COMMON_FIELDS = frozenset({"metadata.name", "metadata.namespace"})
FURTHER_FIELDS: dict[Resource, frozenset[str]] = {
    PODS: frozenset({"status.phase", "status.podIP", "spec.nodeName", "spec.serviceAccountName", "spec.restartPolicy"}),
    NAMESPACES: frozenset({"status.phase"}),
    SECRETS: frozenset({"type"}),
    EVENTS: frozenset(
        {
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        }
    ),
}

_KEY = r"[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_REQUIREMENT = re.compile(
    rf"\s*(?:"
    rf"(?P<set_key>{_KEY})\s+(?P<set_operator>in|notin)\s*\((?P<set_values>[^()]*)\)"
    rf"|(?P<key>{_KEY})\s*(?P<operator>==|=|!=|>|<)\s*(?P<value>{_VALUE})"
    rf"|!\s*(?P<absent>{_KEY})"
    rf"|(?P<present>{_KEY})"
    rf")\s*(?:,|$)"
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One comma-separated part of a label selector."""

    key: str
    operator: str  # in, notin, exists, absent, >, <
    values: frozenset[str] = frozenset()

    def matches(self, labels: dict[str, str]) -> bool:
        """As Kubernetes has it: `notin` and `!=` also match objects without the label."""
        value = labels.get(self.key)
        if self.operator == "in":
            return value in self.values
        if self.operator == "notin":
            return value not in self.values
        if self.operator == "exists":
            return value is not None
        if self.operator == "absent":
            return value is None
        return self._compares(value)

    def _compares(self, value: str | None) -> bool:
        try:
            left, right = int(value or ""), int(next(iter(self.values)))
        except ValueError:
            return False
        return left > right if self.operator == ">" else left < right


def label_predicate(text: str) -> Predicate:
    """What a labelSelector accepts; raises StatusError 400 for text that is none."""
    requirements = parse_labels(text)
    if not requirements:
        return lambda _: True

    def matches(obj: dict[str, Any]) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(requirement.matches(labels) for requirement in requirements)

    return matches


def parse_labels(text: str) -> list[Requirement]:
    """The requirements of a labelSelector; raises StatusError 400."""
    requirements: list[Requirement] = []
    position = 0
    while position < len(text):
        match = _REQUIREMENT.match(text, position)
        if match is None or match.end() == position:
            raise errors.bad_request(f"unable to parse requirement: found '{text[position:][:40]}' in {text!r}")
        requirements.append(_requirement(match))
        position = match.end()
    return requirements


def _requirement(match: re.Match[str]) -> Requirement:
    found = match.groupdict()
    if found["set_key"]:
        values = frozenset(value.strip() for value in found["set_values"].split(","))
        return Requirement(found["set_key"], found["set_operator"], values)
    if found["absent"]:
        return Requirement(found["absent"], "absent")
    if found["present"]:
        return Requirement(found["present"], "exists")
    operator = {"=": "in", "==": "in", "!=": "notin"}.get(found["operator"], found["operator"])
    if operator in "<>" and not found["value"].isdigit():
        raise errors.bad_request(f"for 'Gt', 'Lt' operators, the value must be an integer: {match.group(0)!r}")
    return Requirement(found["key"], operator, frozenset({found["value"]}))


def match_selector(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """A LabelSelector object (matchLabels, matchExpressions), as aggregation rules carry it."""
    operators = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}
    requirements = [
        Requirement(key, "in", frozenset({value})) for key, value in (selector.get("matchLabels") or {}).items()
    ]
    requirements += [
        Requirement(each["key"], operators[each["operator"]], frozenset(each.get("values") or ()))
        for each in selector.get("matchExpressions") or ()
    ]
    return all(requirement.matches(labels) for requirement in requirements)


def field_predicate(text: str, resource: Resource) -> Predicate:
    """What a fieldSelector accepts; raises StatusError 400 for a field that this kind cannot be selected by."""
    terms = [_field_term(part, resource) for part in text.split(",") if part]
    if not terms:
        return lambda _: True

    def matches(obj: dict[str, Any]) -> bool:
        return all((_field(obj, path) == value) is wanted for path, value, wanted in terms)

    return matches


def _field_term(part: str, resource: Resource) -> tuple[str, str, bool]:
    for operator, wanted in (("!=", False), ("==", True), ("=", True)):
        path, found, value = part.partition(operator)
        if found:
            supported = COMMON_FIELDS | FURTHER_FIELDS.get(resource, frozenset())
            if path.strip() not in supported:
                raise errors.bad_request(f"field label not supported: {path.strip()}")
            return path.strip(), value.strip(), wanted
    raise errors.bad_request(f"invalid field selector: '{part}'; can't understand '{part}'")


def _field(obj: dict[str, Any], path: str) -> str:
    if path == "source":
        return str((obj.get("source") or {}).get("component", ""))
    value: Any = obj
    for step in path.split("."):
        if not isinstance(value, dict):
            return ""
        value = value.get(step, "")
    return str(value)


def both(predicates: Iterable[Predicate]) -> Predicate:
    """Accepts what all accept."""
    chosen = tuple(predicates)
    return lambda obj: all(predicate(obj) for predicate in chosen)
