"""What differs between two states of a service, field by field, without showing secret values; and what collides."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from console.knative import paths, traffic
from console.knative.authors import CHANGED_BY, CHANGED_GENERATION
from console.knative.containers import EnvVar
from console.knative.images import Reference
from console.knative.objects import CREATOR, LAST_MODIFIER, OPERATION, UPDATE_TIMESTAMP, USER_IMAGE, Service
from console.knative.paths import MISSING, NAMED_LISTS, FieldPath
from console.knative.redaction import COPIES, MASK, seal_env, without_digests
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
        ("metadata", "annotations", "sluice.dev/fenced-by"),
        ("metadata", "annotations", CHANGED_GENERATION),
        ("spec", "template", "metadata", "creationTimestamp"),
        ("status",),
        *(("metadata", "annotations", name) for name in COPIES),
    }
)
# Annotations that say who wrote, when and with what, beside the change itself. Keys of people are not among them.
FENCED_BY = "sluice.dev/fenced-by"  # the operation that was stopped: written to move the resourceVersion
_BOOKKEEPING = frozenset(
    {
        *(OPERATION, CHANGED_BY, CHANGED_GENERATION, FENCED_BY, UPDATE_TIMESTAMP, CREATOR, LAST_MODIFIER, *COPIES),
        *("kubernetes.io/change-cause", "kapp.k14s.io/original-diff-md5"),
        *("run.googleapis.com/client-name", "run.googleapis.com/client-version"),
    }
)
# Fields whose emptiness the API does not tell from their absence. Not all are: an empty `emptyDir` is a volume.
_EMPTY_IS_ABSENT = frozenset(
    {
        *("metadata", "labels", "annotations", "resources", "requests", "limits", "env", "envFrom", "volumeMounts"),
        *("volumes", "imagePullSecrets", "ports", "command", "args", "nodeSelector", "tolerations", "initContainers"),
    }
)
_CONTAINERS = frozenset({"containers", "initContainers"})
_DIGESTS = b"difference"  # no secret: the digests are taken away before anybody sees them


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
    """Return the fields that differ, in their order; containers and variables are matched by name.

    Their texts hold no secret: once something differs, the two are compared as they may be read, with digests in the
    place of what is hidden, so that a secret that alone differs is a row all the same.
    """
    if not differ(before, after):
        return ()
    rows = _walk((), seal_env(before, _DIGESTS), seal_env(after, _DIGESTS))
    return tuple(replace(row, before=without_digests(row.before), after=without_digests(row.after)) for row in rows)


def creates_revision(before: Service, after: Service) -> bool:
    """The template differs, so the controller will make a new revision."""
    return any(change.path[:2] == paths.TEMPLATE for change in _walk((), before.raw, after.raw))


def differ(before: Mapping[str, Any], after: Mapping[str, Any], *, beside: FieldPath | None = None) -> bool:
    """Whether `diff` has a row, `beside` one of this path; it costs less."""
    return any(row.path != beside for row in _walk((), before, after))


def collisions(
    seen: Service, fresh: Service, touched: Iterable[FieldPath], wanted: Service | None = None
) -> tuple[Conflict, ...]:
    """Return the touched fields whose value is neither what the person saw nor what they want it to be.

    `wanted` is the service as the change would have left it when it was seen. Bookkeeping is nobody's value, and an
    image that kn pinned to its digest on the way is the image that was seen.
    """
    fields = tuple(touched)
    return tuple(
        Conflict(change.path, change.before, change.after)
        for change in meanwhile(seen, fresh, wanted)
        if any(paths.overlap(change.path, path) for path in fields)
    )


def meanwhile(seen: Service, fresh: Service, wanted: Service | None = None) -> tuple[FieldChange, ...]:
    """Return what somebody changed between the two states, but for what is as `wanted` anyway.

    Left out as well: bookkeeping, and kn's pinning of the same image.
    """
    other = None if wanted is None else tuple(change.path for change in diff(wanted.raw, fresh.raw))
    pinned = _pinned_by_kn(seen, fresh)
    return tuple(
        change
        for change in diff(seen.raw, fresh.raw)
        if not is_bookkeeping(change.path)
        and change.path not in pinned
        and (other is None or any(paths.overlap(change.path, path) for path in other))
    )


def is_bookkeeping(path: FieldPath) -> bool:
    """Whether tools write the field along with each change of theirs, so that nobody decided on its value."""
    return path[-2:-1] == ("annotations",) and path[-1] in _BOOKKEEPING


def _pinned_by_kn(seen: Service, fresh: Service) -> frozenset[FieldPath]:
    """The fields in which kn, changing something else, keeps the digest of the image that was there (lock-to-digest).

    It leaves its time stamp, and the image as it was in its annotation; who deploys another digest does not do both.
    """
    was, now = seen.template_annotations, fresh.template_annotations
    before, after = seen.user_container, fresh.user_container
    if (
        before is None
        or after is None
        or before.name != after.name
        or was.get(UPDATE_TIMESTAMP) == now.get(UPDATE_TIMESTAMP)
    ):
        return frozenset()
    tagged, pinned = Reference.read(before.image), Reference.read(after.image)
    is_pin = not tagged.digest and pinned.digest and tagged.repository == pinned.repository
    fields = frozenset({paths.container_path(before.name, "image"), (*paths.TEMPLATE_ANNOTATIONS, USER_IMAGE)})
    return fields if is_pin and now.get(USER_IMAGE) == before.image else frozenset()


def _walk(path: FieldPath, before: Any, after: Any) -> Iterable[FieldChange]:
    before, after = _present(path, before), _present(path, after)
    if before == after or path in _NOISE:
        return
    if path == paths.TRAFFIC:
        yield FieldChange(path, _traffic_text(before), _traffic_text(after))
    elif _is_origin(path):
        yield FieldChange(path, _origin_text(before), _origin_text(after), secret=True)
    elif _is_deep(path, before, after):
        left, right = _mapping(before), _mapping(after)
        for key in dict.fromkeys([*left, *right]):
            yield from _walk((*path, str(key)), left.get(key, MISSING), right.get(key, MISSING))
    elif path and path[-1] in NAMED_LISTS and _is_named(before, path[-1]) and _is_named(after, path[-1]):
        yield from _walk_named(path, before, after)
    else:
        secret = _is_secret(path)
        yield FieldChange(path, _text(before, secret), _text(after, secret), secret)


def _walk_named(path: FieldPath, before: Any, after: Any) -> Iterable[FieldChange]:
    """Compare entries by name; then report what names alone do not show: another order, a duplicate entry."""
    left, right = _by_name(before, path[-1]), _by_name(after, path[-1])
    for key in dict.fromkeys([*left, *right]):
        yield from _walk((*path, key), left.get(key, MISSING), right.get(key, MISSING))
    was, becomes = _names(before, path[-1]), _names(after, path[-1])
    kept = Counter(was) & Counter(becomes)
    same_order = [name for name in was if name in kept] == [name for name in becomes if name in kept]
    if not same_order or _shadowed(before, path[-1]) != _shadowed(after, path[-1]):
        yield FieldChange(path, _listing(path, before, after), _listing(path, after, before))


def _present(path: FieldPath, side: Any) -> Any:
    """MISSING for null, and for emptiness that means nothing."""
    if side is None:
        return MISSING
    if not path or side:
        return side
    is_hollow = isinstance(side, Mapping | list) and path[-1] in _EMPTY_IS_ABSENT
    is_empty_value = side == "" and path[-1] == "value" and _is_secret(path)
    return MISSING if is_hollow or is_empty_value else side


def _is_deep(path: FieldPath, before: Any, after: Any) -> bool:
    """Compare inside only where there is something on both sides, or a whole new folder worth naming by its parts."""
    sides = [side for side in (before, after) if isinstance(side, Mapping)]
    if len(sides) == 2:
        return True
    other_is_missing = before is MISSING or after is MISSING
    return len(sides) == 1 and other_is_missing and bool(sides[0]) and not _is_env_entry(path)


def _env_position(path: FieldPath) -> int | None:
    """Where in the path a container's env is: after the container's name, whatever containers are called."""
    for index, part in enumerate(path[:-2]):
        if part in _CONTAINERS:
            return index + 2 if path[index + 2] == "env" else None
    return None


def _is_env_entry(path: FieldPath) -> bool:
    position = _env_position(path)
    return position is not None and len(path) == position + 2


def _is_origin(path: FieldPath) -> bool:
    """The valueFrom of a variable: told as a whole, `secret db/password`."""
    position = _env_position(path)
    return position is not None and len(path) == position + 3 and path[-1] == "valueFrom"


def _is_secret(path: FieldPath) -> bool:
    """Within a container's env: the entry, or its value."""
    return _env_position(path) is not None


