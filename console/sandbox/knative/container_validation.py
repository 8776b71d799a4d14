"""What the webhook refuses in the containers and volumes of a revision."""

from __future__ import annotations

import posixpath
from typing import Any

from console.sandbox.knative import names
from console.sandbox.knative.problems import Problem, Problems, disallowed, invalid, missing, out_of_bounds, under

RESERVED_ENV = ("PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION")
RESERVED_PORTS = (8008, 8012, 8013, 8022, 9090, 9091)
RESERVED_PATHS = ("/", "/dev", "/dev/log")
PORT_NAMES = ("", "h2c", "http1")
MESSAGE_POLICIES = ("", "File", "FallbackToLogsOnError")
VOLUME_SOURCES = ("secret", "configMap", "projected", "emptyDir", "persistentVolumeClaim")
READ_ONLY_SOURCES = ("secret", "configMap", "projected")
# Behind feature flags that are off by default, or never allowed in a revision.
CLOSED_POD_FIELDS = (
    "activeDeadlineSeconds", "affinity", "dnsConfig", "dnsPolicy", "ephemeralContainers", "hostAliases", "hostIPC",
    "hostNetwork", "hostPID", "hostname", "nodeName", "nodeSelector", "preemptionPolicy", "priority",
    "priorityClassName", "readinessGates", "restartPolicy", "runtimeClassName", "schedulerName",
    "shareProcessNamespace", "subdomain", "terminationGracePeriodSeconds", "tolerations", "topologySpreadConstraints",
)  # fmt: skip
CLOSED_CONTAINER_FIELDS = ("lifecycle", "stdin", "stdinOnce", "tty", "volumeDevices")


def pod_problems(spec: dict[str, Any]) -> Problems:
    """The problems of a revision's pod, their paths relative to its spec."""
    problems = [disallowed(field) for field in CLOSED_POD_FIELDS if spec.get(field)]
    containers = spec.get("containers") or []
    volumes = {volume.get("name", ""): volume for volume in spec.get("volumes") or []}
    problems += under("volumes", _volume_problems(spec.get("volumes") or [], containers))
    if spec.get("initContainers"):
        count = len(spec["initContainers"])
        problems.append(Problem(f"pod spec support for init-containers is off, but found {count} init containers", ()))
    problems += under("containers[*]", _port_count_problems(containers))
    if not containers:
        problems.append(missing("containers"))
    seen: set[str] = set()
    for index, container in enumerate(containers):
        name, path = container.get("name", ""), f"containers[{index}]"
        if name in seen:
            problems.append(Problem(f'duplicate container name "{name}"', (f"{path}.name",)))
        seen.add(name)
        is_serving = len(containers) == 1 or bool(container.get("ports"))
        problems += under(path, _container_problems(container, volumes, is_serving=is_serving))
    return problems


def _volume_problems(volumes: list[dict[str, Any]], containers: list[dict[str, Any]]) -> Problems:
    problems: Problems = []
    mounted = {mount.get("name") for container in containers for mount in container.get("volumeMounts") or []}
    seen = set()
    for index, volume in enumerate(volumes):
        name, path = volume.get("name", ""), f"[{index}]"
        if name in seen:
            problems.append(Problem(f'duplicate volume name "{name}"', (f"{path}.name",)))
        seen.add(name)
        if name not in mounted:
            problems.append(Problem(f'volume with name "{name}" not mounted', (f"{path}.name",)))
        if not name:
            problems.append(missing(f"{path}.name"))
        elif not names.is_dns_1123_label(name):
            problems.append(invalid(name, f"{path}.name"))
        sources = [source for source in VOLUME_SOURCES if source in volume]
        if not sources:
            paths = tuple(f"{path}.{source}" for source in ("secret", "configMap", "projected", "emptyDir"))
            problems.append(Problem("expected exactly one, got neither", paths))
        elif len(sources) > 1:
            problems.append(Problem("expected exactly one, got both", tuple(f"{path}.{each}" for each in sources)))
    return problems


def _port_count_problems(containers: list[dict[str, Any]]) -> Problems:
    count = sum(len(container.get("ports") or []) for container in containers)
    if count == 0 and len(containers) > 1:
        return [missing("ports")]
    if count > 1:
        details = "Only a single port is allowed across all containers"
        return [Problem("more than one container port is set", ("ports",), details)]
    return []


