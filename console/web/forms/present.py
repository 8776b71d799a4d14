"""What a service has now, as the fields of the settings write it. What a line cannot say is left out, and stays."""

from collections.abc import Mapping
from typing import Any

from console.knative.containers import Container
from console.knative.objects import Service
from console.web.forms import lines, probes
from console.web.forms.lines import Mount

# Written by machines, or by fields of their own: not offered as lines.
_MACHINES = (
    "serving.knative.dev/",
    "client.knative.dev/",
    "sluice.dev/",
    "kubectl.kubernetes.io/",
    "autoscaling.knative.dev/",
    "networking.knative.dev/visibility",
)
# Source of a volume: its kind, the field that names the object, the fields that a line says or that defaults fill.
_VOLUMES: tuple[tuple[str, lines.Kind, str, frozenset[str]], ...] = (
    ("secret", "secret", "secretName", frozenset({"secretName", "optional", "defaultMode"})),
    ("configMap", "config-map", "name", frozenset({"name", "optional", "defaultMode"})),
    ("persistentVolumeClaim", "claim", "claimName", frozenset({"claimName", "readOnly"})),
    ("emptyDir", "empty-dir", "", frozenset({"sizeLimit", "medium"})),
)
PROBES = (("readiness", "readinessProbe"), ("liveness", "livenessProbe"), ("startup", "startupProbe"))


def present(service: Service, container: Container) -> dict[str, str]:
    """Return what the service has now, as the fields write it."""
    return {
        "command": "\n".join(container.raw.get("command") or ()),
        "arguments": "\n".join(container.raw.get("args") or ()),
        "env_from": "\n".join(f"{kind} {name}" for kind, name in origins(container)),
        "mounts": "\n".join(lines.mount_text(one) for one in mounts(service, container)),
        **{field: probes.line(container.raw.get(which)) or "" for field, which in PROBES},
        "other_resources": "\n".join(f"{kind} {name}={value}" for kind, name, value in resources(container)),
        "node_selector": "\n".join(
            f"{key}={value}" for key, value in (service.template_spec.get("nodeSelector") or {}).items()
        ),
        "tolerations": "\n".join(filter(None, tolerations(service))),
        "pull_secrets": "\n".join(pull_secrets(service)),
        "labels": _text(service.labels),
        "annotations": _text(service.annotations),
        "revision_labels": _text(template_labels(service)),
        "revision_annotations": _text(service.template_annotations),
        "revision_name": "",
    }


def origins(container: Container) -> tuple[tuple[Any, str], ...]:
    """The whole secrets and config maps of envFrom; those with a prefix are not offered, so that they stay."""
    found = []
    for entry in container.raw.get("envFrom") or ():
        kind, key = ("secret", "secretRef") if "secretRef" in entry else ("config-map", "configMapRef")
        if not entry.get("prefix"):
            found.append((kind, str((entry.get(key) or {}).get("name", ""))))
    return tuple(found)


def mounts(service: Service, container: Container) -> tuple[Mount, ...]:
    """The mounts that a line can say; others (single keys, projected sources) are not offered, so that they stay."""
    volumes = {str(volume.get("name")): volume for volume in service.template_spec.get("volumes") or ()}
    found: list[Mount] = []
    for entry in container.raw.get("volumeMounts") or ():
        volume = volumes.get(str(entry.get("name")), {})
        if set(entry) - {"name", "mountPath", "readOnly", "subPath"}:
            continue
        for key, kind, named, said in _VOLUMES:
            source = volume.get(key) or {}
            if key in volume and not set(source) - said:
                path, name = str(entry.get("mountPath", "")), str(source.get(named, ""))
                found.append((path, kind, name, _options(entry, source, kind)))
    return tuple(found)


def _options(entry: Mapping[str, Any], source: Mapping[str, Any], kind: str) -> tuple[tuple[str, str], ...]:
    """How it is mounted, as a line says it."""
    found = {"read-only": "true"} if entry.get("readOnly") else {}
    found |= {"sub-path": str(entry["subPath"])} if entry.get("subPath") else {}
    if kind == "empty-dir":
        found |= {"medium": str(source["medium"])} if source.get("medium") else {}
        found |= {"size": str(source["sizeLimit"])} if source.get("sizeLimit") else {}
    return tuple(sorted(found.items()))


def resources(container: Container) -> tuple[tuple[str, str, str], ...]:
    """Requests and limits other than CPU and memory, which have fields of their own."""
    wanted = container.raw.get("resources") or {}
    return tuple(
        (kind, name, str(value))
        for kind in ("request", "limit")
        for name, value in (wanted.get(f"{kind}s") or {}).items()
        if name not in ("cpu", "memory")
    )


def tolerations(service: Service) -> tuple[str | None, ...]:
    """The lines of the tolerations; None for one that a line cannot say."""
    return tuple(lines.toleration_text(one) for one in service.template_spec.get("tolerations") or ())


def pull_secrets(service: Service) -> tuple[str, ...]:
    return tuple(str(entry.get("name", "")) for entry in service.template_spec.get("imagePullSecrets") or ())


def template_labels(service: Service) -> Mapping[str, str]:
    return (service.template.get("metadata") or {}).get("labels") or {}


def offered(found: Mapping[str, str]) -> dict[str, str]:
    return {
        key: str(value)
        for key, value in found.items()
        if not key.startswith(_MACHINES) and "\n" not in str(value) and str(value) == str(value).strip()
    }


def _text(found: Mapping[str, str]) -> str:
    return "\n".join(f"{key}={value}" for key, value in offered(found).items())
