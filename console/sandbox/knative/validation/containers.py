"""The rules of containers."""

from __future__ import annotations

from typing import Any

from console.sandbox import names
from console.sandbox.knative.problems import Problem, Problems, both, invalid, missing, neither, out_of_bounds, under
from console.sandbox.knative.settings import Settings
from console.sandbox.knative.validation import fields
from console.sandbox.knative.validation.volumes import mount_problems
from console.sandbox.knative.version import OLDEST, knative_version

Object = dict[str, Any]

MAX_ID = 2147483647  # of a user or group
RESERVED_NAME = "queue-proxy"
RESERVED_ENV = ("PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION")
RESERVED_PORTS = (8008, 8012, 8013, 8022, 9090, 9091)
PORT_NAMES = ("", "h2c", "http1")
MESSAGE_POLICIES = ("", "File", "FallbackToLogsOnError")


def container_problems(
    container: Object, volumes: dict[str, Object], settings: Settings, *, is_serving: bool, is_init: bool = False
) -> Problems:
    """The problems of one container, but for its probes."""
    problems = fields.closed(container, fields.CLOSED_CONTAINER_FIELDS)
    if container["name"] == RESERVED_NAME:
        problems.append(Problem(f'"{RESERVED_NAME}" is a reserved container name', ("name",)))
    problems += under("env", _env_problems(container.get("env") or [], settings, is_serving=is_serving))
    problems += under("envFrom", _env_from_problems(container.get("envFrom") or []))
    problems += _image_problems(container.get("image", ""))
    problems += under("ports", _ports_problems(container.get("ports") or [], is_init=is_init))
    problems += under("resources", fields.closed(container["resources"], ("claims",)))
    problems += under("securityContext", _security_problems(container.get("securityContext") or {}, settings))
    policy = container.get("terminationMessagePolicy", "")
    if policy not in MESSAGE_POLICIES:
        problems.append(invalid(policy, "terminationMessagePolicy"))
    return problems + under("volumeMounts", mount_problems(container.get("volumeMounts") or [], volumes, settings))


def id_problems(context: Object, *kinds: str) -> Problems:
    """The users and groups of a security context have to be numbers of 31 bits."""
    return [
        out_of_bounds(context[kind], 0, MAX_ID, kind)
        for kind in kinds
        if kind in context and not 0 <= context[kind] <= MAX_ID
    ]


def _image_problems(image: str) -> Problems:
    if not image:
        return [missing("image")]
    wrong = names.image_problem(image)
    if not wrong:
        return []
    return [Problem("Failed to parse image reference", ("image",), f"image: {names.quoted(image)}, error: {wrong}")]


def _env_problems(env: list[Object], settings: Settings, *, is_serving: bool) -> Problems:
    problems: Problems = []
    reserved = RESERVED_ENV if is_serving else RESERVED_ENV[1:]
    for index, variable in enumerate(env):
        found: Problems = []
        name = variable["name"]
        if not name:
            found.append(missing("name"))
        elif name in reserved:
            found.append(Problem(f'"{name}" is a reserved environment variable', ("name",)))
        found += under("valueFrom", fields.env_sources(variable.get("valueFrom") or {}, settings))
        problems += under(f"[{index}]", found)
    return problems


def _env_from_problems(sources: list[Object]) -> Problems:
    problems: Problems = []
    for index, source in enumerate(sources):
        given = [field for field in ("secretRef", "configMapRef") if field in source]
        for field in given:  # as Serving does: what was found before counts as this source's
            problems = under(f"{field}[{index}]", problems)
        if len(given) != 1:
            problems.append((both if given else neither)("configMapRef", "secretRef"))
    return problems


def _ports_problems(ports: list[Object], *, is_init: bool) -> Problems:
    if is_init:
        return [problem for port in ports for problem in _port_problems(port)]
    if not ports:
        return []
    port = ports[0]
    problems = _port_problems(port)
    if port.get("protocol", "") not in ("", "TCP"):
        problems.append(invalid(port["protocol"], "protocol"))
    name = port.get("name", "")
    if name not in PORT_NAMES:
        details = "Name must be empty, or one of: 'h2c', 'http1'"
        problems.append(Problem(f"Port name {name} is not allowed", ("",), details))
    return problems


def _port_problems(port: Object) -> Problems:
    number, problems = port["containerPort"], fields.closed(port, fields.CLOSED_PORT_FIELDS)
    if number in RESERVED_PORTS:
        details = f"{number} is a reserved port, please use a different value"
        problems.append(invalid(f"{number} is a reserved port", "containerPort", details))
    if not 0 <= number <= 65535:
        problems.append(out_of_bounds(number, 0, 65535, "containerPort"))
    return problems


def _security_problems(context: Object, settings: Settings) -> Problems:
    problems: Problems = []
    if context.get("privileged") or ("privileged" in context and knative_version() <= OLDEST):
        problems += fields.closed(context, ("privileged",))
    problems += under("capabilities", fields.capabilities(context.get("capabilities") or {}, settings))
    return problems + id_problems(context, "runAsUser", "runAsGroup")
