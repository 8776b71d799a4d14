"""The rules of a revision's pod: its containers together, its volumes, its own fields."""

from __future__ import annotations

from typing import Any

from console.sandbox import names
from console.sandbox.knative.problems import Problem, Problems, invalid, missing, out_of_bounds, under
from console.sandbox.knative.settings import MULTI_CONTAINER, Settings
from console.sandbox.knative.validation import fields
from console.sandbox.knative.validation.containers import MAX_ID, container_problems, id_problems
from console.sandbox.knative.validation.fields import gate
from console.sandbox.knative.validation.probes import serving_probes, sidecar_probes
from console.sandbox.knative.validation.volumes import volume_problems

Object = dict[str, Any]


def pod_problems(spec: Object, settings: Settings) -> Problems:
    """The problems of a revision's pod, their paths relative to its spec."""
    containers, inits = spec["containers"] or [], spec.get("initContainers") or []
    volumes = {volume["name"]: volume for volume in spec.get("volumes") or []}
    mounted = {mount["name"] for one in (*inits, *containers) for mount in one.get("volumeMounts") or []}
    problems = fields.pod_fields(spec, settings)
    problems += under("securityContext", _security_problems(spec.get("securityContext") or {}, settings))
    problems += under("volumes", volume_problems(spec.get("volumes") or [], mounted, settings))
    problems += _init_problems(inits, containers, volumes, settings)
    problems += under("containers[*]", _port_count_problems(containers))
    problems += _containers_problems(containers, volumes, settings)
    account = spec.get("serviceAccountName", "")
    if account:
        problems += [invalid(account, "serviceAccountName", wrong) for wrong in names.subdomain_problems(account)]
    return problems


def _security_problems(context: Object, settings: Settings) -> Problems:
    problems = fields.pod_security_fields(context, settings)
    problems += id_problems(context, "runAsUser", "runAsGroup", "fsGroup")
    for index, group in enumerate(context.get("supplementalGroups") or []):
        if not 0 <= group <= MAX_ID:
            problems.append(out_of_bounds(group, 0, MAX_ID, f"supplementalGroups[{index}]"))
    return problems


def _port_count_problems(containers: list[Object]) -> Problems:
    count = sum(len(container.get("ports") or []) for container in containers)
    if count == 0 and len(containers) > 1:
        return [missing("ports")]
    if count > 1:
        details = "Only a single port is allowed across all containers"
        return [Problem("more than one container port is set", ("ports",), details)]
    return []


def _port_name(containers: list[Object]) -> str:
    """The name of the port that requests come to, as probes may use it."""
    ports = [container["ports"][0] for container in containers if container.get("ports")]
    return (ports[-1].get("name") or "http") if ports else "http"


def _containers_problems(containers: list[Object], volumes: dict[str, Object], settings: Settings) -> Problems:
    if not containers:
        return [missing("containers")]
    port_name = _port_name(containers)
    if len(containers) == 1:
        return under("containers[0]", _serving_problems(containers[0], volumes, port_name, settings))
    if not settings.is_enabled(MULTI_CONTAINER):
        return [Problem(f"multi-container is off, but found {len(containers)} containers", ())]
    problems: Problems = []
    seen: set[str] = set()
    for index, container in enumerate(containers):
        problems = _with_duplicate(problems, container["name"], seen, index)
        seen.add(container["name"])
        found = (
            _serving_problems(container, volumes, port_name, settings)
            if container.get("ports")
            else _sidecar_problems(container, volumes, settings)
        )
        problems += under(f"containers[{index}]", found)
    return problems


def _with_duplicate(problems: Problems, name: str, seen: set[str], index: int) -> Problems:
    """The problems and that the name is taken; as Serving does, those before then count as this container's."""
    if name not in seen:
        return problems
    duplicate = Problem(f"duplicate container name {names.quoted(name)}", ("name",))
    return under(f"containers[{index}]", [*problems, duplicate])


def _serving_problems(container: Object, volumes: dict[str, Object], port_name: str, settings: Settings) -> Problems:
    problems = serving_probes(container, port_name)
    return problems + container_problems(container, volumes, settings, is_serving=True)


def _sidecar_problems(container: Object, volumes: dict[str, Object], settings: Settings) -> Problems:
    problems = sidecar_probes(container, settings)
    return problems + container_problems(container, volumes, settings, is_serving=False)


def _init_problems(
    inits: list[Object], containers: list[Object], volumes: dict[str, Object], settings: Settings
) -> Problems:
    if not inits:
        return []
    if not settings.is_enabled(gate("init-containers")):
        why = f"pod spec support for init-containers is off, but found {len(inits)} init containers"
        return [Problem(why, ())]
    problems: Problems = []
    taken = {container["name"] for container in containers}
    for index, container in enumerate(inits):
        problems = _with_duplicate(problems, container["name"], taken, index)
        found = [
            Problem("field not allowed in an init container", (field,))
            for field in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle")
            if field in container
        ]
        found += container_problems(container, volumes, settings, is_serving=False, is_init=True)
        problems += under(f"containers[{index}]", found)
    return problems
