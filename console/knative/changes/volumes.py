"""Mounting secrets, config maps, claims, empty folders, images and ephemeral volumes, and taking them away."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from console.knative.changes.base import (
    Change,
    ChangeRefused,
    edited_template,
    find_container,
    pod_spec,
    result,
    set_or_remove,
)
from console.knative.objects import Service
from console.knative.paths import POD_SPEC, FieldPath, container_path
from console.knative.problems import Problem

Kind = Literal["secret", "config-map", "empty-dir", "claim", "image", "ephemeral"]
Raw = dict[str, Any]
Options = dict[str, str]
READ_ONLY, SUB_PATH, SIZE, MEDIUM, ITEMS = "read-only", "sub-path", "size", "medium", "items"  # what `options` knows
PULL_POLICY, STORAGE_CLASS, ACCESS_MODE = "pull-policy", "storage-class", "access-mode"
READ_WRITE_ONCE = "ReadWriteOnce"  # what a new ephemeral volume is, unless somebody says otherwise
# Of each kind: the key of the API's source, and what names the object in it.
SOURCES: Mapping[Kind, tuple[str, str]] = {
    "secret": ("secret", "secretName"),
    "config-map": ("configMap", "name"),
    "claim": ("persistentVolumeClaim", "claimName"),
    "empty-dir": ("emptyDir", ""),
    "image": ("image", "reference"),
    "ephemeral": ("ephemeral", ""),
}


@dataclass(frozen=True, slots=True)
class SetVolumes(Change):
    """Mount by path; a removed mount takes its volume along when nothing else uses it.

    A path that is both removed and mounted is edited: its volume keeps its name, and its mount and its source keep
    what the edit does not say (modes, single keys, optional). A mount whose path alone is another one moves.
    `options` are by path: read-only, sub-path, size and medium of an empty folder, the pull policy of an image, size,
    storage class and access mode of an ephemeral volume, and the keys of a secret or config map that alone are mounted
    (`items`: a line `key=file` for each; empty for all keys, left out to keep what is).
    """

    container: str
    mount: tuple[tuple[str, Kind, str], ...] = ()  # (path, kind, object)
    unmount: tuple[str, ...] = ()  # paths
    options: dict[str, dict[str, str]] = field(default_factory=dict, hash=False)
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        edit = _Edit(pod_spec(template), find_container(template, self.container))
        leaving = [entry for entry in edit.mounts if entry.get("mountPath") in self.unmount]
        taken = {entry.get("mountPath") for entry in edit.mounts if entry not in leaving}
        for path, kind, name in self.mount:
            if path in taken:
                raise ChangeRefused(Problem("mount-path-taken", {"path": path}))
            taken.add(path)
            options = self.options.get(path, {})
            if present := self._edited(leaving, edit, path, _source(kind, name, options)):
                leaving.remove(present)
                edit.change(present, path, kind, name, options)
            else:
                edit.add(path, kind, name, options)
        for entry in leaving:
            edit.remove(entry)
        edit.write()
        return result(service, raw)

    def _edited(self, leaving: list[Raw], edit: "_Edit", path: str, source: Raw) -> Raw | None:
        """Return the mount that this one edits: that of the same path, else one of the same object that moves."""
        mounted = {one[0] for one in self.mount}
        moving = (
            entry for entry in leaving if entry.get("mountPath") not in mounted and _is_of(edit.volume(entry), source)
        )
        return next((entry for entry in leaving if entry.get("mountPath") == path), next(moving, None))

    def touches(self) -> frozenset[FieldPath]:
        paths = [path for path, _, _ in self.mount] + list(self.unmount)
        mounts = (container_path(self.container, "volumeMounts", path) for path in paths)
        return frozenset({(*POD_SPEC, "volumes"), *mounts})


class _Edit:
    """The mounts of one container and the volumes of its pod, while they are edited."""

    def __init__(self, spec: Raw, container: Raw) -> None:
        self.spec, self.container = spec, container
        self.mounts: list[Raw] = list(container.get("volumeMounts") or ())
        self.volumes: list[Raw] = list(spec.get("volumes") or ())

    def volume(self, entry: Raw) -> Raw:
        """Return the volume of a mount; empty when there is none."""
        return next((volume for volume in self.volumes if volume.get("name") == entry.get("name")), {})

    def add(self, path: str, kind: Kind, name: str, options: Options) -> None:
        """Knative's webhook makes each mount of a secret or config map read-only; so does this, as kn does."""
        volume = self._new_volume(path, kind, name, options)
        mount = _mounted({"name": volume["name"], "mountPath": path}, options)
        self.mounts.append(mount | ({"readOnly": True} if kind in ("secret", "config-map") else {}))

    def change(self, entry: Raw, path: str, kind: Kind, name: str, options: Options) -> None:
        """Give the mount another path, other options or another object."""
        present, wanted = self.volume(entry), _source(kind, name, options)
        is_same = _is_of(present, wanted) and _resourced(present, wanted) == present
        is_other = not is_same if ITEMS in options else not _is_of(present, wanted)
        if not present or (is_other and self._uses(present["name"]) > 1):
            volume = self._new_volume(path, kind, name, options)
        else:
            volume = _resourced(present, wanted)
            self.volumes[self.volumes.index(present)] = volume
        self.mounts[self.mounts.index(entry)] = _mounted({**entry, "name": volume["name"], "mountPath": path}, options)

    def remove(self, entry: Raw) -> None:
        """Take the mount away, and its volume with its last use."""
        self.mounts.remove(entry)
        if not self._uses(entry["name"]):
            self.volumes = [volume for volume in self.volumes if volume.get("name") != entry["name"]]

    def write(self) -> None:
        set_or_remove(self.container, "volumeMounts", self.mounts or None)
        set_or_remove(self.spec, "volumes", self.volumes or None)

    def _uses(self, name: str) -> int:
        containers = [*(self.spec.get("containers") or ()), *(self.spec.get("initContainers") or ())]
        elsewhere = [one.get("volumeMounts") or () for one in containers if one is not self.container]
        return sum(entry.get("name") == name for entries in (self.mounts, *elsewhere) for entry in entries)

    def _new_volume(self, path: str, kind: Kind, name: str, options: Options) -> Raw:
        taken = {str(volume.get("name")) for volume in self.volumes}
        volume = {"name": _free_name(path, taken), **_plain(_whole(_source(kind, name, options)))}
        self.volumes.append(volume)
        return volume


