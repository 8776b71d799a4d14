"""What a fresh cluster with Knative Serving holds before anybody asks: namespaces, roles and bindings.

The rules of the Knative roles are those of Serving's config/core/200-roles; Kubernetes' own admin, edit and view are
cut down to the kinds that the sandbox has.
"""

from __future__ import annotations

from typing import Any

from console.sandbox.identity import AUTHENTICATED, MASTERS
from console.sandbox.knative.version import RELEASES, knative_version
from console.sandbox.machines import NODE_NAMES, node, own_service
from console.sandbox.resources import (
    APPS_GROUP,
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    CONFIGMAPS,
    CORE_SERVICES,
    KNATIVE_GROUP,
    NAMESPACES,
    NODES,
    RBAC_GROUP,
    READ_VERBS,
    Resource,
)
from console.sandbox.store import Store

NAMESPACE_NAMES = ("default", "kube-node-lease", "kube-public", "kube-system", "knative-serving")
# The settings of Serving that clients look at; the sandbox's own are those of its command line.
SETTINGS = ("config-autoscaler", "config-defaults", "config-features", "config-gc", "config-network")
UNSET = {"_example": "# Nothing is set: Knative's built-in defaults hold.\n"}
READ = list(READ_VERBS)
WRITE = ["create", "delete", "deletecollection", "patch", "update"]
INTERNAL_GROUPS = [f"{area}.internal.knative.dev" for area in ("networking", "autoscaling", "caching")]
AGGREGATE_LABEL = f"{RBAC_GROUP}/aggregate-to-"


def bootstrap(store: Store) -> None:
    """Create what is missing; what is there (from a state file) stays as it is."""
    for name in NAMESPACE_NAMES:
        _ensure(store, NAMESPACES, namespace(name))
    _ensure(store, CORE_SERVICES, own_service())
    for number, name in enumerate(NODE_NAMES, start=1):
        _ensure(store, NODES, node(name, f"192.0.2.{10 + number}", store.timestamp()))
    for name in SETTINGS:
        _install_setting(store, name)
    for role in _cluster_roles():
        _ensure(store, CLUSTERROLES, role)
    for name, group in (
        ("cluster-admin", MASTERS),
        ("system:basic-user", AUTHENTICATED),
        ("system:discovery", AUTHENTICATED),
    ):
        _ensure(store, CLUSTERROLEBINDINGS, _group_binding(name, group))


def _install_setting(store: Store, name: str) -> None:
    """A config map of Serving's own with the release's labels; an upgrade changes the labels and keeps the data."""
    labels = {"app.kubernetes.io/name": "knative-serving", "app.kubernetes.io/version": RELEASES[knative_version()]}
    found = store.find(CONFIGMAPS, "knative-serving", name)
    if found is None:
        metadata = {"name": name, "namespace": "knative-serving", "labels": labels}
        store.create(CONFIGMAPS, {"metadata": metadata, "data": dict(UNSET)})
    else:
        labelled = {**found["metadata"], "labels": {**found["metadata"].get("labels", {}), **labels}}
        store.update(CONFIGMAPS, {**found, "metadata": labelled})


def namespace(name: str, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """A Namespace as the API server completes it: the label with its name, the finalizer, the phase."""
    given = metadata or {}
    labels = {**given.get("labels", {}), "kubernetes.io/metadata.name": name}
    return {
        "metadata": {**given, "name": name, "labels": labels},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _ensure(store: Store, resource: Resource, obj: dict[str, Any]) -> None:
    if store.find(resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]) is None:
        store.create(resource, obj)


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


def _cluster_roles() -> list[dict[str, Any]]:
    everything = [_rule(["*"], ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}]
    reviews = [
        _rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
        _rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
    ]
    paths = [
        "/api",
        "/api/*",
        "/apis",
        "/apis/*",
        "/healthz",
        "/livez",
        "/openapi",
        "/openapi/*",
        "/readyz",
        "/version",
    ]
    internal = _rule(INTERNAL_GROUPS, ["*"], READ)
    readable = [
        "configmaps", "events", "limitranges", "namespaces", "persistentvolumeclaims", "pods", "pods/log",
        "pods/status", "resourcequotas", "serviceaccounts", "services",
    ]  # fmt: skip
    view = [_rule([""], readable, READ), _rule([APPS_GROUP], ["deployments", "replicasets"], READ)]
    written = ["configmaps", "events", "persistentvolumeclaims", "pods", "secrets", "services"]
    edit = [_rule([""], ["secrets"], READ), _rule([""], written, WRITE)]
    admin = [_rule([RBAC_GROUP], ["roles", "rolebindings"], [*READ, *WRITE])]
    return [
        _role("cluster-admin", everything),
        _role("system:basic-user", reviews),
        _role("system:discovery", [{"nonResourceURLs": paths, "verbs": ["get"]}]),
        _aggregated("admin", {}),
        _aggregated("edit", {f"{AGGREGATE_LABEL}admin": "true"}),
        _aggregated("view", {f"{AGGREGATE_LABEL}edit": "true"}),
        _role("system:aggregate-to-view", view, "view"),
        _role("system:aggregate-to-edit", edit, "edit"),
        _role("system:aggregate-to-admin", admin, "admin"),
        _role("knative-serving-namespaced-admin", [_rule([KNATIVE_GROUP], ["*"], ["*"]), internal], "admin"),
        _role(
            "knative-serving-namespaced-edit",
            [_rule([KNATIVE_GROUP], ["*"], ["create", "update", "patch", "delete"]), internal],
            "edit",
        ),
        _role("knative-serving-namespaced-view", [_rule([KNATIVE_GROUP, *INTERNAL_GROUPS], ["*"], READ)], "view"),
    ]


def _role(name: str, rules: list[dict[str, Any]], *aggregate_to: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if aggregate_to:
        metadata["labels"] = {f"{AGGREGATE_LABEL}{role}": "true" for role in aggregate_to}
    return {"metadata": metadata, "rules": rules}


def _aggregated(name: str, labels: dict[str, str]) -> dict[str, Any]:
    selector = {"matchLabels": {f"{AGGREGATE_LABEL}{name}": "true"}}
    return {"metadata": {"name": name, "labels": labels}, "aggregationRule": {"clusterRoleSelectors": [selector]}}


def _group_binding(name: str, group: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": RBAC_GROUP, "kind": "Group", "name": group}],
    }
