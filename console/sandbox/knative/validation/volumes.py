"""The rules of volumes and of where they are mounted."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

from console.sandbox import names
from console.sandbox.crd.quantities import amount
from console.sandbox.knative.problems import Problem, Problems, both, invalid, missing, neither, under
from console.sandbox.knative.settings import Settings
from console.sandbox.knative.validation import fields
from console.sandbox.knative.validation.fields import PLAIN_VOLUMES, VOLUME_GATES, gate
from console.sandbox.knative.version import OLDEST, knative_version

Object = dict[str, Any]

RESERVED_PATHS = ("/", "/dev", "/dev/log")
WRITABLE = ("emptyDir", "persistentVolumeClaim", "ephemeral")
PROJECTIONS = ("secret", "configMap", "serviceAccountToken", "downwardAPI")
_FIRST_GATES = ("emptyDir", "persistentVolumeClaim")
# In the order in which Serving lists what it found; the word that its message uses.
_NAMED = {"image": "Image", "emptyDir": "EmptyDir", "hostPath": "HostPath", "csi": "CSI", "ephemeral": "Ephemeral"}


def volume_problems(volumes: list[Object], mounted: set[str], settings: Settings) -> Problems:
    """The problems of a revision's volumes; `mounted` are the names that containers mount."""
    problems: Problems = []
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        found: Problems = []
        name = volume["name"]
        if name in seen:
            found.append(Problem(f"duplicate volume name {names.quoted(name)}", ("name",)))
        if name not in mounted:
            found.append(Problem(f"volume with name {names.quoted(name)} not mounted", ("name",)))
        seen.add(name)
        problems += under(f"[{index}]", found + _one_volume(volume, settings))
    return problems


def _one_volume(volume: Object, settings: Settings) -> Problems:
    name, problems = volume["name"], _gate_problems(volume, settings)
    # A bad name hides what was found before it, in Serving as well.
    if not name:
        problems = [missing("name")]
    elif not names.is_dns_1123_label(name):
        problems = [invalid(name, "name")]
    problems += fields.volume_sources(volume, settings)
    given = [kind for kind in (*PLAIN_VOLUMES, *VOLUME_GATES) if kind in volume]
    for kind in given:
        problems += _SOURCES.get(kind, _nothing)(volume[kind])
    if not given:
        known = VOLUME_GATES if knative_version() > OLDEST else _FIRST_GATES
        open_kinds = [kind for kind in known if settings.is_enabled(gate(VOLUME_GATES[kind]))]
        problems.append(neither(*PLAIN_VOLUMES, *open_kinds))
    elif len(given) > 1:
        problems.append(both(*given))
    return problems


def _gate_problems(volume: Object, settings: Settings) -> Problems:
    problems: Problems = []
    if "persistentVolumeClaim" in volume:
        claim = volume["persistentVolumeClaim"]
        found = f"but found persistent volume claim {claim['claimName']}"
        if not settings.is_enabled(gate("persistent-volume-claim")):
            problems.append(Problem(f"Persistent volume claim support is disabled, {found}", ()))
        if not claim.get("readOnly") and not settings.is_enabled(gate("persistent-volume-write")):
            problems.append(Problem(f"Persistent volume write support is disabled, {found} that is not read-only", ()))
    for kind, word in _NAMED.items():
        if kind in volume and not settings.is_enabled(gate(VOLUME_GATES[kind])):
            why = f"{word} volume support is disabled, but found {word} volume {volume['name']}"
            problems.append(Problem(why, ()))
    return problems


def _nothing(_: Object) -> Problems:
    return []


def _items(source: Object) -> Problems:
    problems: Problems = []
    for index, item in enumerate(source.get("items") or []):
        problems += under(f"items[{index}]", [missing(key) for key in ("key", "path") if not item[key]])
    return problems


def _empty_dir(source: Object) -> Problems:
    problems: Problems = []
    if source.get("medium", "") not in ("", "Memory"):
        problems.append(invalid(source["medium"], "medium"))
    if "sizeLimit" in source and amount(source["sizeLimit"]) < 0:
        problems.append(invalid(source["sizeLimit"], "sizeLimit"))
    return under("emptyDir", problems)


