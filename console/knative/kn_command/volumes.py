"""Mounts of the first container, and the pod's volumes, as kn's flags `--mount` and `--volume`."""

from collections.abc import Iterable, Mapping
from typing import Any

from console.knative.changes.volumes import volume_name
from console.knative.kn_command.limits import KnLimit, NotInKn, refuse
from console.knative.kn_command.shell import quoted

Raw = Mapping[str, Any]
_READ_ONLY = ("secret", "configMap", "projected")  # as kn mounts them


def mount_flags(before: Raw, after: Raw) -> Iterable[str]:
    """Yield the flags that make the mounts of one pod spec of the other's; raises NotInKn.

    A mount that names its source makes a volume whose name kn finds; one that names a volume has no options.
    """
    old, new = _mounts(before), _mounts(after)
    volumes, wanted = _volumes(before), _volumes(after)
    refuse(KnLimit.MOUNT, when=any(old[key] != new[key] for key in old if key in new))
    refuse(KnLimit.MOUNT, when=any(volumes[key] != wanted[key] for key in volumes if key in wanted))
    added = [flag for path in new if path not in old for flag in _added(path, new[path], volumes, wanted)]
    yield from dict.fromkeys(added)
    refuse(KnLimit.MOUNT, when=set(wanted) - set(volumes) - {mount["name"] for mount in new.values()})
    yield from _removed(old, new, volumes, wanted)


def _mounts(pod: Raw) -> dict[str, Raw]:
    entries = ((pod.get("containers") or [{}])[0]).get("volumeMounts") or ()
    found = {str(entry.get("mountPath", "")): entry for entry in entries}
    refuse(KnLimit.MOUNT, when=len(found) != len(entries))
    return found


def _volumes(pod: Raw) -> dict[str, Raw]:
    return {str(volume.get("name", "")): volume for volume in pod.get("volumes") or ()}


def _added(path: str, mount: Raw, volumes: Mapping[str, Raw], wanted: Mapping[str, Raw]) -> Iterable[str]:
    name, below = str(mount["name"]), str(mount.get("subPath") or "")
    refuse(KnLimit.MOUNT, when=set(mount) - {"name", "mountPath", "readOnly", "subPath"} or name not in wanted)
    refuse(KnLimit.MOUNT, when="=" in path or ":" in below)
    volume = wanted[name]
    below = f"/{below}" if below else ""
    is_read_only, default = bool(mount.get("readOnly")), any(kind in volume for kind in _READ_ONLY)
    if name not in volumes and name == volume_name(path) and (source := _source(volume)).count(":") == 1:
        access = "" if is_read_only == default else f":readOnly={str(is_read_only).lower()}"
        return (f"--mount {quoted(f'{path}={source}{below}{access}')}",)
    refuse(KnLimit.MOUNT, when=is_read_only != default)
    made = () if name in volumes else (f"--volume {quoted(f'{name}={_source(volume)}')}",)
    return (*made, f"--mount {quoted(f'{path}={name}{below}')}")


def _source(volume: Raw) -> str:
    """Return the source as kn takes it: `secret:db`, `emptyDir:tmp:type=Memory,size=1Gi`."""
    match {key: value for key, value in volume.items() if key != "name"}:
        case {"secret": {"secretName": name, **rest}, **others} if not rest and not others:
            return f"secret:{name}"
        case {"configMap": {"name": name, **rest}, **others} if not rest and not others:
            return f"cm:{name}"
        case {"persistentVolumeClaim": {"claimName": name, **rest}, **others} if not rest and not others:
            return f"pvc:{name}"
        case {"emptyDir": {**folder}, **others} if not set(folder) - {"medium", "sizeLimit"} and not others:
            words = {"type": folder.get("medium"), "size": folder.get("sizeLimit")}
            options = ",".join(f"{word}={value}" for word, value in words.items() if value)
            return f"emptyDir:{volume['name']}" + (f":{options}" if options else "")
    raise NotInKn(KnLimit.MOUNT)


def _removed(
    old: Mapping[str, Raw], new: Mapping[str, Raw], volumes: Mapping[str, Raw], wanted: Mapping[str, Raw]
) -> Iterable[str]:
    """kn takes away a volume of its own name with its mount, whatever else uses it; others are named."""
    gone = [path for path in old if path not in new]
    along = {str(old[path]["name"]) for path in gone if old[path]["name"] == volume_name(path)} & set(volumes)
    left = set(volumes) - set(wanted)
    refuse(KnLimit.MOUNT, when=along - left)
    yield from (f"--mount {quoted(f'{path}-')}" for path in gone)
    yield from (f"--volume {quoted(f'{name}-')}" for name in sorted(left - along))
