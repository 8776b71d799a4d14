"""A change as the merge patch that has its effect, for people who want to see YAML."""

from collections.abc import Mapping
from typing import Any

from console import kubectl_yaml
from console.knative.objects import CREATOR, LAST_MODIFIER
from console.knative.redaction import MASK, seal_env, without_digests

_MACHINES = ("status",)
_STAMPS = (CREATOR, LAST_MODIFIER)  # Knative's webhook writes them
_DIGESTS = b"patch"  # no secret: what is hidden is compared by digests, which are taken away
_MACHINE_METADATA = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON merge patch (RFC 7386) that makes `after` of `before`."""
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            if inner := merge_patch(old, value):
                patch[key] = inner
        elif key not in before or value != old:
            patch[key] = value
    return patch


def as_yaml(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return the patch as YAML, its secrets masked, what machines write left out; empty for no change."""
    patch = _masked(merge_patch(*(_by_people(seal_env(side, _DIGESTS)) for side in (before, after))))
    return kubectl_yaml.dump(patch) if patch else ""


def hides_values(text: str) -> bool:
    """Whether the patch as it is shown would write masks where there are values: a list is replaced as a whole."""
    return MASK in text


def _by_people(raw: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in raw.items() if key not in _MACHINES}
    if isinstance(raw.get("metadata"), Mapping):
        kept["metadata"] = {key: value for key, value in raw["metadata"].items() if key not in _MACHINE_METADATA}
        if marks := raw["metadata"].get("annotations"):
            kept["metadata"]["annotations"] = {key: value for key, value in marks.items() if key not in _STAMPS}
    return kept


def _masked(value: Any, *, in_env: bool = False) -> Any:
    if isinstance(value, Mapping):
        return {
            key: MASK if in_env and key == "value" and inner else _masked(inner, in_env=key == "env")
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_masked(entry, in_env=in_env) for entry in value]
    return without_digests(value)