def _mounted(entry: Raw, options: Options) -> Raw:
    """Return the mount as the options have it; `readOnly: false` that is there already stays."""
    if bool(entry.get("readOnly")) != (READ_ONLY in options):
        set_or_remove(entry, "readOnly", READ_ONLY in options or None)
    set_or_remove(entry, "subPath", options.get(SUB_PATH))
    return entry


def _source(kind: Kind, name: str, options: Options) -> Raw:
    """Return the source of a volume, as the API has it."""
    key, named = SOURCES[kind]
    source: Raw = {named: name} if named else {}
    if ITEMS in options and kind in ("secret", "config-map"):
        source["items"] = [{"key": word, "path": file} for word, file in items_of(options[ITEMS]) or ()]
    if kind == "claim" and READ_ONLY in options:
        source["readOnly"] = True
    if kind == "empty-dir":
        source |= {
            word: options[option] for word, option in (("sizeLimit", SIZE), ("medium", MEDIUM)) if option in options
        }
    if kind == "image" and PULL_POLICY in options:
        source["pullPolicy"] = options[PULL_POLICY]
    if kind == "ephemeral":
        source["volumeClaimTemplate"] = {"spec": _claim(options)}
    return {key: source}


def _claim(options: Options) -> Raw:
    """Return the claim that Kubernetes makes for each pod, as far as the options say it."""
    claim: Raw = {"accessModes": [options[ACCESS_MODE]]} if ACCESS_MODE in options else {}
    if SIZE in options:
        claim["resources"] = {"requests": {"storage": options[SIZE]}}
    return claim | ({"storageClassName": options[STORAGE_CLASS]} if STORAGE_CLASS in options else {})


