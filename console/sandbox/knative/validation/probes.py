"""The rules of probes."""

from __future__ import annotations

from typing import Any

from console.sandbox.knative.problems import Problem, Problems, both, invalid, neither, out_of_bounds, under
from console.sandbox.knative.settings import SIDECAR_PROBES, Settings
from console.sandbox.knative.validation.fields import closed
from console.sandbox.knative.version import OLDEST, knative_version

Object = dict[str, Any]

MAX_INT_32 = 2147483647
HANDLERS = ("httpGet", "tcpSocket", "exec", "grpc")
_NUMBERS = (
    "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold",
)  # fmt: skip


def serving_probes(container: Object, port_name: str) -> Problems:
    """The problems of the probes of the container that answers requests; `port_name` is its port's."""
    problems = under("livenessProbe", _probe(container.get("livenessProbe"), port_name))
    problems += under("readinessProbe", _readiness(container.get("readinessProbe"), port_name))
    if knative_version() > OLDEST:
        problems += under("startupProbe", _probe(container.get("startupProbe"), port_name))
    return problems


def sidecar_probes(container: Object, settings: Settings) -> Problems:
    """The problems of the probes of the other containers, which have them behind a gate."""
    kinds = ["livenessProbe", "readinessProbe", *(["startupProbe"] if knative_version() > OLDEST else [])]
    if not settings.is_enabled(SIDECAR_PROBES):
        return [problem for kind in kinds for problem in under(kind, _nothing_set(container.get(kind) or {}))]
    problems: Problems = []
    for kind in kinds:
        check = _readiness if kind == "readinessProbe" else _probe
        problems += under(kind, check(container.get(kind), None))
    return problems


def _nothing_set(probe: Object) -> Problems:
    problems = closed(probe, _NUMBERS)
    if any(handler in probe for handler in HANDLERS):  # they are embedded in Go's probe and have no name of their own
        problems.append(Problem("must not set the field(s)", ("",)))
    return problems


def _probe(probe: Object | None, port_name: str | None) -> Problems:
    """`port_name` is None for a sidecar, which has to name a port of its own."""
    if probe is None:
        return []
    problems: Problems = []
    given = [handler for handler in HANDLERS if handler in probe]
    for handler in given:
        problems = under(handler, problems)  # as Serving does: what was found before counts as the handler's
        if handler in ("httpGet", "tcpSocket"):
            problems += _port(handler, probe[handler]["port"], port_name)
    names = ["gRPC" if handler == "grpc" else handler for handler in given]
    if not given:
        problems.append(neither(*HANDLERS))
    elif len(given) > 1:
        problems.append(both(*names))
    return problems


def _port(handler: str, port: str | int, port_name: str | None) -> Problems:
    if port_name is None:
        return [] if port else [invalid(port, f"{handler}.port", "Probe port must be specified")]
    if isinstance(port, str) and port and port != port_name:
        return [invalid(port, f"{handler}.port", "Probe port must match container port")]
    return []


def _readiness(probe: Object | None, port_name: str | None) -> Problems:
    if probe is None:
        return []
    problems = _probe(probe, port_name)
    for field, lowest in (("periodSeconds", 0), ("initialDelaySeconds", 0), ("successThreshold", 1)):
        problems += _at_least(probe, field, lowest)
    if probe.get("periodSeconds"):
        return problems + _at_least(probe, "timeoutSeconds", 1) + _at_least(probe, "failureThreshold", 1)
    for field in (
        "failureThreshold",
        "timeoutSeconds",
    ):  # zero means Knative's own probe, which retries on its own terms
        if field in probe:
            problems.append(Problem(f"{field} is disallowed when periodSeconds is zero", (field,)))
    return problems


def _at_least(probe: Object, field: str, lowest: int) -> Problems:
    value = probe.get(field, 0)
    return [out_of_bounds(value, lowest, MAX_INT_32, field)] if value < lowest else []
