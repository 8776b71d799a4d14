"""Changes inside one container of the template."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from console.knative.changes.base import (
    Change,
    edited_template,
    find_container,
    result,
    set_or_remove,
)
from console.knative.changes.lists import edit_list
from console.knative.objects import Service
from console.knative.paths import FieldPath, container_path


class EnvSource(NamedTuple):
    """All keys of a secret or config map as variables. A tuple, so that changes kept by older versions are read."""

    kind: Literal["secret", "config-map"]
    name: str
    prefix: str = ""
    optional: bool = False

    def to_raw(self) -> dict[str, Any]:
        reference = {"name": self.name, **({"optional": True} if self.optional else {})}
        return {**({"prefix": self.prefix} if self.prefix else {}), _REFERENCE[self.kind]: reference}


_REFERENCE = {"secret": "secretRef", "config-map": "configMapRef"}


def env_source(raw: Mapping[str, Any]) -> EnvSource | None:
    """Return what an entry of envFrom says; None for one that says more."""
    kind: Literal["secret", "config-map"] = "secret" if "secretRef" in raw else "config-map"
    reference = raw.get(_REFERENCE[kind]) or {}
    if set(raw) - {"prefix", _REFERENCE[kind]} or set(reference) - {"name", "optional"}:
        return None
    return EnvSource(
        kind, str(reference.get("name", "")), str(raw.get("prefix") or ""), bool(reference.get("optional"))
    )


@dataclass(frozen=True, slots=True)
class SetEnvFrom(Change):
    """Add and remove whole secrets and config maps as environment. `order` is the whole list where it matters."""

    container: str
    add: tuple[EnvSource, ...] = ()
    remove: tuple[EnvSource, ...] = ()
    order: tuple[EnvSource, ...] = ()
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        container = find_container(template, self.container)
        edited = edit_list(
            container.get("envFrom") or (),
            key=env_source,
            make=EnvSource.to_raw,
            add=self.add,
            remove=self.remove,
            order=self.order,
        )
        set_or_remove(container, "envFrom", edited or None)
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({container_path(self.container, "envFrom")})


@dataclass(frozen=True, slots=True)
class SetCommand(Change):
    """Replace the entrypoint or its arguments; empty means the image's own, None leaves it as it is."""

    container: str
    command: tuple[str, ...] | None = None
    arguments: tuple[str, ...] | None = None
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        container = find_container(template, self.container)
        for field, words in self._wanted().items():
            set_or_remove(container, field, list(words) or None)
        return result(service, raw)

    def _wanted(self) -> dict[str, tuple[str, ...]]:
        wanted = {"command": self.command, "args": self.arguments}
        return {field: words for field, words in wanted.items() if words is not None}

    def touches(self) -> frozenset[FieldPath]:
        return frozenset(container_path(self.container, field) for field in self._wanted())


@dataclass(frozen=True, slots=True)
class SetPort(Change):
    """The port that takes requests, and its protocol: http1 or h2c. What else the entry holds stays."""

    container: str
    port: int | None
    protocol: Literal["", "http1", "h2c"] = ""
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        container = find_container(template, self.container)
        if self.port is None:
            container.pop("ports", None)
            return result(service, raw)
        first, *others = container.get("ports") or [{}]
        port = {**first, "containerPort": self.port}
        set_or_remove(port, "name", self.protocol or None)
        container["ports"] = [port, *others]
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({container_path(self.container, "ports")})


@dataclass(frozen=True, slots=True)
class SetResources(Change):
    """Requests and limits by resource name; None removes one, resources that are not named stay."""

    container: str
    requests: dict[str, str | None]
    limits: dict[str, str | None]
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        container = find_container(template, self.container)
        resources = dict(container.get("resources") or {})
        for kind, wanted in (("requests", self.requests), ("limits", self.limits)):
            values = dict(resources.get(kind) or {})
            for name, value in wanted.items():
                set_or_remove(values, name, value)
            set_or_remove(resources, kind, values or None)
        if resources or "resources" in container:
            container["resources"] = resources
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        wanted = [("requests", name) for name in self.requests] + [("limits", name) for name in self.limits]
        return frozenset(container_path(self.container, "resources", kind, name) for kind, name in wanted)


@dataclass(frozen=True, slots=True)
class SetProbe(Change):
    """Replace a probe; None removes it (Knative then probes the port by TCP)."""

    container: str
    which: Literal["readinessProbe", "livenessProbe", "startupProbe"]
    probe: dict[str, Any] | None
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        set_or_remove(find_container(template, self.container), self.which, self.probe)
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({container_path(self.container, self.which)})


@dataclass(frozen=True, slots=True)
class SetPullPolicy(Change):
    """When the node fetches the image; empty restores the cluster's default."""

    container: str
    policy: Literal["", "Always", "IfNotPresent", "Never"]
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        set_or_remove(find_container(template, self.container), "imagePullPolicy", self.policy or None)
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({container_path(self.container, "imagePullPolicy")})


@dataclass(frozen=True, slots=True)
class SetUser(Change):
    """The user id that the container runs as; None leaves it to the image. The rest of its security context stays."""

    container: str
    uid: int | None
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        container = find_container(template, self.container)
        context = dict(container.get("securityContext") or {})
        set_or_remove(context, "runAsUser", self.uid)
        set_or_remove(container, "securityContext", context or None)
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({container_path(self.container, "securityContext", "runAsUser")})