_NAMED = dict(SOURCES.values())
_SAID = {
    "emptyDir": ("sizeLimit", "medium"),
    "image": ("pullPolicy",),
}  # what an edit says of a source beside its object; all else stays


def _is_of(volume: Raw, source: Raw) -> bool:
    """The volume holds the same object."""
    ((key, wanted),) = source.items()
    present = volume.get(key)
    return present is not None and present.get(_NAMED[key]) == wanted.get(_NAMED[key])


def _resourced(volume: Raw, source: Raw) -> Raw:
    """Return the volume with this source; one of the same kind keeps what an edit does not say.

    A claim that is read-only refuses mounts that are not (Knative's validation), so that it follows its mount.
    """
    ((key, wanted),) = source.items()
    if volume.get(key) is None:
        return {"name": volume["name"], **_plain(_whole(source))}
    if key == "ephemeral":
        return {**volume, key: _reclaimed(volume[key], wanted)}
    spoken = (_NAMED[key], *_SAID.get(key, ()), *(("items",) if "items" in wanted else ()))
    kept = {word: value for word, value in volume[key].items() if word not in spoken}
    if kept.get("readOnly") and "readOnly" not in wanted:
        del kept["readOnly"]
    return _plain({**volume, key: kept | {word: value for word, value in wanted.items() if word in spoken}})


def _reclaimed(present: Raw, wanted: Raw) -> Raw:
    """Return the ephemeral source with size, class and mode as they are wanted; labels, selectors and the rest stay."""
    template = dict(present.get("volumeClaimTemplate") or {})
    said, claim = wanted["volumeClaimTemplate"]["spec"], dict(template.get("spec") or {})
    resources = dict(claim.get("resources") or {})
    requests = {**(resources.get("requests") or {}), **(said.get("resources") or {}).get("requests", {})}
    if requests:
        claim["resources"] = {**resources, "requests": requests}
    claim |= {"accessModes": said["accessModes"]} if "accessModes" in said else {}
    set_or_remove(claim, "storageClassName", said.get("storageClassName"))
    return {**present, "volumeClaimTemplate": {**template, "spec": claim}}


def _whole(source: Raw) -> Raw:
    """Return the source of a new volume: a claim has an access mode (Kubernetes' validation)."""
    claim = (source.get("ephemeral") or {}).get("volumeClaimTemplate", {}).get("spec")
    if claim is None:
        return source
    spec = {"accessModes": [READ_WRITE_ONCE], **claim}
    return {"ephemeral": {"volumeClaimTemplate": {"spec": spec}}}


def _plain(volume: Raw) -> Raw:
    """Return the volume without an empty list of keys, which means all of them."""
    emptied = ((key, value) for key, value in volume.items() if isinstance(value, dict) and value.get("items") == [])
    return volume | {key: {word: one for word, one in value.items() if word != "items"} for key, value in emptied}


def items_of(text: str) -> tuple[tuple[str, str], ...] | None:
    """Return key and file of each line `key=file`; None for a text with other lines."""
    lines = [line.partition("=") for line in text.split("\n") if line.strip()]
    pairs = tuple((key.strip(), file.strip()) for key, _equals, file in lines)
    return pairs if all(key and file for key, file in pairs) else None


def volume_name(path: str) -> str:
    """Return the name that kn gives the volume of a mount, so that kn can take it away again.

    The path with a check sum, as a DNS label (knative/client, pkg/util/corev1_helper.go, GenerateVolumeName).
    """
    words = re.sub(r"[^a-z0-9-]", "-", path.lower().removeprefix("/"))
    name = f"{words}-{hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()[:8]}"
    name = name if name[0].isalnum() else f"k-{name}"
    return name if len(name) <= 63 else f"{name[:61]}-n"


def _free_name(path: str, taken: set[str]) -> str:
    """kn's own name for the path, numbered where a volume has it."""
    name = volume_name(path)
    numbered = (f"{name[:55].strip('-')}-{index}" for index in range(1, len(taken) + 2))
    return next(word for word in (name, *numbered) if word not in taken)
