"""A copy of a service under another name: its manifest as it is in the cluster now, values of variables included."""

import copy
from typing import Any

from console.access.models import User
from console.knative import marks
from console.knative.changes import CreateService
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.operations.gateways import gateway_for


def clone_of(source: ServiceRef, target: ServiceRef, *, user: User, image: str = "") -> CreateService:
    """Return the change that makes the copy; raises a ClusterError. The caller checked `reveal` on the source.

    The copy follows its latest revision: the revisions that the original's split names are not its own.
    """
    found = gateway_for(source.cluster, user).service(source.namespace, source.name)
    return CreateService(manifest_of(found, target, image))


def manifest_of(found: Service, target: ServiceRef, image: str = "") -> dict[str, Any]:
    """Return the manifest of a copy in its new place, everything kept but what is the original's own."""
    spec = copy.deepcopy(dict(found.spec))
    spec.pop("traffic", None)
    template = spec.setdefault("template", {})
    inner = dict(template.get("metadata") or {})
    inner.pop("name", None)
    inner.pop("creationTimestamp", None)
    for kind in ("labels", "annotations"):
        if inner.get(kind):
            inner[kind] = marks.for_a_copy(inner[kind])
    template["metadata"] = inner
    container = found.user_container
    if image and container:
        for one in template["spec"]["containers"]:
            if one.get("name", "") == container.name:
                one["image"] = image
        inner["annotations"] = {**(inner.get("annotations") or {}), "client.knative.dev/user-image": image}
    metadata: dict[str, Any] = {"name": target.name, "namespace": target.namespace}
    for kind, present in (("labels", found.labels), ("annotations", found.annotations)):
        if own := marks.for_a_copy(present):
            metadata[kind] = own
    return {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": metadata, "spec": spec}


def left_behind(found: Service) -> dict[str, str]:
    """Return the original's marks of ownership, which the copy does not get, each with the tool whose it is."""
    inner = found.template.get("metadata") or {}
    holders = (found.labels, found.annotations, inner.get("labels") or {}, inner.get("annotations") or {})
    return {key: tool for holder in holders for key, tool in marks.ownership(holder).items()}
