"""What Knative's defaulting webhook fills in, as recorded from Serving 0.42."""

from __future__ import annotations

from typing import Any

from console.sandbox.knative.quantities import canonical

USER_CONTAINER = "user-container"
TIMEOUT_SECONDS = 300
CONTAINER_CONCURRENCY = 0
READ_ONLY_VOLUMES = ("secret", "configMap", "projected")


def defaulted_service(service: dict[str, Any]) -> dict[str, Any]:
    """The Service with every default that the webhook writes; the given one stays as it is."""
    spec = service.get("spec") or {}
    traffic = spec.get("traffic") or [{"latestRevision": True, "percent": 100}]
    filled = defaulted_configuration_spec(spec) | {"traffic": [_target(target) for target in traffic]}
    return service | {"spec": filled}


def defaulted_configuration(configuration: dict[str, Any]) -> dict[str, Any]:
    """The Configuration with its defaults."""
    return configuration | {"spec": defaulted_configuration_spec(configuration.get("spec") or {})}


def defaulted_route(route: dict[str, Any]) -> dict[str, Any]:
    """The Route with its defaults; it names no target by itself."""
    spec = route.get("spec") or {}
    return route | {"spec": spec | {"traffic": [_target(target) for target in spec.get("traffic") or []]}}


def defaulted_configuration_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """The part that Service and Configuration share: the template."""
    template = spec.get("template") or {}
    metadata = {"creationTimestamp": None} | (template.get("metadata") or {})
    filled = {"metadata": metadata, "spec": defaulted_revision_spec(template.get("spec") or {})}
    return spec | {"template": template | filled}


def defaulted_revision_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """Container names, probes, timeout, concurrency and service links."""
    containers = spec.get("containers") or []
    volumes = {volume.get("name", ""): volume for volume in spec.get("volumes") or [] if isinstance(volume, dict)}
    filled = dict(spec)
    filled["containers"] = [
        _container(container, index, len(containers), volumes) if isinstance(container, dict) else container
        for index, container in enumerate(containers)
    ]
    if volumes:
        filled["volumes"] = [_volume(volume) for volume in spec["volumes"]]
    if not containers:
        del filled["containers"]
    if filled.get("containerConcurrency") is None:
        filled["containerConcurrency"] = CONTAINER_CONCURRENCY
    if not filled.get("timeoutSeconds"):
        filled["timeoutSeconds"] = TIMEOUT_SECONDS
    filled.setdefault("enableServiceLinks", False)
    return filled


def _container(container: dict[str, Any], index: int, count: int, volumes: dict[str, Any]) -> dict[str, Any]:
    filled = dict(container)
    if not filled.get("name"):
        filled["name"] = USER_CONTAINER if count == 1 else f"{USER_CONTAINER}-{index}"
    filled["resources"] = _resources(filled.get("resources") or {})
    if count == 1 or filled.get("ports"):
        filled["readinessProbe"] = _probe(filled.get("readinessProbe") or {})
    if filled.get("volumeMounts"):
        filled["volumeMounts"] = [_mount(mount, volumes) for mount in filled["volumeMounts"]]
    return filled


def _resources(resources: Any) -> Any:
    """Go reads quantities and writes them in their canonical form."""
    if not isinstance(resources, dict):
        return resources
    return {
        kind: {name: canonical(value) for name, value in amounts.items()} if isinstance(amounts, dict) else amounts
        for kind, amounts in resources.items()
    }


def _volume(volume: Any) -> Any:
    source = volume.get("emptyDir") if isinstance(volume, dict) else None
    if not isinstance(source, dict) or "sizeLimit" not in source:
        return volume
    return volume | {"emptyDir": source | {"sizeLimit": canonical(source["sizeLimit"])}}


def _probe(probe: dict[str, Any]) -> dict[str, Any]:
    filled = dict(probe)
    if not any(filled.get(handler) for handler in ("httpGet", "tcpSocket", "exec", "grpc")):
        filled["tcpSocket"] = {"port": 0}
    if not filled.get("successThreshold"):
        filled["successThreshold"] = 1
    if filled.get("periodSeconds"):  # a probe of Kubernetes' own kind takes Kubernetes' defaults
        filled["timeoutSeconds"] = filled.get("timeoutSeconds") or 1
        filled["failureThreshold"] = filled.get("failureThreshold") or 3
    return filled


def _mount(mount: dict[str, Any], volumes: dict[str, Any]) -> dict[str, Any]:
    volume = volumes.get(mount.get("name", ""), {})
    is_read_only = any(source in volume for source in READ_ONLY_VOLUMES)
    return mount | {"readOnly": True} if is_read_only else mount


def _target(target: dict[str, Any]) -> dict[str, Any]:
    if target.get("latestRevision") is not None:
        return target
    return target | {"latestRevision": not target.get("revisionName")}
