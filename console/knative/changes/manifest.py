"""An edited manifest on its way into a service: its shape, the values behind masks, and the template's name."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from console.knative import marks, validation
from console.knative.changes.base import ChangeRefused, unmasked
from console.knative.objects import Service
from console.knative.problems import Problem
from console.knative.redaction import MASK, containers


def refuse_misshapen(manifest: Mapping[str, Any], service: Service) -> None:
    """Raise ChangeRefused for a manifest of another object, or one that is not built as a Service is."""
    for name, shape, value in _parts(manifest):
        if value is not None and not isinstance(value, shape):
            raise ChangeRefused(Problem("manifest-invalid", {"field": name}))
    metadata = manifest.get("metadata") or {}
    kind = manifest.get("kind", "Service")
    if kind != "Service" or not str(manifest.get("apiVersion", "serving.knative.dev/")).startswith(
        "serving.knative.dev/"
    ):
        raise ChangeRefused(Problem("manifest-other-service", {"name": str(kind)[:80]}))
    for field, present in (("name", service.name), ("namespace", service.namespace)):
        if metadata.get(field, present) != present:
            raise ChangeRefused(Problem("manifest-other-service", {"name": str(metadata[field])[:80]}))


def new_spec(manifest: Mapping[str, Any], service: Service) -> dict[str, Any]:
    """Return the manifest's spec with masked values put back, and without a revision name that is taken.

    Raises ChangeRefused for a mask where the service has no value.
    """
    spec: dict[str, Any] = copy.deepcopy(dict(manifest.get("spec") or {}))
    _put_values_back(spec, service)
    spec = dict(unmasked({"spec": spec}, service).spec)
    template = spec.get("template") or {}
    metadata = template.get("metadata") or {}
    is_taken = "name" in metadata and metadata["name"] == (service.template.get("metadata") or {}).get("name")
    if is_taken and template != service.template:
        del metadata["name"]  # a template that changes needs another name: the server finds one
    return spec


def kept_annotations(service: Service) -> dict[str, str]:
    """Return the annotations that an editor does not show and an edit does not remove."""
    return marks.stamps(service.annotations)


def _put_values_back(spec: dict[str, Any], service: Service) -> None:
    """A variable that is listed twice gets its values back in their order."""
    present: dict[tuple[str, str], list[str]] = {}
    for container in containers(service.raw):
        for entry in container.get("env") or ():
            if entry.get("value"):  # only these are masked
                place = (str(container.get("name", "")), str(entry.get("name", "")))
                present.setdefault(place, []).append(str(entry["value"]))
    for container in containers({"spec": spec}):
        for entry in container.get("env") or ():
            if entry.get("value") != MASK:
                if validation.masked(str(entry.get("value") or "")):
                    raise ChangeRefused(Problem("manifest-mask-in-value", {"name": str(entry.get("name"))[:80]}))
                continue
            known = present.get((str(container.get("name", "")), str(entry.get("name", ""))))
            if not known:
                raise ChangeRefused(Problem("manifest-masked-value", {"name": str(entry.get("name"))[:80]}))
            entry["value"] = known.pop(0) if len(known) > 1 else known[0]


def _parts(manifest: Mapping[str, Any]) -> Iterable[tuple[str, type, Any]]:
    """(name, shape, value) of what the console reads of a manifest, from the outside inwards."""
    metadata, spec = manifest.get("metadata"), manifest.get("spec")
    yield "metadata", dict, metadata
    for key in ("labels", "annotations"):
        yield f"metadata.{key}", dict, (metadata or {}).get(key)
    yield "spec", dict, spec
    template = (spec or {}).get("template")
    yield "spec.template", dict, template
    inner = (template or {}).get("metadata")
    yield "spec.template.metadata", dict, inner
    for key in ("labels", "annotations"):
        yield f"spec.template.metadata.{key}", dict, (inner or {}).get(key)
    yield from _entries("spec.traffic", (spec or {}).get("traffic"))
    for target in (spec or {}).get("traffic") or ():
        for key, shape in (("percent", int), ("revisionName", str), ("tag", str)):
            yield f"spec.traffic.{key}", shape, target.get(key)
    pod = (template or {}).get("spec")
    yield "spec.template.spec", dict, pod
    for key in ("containers", "initContainers", "volumes"):
        name, found = f"spec.template.spec.{key}", (pod or {}).get(key)
        yield from _entries(name, found)
        for entry in found or ():
            yield f"{name}.name", str, entry.get("name")
            for part in ("env", "envFrom", "ports", "volumeMounts"):
                yield from _entries(f"{name}.{part}", entry.get(part))
            for port in entry.get("ports") or ():
                yield f"{name}.ports.containerPort", int, port.get("containerPort")
            yield f"{name}.resources", dict, entry.get("resources")
            for kind in ("limits", "requests"):
                yield f"{name}.resources.{kind}", dict, (entry.get("resources") or {}).get(kind)
            for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
                yield f"{name}.{probe}", dict, entry.get(probe)
                for handler in ("httpGet", "tcpSocket"):
                    yield f"{name}.{probe}.{handler}", dict, (entry.get(probe) or {}).get(handler)


def _entries(name: str, value: Any) -> Iterable[tuple[str, type, Any]]:
    yield name, list, value
    for entry in value or ():
        # A null entry is invalid, so it must not be accepted like an absent field.
        yield name, dict, "null" if entry is None else entry
