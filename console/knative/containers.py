"""The containers of a pod spec and their variables, as views over the JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Raw = Mapping[str, Any]

# By key of valueFrom: the word for it, and what tells which one.
_SOURCES = {
    "secretKeyRef": ("secret", "name", "key"),
    "configMapKeyRef": ("config map", "name", "key"),
    "fieldRef": ("field", "fieldPath"),
    "resourceFieldRef": ("resource", "resource"),
}
_KEYS: Mapping[str, Literal["secret", "config-map"]] = {"secretKeyRef": "secret", "configMapKeyRef": "config-map"}


@dataclass(frozen=True, slots=True)
class EnvVar:
    """One entry of a container's env: a literal value, or where the value comes from."""

    raw: Raw

    @property
    def name(self) -> str:
        return str(self.raw.get("name", ""))

    @property
    def value(self) -> str | None:
        """The literal value (an absent one is empty, as Kubernetes has it); None when it comes from elsewhere."""
        return None if "valueFrom" in self.raw else str(self.raw.get("value", ""))

    @property
    def source(self) -> str:
        """`secret db/password`, `config map app/url`, `field metadata.name`; empty for a literal value."""
        origin = self.raw.get("valueFrom") or {}
        if not isinstance(origin, Mapping):
            return "reference"
        for key, reference in origin.items():
            if isinstance(reference, Mapping) and key in _SOURCES:
                word, *parts = _SOURCES[key]
                return f"{word} " + "/".join(str(reference.get(part, "")) for part in parts)
        return "reference " + ", ".join(map(str, origin)) if origin else ""

    @property
    def kind(self) -> Literal["", "secret", "config-map", "other"]:
        """The kind of source: a literal, a key of a secret or config map, or something that forms leave alone."""
        origin = self.raw.get("valueFrom") or {}
        for key, word in _KEYS.items():
            if isinstance(origin, Mapping) and isinstance(origin.get(key), Mapping):
                return word
        return "other" if origin else ""

    @property
    def reference(self) -> str:
        """`NAME/KEY` of a value that is a key of a secret or config map."""
        origin = self.raw.get("valueFrom") or {}
        found = [origin[key] for key in _KEYS if isinstance(origin, Mapping) and isinstance(origin.get(key), Mapping)]
        return f"{found[0].get('name', '')}/{found[0].get('key', '')}" if found else ""


@dataclass(frozen=True, slots=True)
class Container:
    """One entry of spec.containers."""

    raw: Raw

    @property
    def name(self) -> str:
        return str(self.raw.get("name", ""))

    @property
    def image(self) -> str:
        return str(self.raw.get("image", ""))

    @property
    def env(self) -> tuple[EnvVar, ...]:
        return tuple(EnvVar(raw) for raw in self.raw.get("env") or ())

    @property
    def env_from(self) -> tuple[str, ...]:
        """`secret NAME` and `config map NAME` of envFrom, with the prefix when there is one."""
        found = []
        for raw in self.raw.get("envFrom") or ():
            word, key = ("secret", "secretRef") if "secretRef" in raw else ("config map", "configMapRef")
            prefix = f" ({raw['prefix']}…)" if raw.get("prefix") else ""
            found.append(f"{word} {(raw.get(key) or {}).get('name', '')}{prefix}")
        return tuple(found)

    @property
    def serves(self) -> bool:
        """The one container with a port, or the only one, takes the requests (Knative's runtime contract)."""
        return bool(self.raw.get("ports"))


def containers_of(pod_spec: Raw) -> tuple[Container, ...]:
    """Return the containers of a pod spec, in its order."""
    return tuple(Container(raw) for raw in pod_spec.get("containers") or ())


def user_container_of(containers: tuple[Container, ...]) -> Container | None:
    """Return the container that takes the requests; None where there is none at all."""
    return next((container for container in containers if container.serves), containers[0] if containers else None)


def is_sidecar(container: Container, containers: tuple[Container, ...]) -> bool:
    """Whether the container takes no requests: one of several, and another has the port."""
    serving = user_container_of(containers)
    return serving is not None and container.name != serving.name
