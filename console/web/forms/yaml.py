"""The manifest as YAML: read with limits; aliases, deep nesting and duplicate keys are refused."""

from collections.abc import Mapping
from typing import Any

import yaml

from console.knative.changes import ReplaceManifest
from console.knative.objects import Service
from console.knative.redaction import mask_env
from console.knative.traffic import Problem

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


class YamlForm:
    """The manifest of a service. Masked env values that come back unchanged keep what the cluster has."""

    def __init__(self, service: Service, data: Mapping[str, Any] | None = None) -> None:
        self.service = service
        self.text = str(data.get("manifest", "")) if data is not None else self.text_of(self._editable(service))
        self.problems: list[Problem] = []
        self._manifest: dict[str, Any] = {}

    def is_valid(self) -> bool:
        try:
            self._manifest = load(self.text)
        except yaml.YAMLError as error:
            detail = getattr(error, "problem", None) or str(error)
            mark = getattr(error, "problem_mark", None)
            where = f" (line {mark.line + 1})" if mark else ""
            self.problems = [Problem("yaml-invalid", {"detail": f"{detail}{where}"[:200]})]
            return False
        return True

    @property
    def change(self) -> ReplaceManifest:
        return ReplaceManifest(self._manifest)

    @staticmethod
    def text_of(raw: Mapping[str, Any]) -> str:
        return yaml.safe_dump(dict(raw), sort_keys=False, allow_unicode=True, width=120)

    @staticmethod
    def _editable(service: Service) -> dict[str, Any]:
        masked = mask_env(service.raw)
        annotations = {
            key: value
            for key, value in service.annotations.items()
            if not key.startswith(("serving.knative.dev/", "kubectl.kubernetes.io/", "sluice.dev/"))
        }
        metadata: dict[str, Any] = {"name": service.name, "namespace": service.namespace}
        if service.labels:
            metadata["labels"] = dict(service.labels)
        if annotations:
            metadata["annotations"] = annotations
        kind = {"apiVersion": "serving.knative.dev/v1", "kind": "Service"}
        return {**kind, "metadata": metadata, "spec": masked.get("spec") or {}}
