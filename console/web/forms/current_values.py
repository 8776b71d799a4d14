"""What a service has now, as the fields of the settings write it, and what they cannot say."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from console.knative.changes.container import env_source
from console.knative.changes.template import PROGRESS_DEADLINE, ROLLOUT_DURATION, SCALE_FIELDS, scale_spellings
from console.knative.changes.volumes import SOURCES, Kind, items_of
from console.knative.containers import Container
from console.knative.marks import STAMPS
from console.knative.objects import UPDATE_TIMESTAMP, USER_IMAGE, VISIBILITY, Service
from console.operations.submitting.submission import DEADLINE, ERROR_WINDOW
from console.web.forms import entries, probes, text_fields
from console.web.forms.entries import Mount, Resource
from console.web.forms.rows import MAX_ROWS, Note
from console.web.forms.text_fields import Syntax

Texts = dict[str, str]
Beyond = dict[str, tuple[str, ...]]
PROBES: tuple[tuple[str, Literal["readinessProbe", "livenessProbe", "startupProbe"]], ...] = (
    ("readiness", "readinessProbe"),
    ("liveness", "livenessProbe"),
    ("startup", "startupProbe"),
)
ROWS = (entries.SOURCE, entries.MOUNT, entries.RESOURCE, entries.TOLERATION)
# Written by machines, by other forms, or by fields of their own: no lines of labels or annotations.
_ELSEWHERE = STAMPS | {
    *(UPDATE_TIMESTAMP, USER_IMAGE, VISIBILITY, DEADLINE, ERROR_WINDOW),
    *(*ROLLOUT_DURATION, PROGRESS_DEADLINE),
    *(name for field in SCALE_FIELDS for name in scale_spellings(field)),
}


def current_values(service: Service, container: Container) -> tuple[Texts, Beyond]:
    """Return the text of each field, and what it cannot say, which stays as it is. A probe is said whole or not."""
    texts: Texts = {"revision_name": ""}
    beyond: Beyond = {}
    for field, syntax, found in _lists(service, container):
        said = [(syntax.line(entry) if entry is not None else None, raw) for entry, raw in found]
        if syntax in ROWS and len(said) > MAX_ROWS:  # it is shown whole or not at all
            beyond[field] = tuple(_shown(raw) for _line, raw in said)
            continue
        texts[field] = "\n".join(line for line, _raw in said if line is not None)
        beyond[field] = tuple(_shown(raw) for line, raw in said if line is None)
    for field, which in PROBES:
        line = probes.line(container.raw.get(which))
        if line is None:
            beyond[field] = (_shown(container.raw[which]),)
        else:
            texts[field] = line
    return texts, beyond


def _lists(service: Service, container: Container) -> Iterable[tuple[str, Syntax[Any], list[tuple[Any, Any]]]]:
    """Yield each field of lines with its entries, None for one that no line can say, and how the API has them."""
    raw, spec = container.raw, service.template_spec
    yield "command", text_fields.WORD, [(str(word), word) for word in raw.get("command") or ()]
    yield "arguments", text_fields.WORD, [(str(word), word) for word in raw.get("args") or ()]
    yield "env_from", entries.SOURCE, [(env_source(entry), entry) for entry in raw.get("envFrom") or ()]
    yield "mounts", entries.MOUNT, list(_mounts(service, container))
    yield "other_resources", entries.RESOURCE, list(_resources(container))
    yield "node_selector", text_fields.LABEL, _pairs(spec.get("nodeSelector") or {})
    yield (
        "tolerations",
        entries.TOLERATION,
        [(entries.toleration_of(entry), entry) for entry in spec.get("tolerations") or ()],
    )
    yield "pull_secrets", text_fields.NAME, [(name, name) for name in pull_secrets(service)]
    yield "labels", text_fields.LABEL, _pairs(offered(service.labels))
    yield "annotations", text_fields.ANNOTATION, _pairs(offered(service.annotations))
    labels = (service.template.get("metadata") or {}).get("labels") or {}
    yield "revision_labels", text_fields.LABEL, _pairs(offered(labels))
    yield "revision_annotations", text_fields.ANNOTATION, _pairs(offered(service.template_annotations))


def pull_secrets(service: Service) -> tuple[str, ...]:
    return tuple(str(entry.get("name", "")) for entry in service.template_spec.get("imagePullSecrets") or ())


def offered(found: Mapping[str, str]) -> dict[str, str]:
    """Return the labels or annotations that people write as lines."""
    return {key: str(value) for key, value in found.items() if key not in _ELSEWHERE}


def _pairs(found: Mapping[str, str]) -> list[tuple[Any, Any]]:
    return [((key, str(value)), {key: value}) for key, value in found.items()]


def _mounts(service: Service, container: Container) -> Iterable[tuple[Mount | None, Any]]:
    """Yield the mounts; None for one of a source that no row can name (projected sources, folders of the node)."""
    for entry, volume in mounted(service, container):
        yield _mount(entry, volume), entry if _source(volume) else {**entry, "volume": volume}


def mounted(service: Service, container: Container) -> Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield each mount of the container with its volume, as the API has them."""
    volumes = {str(volume.get("name")): volume for volume in service.template_spec.get("volumes") or ()}
    for entry in container.raw.get("volumeMounts") or ():
        yield entry, volumes.get(str(entry.get("name")), {})


