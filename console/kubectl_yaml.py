"""YAML as kubectl reads it, both ways: what is shown is read back as the same JSON, what is pasted means what it would.

kubectl reads with sigs.k8s.io/yaml, a port of libyaml whose scalars are a mixture of YAML 1.1 and 1.2: `yes` and `0o17`
are not strings, `12:30` and `2026-11-01` are. The scanner here is libyaml itself; the scalars are resolved by the rules
below, and tests/recordings/kubectl-yaml.json has the answers of the Go library that they are held to.
"""

import base64
import binascii
import io
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from console.knative.limits import MAX_DEPTH, MAX_NODES

MAX_BYTES = 256 * 1024
_BYTE_ORDER_MARK = "\ufeff"
_TAG = "tag:yaml.org,2002:"
_STR, _BINARY, _MERGE = f"{_TAG}str", f"{_TAG}binary", f"{_TAG}merge"

# resolve.go of go.yaml.in/yaml/v2: the words, then the numbers, underscores left out.
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_NOT_FINITE = re.compile(r"\.nan|\.NaN|\.NAN|[-+]?(?:\.inf|\.Inf|\.INF)")
_INTEGERS = (
    (re.compile(r"[-+]?(?:0|[1-9][0-9]*)"), 10),
    (re.compile(r"[-+]?0[0-7]+|[-+]?0[oO][0-7]+"), 8),
    (re.compile(r"[-+]?0[xX][0-9a-fA-F]+"), 16),
    (re.compile(r"[-+]?0[bB][01]+|0b[-+]?[01]+"), 2),
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_FLOAT_FROM_POINT = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_INTEGER_RANGE = range(-(2**63), 2**64)
_MAX_PLAIN_FLOAT = (
    1e21  # from here Go writes an exponent into JSON; below, a whole number has neither point nor exponent
)

# Texts that some reader of YAML, old or new, takes for a number or a time: quoted, though kubectl may not need it.
_LIKE_A_NUMBER = re.compile(r"[-+.]?[0-9][0-9_.:,xXoObBa-fA-F+-]*")
_LIKE_A_WORD = re.compile(r"(?i:y|yes|n|no|on|off|true|false|null|nil|none|~|[-+]?\.?(?:nan|inf|infinity)|=|<<)?")
_ESCAPED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


class TooLarge(yaml.YAMLError):
    """A text beyond a limit: `what` there is too much of (bytes, nodes or depth), how much, and how much is read."""

    def __init__(self, what: str, count: int, limit: int) -> None:
        super().__init__(f"{count} {what}, at most {limit} are read")
        self.what, self.count, self.limit = what, count, limit


class HasAlias(yaml.YAMLError):
    """An alias (`*name`) in a line: its value would be written out, and again for each other alias."""

    def __init__(self, line: int) -> None:
        super().__init__(f"aliases are not accepted (line {line})")
        self.line = line


def load(text: str) -> dict[str, Any]:
    """Return the one mapping that the text holds, as the JSON that kubectl would make of it; raises yaml.YAMLError.

    Refused beyond what kubectl refuses: aliases, deep nesting, a key that is listed twice, tags of one's own.
    """
    node = compose(text)
    data = _json(node) if node else None
    if not isinstance(data, dict):
        raise yaml.YAMLError("expected a mapping")
    return data


def compose(text: str) -> yaml.Node | None:
    """Return the one document that the text holds as nodes, with lines and scalars as written; None: it is empty.

    Raises yaml.YAMLError, for aliases and deep nesting too.
    """
    if (size := len(text.encode(errors="surrogatepass"))) > MAX_BYTES:
        raise TooLarge("bytes", size, MAX_BYTES)
    text = text.removeprefix(_BYTE_ORDER_MARK)
    if _BYTE_ORDER_MARK in text:  # libyaml skips it at the beginning of a line, Go's port does not
        raise yaml.YAMLError("byte order mark inside the text")
    _refuse_bombs(text)
    documents = [node for node in yaml.compose_all(text, Loader=_Loader) if not _is_empty(node)]
    if len(documents) > 1:
        raise _error("only one document is accepted", documents[1])
    return documents[0] if documents else None


def dump(data: Mapping[str, Any]) -> str:
    """Return the JSON data as YAML that kubectl, and any other reader of YAML 1.1 or 1.2, reads back as the same."""
    text: str = yaml.emit(_events(data), Dumper=yaml.CDumper, allow_unicode=True, width=2**30)
    return text


def scalar(text: str) -> Any:
    """Return what kubectl makes of a scalar without quotes: a text, a number (NaN too), a bool or None."""
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    if text[0] == ".":
        return _finite(text, text) if _FLOAT_FROM_POINT.fullmatch(text) else text
    if text[0] not in "+-0123456789":
        return text
    plain = text.replace("_", "")
    for pattern, base in _INTEGERS:
        if pattern.fullmatch(plain):
            number = int(re.sub(r"^([-+]?)0[xXoObB]", r"\1", plain), base)
            if number in _INTEGER_RANGE:
                return number
    return _finite(plain, text) if _FLOAT.fullmatch(plain) else text


def _finite(number: str, text: str) -> float | str:
    """A number that is too large for a float is a text."""
    value = float(number)
    return value if math.isfinite(value) else text


class _Loader(yaml.CSafeLoader):
    """libyaml's scanner and parser, with kubectl's scalars."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        if kind is not yaml.ScalarNode:
            return f"{_TAG}map" if kind is yaml.MappingNode else f"{_TAG}seq"
        if not implicit[0]:
            return _STR
        return _MERGE if value == "<<" else f"{_TAG}{_kind(scalar(value))}"


def _kind(value: Any) -> str:
    return {bool: "bool", int: "int", float: "float", str: "str"}.get(type(value), "null")


def _json(node: yaml.Node) -> Any:
    """Return the JSON value of a node and of everything below it."""
    if isinstance(node, yaml.ScalarNode):
        return _scalar_of(node)
    if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
        return [_json(inner) for inner in node.value]
    if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
        return _mapping_of(node)
    raise _error(f"the tag {node.tag[:80]} is not accepted", node)


def _mapping_of(node: yaml.MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if key_node.tag == _MERGE:
            merged = {**_merged(value_node), **merged}
            continue
        key = _key(key_node)
        if key in found:
            raise _error(f"the key {key[:80]} is listed twice", key_node)
        found[key] = _json(value_node)
    return {**merged, **found}


def _merged(node: yaml.Node) -> dict[str, Any]:
    """What `<<` brings in; of several mappings the first one wins."""
    parts = [_json(inner) for inner in node.value] if isinstance(node, yaml.SequenceNode) else [_json(node)]
    if not all(isinstance(part, dict) for part in parts):
        raise _error("<< requires a mapping", node)
    return {key: value for part in reversed(parts) for key, value in part.items()}


def _key(node: yaml.Node) -> str:
    """JSON has only strings as keys: `1` becomes "1", `on` "true", like in kubectl."""
    value = _scalar_of(node) if isinstance(node, yaml.ScalarNode) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, float):
        raise _error("this key must be a string: put it in quotes", node)
    return str(value)


def _scalar_of(node: yaml.ScalarNode) -> Any:
    """Return the value of a scalar whose tag was resolved, or written (`!!str 12`)."""
    text = str(node.value)
    if node.tag in (_STR, _MERGE, f"{_TAG}timestamp"):
        return text
    if node.tag == _BINARY:
        return _binary(node)
    if not node.tag.startswith(_TAG):
        raise _error(f"the tag {node.tag[:80]} is not accepted", node)
    value = scalar(text)
    if node.tag == f"{_TAG}float" and type(value) is int:
        value = float(value)
    if node.tag != f"{_TAG}{_kind(value)}":
        raise _error(f"{text[:80]} is not of the type {node.tag.removeprefix(_TAG)}", node)
    if isinstance(value, float):
        return _number(value, node)
    return value


def _number(value: float, node: yaml.Node) -> int | float:
    """The number as Go writes it into JSON: a whole one without a point."""
    if not math.isfinite(value):
        raise _error("JSON has neither NaN nor infinity", node)
    return int(value) if value.is_integer() and abs(value) < _MAX_PLAIN_FLOAT else value


def _binary(node: yaml.ScalarNode) -> str:
    try:
        return base64.b64decode("".join(node.value.split()), validate=True).decode(errors="replace")
    except binascii.Error as error:
        raise _error("this is not base64", node) from error


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == f"{_TAG}null"


def _refuse_bombs(text: str) -> None:
    """Look at the events before anything is built: no aliases, which multiply, no deep nesting, no heap of nodes."""
    depth = deepest = nodes = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise HasAlias(event.start_mark.line + 1)  # type: ignore[union-attr]  # libyaml always has one
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        nodes += isinstance(event, yaml.NodeEvent)
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise TooLarge("depth", deepest, MAX_DEPTH)
    if nodes > MAX_NODES:
        raise TooLarge("nodes", nodes, MAX_NODES)


def _error(problem: str, at: Any) -> yaml.YAMLError:
    """What is wrong, and where: `at` is a node or an event."""
    return yaml.MarkedYAMLError(problem=problem, problem_mark=at.start_mark)


def _style(text: str) -> str | None:
    """How a text is written: in lines, escaped, quoted, or as it is (None: libyaml knows whether that can be read)."""
    if _ESCAPED.search(text):
        return '"'
    if "\n" in text:
        return "|" if _fits_a_block(text) else '"'
    is_plain = isinstance(scalar(text), str) and not _LIKE_A_NUMBER.fullmatch(text) and not _LIKE_A_WORD.fullmatch(text)
    return None if is_plain else "'"


def _fits_a_block(text: str) -> bool:
    """Blanks at the beginning or at the end of a line would be seen by nobody."""
    return text[0] not in " \n" and not any(line.endswith(" ") for line in text.split("\n"))


def _events(data: Any) -> Iterator[yaml.Event]:
    """The events of a document. PyYAML's own way to them, over nodes and their tags, takes three times as long."""
    yield yaml.StreamStartEvent()
    yield yaml.DocumentStartEvent(explicit=False)
    yield from _events_of(data)
    yield yaml.DocumentEndEvent(explicit=False)
    yield yaml.StreamEndEvent()


def _events_of(value: Any) -> Iterator[yaml.Event]:
    if isinstance(value, Mapping):
        yield yaml.MappingStartEvent(None, None, True, flow_style=False)
        for key, inner in value.items():
            yield _scalar_event(key)
            yield from _events_of(inner)
        yield yaml.MappingEndEvent()
    elif isinstance(value, list | tuple):
        yield yaml.SequenceStartEvent(None, None, True, flow_style=False)
        for inner in value:
            yield from _events_of(inner)
        yield yaml.SequenceEndEvent()
    else:
        yield _scalar_event(value)


def _scalar_event(value: Any) -> yaml.ScalarEvent:
    if isinstance(value, str):
        style = _style(value)
        return yaml.ScalarEvent(None, None, (style is None, True), value, style=style)
    return yaml.ScalarEvent(None, None, (True, False), _PLAIN.represent_data(value).value)


_PLAIN = yaml.SafeDumper(io.StringIO())  # how numbers, bools and null are written