def _mapping(side: Any) -> Mapping[str, Any]:
    return side if isinstance(side, Mapping) else {}


def _is_named(side: Any, kind: str) -> bool:
    return side is MISSING or (
        isinstance(side, list | tuple)
        and all(isinstance(entry, Mapping) and NAMED_LISTS[kind] in entry for entry in side)
    )


def _names(side: Any, kind: str) -> list[str]:
    return [] if side is MISSING else [str(entry[NAMED_LISTS[kind]]) for entry in side]


def _by_name(side: Any, kind: str) -> dict[str, Any]:
    return {} if side is MISSING else {str(entry[NAMED_LISTS[kind]]): entry for entry in side}


def _listing(path: FieldPath, side: Any, other: Any) -> str:
    """The names in their order. Of several of one name it tells which it is, and what an outdone one is if it differs.

    `MODE #1: ••••, MODE #2, HOST`: the first MODE differs. The last one, which counts, has a row of its own.
    """
    kind = path[-1]
    here, there, last = _by_place(side, kind), _by_place(other, kind), Counter(_names(side, kind))
    told = []
    for (name, nth), entry in here.items():
        which = f"{name} #{nth}" if last[name] > 1 else name
        is_told = nth < last[name] and there.get((name, nth), entry) != entry
        told.append(f"{which}: {_text(entry, _is_secret((*path, name)))}" if is_told else which)
    return ", ".join(told)


