"""A container's environment, resolved as a kubelet does: values, references to fields, config maps and secrets."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.real_cluster.control_plane import ControlPlane

_REFERENCE = re.compile(r"\$\$|\$\(([^)]+)\)")


class CannotConfigure(Exception):
    """Something that the container refers to is not there: reason CreateContainerConfigError."""


def environment(box: ControlPlane, pod: dict[str, Any], container: dict[str, Any], address: str) -> dict[str, str]:
    """Return the container's variables; raises CannotConfigure."""
    namespace = pod["metadata"]["namespace"]
    found: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        for kind in ("configMapRef", "secretRef"):
            if reference := source.get(kind):
                data = _data(box, namespace, kind.removesuffix("Ref"), reference)
                found |= {source.get("prefix", "") + key: value for key, value in data.items()}
    for variable in container.get("env") or []:
        value = variable.get("value", "")
        if origin := variable.get("valueFrom"):
            value = _from(box, pod, origin, address)
        # $(NAME) means a variable that stands before; $$ is a dollar sign
        found[variable["name"]] = _REFERENCE.sub(
            lambda match: "$" if match[0] == "$$" else found.get(match[1], match[0]), value
        )
    return found


def _from(box: ControlPlane, pod: dict[str, Any], origin: dict[str, Any], address: str) -> str:
    if field := origin.get("fieldRef"):
        return _field(pod, field["fieldPath"], address)
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if reference := origin.get(kind):
            data = _data(box, pod["metadata"]["namespace"], kind.removesuffix("KeyRef"), reference)
            key = reference["key"]
            if key in data:
                return data[key]
            if not reference.get("optional"):
                word = "Secret" if kind == "secretKeyRef" else "ConfigMap"
                raise CannotConfigure(f"couldn't find key {key} in {word} {_name(pod, reference)}")
    return ""


def _name(pod: dict[str, Any], reference: dict[str, Any]) -> str:
    return f"{pod['metadata']['namespace']}/{reference['name']}"


def _field(pod: dict[str, Any], path: str, address: str) -> str:
    if path in ("status.podIP", "status.hostIP"):
        return address
    found: Any = pod
    for part in path.split("."):
        found = found.get(part, "")
    return str(found)


def _data(box: ControlPlane, namespace: str, kind: str, reference: dict[str, Any]) -> dict[str, str]:
    answer = box.ask("GET", f"/api/v1/namespaces/{namespace}/{kind.lower()}s/{reference['name']}")
    if answer.status == 404:
        if reference.get("optional"):
            return {}
        raise CannotConfigure(f'{kind.lower()} "{reference["name"]}" not found')
    data = json.loads(answer.data).get("data") or {}
    return {key: base64.b64decode(value).decode() for key, value in data.items()} if kind == "secret" else data