def mount_notes(service: Service, container: Container) -> dict[str, Note]:
    """Return by row what it does not say of its mount: modes, single keys with modes, how it spreads."""
    found = {}
    for entry, volume in mounted(service, container):
        mount = _mount(entry, volume)
        line = entries.MOUNT.line(mount) if mount else None
        if line and (unsaid := _unsaid(entry, volume)):
            found[line] = Note(_shown(unsaid), frozenset({"items"} if "items" in unsaid.get("volume", {}) else ()))
    return found


def _source(volume: Mapping[str, Any]) -> tuple[Kind, str, str] | None:
    """Return the kind of a volume, its key in the API, and what names the object in it."""
    return next(((kind, key, named) for kind, (key, named) in SOURCES.items() if key in volume), None)


def _mount(entry: Mapping[str, Any], volume: Mapping[str, Any]) -> Mount | None:
    if not (found := _source(volume)):
        return None
    kind, key, named = found
    source = volume[key] or {}
    name = str(source.get(named, "")) if named else ""
    return str(entry.get("mountPath", "")), kind, name, _options(entry, source, kind)


def _options(entry: Mapping[str, Any], source: Mapping[str, Any], kind: str) -> tuple[tuple[str, str], ...]:
    """How it is mounted, as far as a row says it."""
    found = {"read-only": "true"} if entry.get("readOnly") else {}
    found |= {"sub-path": str(entry["subPath"])} if entry.get("subPath") else {}
    if kind == "empty-dir":
        found |= {"medium": str(source["medium"])} if source.get("medium") else {}
        found |= {"size": str(source["sizeLimit"])} if source.get("sizeLimit") else {}
    elif kind == "image":
        found |= {"pull-policy": str(source["pullPolicy"])} if source.get("pullPolicy") else {}
    elif kind == "ephemeral":
        found |= _claim_options(source)
    elif items := _items(source):
        found |= {"items": items}
    return tuple(sorted(found.items()))


def _claim_options(source: Mapping[str, Any]) -> dict[str, str]:
    """Size, class and the one access mode of an ephemeral volume."""
    claim = (source.get("volumeClaimTemplate") or {}).get("spec") or {}
    modes, size = claim.get("accessModes") or [], (claim.get("resources") or {}).get("requests") or {}
    found = {
        "size": size.get("storage"),
        "storage-class": claim.get("storageClassName"),
        "access-mode": modes[0] if len(modes) == 1 and modes[0] in entries.ACCESS_MODES else None,
    }
    return {option: str(text) for option, text in found.items() if text}


def _beyond_claim(source: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, Any]:
    """What a row does not say of an ephemeral volume."""
    template = dict(source.get("volumeClaimTemplate") or {})
    claim = dict(template.pop("spec", None) or {})
    resources = dict(claim.pop("resources", None) or {})
    requests = {word: text for word, text in (resources.pop("requests", None) or {}).items() if word != "storage"}
    hidden = {"storageClassName"} | ({"accessModes"} if "access-mode" in said else set())
    rest = {word: value for word, value in claim.items() if word not in hidden}
    resources |= {"requests": requests} if requests else {}
    rest |= {"resources": resources} if resources else {}
    return {**template, **({"spec": rest} if rest else {})}


def _items(source: Mapping[str, Any]) -> str:
    """Return the single keys that are mounted, a line for each; empty where there are none to say."""
    found = source.get("items") or ()
    pairs = [(str(one.get("key", "")), str(one.get("path", ""))) for one in found if set(one) == {"key", "path"}]
    text = "\n".join(f"{key}={file}" for key, file in pairs)
    return text if len(pairs) == len(found) and items_of(text) == tuple(pairs) else ""


def _unsaid(entry: Mapping[str, Any], volume: Mapping[str, Any]) -> dict[str, Any]:
    found = _source(volume)
    assert found  # noqa: S101  # the caller has a mount of it
    _kind, key, named = found
    source = volume[key] or {}
    said = {named, "medium", "sizeLimit", "pullPolicy", "readOnly", *(("items",) if _items(source) else ())}
    mount = {word: value for word, value in entry.items() if word not in ("name", "mountPath", "readOnly", "subPath")}
    if key == "ephemeral":
        rest = _beyond_claim(source, _claim_options(source))
    else:
        rest = {word: value for word, value in source.items() if word not in said}
    return {**mount, **({"volume": rest} if rest else {})}


def _resources(container: Container) -> Iterable[tuple[Resource | None, Any]]:
    """Yield requests and limits other than CPU and memory, which have fields of their own."""
    wanted = container.raw.get("resources") or {}
    requests, limits = wanted.get("requests") or {}, wanted.get("limits") or {}
    for name in dict.fromkeys([*requests, *limits]):
        if name not in ("cpu", "memory"):
            pair = [str(side[name]) if name in side else "" for side in (requests, limits)]
            is_said = all(pair[i] or name not in side for i, side in enumerate((requests, limits)))
            yield (name, *pair) if is_said else None, {name: pair}


def _shown(raw: Any) -> str:
    return json.dumps(raw, ensure_ascii=False)
