"""What a service has now, as the fields of the settings write it, and what they cannot say."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from console.knative.changes.container import env_source
from console.knative.changes.template import SCALE_FIELDS, scale_spellings
from console.knative.changes.volumes import SOURCES
from console.knative.containers import Container
from console.knative.marks import STAMPS
from console.knative.objects import UPDATE_TIMESTAMP, USER_IMAGE, VISIBILITY, Service
from console.operations.submitting.submission import DEADLINE, ERROR_WINDOW
from console.web.forms import entries, probes, text_fields
from console.web.forms.entries import Mount, Resource
from console.web.forms.text_fields import Syntax

Texts = dict[str, str]
Beyond = dict[str, tuple[str, ...]]
PROBES: tuple[tuple[str, Literal["readinessProbe", "livenessProbe", "startupProbe"]], ...] = (
    ("readiness", "readinessProbe"),
    ("liveness", "livenessProbe"),
    ("startup", "startupProbe"),
)
# Written by machines, by other forms, or by fields of their own: no lines of labels or annotations.
_ELSEWHERE = STAMPS | {
    *(UPDATE_TIMESTAMP, USER_IMAGE, VISIBILITY, DEADLINE, ERROR_WINDOW),
    *(name for field in SCALE_FIELDS for name in scale_spellings(field)),
}


def current_values(service: Service, container: Container) -> tuple[Texts, Beyond]:
    """Return the text of each field, and what it cannot say, which stays as it is. A probe is said whole or not."""
    texts: Texts = {"revision_name": ""}
    beyond: Beyond = {}
    for field, syntax, found in _lists(service, container):
        said = [(syntax.line(entry) if entry is not None else None, raw) for entry, raw in found]
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
    yield "other_resources", entries.RESOURCE, [(entry, entry) for entry in _resources(container)]
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
    """Yield the mounts; None for one of a source that no line can name (projected sources, folders of the node)."""
    volumes = {str(volume.get("name")): volume for volume in service.template_spec.get("volumes") or ()}
    for entry in container.raw.get("volumeMounts") or ():
        volume = volumes.get(str(entry.get("name")), {})
        found = next(((kind, key, named) for kind, (key, named) in SOURCES.items() if key in volume), None)
        if found is None:
            yield None, {**entry, "volume": volume}
        else:
            kind, key, named = found
            source = volume[key] or {}
            name = str(source.get(named, "")) if named else ""
            yield (str(entry.get("mountPath", "")), kind, name, _options(entry, source, kind)), entry


def _options(entry: Mapping[str, Any], source: Mapping[str, Any], kind: str) -> tuple[tuple[str, str], ...]:
    """How it is mounted, as far as a line says it."""
    found = {"read-only": "true"} if entry.get("readOnly") else {}
    found |= {"sub-path": str(entry["subPath"])} if entry.get("subPath") else {}
    if kind == "empty-dir":
        found |= {"medium": str(source["medium"])} if source.get("medium") else {}
        found |= {"size": str(source["sizeLimit"])} if source.get("sizeLimit") else {}
    return tuple(sorted(found.items()))


def _resources(container: Container) -> Iterable[Resource]:
    """Yield requests and limits other than CPU and memory, which have fields of their own."""
    wanted = container.raw.get("resources") or {}
    for kind in ("request", "limit"):
        for name, value in (wanted.get(f"{kind}s") or {}).items():
            if name not in ("cpu", "memory"):
                yield kind, name, str(value)


def _shown(raw: Any) -> str:
    return json.dumps(raw, ensure_ascii=False)
