"""Mounting secrets, config maps, claims and empty folders, and taking them away."""

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from console.knative.changes.base import (
    ChangeRefused,
    edited_template,
    find_container,
    pod_spec,
    quoted,
    set_or_remove,
)
from console.knative.objects import Service
from console.knative.paths import POD_SPEC, FieldPath, container_path
from console.knative.traffic import Problem

Kind = Literal["secret", "config-map", "empty-dir", "claim"]
READ_ONLY, SUB_PATH, SIZE, MEDIUM = "read-only", "sub-path", "size", "medium"  # what `options` knows
_KN = {"secret": "secret", "config-map": "cm", "empty-dir": "emptyDir", "claim": "pvc"}


@dataclass(frozen=True, slots=True)
class SetVolumes:
    """Mount by path; a removed mount takes its volume along when nothing else uses it.

    `options` are by path: read-only, sub-path, and size and medium of an empty folder.
    """

    container: str
    mount: tuple[tuple[str, Kind, str], ...] = ()  # (path, kind, object)
    unmount: tuple[str, ...] = ()  # paths
    options: dict[str, dict[str, str]] = field(default_factory=dict, hash=False)
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        container = find_container(template, self.container)
        mounts = [entry for entry in container.get("volumeMounts") or () if entry.get("mountPath") not in self.unmount]
        volumes = list(pod_spec(template).get("volumes") or ())
        for path, kind, name in self.mount:
            if any(entry.get("mountPath") == path for entry in mounts):
                raise ChangeRefused(Problem("mount-path-taken", {"path": path}))
            options = self.options.get(path, {})
            volume = _volume(kind, name or path, {entry["name"] for entry in volumes}, options)
            volumes.append(volume)
            mounts.append({"name": volume["name"], "mountPath": path, **_mount_options(kind, options)})
        set_or_remove(container, "volumeMounts", mounts or None)
        removed = {e["name"] for e in self._mounts(service) if e.get("mountPath") in self.unmount}
        used = {
            entry["name"] for other in pod_spec(template)["containers"] for entry in other.get("volumeMounts") or ()
        }
        volumes = [volume for volume in volumes if volume["name"] in used or volume["name"] not in removed]
        set_or_remove(pod_spec(template), "volumes", volumes or None)
        return Service(raw)

    def _mounts(self, service: Service) -> list[dict[str, Any]]:
        return [
            entry
            for container in service.containers
            if container.name == self.container
            for entry in container.raw.get("volumeMounts") or ()
        ]

    def touches(self) -> frozenset[FieldPath]:
        paths = [path for path, _, _ in self.mount] + list(self.unmount)
        mounts = (container_path(self.container, "volumeMounts", path) for path in paths)
        return frozenset({(*POD_SPEC, "volumes"), *mounts})

    def kn(self, service: Service) -> tuple[str, ...]:
        mounted = (f"--mount {quoted(self._kn(path, kind, name))}" for path, kind, name in self.mount)
        return (*mounted, *(f"--mount {quoted(path + '-')}" for path in self.unmount))

    def _kn(self, path: str, kind: Kind, name: str) -> str:
        options = self.options.get(path, {})
        below = f"/{options[SUB_PATH]}" if SUB_PATH in options else ""
        more = [f"type={options[MEDIUM]}"] if MEDIUM in options else []
        more += [f"size={options[SIZE]}"] if SIZE in options else []
        more += ["readOnly=true"] if READ_ONLY in options else []
        return f"{path}={_KN[kind]}:{name}{below}" + (f":{','.join(more)}" if more else "")


def _mount_options(kind: Kind, options: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"readOnly": True} if READ_ONLY in options else {}
    return found | ({"subPath": options[SUB_PATH]} if SUB_PATH in options else {})


def _volume(kind: Kind, name: str, taken: set[str], options: dict[str, str]) -> dict[str, Any]:
    """A volume's name is a DNS label; what it is named after (a secret, a path) need not be one."""
    label = re.sub(r"[^a-z0-9]+", "-", name.lower())[:50].strip("-") or "volume"
    own = next(word for index in range(len(taken) + 1) if (word := f"{label}-{index}" if index else label) not in taken)
    if kind == "secret":
        return {"name": own, "secret": {"secretName": name}}
    if kind == "config-map":
        return {"name": own, "configMap": {"name": name}}
    if kind == "claim":
        claim = {"claimName": name} | ({"readOnly": True} if READ_ONLY in options else {})
        return {"name": own, "persistentVolumeClaim": claim}
    folder = {"sizeLimit": options[SIZE]} if SIZE in options else {}
    return {"name": own, "emptyDir": folder | ({"medium": options[MEDIUM]} if MEDIUM in options else {})}