def _container_problems(container: dict[str, Any], volumes: dict[str, Any], *, is_serving: bool) -> Problems:
    problems = [disallowed(field) for field in CLOSED_CONTAINER_FIELDS if container.get(field)]
    if is_serving:
        problems += under("readinessProbe", _probe_problems(container.get("readinessProbe")))
    if container.get("name") == "queue-proxy":
        problems.append(Problem('"queue-proxy" is a reserved container name', ("name",)))
    problems += under("env", _env_problems(container.get("env") or [], is_serving=is_serving))
    problems += under("envFrom", _env_from_problems(container.get("envFrom") or []))
    problems += _image_problems(container.get("image") or "")
    problems += under("ports", _ports_problems(container.get("ports") or []))
    policy = container.get("terminationMessagePolicy") or ""
    if policy not in MESSAGE_POLICIES:
        problems.append(invalid(policy, "terminationMessagePolicy"))
    user = (container.get("securityContext") or {}).get("runAsUser")
    if user is not None and not 0 <= user <= 2147483647:
        problems.append(out_of_bounds(user, 0, 2147483647, "securityContext.runAsUser"))
    problems += under("volumeMounts", _mount_problems(container.get("volumeMounts") or [], volumes))
    return problems


def _image_problems(image: str) -> Problems:
    if not image:
        return [missing("image")]
    if names.is_image_reference(image):
        return []
    details = f'image: "{image}", error: could not parse reference: {image}'
    return [Problem("Failed to parse image reference", ("image",), details)]


def _env_problems(env: list[dict[str, Any]], *, is_serving: bool) -> Problems:
    problems: Problems = []
    reserved = RESERVED_ENV if is_serving else RESERVED_ENV[1:]
    for index, variable in enumerate(env):
        name, path = variable.get("name") or "", f"[{index}].name"
        if not name:
            problems.append(missing(path))
        elif name in reserved:
            problems.append(Problem(f'"{name}" is a reserved environment variable', (path,)))
        closed = [field for field in ("fieldRef", "resourceFieldRef") if (variable.get("valueFrom") or {}).get(field)]
        problems += [disallowed(f"[{index}].valueFrom.{field}") for field in closed]
    return problems


def _env_from_problems(sources: list[dict[str, Any]]) -> Problems:
    problems: Problems = []
    for source in sources:
        given = [field for field in ("configMapRef", "secretRef") if source.get(field) is not None]
        if len(given) != 1:
            got = "both" if given else "neither"
            problems.append(Problem(f"expected exactly one, got {got}", ("configMapRef", "secretRef")))
    return problems


def _ports_problems(ports: list[dict[str, Any]]) -> Problems:
    if not ports:
        return []
    problems: Problems = []
    port, number = ports[0], ports[0].get("containerPort") or 0
    if number in RESERVED_PORTS:
        details = f"{number} is a reserved port, please use a different value"
        problems.append(invalid(f"{number} is a reserved port", "containerPort", details))
    if not 0 <= number <= 65535:
        problems.append(out_of_bounds(number, 0, 65535, "containerPort"))
    if port.get("protocol") not in (None, "", "TCP"):
        problems.append(invalid(port["protocol"], "protocol"))
    name = port.get("name") or ""
    if name not in PORT_NAMES:
        details = "Name must be empty, or one of: 'h2c', 'http1'"
        problems.append(Problem(f"Port name {name} is not allowed", ("",), details))
    return problems


def _probe_problems(probe: dict[str, Any] | None) -> Problems:
    if not probe:
        return []
    problems: Problems = []
    handlers = [handler for handler in ("httpGet", "tcpSocket", "exec", "grpc") if probe.get(handler)]
    if len(handlers) > 1:
        problems.append(Problem("expected exactly one, got both", tuple(handlers)))
    for field, lowest in (("periodSeconds", 0), ("initialDelaySeconds", 0), ("successThreshold", 1)):
        if (probe.get(field) or lowest) < lowest:
            problems.append(out_of_bounds(probe[field], lowest, 2147483647, field))
    if not probe.get("periodSeconds"):  # zero means Knative's own probe, which retries on its own terms
        for field in ("failureThreshold", "timeoutSeconds"):
            if probe.get(field):
                problems.append(Problem(f"{field} is disallowed when periodSeconds is zero", (field,)))
    return problems


def _mount_problems(mounts: list[dict[str, Any]], volumes: dict[str, Any]) -> Problems:
    problems: Problems = []
    seen = set()
    for index, mount in enumerate(mounts):
        path, mount_path = f"[{index}]", mount.get("mountPath") or ""
        clean = posixpath.normpath(mount_path) if mount_path else ""
        volume = volumes.get(mount.get("name", ""))
        if volume is None:
            problems.append(Problem("volumeMount has no matching volume", (f"{path}.name",)))
        if not mount_path:
            problems.append(missing(f"{path}.mountPath"))
        elif clean in RESERVED_PATHS:
            problems.append(Problem(f'mountPath "{clean}" is a reserved path', (f"{path}.mountPath",)))
        elif not mount_path.startswith("/"):
            problems.append(invalid(mount_path, f"{path}.mountPath"))
        elif clean in seen:
            problems.append(invalid(f'"{mount_path}" must be unique', f"{path}.mountPath"))
        seen.add(clean)
        must_be_read_only = volume is not None and any(source in volume for source in READ_ONLY_SOURCES)
        if must_be_read_only and not mount.get("readOnly"):
            problems.append(Problem("volume mount should be readOnly for this type of volume", (f"{path}.readOnly",)))
    return problems
