"""Variables written as YAML: a map, or a list of name and value as in a manifest (docs/decisions/0002).

A value is taken as it is written: `1.10` stays 1.10 and `yes` stays yes, because a variable is a text.
"""

import re
from collections.abc import Iterator, Set
from typing import Literal, cast

import yaml

from console import kubectl_yaml
from console.knative.changes import EnvEntry
from console.knative.problems import Problem
from console.web.forms.dotenv import Line
from console.web.forms.yaml_problems import yaml_problem

# The first line that says something begins like YAML, and not like NAME=value.
_FIRST = re.compile(r"-\s|---|[{\[]|(?:[\w.-]+|\"[^\"]*\"|'[^']*')\s*:(?:\s|$)")
_KINDS = {"secretKeyRef": "secret", "configMapKeyRef": "config-map"}
_TEXT = frozenset({"str", "bool", "int", "float"})


class _NotAVariable(Exception):
    """A node that no variable can be made of; the message is the number of its line."""


def is_yaml(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "")
    return bool(_FIRST.match(first))


def yaml_lines(text: str) -> Iterator[Line]:
    """Yield each variable, or what is wrong with it, by the number of its line."""
    try:
        root = kubectl_yaml.compose(text)
    except yaml.YAMLError as error:
        yield 0, yaml_problem(error)
        return
    for node, name, value in _pairs(root):
        line = node.start_mark.line + 1
        try:
            yield line, _entry(name, value)
        except _NotAVariable as error:
            yield line, Problem("env-yaml-entry", {"line": str(error)})


Pair = tuple[yaml.Node, yaml.Node | None, yaml.Node | None]


def _pairs(root: yaml.Node | None) -> Iterator[Pair]:
    """Yield (where it is, name, value or entry) of each variable; an `env:` around the list is no variable."""
    if isinstance(root, yaml.MappingNode):
        if [key.value for key, _value in root.value] == ["env"] and isinstance(root.value[0][1], yaml.SequenceNode):
            root = root.value[0][1]
        else:
            yield from ((key, key, value) for key, value in root.value)
            return
    if isinstance(root, yaml.SequenceNode):
        yield from ((entry, None, entry) for entry in root.value)
    elif root is not None:
        yield root, None, root


def _entry(name: yaml.Node | None, value: yaml.Node | None) -> EnvEntry:
    """The variable of a pair of a map, or of an entry of a list; raises _NotAVariable."""
    if name is not None and value is not None:
        return EnvEntry(_text(name), _text(value))
    fields = _fields(value, {"name", "value", "valueFrom"})
    if "name" not in fields or {"value", "valueFrom"} <= fields.keys():
        raise _not_a_variable(value)
    found = _text(fields["name"])
    if "valueFrom" in fields:
        return _reference(found, fields["valueFrom"])
    return EnvEntry(found, _text(fields["value"]) if "value" in fields else "")


def _reference(name: str, origin: yaml.Node) -> EnvEntry:
    [(kind, reference)] = _fields(origin, _KINDS.keys(), exactly=1).items()
    parts = _fields(reference, {"name", "key"}, exactly=2)
    source = cast("Literal['secret', 'config-map']", _KINDS[kind])
    return EnvEntry(name, "", source, _text(parts["name"]), _text(parts["key"]))


def _fields(node: yaml.Node | None, known: Set[str], exactly: int = 0) -> dict[str, yaml.Node]:
    """The fields of a map that has none but known ones, each once, and `exactly` so many if that is said."""
    pairs = [(_text(key), value) for key, value in node.value] if isinstance(node, yaml.MappingNode) else []
    found = dict(pairs)
    if not pairs or found.keys() - known or len(found) < len(pairs) or (exactly and len(found) != exactly):
        raise _not_a_variable(node)
    return found


def _text(node: yaml.Node) -> str:
    """A scalar as it is written; nothing, `~` and `null` are empty, as in Kubernetes."""
    kind = node.tag.rpartition(":")[2]
    if not isinstance(node, yaml.ScalarNode) or kind not in _TEXT | {"null"}:
        raise _not_a_variable(node)
    return "" if kind == "null" else str(node.value)


def _not_a_variable(node: yaml.Node | None) -> _NotAVariable:
    return _NotAVariable(node.start_mark.line + 1 if node is not None else 0)
