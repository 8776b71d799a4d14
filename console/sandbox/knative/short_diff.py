"""The differences of two specs as the webhook prints them (knative.dev/pkg/kmp.ShortDiff): Go paths, old and new."""

from __future__ import annotations

from typing import Any

# Fields that sit in the PodSpec, which RevisionSpec embeds.
_POD_FIELDS = (
    "containers", "initContainers", "volumes", "serviceAccountName", "imagePullSecrets", "enableServiceLinks",
    "automountServiceAccountToken", "securityContext", "nodeSelector", "tolerations", "affinity",
)  # fmt: skip
_POINTERS = (
    "containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds",
    "enableServiceLinks", "automountServiceAccountToken", "runAsUser", "runAsGroup", "runAsNonRoot",
)  # fmt: skip
_GO_NAMES = {"metadata": "ObjectMeta", "uid": "UID", "env": "Env", "httpGet": "HTTPGet", "tcpSocket": "TCPSocket"}
_MAPS = ("annotations", "labels", "nodeSelector")
_MISSING = object()


def template_diff(old: dict[str, Any], new: dict[str, Any]) -> str:
    """The differences of two revision templates; empty when there are none."""
    return _diff("{*v1.RevisionTemplateSpec}", old, new)


def revision_spec_diff(old: dict[str, Any], new: dict[str, Any]) -> str:
    """The differences of two revision specs; empty when there are none."""
    return _diff("{v1.RevisionSpec}", old, new, is_spec=True)


def _diff(path: str, old: Any, new: Any, *, is_spec: bool = False, is_map: bool = False) -> str:
    if old == new:
        return ""
    if isinstance(old, dict) and isinstance(new, dict):
        found = [
            _field(path, key, old, new, is_spec=is_spec, is_map=is_map) for key in sorted({*old, *new}, key=_go_order)
        ]
        return "".join(found)
    if isinstance(old, list) and isinstance(new, list):
        return _list_diff(path, old, new)
    lines = [f"{path}:\n"]
    if old is not _MISSING:
        lines.append(f'\t-: "{_value(old)}"\n')
    if new is not _MISSING:
        lines.append(f'\t+: "{_value(new)}"\n')
    return "".join(lines)


def _field(path: str, key: str, old: dict[str, Any], new: dict[str, Any], *, is_spec: bool, is_map: bool) -> str:
    before, after = old.get(key, _MISSING), new.get(key, _MISSING)
    if is_map:
        return _diff(f'{path}["{key}"]', before, after)
    embedded = ".PodSpec" if is_spec and key in _POD_FIELDS else ""
    step = f"{path}{embedded}.{_go_name(key)}"
    if key in _POINTERS:
        step = f"*{step}"
    if key in _MAPS and (before is _MISSING or after is _MISSING):
        return f'{step}:\n\t-: "{_map(before)}"\n\t+: "{_map(after)}"\n'
    return _diff(step, before, after, is_spec=key == "spec", is_map=key in _MAPS)


def _map(value: Any) -> str:
    """As Go prints a map; one that is not there looks like an empty one."""
    given = {} if value is _MISSING else value
    return f"map[{' '.join(f'{key}:{each}' for key, each in sorted(given.items()))}]"


def _list_diff(path: str, old: list[Any], new: list[Any]) -> str:
    found = [_diff(f"{path}[{index}]", before, after) for index, (before, after) in enumerate(zip(old, new))]  # noqa: B905 (the rest follows)
    shared = min(len(old), len(new))
    found += [_diff(f"{path}[{index}->?]", old[index], _MISSING) for index in range(shared, len(old))]
    found += [_diff(f"{path}[?->{index}]", _MISSING, new[index]) for index in range(shared, len(new))]
    return "".join(found)


def _go_name(key: str) -> str:
    return _GO_NAMES.get(key, key[:1].upper() + key[1:])


def _go_order(key: str) -> tuple[bool, str]:
    """The embedded PodSpec comes before RevisionSpec's own fields."""
    return key not in _POD_FIELDS, key


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + " ".join(f"{_go_name(key)}:{_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + " ".join(_value(each) for each in value) + "]"
    return "<nil>" if value is None else str(value)
