"""The manifest as YAML, read with limits (console.kubectl_yaml)."""

from collections.abc import Mapping
from typing import Any

import yaml

from console import kubectl_yaml
from console.knative import limits, marks
from console.knative.changes import ReplaceManifest
from console.knative.objects import Service
from console.knative.problems import Problem
from console.knative.redaction import mask_env
from console.web.forms.yaml_problems import yaml_problem


class YamlForm:
    """The manifest of a service. Masked env values that come back unchanged keep what the cluster has."""

    def __init__(self, service: Service, data: Mapping[str, Any] | None = None) -> None:
        self.service = service
        self.original = self.text_of(self._editable(service))
        self.text = str(data.get("manifest", "")) if data is not None else self.original
        self.line: int | None = None  # where a problem is, from 1
        self.problems: list[Problem] = []
        self._manifest: dict[str, Any] = {}

    def is_valid(self) -> bool:
        try:
            self._manifest = kubectl_yaml.load(self.text)
        except yaml.YAMLError as error:
            self.problems, self.line = [yaml_problem(error)], _line_of(error)
            return False
        too_large = limits.exceeded(self._manifest, self.service.raw)
        self.problems = [too_large] if too_large else []
        return not self.problems

    @property
    def is_edited(self) -> bool:
        return self.text != self.original

    @property
    def has_problems(self) -> bool:
        return bool(self.problems)

    @property
    def change(self) -> ReplaceManifest:
        return ReplaceManifest(self._manifest)

    @staticmethod
    def text_of(raw: Mapping[str, Any]) -> str:
        return kubectl_yaml.dump(raw)

    @staticmethod
    def _editable(service: Service) -> dict[str, Any]:
        masked = mask_env(service.raw)
        annotations = marks.without_stamps((masked.get("metadata") or {}).get("annotations") or {})
        metadata: dict[str, Any] = {"name": service.name, "namespace": service.namespace}
        if service.labels:
            metadata["labels"] = dict(service.labels)
        if annotations:
            metadata["annotations"] = annotations
        kind = {"apiVersion": "serving.knative.dev/v1", "kind": "Service"}
        return {**kind, "metadata": metadata, "spec": masked.get("spec") or {}}


def _line_of(error: yaml.YAMLError) -> int | None:
    """Return the line of a problem, from 1; None where it has none."""
    if isinstance(error, kubectl_yaml.HasAlias):
        return error.line
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else None