def _image(source: Object) -> Problems:
    problems = [] if source.get("reference") else [missing("reference")]
    policy = source.get("pullPolicy", "")
    if policy not in ("", "IfNotPresent", "Always", "Never"):
        problems.append(invalid(policy, "pullPolicy"))
    return under("image", problems)


def _projected(source: Object) -> Problems:
    problems: Problems = []
    for index, projection in enumerate(source["sources"] or []):
        problems += under(f"projected[{index}]", _projection(projection))
    return problems


def _projection(projection: Object) -> Problems:
    given = [kind for kind in PROJECTIONS if kind in projection]
    problems: Problems = []
    for kind in given:
        problems += under(kind, _PROJECTIONS[kind](projection[kind]))
    if not given:
        problems.append(neither(*PROJECTIONS))
    elif len(given) > 1:
        problems.append(both(*given))
    return problems


def _named_items(source: Object) -> Problems:
    return ([] if source.get("name") else [missing("name")]) + _items(source)


def _token(source: Object) -> Problems:
    return [] if source["path"] else [missing("path")]


def _downward(source: Object) -> Problems:
    problems: Problems = []
    for index, item in enumerate(source.get("items") or []):
        found: Problems = []
        given = [kind for kind in ("resourceFieldRef", "fieldRef") if kind in item]
        if not given:
            found.append(neither("fieldRef", "resourceFieldRef"))
        if len(given) == 2:
            found.append(Problem("Within a single item, cannot set both", tuple(given)))
        if not item["path"]:
            found.append(missing("path"))
        problems += under(f"items[{index}]", found)
    return problems


_SOURCES: dict[str, Callable[[Object], Problems]] = {
    "secret": _items,
    "configMap": _items,
    "projected": _projected,
    "emptyDir": _empty_dir,
    "image": _image,
}
_PROJECTIONS: dict[str, Callable[[Object], Problems]] = {
    "secret": _named_items,
    "configMap": _named_items,
    "serviceAccountToken": _token,
    "downwardAPI": _downward,
}


def mount_problems(mounts: list[Object], volumes: dict[str, Object], settings: Settings) -> Problems:
    """The problems of a container's mounts of the volumes."""
    problems: Problems = []
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        volume = volumes.get(mount["name"])
        found = _path_problems(mount["mountPath"], seen)
        if volume is None:
            found.append(Problem("volumeMount has no matching volume", ("name",)))
        found += _writing_problems(mount, volume or {}) + _propagation_problems(mount, settings)
        problems += under(f"[{index}]", found)
    return problems


def _path_problems(path: str, seen: set[str]) -> Problems:
    clean = _clean(path)
    was_seen = clean in seen
    seen.add(clean)
    if not path:
        return [missing("mountPath")]
    if clean in RESERVED_PATHS:
        return [Problem(f"mountPath {names.quoted(clean)} is a reserved path", ("mountPath",))]
    if not path.startswith("/"):
        return [invalid(path, "mountPath")]
    return [invalid(f"{names.quoted(path)} must be unique", "mountPath")] if was_seen else []


def _clean(path: str) -> str:
    """As Go's path.Clean: Python's keeps two leading slashes."""
    clean = posixpath.normpath(path) if path else "."
    return f"/{clean.lstrip('/')}" if clean.startswith("/") else clean


def _writing_problems(mount: Object, volume: Object) -> Problems:
    problems: Problems = []
    if not mount.get("readOnly") and not any(kind in volume for kind in WRITABLE):
        problems.append(Problem("volume mount should be readOnly for this type of volume", ("readOnly",)))
    if (volume.get("persistentVolumeClaim") or {}).get("readOnly") and not mount.get("readOnly"):
        problems.append(Problem("volume is readOnly but volume mount is not", ("readOnly",)))
    return problems


def _propagation_problems(mount: Object, settings: Settings) -> Problems:
    if "mountPropagation" not in mount:
        return []
    name = gate("volumes-mount-propagation")
    problems = [] if settings.is_open(name) else fields.closed(mount, ("mountPropagation",))
    if not settings.is_enabled(name):
        found = f"but found volume mount {mount['name']} with mount propagation"
        problems.append(Problem(f"Volume Mount Propagation support is disabled, {found}", ()))
    if mount["mountPropagation"] not in ("None", "HostToContainer"):
        why = "mount propagation should be set to None or HostToContainer"
        problems.append(Problem(why, ("mountPropagation",)))
    return problems