def _by_place(side: Any, kind: str) -> dict[tuple[str, int], Any]:
    """The entries by name and, from 1, which of several of that name."""
    seen: Counter[str] = Counter()
    found = {}
    for name, entry in zip(_names(side, kind), () if side is MISSING else side, strict=True):
        seen[name] += 1
        found[name, seen[name]] = entry
    return found


def _shadowed(side: Any, kind: str) -> list[Any]:
    """The entries that a later one of the same name outdoes."""
    last = _by_name(side, kind)
    return [] if side is MISSING else [entry for entry in side if last[str(entry[NAMED_LISTS[kind]])] is not entry]


def _text(value: Any, secret: bool) -> str | None:
    if value is MISSING:
        return None
    if secret:
        return _origin_text(value.get("valueFrom") or MISSING) or MASK if isinstance(value, Mapping) else MASK
    if isinstance(value, str):
        return value
    return json.dumps(_without_values(value), ensure_ascii=False, sort_keys=True, default=str)


def _origin_text(value: Any) -> str | None:
    if value is MISSING:
        return None
    return (EnvVar({"valueFrom": value}).source if isinstance(value, Mapping) else "") or "reference"


def _without_values(value: Any) -> Any:
    """The same, with the literal values of every env inside it masked: a container that is told as a whole."""
    if isinstance(value, Mapping):
        return {key: _masked_env(inner) if key == "env" else _without_values(inner) for key, inner in value.items()}
    return [_without_values(inner) for inner in value] if isinstance(value, list | tuple) else value


def _masked_env(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return MASK
    return [{**entry, "value": MASK} if isinstance(entry, Mapping) and "value" in entry else entry for entry in value]


def _traffic_text(value: Any) -> str | None:
    if value is MISSING:
        return None
    if not isinstance(value, list | tuple) or not all(isinstance(entry, Mapping) for entry in value):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return traffic.text_of(TrafficTarget.read(entry) for entry in value)
