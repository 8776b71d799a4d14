"""What a mounted volume is: the secret or config map behind it, not only the volume's own name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from console.knative.containers import Container, Raw

# By key of a volume, and of a source of a projected one: the word for it, and what tells which one.
_WORDS = {
    "secret": ("secret", "secretName"),
    "configMap": ("config map", "name"),
    "persistentVolumeClaim": ("claim", "claimName"),
    "emptyDir": ("empty directory", ""),
    "image": ("image", "reference"),
    "ephemeral": ("ephemeral volume", ""),
}
_PROJECTED = {
    "secret": ("secret", "name"),
    "configMap": ("config map", "name"),
    "serviceAccountToken": ("service account token", ""),
    "downwardAPI": ("downward API", ""),
}


@dataclass(frozen=True, slots=True)
class Mount:
    """A path of a container, and what is there: `secret db`, `config map flags`, or the volume's name alone."""

    path: str
    source: str
    is_read_only: bool


def mounts(pod_spec: Raw, container: Container) -> tuple[Mount, ...]:
    """Return what a container mounts, in its order."""
    by_name = {str(one.get("name", "")): one for one in pod_spec.get("volumes") or ()}
    return tuple(
        Mount(
            str(raw.get("mountPath", "")),
            _of_volume(by_name.get(str(raw.get("name", "")), {})) or str(raw.get("name", "")),
            bool(raw.get("readOnly")),
        )
        for raw in container.raw.get("volumeMounts") or ()
    )


def _of_volume(volume: Mapping[str, Any]) -> str:
    """The source of a volume; empty for one of a kind that is not known here."""
    if isinstance(projected := volume.get("projected"), Mapping):
        return ", ".join(part for source in projected.get("sources") or () for part in _words(source, _PROJECTED))
    return next(iter(_words(volume, _WORDS)), "")


def _words(raw: Mapping[str, Any], known: Mapping[str, tuple[str, str]]) -> Iterable[str]:
    for key, (word, field) in known.items():
        if isinstance(raw.get(key), Mapping):
            yield f"{word} {raw[key].get(field, '')}".strip()
