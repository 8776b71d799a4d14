"""YAML from people: read with limits; aliases, deep nesting and duplicate keys are refused."""

from typing import Any

import yaml

MOST_BYTES = 256 * 1024
MOST_DEPTH = 50


class StrictLoader(yaml.CSafeLoader):
    """Safe YAML that refuses a key that stands twice; the last one would win in silence."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len({str(key) for key in keys}) < len(keys):
            raise yaml.YAMLError(f"a key stands twice near line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep)


def load(text: str) -> dict[str, Any]:
    """Return the one mapping that the text holds; raises yaml.YAMLError."""
    if len(text.encode()) > MOST_BYTES:
        raise yaml.YAMLError(f"more than {MOST_BYTES} bytes")
    _refuse_bombs(text)
    data = yaml.load(text, Loader=StrictLoader)  # noqa: S506  a subclass of the safe loader
    if not isinstance(data, dict):
        raise yaml.YAMLError("a mapping is needed")
    return data


def _refuse_bombs(text: str) -> None:
    """Look at the events before anything is built: no aliases, which multiply, and no deep nesting."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not accepted")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            raise yaml.YAMLError("too deeply nested")
