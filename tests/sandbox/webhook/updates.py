"""What is patched, with which patches, and the metadata of the other kinds."""

from __future__ import annotations

import copy

from tests.sandbox.webhook.pods import AUTOSCALING, SERVING, Object, mounted


def hard_service(service: Object) -> Object:
    """A Service with much in it, to be patched."""
    full = copy.deepcopy(service)
    full["metadata"]["labels"] = {"team": "x"}
    full["spec"]["template"]["metadata"] = {"annotations": {f"{AUTOSCALING}min-scale": "1"}}
    full["spec"]["template"]["spec"] = mounted({"configMap": {"name": "c"}}) | {"containerConcurrency": 10}
    full["spec"]["traffic"] = [{"latestRevision": True, "percent": 100, "tag": "main"}]
    return full


def _annotated(**annotations: str | None) -> Object:
    return {"metadata": {"annotations": {f"{SERVING}{key}": value for key, value in annotations.items()}}}


PATCHES: list[Object] = [
    {},
    {"metadata": {"labels": {"team": None}}},
    {"metadata": {"labels": {"serving.knative.dev/service": "shop"}}},
    {"metadata": {"annotations": {"a": "b"}}},
    {"metadata": {"annotations": None}},
    _annotated(creator="mallory"),
    _annotated(creator=None),
    _annotated(lastModifier="mallory"),
    _annotated(lastModifier=None),
    {**_annotated(lastModifier="mallory"), "spec": {"template": {"spec": {"timeoutSeconds": 5}}}},
    {**_annotated(creator="mallory"), "spec": {"template": {"spec": {"timeoutSeconds": 5}}}},
    {"metadata": {"annotations": {"autoscaling.knative.dev/min-scale": "1"}}},
    {"spec": {"template": {"metadata": {"annotations": {f"{AUTOSCALING}max-scale": "0"}}}}},
    {"spec": {"template": {"metadata": {"annotations": {f"{AUTOSCALING}max-scale": "x"}}}}},
    {"spec": {"template": {"metadata": {"name": "shop-two"}}}},
    {"spec": {"template": {"metadata": {"name": "two"}}}},
    {"spec": {"template": {"spec": {"timeoutSeconds": 700}}}},
    {"spec": {"template": {"spec": {"timeoutSeconds": None, "containerConcurrency": None}}}},
    {"spec": {"template": {"spec": {"enableServiceLinks": None}}}},
    {"spec": {"template": {"spec": {"containers": None}}}},
    {"spec": {"template": {"spec": {"volumes": None}}}},
    {"spec": {"template": None}},
    {"spec": {"traffic": None}},
    {"spec": {"traffic": []}},
    {"spec": {"traffic": [{"revisionName": "shop-00001", "percent": 99}]}},
    {"spec": {"traffic": [{"revisionName": "shop-00001", "percent": 100}]}},
    {"spec": None},
    {"status": {"url": "http://x"}},
]
PATCHES_OF_NAMED: list[Object] = [
    {},
    {"metadata": {"labels": {"a": "b"}}},
    {"spec": {"template": {"spec": {"timeoutSeconds": 5}}}},
    {"spec": {"template": {"spec": {"containers": [{"image": "nginx"}]}}}},
    {"spec": {"template": {"metadata": {"name": "shop-second"}, "spec": {"timeoutSeconds": 5}}}},
    {"spec": {"template": {"metadata": {"name": None}, "spec": {"timeoutSeconds": 5}}}},
    {"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}},
    {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}},
    {"spec": {"traffic": [{"revisionName": "shop-first", "percent": 100}]}},
    {"spec": {"template": {"spec": {"containerConcurrency": 7, "enableServiceLinks": True}}}},
]
_OWNER = [{"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "shop", "uid": "u"}]
_PARENT = [{"apiVersion": "serving.knative.dev/v1", "kind": "Configuration", "name": "shop", "uid": "u"}]
OBJECT_METADATA: list[Object] = [
    {},
    {"name": "Bad_Name"},
    {"labels": {f"{SERVING}service": "shop"}},
    {"labels": {f"{SERVING}service": "shop"}, "ownerReferences": _OWNER},
    {"labels": {f"{SERVING}service": "other"}, "ownerReferences": _OWNER},
    {"labels": {f"{SERVING}configuration": "shop"}},
    {"labels": {f"{SERVING}configuration": "shop"}, "ownerReferences": _PARENT},
    {"labels": {f"{SERVING}route": "x", f"{SERVING}unknown": "x"}},
    {"annotations": {f"{AUTOSCALING}min-scale": "1"}},
    {"annotations": {f"{AUTOSCALING}min-scale": "x"}},
    {"annotations": {f"{SERVING}rollout-duration": "x"}},
    {"annotations": {f"{SERVING}creator": "mallory"}, "ownerReferences": _OWNER},
]
OBJECT_PATCHES: dict[str, list[Object]] = {
    "Configuration": [
        {},
        _annotated(creator="mallory"),
        _annotated(lastModifier="mallory"),
        {"spec": {"template": {"spec": {"timeoutSeconds": 5}}}},
        {"spec": {"template": {"spec": {"timeoutSeconds": 700}}}},
        {**_annotated(creator="mallory"), "metadata": {"ownerReferences": _OWNER}},
    ],
    "Route": [
        {},
        _annotated(creator="mallory"),
        _annotated(lastModifier="mallory"),
        {"spec": {"traffic": [{"revisionName": "a", "percent": 100}]}},
        {"spec": {"traffic": []}},
    ],
    "Revision": [
        {},
        {"metadata": {"labels": {"a": "b"}}},
        {"metadata": {"annotations": {f"{AUTOSCALING}min-scale": "x"}}},
        {"spec": {"timeoutSeconds": 5}},
        {"spec": {"containers": [{"image": "nginx"}]}},
        {"spec": {"containerConcurrency": 3}},
    ],
}
