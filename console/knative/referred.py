"""The secrets, config maps and other objects that services refer to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from console.knative.objects import Service


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """An object by its kind (`secret`, `config-map`, `service-account`, `claim`) and name; `key` of one entry."""

    kind: str
    name: str
    key: str = ""


def references(service: Service) -> frozenset[Reference]:
    """Return everything that the service's template names."""
    spec = service.template_spec
    found = {Reference("secret", str(one.get("name", ""))) for one in spec.get("imagePullSecrets") or ()}
    found.add(Reference("service-account", str(spec.get("serviceAccountName") or "")))
    for volume in spec.get("volumes") or ():
        found |= set(_of_volume(volume))
    for container in service.containers:
        for entry in container.raw.get("envFrom") or ():
            found |= set(_of_origin(entry, "secretRef", "configMapRef"))
        for entry in container.raw.get("env") or ():
            found |= set(_of_origin(entry.get("valueFrom") or {}, "secretKeyRef", "configMapKeyRef"))
    return frozenset(one for one in found if one.name)


def _of_volume(volume: Mapping[str, Any]) -> Iterable[Reference]:
    for key, kind, name in (
        ("secret", "secret", "secretName"),
        ("configMap", "config-map", "name"),
        ("persistentVolumeClaim", "claim", "claimName"),
    ):
        yield Reference(kind, str((volume.get(key) or {}).get(name) or ""))
    for source in (volume.get("projected") or {}).get("sources") or ():
        yield from _of_origin(source, "secret", "configMap")


def _of_origin(raw: Mapping[str, Any], secret: str, config_map: str) -> Iterable[Reference]:
    for field, kind in ((secret, "secret"), (config_map, "config-map")):
        reference = raw.get(field) or {}
        yield Reference(kind, str(reference.get("name") or ""), str(reference.get("key") or ""))
