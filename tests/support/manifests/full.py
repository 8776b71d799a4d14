"""A service in which every field of the CRD's schema is filled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.recording import RECORDINGS
from tests.support.manifests.build import service

SCHEMA = json.loads((Path(RECORDINGS) / "knative-service-fields-0.42.json").read_text())["spec"]
_PLAIN = {"integer": 7, "boolean": True, "int-or-string": "7"}


def _filled(schema: Any, hint: str = "x") -> Any:
    if isinstance(schema, list):
        return [_filled(schema[0], f"{hint}-{number}") for number in (1, 2)]
    if isinstance(schema, dict):
        return {"tomorrow" if name == "*" else name: _filled(inner, name) for name, inner in schema.items()}
    return {"keep": ["me", 1]} if schema == "any" else _PLAIN.get(schema, hint.lower().strip("*") or "x")


def _containers(found: list[Any]) -> list[Any]:
    """Two containers; what the API allows once (a port, one handler for a probe) stands once."""
    for number, container in enumerate(found):
        container |= {"name": f"app-{number}", "image": f"r.example.com/a:{number}", "imagePullPolicy": "Always"}
        container["ports"] = [{**container["ports"][0], "name": "http1", "protocol": "TCP"}] if number == 0 else []
        container["terminationMessagePolicy"] = "File"
        for mount, entry in enumerate(container["volumeMounts"]):
            entry |= {"name": f"volume-{mount}", "mountPath": f"/mnt/{mount}"}
        container["env"] = [{"name": "PLAIN", "value": "x"}]
        container["env"] += [
            {"name": f"FROM_{kind.upper()}", "valueFrom": {kind: inner}}
            for kind, inner in _filled(SCHEMA["template"]["spec"]["containers"][0]["env"])[0]["valueFrom"].items()
        ]
        for entry, reference in zip(container["envFrom"], ("secretRef", "configMapRef"), strict=True):
            entry.pop("secretRef" if reference == "configMapRef" else "configMapRef")
        for which, handler in (("readinessProbe", "grpc"), ("livenessProbe", "httpGet"), ("startupProbe", "exec")):
            for other in {"grpc", "httpGet", "exec", "tcpSocket"} - {handler}:
                container[which].pop(other, None)
        container["livenessProbe"]["httpGet"] |= {"scheme": "HTTPS", "port": 7}  # "7" would be a port's name
    return found


def _every_field() -> Any:
    spec = _filled(SCHEMA)
    pod = spec["template"]["spec"]
    pod["containers"] = _containers(pod["containers"])
    pod["initContainers"] = [{"name": "init", "image": "r.example.com/init:1", **pod["initContainers"][0]}]
    pod["nodeSelector"] = {"tomorrow": "ssd"}  # only texts are accepted here
    volume = pod["volumes"][0]
    kinds = [kind for kind in volume if kind != "name"]
    pod["volumes"] = [{"name": f"volume-{number}", kind: volume[kind]} for number, kind in enumerate(kinds)]
    template = {**spec["template"]["metadata"], "name": "every-field-first", "namespace": "default"}
    for target in spec["traffic"]:
        target.pop("url")  # in the schema, and refused by the webhook: "must not set the field(s)"
    traffic = [
        {**target, "revisionName": f"every-field-0000{n}", "tag": f"tag-{n}", "percent": 50, "latestRevision": False}
        for n, target in enumerate(spec["traffic"], start=1)
    ]
    rest = {key: value for key, value in pod.items() if key != "containers"}
    return service("every-field", containers=pod["containers"], pod=rest, template=template, spec={"traffic": traffic})


MANIFESTS = (_every_field(),)
