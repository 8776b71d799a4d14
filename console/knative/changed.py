"""What a difference changes, as people name it: the variable TARGET, the image, the memory limit, a revision's share.

`facts` reads the rows of a difference (`console.knative.diff`), or those that an operation stored, and knows only what
they show: a value that is masked there is hidden here. The words for kinds of facts are in console.web.change_words.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby
from typing import Any

from console.knative import paths, traffic
from console.knative.changes.template import AUTOSCALING
from console.knative.diff import FieldChange, is_bookkeeping
from console.knative.images import Reference
from console.knative.objects import UPDATE_TIMESTAMP, USER_IMAGE, VISIBILITY, Service
from console.knative.paths import POD_SPEC, TEMPLATE, TRAFFIC, FieldPath
from console.knative.redaction import MASK
from console.knative.traffic import LATEST, TrafficTarget


class Kind(StrEnum):
    """What a fact is about; its `name` tells which one."""

    DELETION = "deletion"
    REDEPLOY = "redeploy"
    VARIABLE = "variable"
    IMAGE = "image"
    RESOURCE = "resource"  # `name`: memory.limit
    SCALE = "scale"  # `name`: min-scale
    CONTAINER = "container"
    MOUNT = "mount"
    VOLUME = "volume"
    PULL_SECRET = "pull-secret"  # noqa: S105 - a kind
    LABEL = "label"
    ANNOTATION = "annotation"
    REVISION_LABEL = "revision-label"
    REVISION_ANNOTATION = "revision-annotation"
    NODE_SELECTOR = "node-selector"
    VISIBILITY = "visibility"
    FIELD = "field"  # `name`: as the API names it, below the template's spec or a container
    SHARE = "share"
    NEW_REVISION = "new-revision"
    NEW_REVISIONS = "new-revisions"  # those of later changes
    TAG = "tag"


class Verb(StrEnum):
    """What becomes of a thing whose values are hidden, or are no short text."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that changes. Without `verb` both values may be told; None: not set."""

    kind: Kind
    name: str = ""
    container: str = ""  # of a variable or field of a container that is not the one that serves
    before: str | None = None
    after: str | None = None
    verb: Verb | None = None
    is_minor: bool = False  # comes along with what a person asked for: an image that keeps its build
    is_new: bool = False  # the whole service is


@dataclass(frozen=True, slots=True)
class _Thing:
    """What a row is about: the thing, and the path inside it."""

    kind: Kind
    name: str = ""
    container: str = ""
    inside: FieldPath = field(default=(), compare=False)


def facts(rows: Iterable[FieldChange], service: Service | None = None) -> tuple[Fact, ...]:
    """Return what the rows change, minor things last; of a new service without what Knative fills in everywhere.

    `service` is what it was before; with it `@latest` is told as the revision that it means, and a container is named
    only where it is not the one that serves.
    """
    given = list(rows)
    main = service.user_container.name if service and service.user_container else _main_container(given)
    is_new = any(row.path == ("metadata", "name") and row.before is None for row in given)
    told = [row for row in given if not (is_new and _is_default(row))]
    remembered = {main: _remembered(given, service)}
    found = [
        replace(fact, container="" if fact.container == main else fact.container, is_new=is_new)
        for fact in _facts(told, service, remembered)
        if not (is_new and fact.kind is Kind.CONTAINER)  # its image says that it is there
    ]
    if _is_redeploy(given, found):
        found.insert(0, Fact(Kind.REDEPLOY))
    return tuple(sorted(found, key=lambda fact: fact.is_minor))


def _is_default(row: FieldChange) -> bool:
    """Whether a field of a new service has what Knative's webhook gives it (serving pkg/apis/serving/v1/defaults)."""
    if row.path == TRAFFIC:
        return row.after is not None and tuple(traffic.read_text(row.after) or ()) == _DEFAULT
    inner = row.path[3:] if row.path[:3] == POD_SPEC else ()
    return inner != () and _DEFAULTS.get(inner[2:] if inner[0] == "containers" else inner) == row.after


_DEFAULTS: Mapping[FieldPath, str] = {
    ("containerConcurrency",): "0",
    ("timeoutSeconds",): "300",
    ("enableServiceLinks",): "false",
    ("readinessProbe", "tcpSocket", "port"): "0",
    ("readinessProbe", "successThreshold"): "1",
}


def _remembered(rows: Iterable[FieldChange], service: Service | None) -> str:
    """The image by its name for people, as kn's annotation has it after the change; empty where that is not known."""
    for row in rows:
        if row.path == (*paths.TEMPLATE_ANNOTATIONS, USER_IMAGE):
            return row.after or ""
    return service.template_annotations.get(USER_IMAGE, "") if service else ""


