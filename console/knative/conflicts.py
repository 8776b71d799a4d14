"""Values that are legal each by itself and that Knative's webhook, or Kubernetes for its pods, refuses together.

Sources: serving, pkg/apis/autoscaling/annotation_validation.go and pkg/apis/serving/k8s_validation.go; of requests and
limits, Kubernetes' ValidateContainerResourceRequirements, which refuses every pod of such a revision. What they take is
accepted here as well, however odd: an initial scale above the max scale, a response start timeout above the timeout.
What a service has already is refused only when one of the values is another one now.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.knative import validation
from console.knative.changes.template import scale_spelling
from console.knative.containers import Container, user_container_of
from console.knative.objects import Service
from console.knative.problems import Problem

# serving, k8s_validation.go: reservedPorts of every release from 0.42 on
RESERVED_PORTS = frozenset({8008, 8012, 8013, 8022, 9090, 9091})
RESERVED_PATHS = frozenset({"/", "/dev", "/dev/log"})  # of mounts, there as well
_PORT_NAME = "http"  # of a port without a name
_PROBES = {"readiness": "readinessProbe", "liveness": "livenessProbe"}  # whose ports every release checks
_COUNTS = ("timeoutSeconds", "failureThreshold")  # of a readiness probe that has a period

Place = tuple[str, str]  # (container, or nothing for the service; field of the forms)
Values = Mapping[Place, Any]


@dataclass(frozen=True, slots=True)
class _Conflict:
    """Values that are refused together; `places` in the order in which a problem is told beside one of them."""

    code: str
    facts: Mapping[str, Any]
    places: tuple[Place, ...]


def conflict(after: Service, before: Service) -> Problem | None:
    """Return the first conflict in which the change from `before` has a part, beside the field that it changes."""
    values, known = _values(after), _values(before)
    for found in _conflicts(after, values):
        for container, field in found.places:
            if values.get((container, field)) != known.get((container, field)):
                return Problem(found.code, found.facts, field=field, container=container)
    return None


def _values(service: Service) -> Values:
    """What the service has, by the place where a form shows it; one that it leaves out is not in it."""
    annotations = service.template_annotations
    found: dict[Place, Any] = {("", name): annotations.get(scale_spelling(annotations, name)) for name in _SCALES}
    for name, container in _named(service):
        found |= {(name, field): value for field, value in _of_container(container)}
    return {place: value for place, value in found.items() if value}


def _named(service: Service) -> list[tuple[str, Container]]:
    """Return the containers with their names, or their numbers where the webhook names them later."""
    several = len(service.containers) > 1
    return [(one.name or (str(at) if several else ""), one) for at, one in enumerate(service.containers)]


def _of_container(container: Container) -> Iterator[tuple[str, Any]]:
    raw, resources = container.raw, container.raw.get("resources") or {}
    for kind in ("request", "limit"):
        for name in ("cpu", "memory"):
            yield f"{name}_{kind}", (resources.get(f"{kind}s") or {}).get(name)
    for field, name in _PROBES.items():
        yield field, raw.get(name)
    yield "mounts", [_clean(str(mount.get("mountPath", ""))) for mount in raw.get("volumeMounts") or []]
    ports = raw.get("ports") or []
    yield "port", [port.get("containerPort") for port in ports]
    yield "protocol", next((port.get("name") for port in ports), None)


def _conflicts(service: Service, values: Values) -> Iterator[_Conflict]:
    yield from _of_scales(values)
    names = [name for name, _container in _named(service)]
    yield from _of_ports(names, values)
    serving = user_container_of(service.containers)
    for name, container in _named(service):
        yield from _of_resources(name, values)
        yield from _of_mounts(name, values)
        yield from _of_readiness(name, values)
        if container == serving:
            yield from _of_probed_ports(name, values)


_SCALES = ("min", "max", "activation")


def _of_scales(values: Values) -> Iterator[_Conflict]:
    """A max scale of 0 is none."""
    low, high, activation = (_count(values.get(("", name))) for name in _SCALES)
    if high and low and low > high:
        yield _Conflict("scale-min-above-max", {"min": low, "max": high}, (("", "max"), ("", "min")))
    if activation and low and low > activation:
        facts = {"min": low, "activation": activation}
        yield _Conflict("scale-min-above-activation", facts, (("", "activation"), ("", "min")))
    if activation and high and activation > high:
        facts = {"activation": activation, "max": high}
        yield _Conflict("scale-activation-above-max", facts, (("", "activation"), ("", "max")))


def _count(text: Any) -> int:
    """Return the number; 0 if there is none or it is not a number, which others refuse."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdecimal() else 0


def _of_ports(names: Sequence[str], values: Values) -> Iterator[_Conflict]:
    """A revision has one port: that of the container that requests reach."""
    ports = {name: values.get((name, "port")) or [] for name in names}
    for name, numbers in ports.items():
        for number in RESERVED_PORTS.intersection(numbers):
            yield _Conflict("port-reserved", {"port": number}, ((name, "port"),))
    count = sum(map(len, ports.values()))
    if count > 1:
        having = ", ".join(name for name, numbers in ports.items() if numbers)
        yield _Conflict("port-second", {"containers": having}, tuple((name, "port") for name in names))
    elif not count and len(names) > 1:
        yield _Conflict("port-none", {}, tuple((name, "port") for name in names))


def _of_resources(container: str, values: Values) -> Iterator[_Conflict]:
    for name in ("cpu", "memory"):
        places = (container, f"{name}_request"), (container, f"{name}_limit")
        request, limit = (str(values.get(place, "")) for place in places)
        if any(not text or validation.quantity(text) for text in (request, limit)):
            continue
        if validation.amount(request) > validation.amount(limit):
            yield _Conflict("request-above-limit", {"request": request, "limit": limit}, places)


def _of_mounts(container: str, values: Values) -> Iterator[_Conflict]:
    place = (container, "mounts")
    paths = values.get(place) or []
    for path in paths:
        if path in RESERVED_PATHS:
            yield _Conflict("mount-reserved", {"path": path}, (place,))
        if paths.count(path) > 1:
            yield _Conflict("line-double", {"name": path}, (place,))


def _clean(path: str) -> str:
    """Return the path as Go's path.Clean writes it: Python keeps two slashes at the beginning."""
    return posixpath.normpath(f"/{path.lstrip('/')}" if path.startswith("/") else path)


def _of_readiness(container: str, values: Values) -> Iterator[_Conflict]:
    """Knative asks a probe without a period by itself, on its own terms (k8s_validation.go: validateReadinessProbe)."""
    place = (container, "readiness")
    probe = values.get(place) or {}
    if not probe.get("periodSeconds") and any(probe.get(name) for name in _COUNTS):
        yield _Conflict("probe-without-period", {}, (place,))


def _of_probed_ports(container: str, values: Values) -> Iterator[_Conflict]:
    """A probe of the serving container may name its port only as it is named."""
    name = values.get((container, "protocol")) or _PORT_NAME
    for field in _PROBES:
        probe = values.get((container, field)) or {}
        for handler in ("httpGet", "tcpSocket"):
            port = (probe.get(handler) or {}).get("port")
            if isinstance(port, str) and port and port != name:
                facts = {"port": port, "name": name}
                yield _Conflict("probe-other-port", facts, ((container, field), (container, "protocol")))
