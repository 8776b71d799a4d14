"""How the hard manifests are written down: what matters of each, the rest filled in as the API server would."""

from __future__ import annotations

import copy
from typing import Any

from console.sandbox.knative.defaults import Defaults, read

Object = dict[str, Any]

GO = "gcr.io/knative-samples/helloworld-go"
SHA = "sha256:" + "5ea96b" + "0" * 58
AUTOSCALING = "autoscaling.knative.dev/"


def service(
    name: str,
    *,
    container: Object | None = None,
    containers: list[Object] | None = None,
    pod: Object | None = None,
    scale: dict[str, str] | None = None,
    template: Object | None = None,
    spec: Object | None = None,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    **metadata: Any,
) -> Object:
    """A Service as it comes back from the API. `container` is the only one; `scale` are autoscaling annotations."""
    inner = copy.deepcopy(template or {})
    if scale:
        inner["annotations"] = {**inner.get("annotations", {}), **{AUTOSCALING + k: v for k, v in scale.items()}}
    pods = {"containers": containers or [{"image": GO, **(container or {})}], **(pod or {})}
    marks: Object = {"labels": labels} if labels else {}
    raw = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"uid-{name}",
            "resourceVersion": "100",
            "generation": 4,
            "creationTimestamp": "2026-11-01T10:00:00Z",
            **marks,
            "annotations": {
                "serving.knative.dev/creator": "alice@shop.example",
                "serving.knative.dev/lastModifier": "bob@shop.example",
                **(annotations or {}),
            },
            **metadata,
        },
        "spec": {"template": {**({"metadata": inner} if inner else {}), "spec": pods}, **(spec or {})},
    }
    return {**Defaults().service(read(raw)), "status": _status(name)}


def revisions(raw: Object, count: int = 4) -> list[Object]:
    """Its revisions, ready and scaled to zero; none says which digest it runs."""
    return [_revision(raw, number) for number in range(1, count + 1)]


def _status(name: str) -> Object:
    ready = [{"type": kind, "status": "True"} for kind in ("ConfigurationsReady", "Ready", "RoutesReady")]
    return {
        "observedGeneration": 4,
        "url": f"http://{name}.default.example.com",
        "latestReadyRevisionName": f"{name}-00004",
        "latestCreatedRevisionName": f"{name}-00004",
        "conditions": ready,
        "traffic": [{"revisionName": f"{name}-00004", "percent": 100, "latestRevision": True}],
    }


def _revision(raw: Object, number: int) -> Object:
    name = raw["metadata"]["name"]
    label = "serving.knative.dev/"
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Revision",
        "metadata": {
            "name": f"{name}-{number:05}",
            "namespace": "default",
            "uid": f"uid-{name}-{number}",
            "resourceVersion": str(number),
            "creationTimestamp": f"2026-11-01T10:0{number % 10}:00Z",
            "labels": {
                f"{label}service": name,
                f"{label}configuration": name,
                f"{label}configurationGeneration": str(number),
            },
        },
        "spec": copy.deepcopy(raw["spec"]["template"]["spec"]),
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
