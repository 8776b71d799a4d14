"""What Knative's defaulting webhook fills in (pkg/apis/serving/v1/*_defaults.go), after Go has read the object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from console.sandbox.crd.decoding import check
from console.sandbox.crd.reading import with_defaults, without_nulls
from console.sandbox.crd.round_trip import round_trip
from console.sandbox.knative.kinds import kinds
from console.sandbox.knative.settings import ROOT_BOUNDED, SECURE_DEFAULTS, Settings
from console.sandbox.knative.version import OLDEST, knative_version

UNSET = Settings()
Object = dict[str, Any]

RESOURCES = ("cpu", "memory", "ephemeral-storage")
WRITABLE_VOLUMES = ("emptyDir", "persistentVolumeClaim", "ephemeral")
HANDLERS = ("tcpSocket", "httpGet", "exec", "grpc")


def read(obj: Object) -> Object:
    """The object as Go reads and writes it; raises crd.decoding.WrongType."""
    kind = kinds()[obj["kind"]]
    given = with_defaults(kind, without_nulls(kind, obj))
    check(kind, given)
    written: Object = round_trip(kind, given)
    return written


def completed(obj: Object) -> Object:
    """The object with the schema's defaults, which the API server fills in again after the webhook."""
    result: Object = with_defaults(kinds()[obj["kind"]], obj)
    return result


@dataclass(frozen=True, slots=True)
class Defaults:
    """Fills in one object that Go has read; `old` is what an update replaces."""

    settings: Settings = UNSET
    old: Object | None = None

    def service(self, service: Object) -> Object:
        """The Service with every default that the webhook writes; the given one stays as it is."""
        spec = service["spec"]
        traffic = spec.get("traffic") or [{"latestRevision": True, "percent": 100}]
        return service | {"spec": self._template_holder(spec) | {"traffic": [_target(target) for target in traffic]}}

    def configuration(self, configuration: Object) -> Object:
        """The Configuration with its defaults."""
        return configuration | {"spec": self._template_holder(configuration["spec"])}

    def route(self, route: Object) -> Object:
        """The Route with its defaults; it names no target by itself."""
        spec = route["spec"]
        traffic = [_target(target) for target in spec.get("traffic") or []]
        return route | {"spec": spec | ({"traffic": traffic} if traffic else {})}

    def revision(self, revision: Object) -> Object:
        """A new Revision with its defaults; one that is there stays as it is."""
        return revision | {"spec": self.revision_spec(revision["spec"])} if self.old is None else revision

    def _template_holder(self, spec: Object) -> Object:
        """The part that Service and Configuration share. A revision that keeps its own name is left alone."""
        template = spec["template"]
        name = template["metadata"].get("name")
        before = ((self.old or {}).get("spec") or {}).get("template") or {}
        if name and name == (before.get("metadata") or {}).get("name"):
            return spec
        return spec | {"template": template | {"spec": self.revision_spec(template["spec"])}}

    def revision_spec(self, spec: Object) -> Object:
        """Timeouts, concurrency, container names, probes, resources, security and service links."""
        filled = spec | dict(self._times(spec))
        filled.setdefault("containerConcurrency", self.settings.concurrency)
        containers, inits = spec["containers"] or [], spec.get("initContainers") or []
        taken = {container["name"] for container in (*containers, *inits)}
        named = _named(containers, taken, self.settings.container_name("user"))
        if named:
            filled["containers"] = [self._container(each, len(named), spec) for each in named]
            filled |= self._service_links(spec)
        if inits:
            named_inits = _named(inits, taken, self.settings.container_name("init"))
            filled["initContainers"] = [self._secured(each, spec) for each in named_inits]
        return filled

    def _times(self, spec: Object) -> Iterator[tuple[str, int]]:
        timeout = spec.get("timeoutSeconds") or self.settings.timeout_seconds
        yield "timeoutSeconds", timeout
        for field, seconds in (
            ("idleTimeoutSeconds", self.settings.idle_timeout_seconds),
            ("responseStartTimeoutSeconds", self.settings.response_start_timeout_seconds),
        ):
            if field not in spec and seconds and seconds < timeout:
                yield field, seconds

    def _service_links(self, spec: Object) -> Object:
        links = self.settings.service_links
        is_left_alone = "enableServiceLinks" in spec or self.old is not None or links is None
        return {} if is_left_alone else {"enableServiceLinks": links}

    def _container(self, container: Object, count: int, spec: Object) -> Object:
        filled = container | {"resources": self._resources(container["resources"])}
        if count == 1 or container.get("ports"):
            filled["readinessProbe"] = _with_handler(container.get("readinessProbe") or {})
        if "readinessProbe" in filled:
            filled["readinessProbe"] = _probe(filled["readinessProbe"])
        if container.get("volumeMounts"):
            writable = {
                volume["name"]
                for volume in spec.get("volumes") or []
                if any(kind in volume for kind in WRITABLE_VOLUMES)
            }
            filled["volumeMounts"] = [
                mount if mount["name"] in writable else mount | {"readOnly": True}
                for mount in container["volumeMounts"]
            ]
        return self._secured(filled, spec)

    def _resources(self, resources: Object) -> Object:
        filled = dict(resources)
        for field, kind in (("requests", "request"), ("limits", "limit")):
            wanted = {name: self.settings.amount(kind, name) for name in RESOURCES}
            given = {name: amount for name, amount in wanted.items() if amount} | resources.get(field, {})
            if given:
                filled[field] = given
        return filled

    def _secured(self, container: Object, spec: Object) -> Object:
        """secure-pod-defaults: what is not said is the safe value."""
        if not self.settings.has_secure_defaults:
            return container
        pod = spec.get("securityContext") or {}
        context = {"allowPrivilegeEscalation": False} | (container.get("securityContext") or {})
        if not (pod.get("seccompProfile") or {}).get("type"):
            profile = context.get("seccompProfile") or {}
            context["seccompProfile"] = profile | {"type": profile.get("type") or "RuntimeDefault"}
        if "capabilities" not in context:
            needs_low_port = any(port["containerPort"] < 1024 for port in container.get("ports") or [])
            context["capabilities"] = {"drop": ["ALL"]} | ({"add": ["NET_BIND_SERVICE"]} if needs_low_port else {})
        if self.settings.flag(SECURE_DEFAULTS) != ROOT_BOUNDED and "runAsNonRoot" not in pod:
            is_kept = "runAsNonRoot" in context and knative_version() > OLDEST
            context["runAsNonRoot"] = context["runAsNonRoot"] if is_kept else True
        return container | {"securityContext": context}


def _named(containers: list[Object], taken: set[str], name: str) -> list[Object]:
    """The containers with names; several, or one whose name is taken, are numbered."""
    result, number = [], 0
    for container in containers:
        chosen = container["name"] or name
        if not container["name"] and (len(containers) > 1 or name in taken):
            while (chosen := f"{name}-{number}") in taken:
                number += 1
            number += 1
        result.append(container | {"name": chosen})
    return result


def _with_handler(probe: Object) -> Object:
    return probe if any(handler in probe for handler in HANDLERS) else probe | {"tcpSocket": {"port": 0}}


def _probe(probe: Object) -> Object:
    filled = {"successThreshold": 1} | probe
    if "periodSeconds" in probe:  # a probe of Kubernetes' own kind takes Kubernetes' defaults
        filled = {"timeoutSeconds": 1, "failureThreshold": 3} | filled
    return filled


def _target(target: Object) -> Object:
    return {"latestRevision": not target.get("revisionName"), "percent": 0} | target
