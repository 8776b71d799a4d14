"""The fields that Knative's CustomResourceDefinitions know, for strict decoding and for pruning.

A real API server drops a field that the CRD's schema does not have (with a warning), or refuses the request under
fieldValidation=Strict. The trees below hold names only: `ANY` is a value that is kept as it is, a one-element list
holds the tree of a list's items. Values are judged by Knative's webhook, not here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from console.sandbox.resources import CONFIGURATIONS, REVISIONS, ROUTES, SERVICES, Resource

ANY = None
Tree = dict[str, Any] | list[Any] | None


def _leaves(*names: str) -> dict[str, Tree]:
    return dict.fromkeys(names, ANY)


_METADATA = _leaves(
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers",
    "managedFields",
)  # fmt: skip
_PROBE = _leaves(
    "exec", "grpc", "httpGet", "tcpSocket", "failureThreshold", "initialDelaySeconds", "periodSeconds",
    "successThreshold", "timeoutSeconds", "terminationGracePeriodSeconds",
)  # fmt: skip
_KEY_REFERENCE = _leaves("key", "name", "optional")
_ENV = {
    **_leaves("name", "value"),
    "valueFrom": {
        "configMapKeyRef": _KEY_REFERENCE,
        "secretKeyRef": _KEY_REFERENCE,
        **_leaves("fieldRef", "resourceFieldRef"),
    },
}
_ENV_FROM = {
    "configMapRef": _leaves("name", "optional"),
    "secretRef": _leaves("name", "optional"),
    **_leaves("prefix"),
}
_CONTAINER = {
    **_leaves(
        "args", "command", "image", "imagePullPolicy", "name", "resources", "securityContext",
        "terminationMessagePath", "terminationMessagePolicy", "workingDir",
    ),
    "env": [_ENV],
    "envFrom": [_ENV_FROM],
    "livenessProbe": _PROBE,
    "readinessProbe": _PROBE,
    "startupProbe": _PROBE,
    "ports": [_leaves("containerPort", "name", "protocol", "hostIP", "hostPort")],
    "volumeMounts": [
        _leaves("mountPath", "mountPropagation", "name", "readOnly", "recursiveReadOnly", "subPath", "subPathExpr")
    ],
}  # fmt: skip
_REVISION_SPEC = {
    **_leaves(
        "affinity", "automountServiceAccountToken", "containerConcurrency", "dnsConfig", "dnsPolicy",
        "enableServiceLinks", "hostAliases", "idleTimeoutSeconds",
        "imagePullSecrets", "nodeSelector", "priorityClassName", "responseStartTimeoutSeconds", "runtimeClassName",
        "schedulerName", "securityContext", "serviceAccountName", "shareProcessNamespace", "timeoutSeconds",
        "tolerations", "topologySpreadConstraints",
    ),
    "containers": [_CONTAINER],
    "initContainers": [_CONTAINER],
    "volumes": [
        _leaves("configMap", "csi", "emptyDir", "hostPath", "image", "name",
                "persistentVolumeClaim", "projected", "secret")
    ],
}  # fmt: skip
_TRAFFIC = [_leaves("configurationName", "latestRevision", "percent", "revisionName", "tag", "url")]
_CONFIGURATION_SPEC = {"template": {"metadata": ANY, "spec": _REVISION_SPEC}}

_SPECS: dict[Resource, dict[str, Any]] = {
    SERVICES: {**_CONFIGURATION_SPEC, "traffic": _TRAFFIC},
    CONFIGURATIONS: _CONFIGURATION_SPEC,
    ROUTES: {"traffic": _TRAFFIC},
    REVISIONS: _REVISION_SPEC,
}
_TREES: dict[Resource, Tree] = {
    resource: {"apiVersion": ANY, "kind": ANY, "metadata": _METADATA, "spec": spec, "status": ANY}
    for resource, spec in _SPECS.items()
}


def unknown_fields(resource: Resource, obj: dict[str, Any]) -> list[str]:
    """The paths of the fields that the schema does not have, as Kubernetes writes them; none for core kinds."""
    return sorted(_unknown(_TREES.get(resource), obj, ""))


def pruned(resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
    """The object without the fields that the schema does not have."""
    kept: dict[str, Any] = _pruned(_TREES.get(resource), obj)
    return kept


def openapi(resource: Resource) -> dict[str, Any]:
    """The schema as an OpenAPI v3 object, types left open where the table holds none."""
    return _as_openapi(_TREES.get(resource))


def _unknown(tree: Tree, value: Any, path: str) -> Iterable[str]:
    if isinstance(tree, list) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown(tree[0], item, f"{path}[{index}]")
    elif isinstance(tree, dict) and isinstance(value, dict):
        for key, item in value.items():
            inner = f"{path}.{key}" if path else key
            if key not in tree:
                yield inner
            else:
                yield from _unknown(tree[key], item, inner)


def _pruned(tree: Tree, value: Any) -> Any:
    if isinstance(tree, list) and isinstance(value, list):
        return [_pruned(tree[0], item) for item in value]
    if isinstance(tree, dict) and isinstance(value, dict):
        return {key: _pruned(tree[key], item) for key, item in value.items() if key in tree}
    return value


def _as_openapi(tree: Tree) -> dict[str, Any]:
    if isinstance(tree, list):
        return {"type": "array", "items": _as_openapi(tree[0])}
    if isinstance(tree, dict):
        return {"type": "object", "properties": {key: _as_openapi(inner) for key, inner in tree.items()}}
    return {"x-kubernetes-preserve-unknown-fields": True}