def _facts(rows: Sequence[FieldChange], service: Service | None, remembered: Mapping[str, str]) -> Iterator[Fact]:
    makes_revision = any(row.path[:2] == TEMPLATE for row in rows)
    told = [row for row in rows if not _is_noise(row.path)]
    things = [(_thing(row.path), row) for row in told]
    for thing, group in groupby(_together(things), key=lambda pair: pair[0]):
        mine = [(pair[0].inside, pair[1]) for pair in group]
        if thing.kind is Kind.SHARE:
            yield from _of_split(mine[0][1], service, makes_revision=makes_revision)
        else:
            yield from _of_thing(thing, mine, remembered.get(thing.container, ""))


def _together(things: list[tuple[_Thing, FieldChange]]) -> Iterator[tuple[_Thing, FieldChange]]:
    """The rows with those of one thing after each other, where its first one is."""
    order = {thing: place for place, (thing, _) in reversed(list(enumerate(things)))}
    return iter(sorted(things, key=lambda pair: order[pair[0]]))


def _is_noise(path: FieldPath) -> bool:
    identity = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")}
    return path in identity or is_bookkeeping(path) or path[-2:] == ("annotations", USER_IMAGE)


def _is_redeploy(rows: Sequence[FieldChange], found: Sequence[Fact]) -> bool:
    """Nothing differs but the moment in the template, and what keeps the build."""
    is_marked = any(row.path[-1] == UPDATE_TIMESTAMP for row in rows)
    return is_marked and all(fact.is_minor for fact in found)


def _main_container(rows: Sequence[FieldChange]) -> str:
    """The container that rows name without the service beside them: the only one, else the one with a port."""
    inner = [row.path[4:6] for row in rows if row.path[:4] == (*POD_SPEC, "containers") and len(row.path) > 4]
    names = {path[0] for path in inner}
    serving = {path[0] for path in inner if path[1:] == ("ports",)}
    return names.pop() if len(names) == 1 else serving.pop() if len(serving) == 1 else ""


# --- What a row is about --------------------------------------------------------------------------------


_MAPS: Mapping[FieldPath, Kind] = {
    ("metadata", "labels"): Kind.LABEL,
    ("metadata", "annotations"): Kind.ANNOTATION,
    paths.TEMPLATE_LABELS: Kind.REVISION_LABEL,
    paths.TEMPLATE_ANNOTATIONS: Kind.REVISION_ANNOTATION,
    (*POD_SPEC, "nodeSelector"): Kind.NODE_SELECTOR,
    (*POD_SPEC, "volumes"): Kind.VOLUME,
    (*POD_SPEC, "imagePullSecrets"): Kind.PULL_SECRET,
}


def _thing(path: FieldPath) -> _Thing:
    if path in (("service",), ("revision",)):
        return _Thing(Kind.DELETION, inside=path)
    if path == TRAFFIC:
        return _Thing(Kind.SHARE)
    if path == paths.REVISION_NAME:
        return _Thing(Kind.FIELD, "revisionName")
    for folder, kind in _MAPS.items():
        if path[: len(folder)] == folder and len(path) > len(folder):
            return _entry(kind, path[len(folder)], path[len(folder) + 1 :])
    if path[:4] == (*POD_SPEC, "containers") and len(path) > 4:
        return _in_container(path[4], path[5:])
    inner = path[3:] if path[:3] == POD_SPEC else path[1:] if path[:1] == ("spec",) else path
    return _Thing(Kind.FIELD, inner[0], inside=inner[1:]) if inner else _Thing(Kind.FIELD, ".".join(path))


def _entry(kind: Kind, name: str, inside: FieldPath) -> _Thing:
    if kind is Kind.REVISION_ANNOTATION and name.startswith(AUTOSCALING):
        return _Thing(Kind.SCALE, name.removeprefix(AUTOSCALING))
    if name == VISIBILITY:
        return _Thing(Kind.VISIBILITY)
    return _Thing(kind, name, inside=inside)


def _in_container(container: str, inner: FieldPath) -> _Thing:
    match inner:
        case () | ("name",):
            return _Thing(Kind.CONTAINER, container, inside=inner)
        case ("image",):
            return _Thing(Kind.IMAGE, container=container)
        case ("env", name, *inside):
            return _Thing(Kind.VARIABLE, name, container, tuple(inside))
        case ("resources", "requests" | "limits" as which, name):
            return _Thing(Kind.RESOURCE, f"{name}.{which.removesuffix('s')}", container)
        case ("volumeMounts", name, *inside):
            return _Thing(Kind.MOUNT, name, container, tuple(inside))
    return _Thing(Kind.FIELD, inner[0], container, inner[1:])


# --- What is told of it ---------------------------------------------------------------------------------


