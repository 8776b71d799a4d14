"""What the controller manager puts into every namespace: the ServiceAccount `default` and the API's authority."""

from __future__ import annotations

from console.sandbox.resources import CONFIGMAPS, NAMESPACES, SERVICEACCOUNTS, Resource
from console.sandbox.store import Object, Store

ACCOUNT, AUTHORITY = "default", "kube-root-ca.crt"
DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


class Furnisher:
    """Keeps those two objects where they belong; `authority` is the PEM text of the API's certificate."""

    def __init__(self, store: Store, authority: str = "") -> None:
        self._store = store
        self._data = {"ca.crt": authority}

    def furnish_all(self) -> None:
        """Every namespace that is there, with this start's authority; as old as the namespace is."""
        for namespace in self._store.list(NAMESPACES):
            name = namespace["metadata"]["name"]
            self.furnish(name, namespace["metadata"]["creationTimestamp"])
            known = self._store.find(CONFIGMAPS, name, AUTHORITY)
            if known and known.get("data") != self._data:
                self._store.update(CONFIGMAPS, known | {"data": self._data})

    def furnish(self, namespace: str, created: str = "") -> None:
        """Create what is missing, unless the namespace is being deleted."""
        found = self._store.find(NAMESPACES, "", namespace)
        if found is None or "deletionTimestamp" in found["metadata"]:
            return
        self._ensure(SERVICEACCOUNTS, {"metadata": {"name": ACCOUNT, "namespace": namespace}}, created)
        annotations = {"kubernetes.io/description": DESCRIPTION}
        metadata = {"name": AUTHORITY, "namespace": namespace, "annotations": annotations}
        self._ensure(CONFIGMAPS, {"metadata": metadata, "data": self._data}, created)

    def replace(self, resource: Resource, namespace: str, name: str) -> None:
        """Somebody deleted an object: these come back at once."""
        if (resource, name) in ((SERVICEACCOUNTS, ACCOUNT), (CONFIGMAPS, AUTHORITY)):
            self.furnish(namespace)

    def _ensure(self, resource: Resource, obj: Object, created: str) -> None:
        if self._store.find(resource, obj["metadata"]["namespace"], obj["metadata"]["name"]) is None:
            self._store.create(resource, obj, created=created)
