"""What differs between two states of a service, field by field, without showing secret values; and what collides."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.knative import paths
from console.knative.objects import EnvVar, Service
from console.knative.paths import MISSING, NAMED_LISTS, FieldPath, Missing
from console.knative.redaction import COPIES, MASK
from console.knative.traffic import TrafficTarget

# Written by machines at each change: telling people of them would hide what they did themselves.
_NOISE = frozenset(
    {
        ("metadata", "managedFields"),
        ("metadata", "resourceVersion"),
        ("metadata", "generation"),
        ("metadata", "uid"),
        ("metadata", "creationTimestamp"),
        ("metadata", "annotations", "serving.knative.dev/creator"),
        ("metadata", "annotations", "serving.knative.dev/lastModifier"),
        ("metadata", "annotations", "sluice.dev/operation"),
        ("spec", "template", "metadata", "creationTimestamp"),
        ("status",),
        *(("metadata", "annotations", name) for name in COPIES),
    }
)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: its path, and its value before and after as text (None: not there). Secret values are masked."""

    path: FieldPath
    before: str | None
    after: str | None
    secret: bool = False

    @property
    def field(self) -> str:
        return paths.text(self.path)

    @property
    def verb(self) -> str:
        return "added" if self.before is None else "removed" if self.after is None else "changed"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that this change sets and somebody else changed meanwhile."""

    path: FieldPath
    was: str | None
    theirs: str | None

    @property
    def field(self) -> str:
        return paths.text(self.path)


def diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Return the fields that differ, in the order in which they stand; containers and variables are met by name."""
    return tuple(_walk((), before, after))


def creates_revision(before: Service, after: Service) -> bool:
    """The template differs, so the controller will make a new revision."""
    return any(change.path[:2] == paths.TEMPLATE for change in diff(before.raw, after.raw))


def collisions(seen: Service, fresh: Service, touched: Iterable[FieldPath]) -> tuple[Conflict, ...]:
    """Return the touched fields whose value is no longer what the person saw."""
    meanwhile = diff(seen.raw, fresh.raw)
    wanted = tuple(touched)
    return tuple(
        Conflict(change.path, change.before, change.after)
        for change in meanwhile
        if any(paths.overlap(change.path, path) for path in wanted)
    )


def _walk(path: FieldPath, before: Any, after: Any) -> Iterable[FieldChange]:
    if before == after or path in _NOISE:
        return
    if path == paths.TRAFFIC:
        yield FieldChange(path, _traffic_text(before), _traffic_text(after))
    elif isinstance(before, Mapping | Missing) and isinstance(after, Mapping | Missing) and _is_deep(before, after):
        left, right = _mapping(before), _mapping(after)
        for key in dict.fromkeys([*left, *right]):
            yield from _walk((*path, str(key)), left.get(key, MISSING), right.get(key, MISSING))
    elif path and path[-1] in NAMED_LISTS and _is_named(before, path[-1]) and _is_named(after, path[-1]):
        left, right = _by_name(before, path[-1]), _by_name(after, path[-1])
        for key in dict.fromkeys([*left, *right]):
            yield from _walk((*path, key), left.get(key, MISSING), right.get(key, MISSING))
    else:
        secret = _is_secret(path)
        yield FieldChange(path, _text(before, secret), _text(after, secret), secret)


def _is_deep(before: Any, after: Any) -> bool:
    """Compare inside only where there is something on both sides, or a whole new folder worth naming by its parts."""
    sides = [side for side in (before, after) if isinstance(side, Mapping)]
    return len(sides) == 2 or (len(sides) == 1 and not _is_env_entry(sides[0]) and bool(sides[0]))


def _is_env_entry(side: Mapping[str, Any]) -> bool:
    return set(side) <= {"name", "value", "valueFrom"} and "name" in side


def _mapping(side: Any) -> Mapping[str, Any]:
    return side if isinstance(side, Mapping) else {}


def _is_named(side: Any, kind: str) -> bool:
    return (
        side is MISSING
        or side is None
        or (
            isinstance(side, Sequence)
            and not isinstance(side, str)
            and all(isinstance(entry, Mapping) and NAMED_LISTS[kind] in entry for entry in side)
        )
    )


def _by_name(side: Any, kind: str) -> dict[str, Any]:
    return {str(entry[NAMED_LISTS[kind]]): entry for entry in side or ()} if isinstance(side, Sequence) else {}


def _is_secret(path: FieldPath) -> bool:
    """Within a container's env: the entry, or its value."""
    return "env" in path and "containers" in path and path.index("env") > path.index("containers")


def _text(value: Any, secret: bool) -> str | None:
    if value is MISSING or value is None:
        return None
    if secret:
        return _env_text(value)
    if isinstance(value, str):
        return value
    return _compact(value)


def _env_text(value: Any) -> str:
    if isinstance(value, Mapping):
        if "valueFrom" in value:
            return EnvVar(value).source or "reference"
        if set(value) & {"secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef"}:
            return EnvVar({"valueFrom": value}).source
    return MASK


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _traffic_text(value: Any) -> str | None:
    if value is MISSING or value is None:
        return None
    targets = [TrafficTarget.read(entry) for entry in value]
    return ", ".join(f"{t.percent or 0}% {t.name}" + (f" #{t.tag}" if t.tag else "") for t in targets)