def _of_thing(thing: _Thing, rows: Sequence[tuple[FieldPath, FieldChange]], remembered: str) -> Iterator[Fact]:
    fact = Fact(thing.kind, thing.name, thing.container)
    if thing.kind is Kind.DELETION:
        yield replace(fact, name=rows[0][1].before or "", verb=Verb.REMOVED)
    elif thing.kind is Kind.IMAGE:
        yield _of_image(fact, rows[0][1], remembered)
    elif thing.kind is Kind.VARIABLE:
        yield _of_values(fact, _joined([row for _, row in rows]))
    elif len(rows) == 1 and not rows[0][0]:
        yield _of_values(fact, rows[0][1])
    elif verb := _whole(row for _, row in rows):
        yield replace(fact, verb=verb)
    else:
        for inside, row in rows:
            yield _of_values(replace(fact, name=" ".join((thing.name, ".".join(inside)))), row)


def _whole(rows: Iterable[FieldChange]) -> Verb | None:
    """The thing as a whole comes or goes."""
    verbs = {row.verb for row in rows}
    return Verb(verbs.pop()) if len(verbs) == 1 and verbs < {Verb.ADDED, Verb.REMOVED} else None


def _joined(rows: Sequence[FieldChange]) -> FieldChange:
    """The rows of one variable as one: its value became a reference, or the other way round."""
    before = next((row.before for row in rows if row.before is not None), None)
    after = next((row.after for row in rows if row.after is not None), None)
    return replace(rows[0], before=before, after=after)


def _of_values(fact: Fact, row: FieldChange) -> Fact:
    if {row.before, row.after} <= {MASK, None} or row.before == row.after:
        return replace(fact, verb=Verb(row.verb))
    return replace(fact, before=_short(fact.name, row.before), after=_short(fact.name, row.after))


def _of_image(fact: Fact, row: FieldChange, remembered: str) -> Fact:
    """A digest takes the place of the tag; the annotation beside it (`remembered`) still says which tag that was."""
    was, becomes, kept = (Reference.read(text or "") for text in (row.before, row.after, remembered))
    is_kept = bool(becomes.digest and kept.tag) and not (becomes.tag or kept.digest)
    if is_kept and kept.canonical == becomes.canonical:
        becomes = replace(becomes, tag=kept.tag)
    is_pin = was.canonical == becomes.canonical and was.tag == becomes.tag and not was.digest and bool(becomes.digest)
    return replace(fact, before=row.before, after=becomes.text if row.after else None, is_minor=is_pin)


def _short(name: str, text: str | None) -> str | None:
    """A list of words, ports or sources as people write it; any other text as it is."""
    try:
        found = json.loads(text or "") if (text or "").startswith("[") else None
    except ValueError:
        return text
    if not isinstance(found, list) or not found:
        return text
    parts = [_part(name, entry) for entry in found]
    return " ".join(part for part in parts if part) if all(parts) else text


def _part(name: str, entry: Any) -> str:
    if isinstance(entry, str):
        return entry
    if name == "ports" and isinstance(entry, Mapping) and entry.get("containerPort"):
        return f"{entry['containerPort']}" + (f" ({entry['name']})" if entry.get("name") else "")
    return ""


# --- The split ------------------------------------------------------------------------------------------


_DEFAULT = (TrafficTarget(None, 100, follows_latest=True),)


def _of_split(row: FieldChange, service: Service | None, *, makes_revision: bool) -> Iterator[Fact]:
    before, after = (traffic.read_text(text) if text else _DEFAULT for text in (row.before, row.after))
    if before is None or after is None:
        yield Fact(Kind.FIELD, "traffic", verb=Verb.CHANGED)
        return
    latest = service.latest_ready_revision if service else None
    was, becomes = traffic.shares(before), traffic.shares(after)
    promised = was.get(LATEST, 0), becomes.get(LATEST, 0)
    if latest or makes_revision:
        was = traffic.shares(traffic.as_served(before, latest or LATEST))
        becomes.pop(LATEST, None)
        if not makes_revision:
            becomes = traffic.shares(traffic.as_served(after, latest))
    found = [
        Fact(Kind.SHARE, name, before=_percent(was.get(name)), after=_percent(becomes.get(name)))
        for name in dict.fromkeys([*was, *becomes])
        if was.get(name, 0) != becomes.get(name, 0)
    ]
    if makes_revision:
        found.append(Fact(Kind.NEW_REVISION, after=_percent(promised[1])))
    elif latest and promised[0] != promised[1]:
        found.append(Fact(Kind.NEW_REVISIONS, before=_percent(promised[0]), after=_percent(promised[1])))
    found += _of_tags(before, after)
    yield from found or [Fact(Kind.FIELD, "traffic", verb=Verb.CHANGED)]


def _of_tags(before: Iterable[TrafficTarget], after: Iterable[TrafficTarget]) -> Iterator[Fact]:
    was, becomes = ({one.tag: one.name for one in split if one.tag} for split in (before, after))
    for tag in dict.fromkeys([*was, *becomes]):
        if was.get(tag) != becomes.get(tag):
            yield Fact(Kind.TAG, tag, before=was.get(tag), after=becomes.get(tag))


def _percent(share: int | None) -> str:
    return f"{share or 0}%"
