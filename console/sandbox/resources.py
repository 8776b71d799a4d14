"""The kinds that the sandbox serves, as one table that discovery, routing and authorization read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

READ_VERBS = ("get", "list", "watch")
ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One row of the table. Compared by identity: there is exactly one of each."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_status: bool = False
    has_generation: bool = False
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """`v1` for the core group, else `group/version`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The plural with its group, as error messages name it: `services.serving.knative.dev`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def is_custom(self) -> bool:
        """Defined by a CustomResourceDefinition on a real cluster (no strategic merge patch, pruning)."""
        return self.group == KNATIVE_GROUP

    def path(self, namespace: str = "", name: str = "") -> str:
        """The URL path of the collection or object."""
        prefix = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{prefix}{scope}/{self.plural}" + (f"/{name}" if name else "")

    def __repr__(self) -> str:
        return f"<{self.qualified}>"


KNATIVE_GROUP = "serving.knative.dev"
APPS_GROUP = "apps"
RBAC_GROUP = "rbac.authorization.k8s.io"
KNATIVE_CATEGORIES = ("all", "knative", "serving")


def _knative(plural: str, kind: str, *short_names: str) -> Resource:
    return Resource(
        KNATIVE_GROUP,
        "v1",
        plural,
        kind,
        namespaced=True,
        short_names=short_names,
        categories=KNATIVE_CATEGORIES,
        has_status=True,
        has_generation=True,
        subresources=("status",),
    )


def _workload(plural: str, kind: str, *short_names: str) -> Resource:
    """A kind that only a controller writes here."""
    return Resource(
        APPS_GROUP,
        "v1",
        plural,
        kind,
        namespaced=True,
        short_names=short_names,
        categories=("all",),
        has_status=True,
        has_generation=True,
        verbs=READ_VERBS,
    )


NAMESPACES = Resource(
    "",
    "v1",
    "namespaces",
    "Namespace",
    namespaced=False,
    short_names=("ns",),
    has_status=True,
    verbs=tuple(verb for verb in ALL_VERBS if verb != "deletecollection"),
    subresources=("status",),
)
PODS = Resource(
    "",
    "v1",
    "pods",
    "Pod",
    namespaced=True,
    short_names=("po",),
    categories=("all",),
    has_status=True,
    subresources=("status", "log"),
)
EVENTS = Resource("", "v1", "events", "Event", namespaced=True, short_names=("ev",))
SECRETS = Resource("", "v1", "secrets", "Secret", namespaced=True)
CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True, short_names=("cm",))
SERVICEACCOUNTS = Resource(
    "", "v1", "serviceaccounts", "ServiceAccount", namespaced=True, short_names=("sa",), subresources=("token",)
)
# Named apart from Knative's Service, whose plural and kind they share.
CORE_SERVICES = Resource(
    "",
    "v1",
    "services",
    "Service",
    namespaced=True,
    short_names=("svc",),
    categories=("all",),
    has_status=True,
    subresources=("status",),
)
CLAIMS = Resource(
    "",
    "v1",
    "persistentvolumeclaims",
    "PersistentVolumeClaim",
    namespaced=True,
    short_names=("pvc",),
    has_status=True,
    subresources=("status",),
)
NODES = Resource("", "v1", "nodes", "Node", namespaced=False, short_names=("no",), has_status=True, verbs=READ_VERBS)
# Nobody can make these here: describing a namespace asks for them.
RESOURCEQUOTAS = Resource(
    "", "v1", "resourcequotas", "ResourceQuota", namespaced=True, short_names=("quota",), verbs=READ_VERBS
)
LIMITRANGES = Resource(
    "", "v1", "limitranges", "LimitRange", namespaced=True, short_names=("limits",), verbs=READ_VERBS
)
DEPLOYMENTS = _workload("deployments", "Deployment", "deploy")
REPLICASETS = _workload("replicasets", "ReplicaSet", "rs")
SERVICES = _knative("services", "Service", "kservice", "ksvc")
CONFIGURATIONS = _knative("configurations", "Configuration", "config", "cfg")
REVISIONS = _knative("revisions", "Revision", "rev")
ROUTES = _knative("routes", "Route", "rt")
CLUSTERROLES = Resource(RBAC_GROUP, "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTERROLEBINDINGS = Resource(RBAC_GROUP, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)
ROLES = Resource(RBAC_GROUP, "v1", "roles", "Role", namespaced=True)
ROLEBINDINGS = Resource(RBAC_GROUP, "v1", "rolebindings", "RoleBinding", namespaced=True)

TABLE: tuple[Resource, ...] = (
    NAMESPACES,
    PODS,
    EVENTS,
    SECRETS,
    CONFIGMAPS,
    SERVICEACCOUNTS,
    CORE_SERVICES,
    CLAIMS,
    NODES,
    RESOURCEQUOTAS,
    LIMITRANGES,
    DEPLOYMENTS,
    REPLICASETS,
    SERVICES,
    CONFIGURATIONS,
    REVISIONS,
    ROUTES,
    CLUSTERROLES,
    CLUSTERROLEBINDINGS,
    ROLES,
    ROLEBINDINGS,
)

_BY_PLURAL = {(row.group, row.version, row.plural): row for row in TABLE}
_BY_KIND = {(row.api_version, row.kind): row for row in TABLE}


def by_plural(group: str, version: str, plural: str) -> Resource | None:
    """The row that a URL path names, or None."""
    return _BY_PLURAL.get((group, version, plural))


def by_kind(api_version: str, kind: str) -> Resource | None:
    """The row that an object's apiVersion and kind name, or None."""
    return _BY_KIND.get((api_version, kind))


def groups() -> Iterator[tuple[str, str]]:
    """The (group, version) pairs that the table has, the core group first."""
    yield from dict.fromkeys((row.group, row.version) for row in TABLE)
