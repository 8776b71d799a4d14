"""Which revisions a Route uses: their routing state, as labels and annotations on the revisions."""

from __future__ import annotations

from console.sandbox.knative.cluster import Cluster
from console.sandbox.knative.objects import (
    ROUTES_ANNOTATION,
    ROUTING_STATE_LABEL,
    ROUTING_STATE_MODIFIED,
    SERVICE_LABEL,
    Object,
    annotations_of,
    labels_of,
    with_metadata,
)
from console.sandbox.knative.targets import named_revisions
from console.sandbox.resources import CONFIGURATIONS, REVISIONS


def label_revisions(cluster: Cluster, route: Object, *, may_release: bool) -> None:
    """Mark the revisions that the Route uses as active and, with `may_release`, its other ones as reserve.

    Revisions are released only when the ingress no longer sends anything to them, so that a caller decides when.
    """
    store, namespace, name = cluster.store, route["metadata"]["namespace"], route["metadata"]["name"]
    used = named_revisions(store, route)
    for revision_name in sorted(used):
        revision = store.find(REVISIONS, namespace, revision_name)
        if revision is not None:
            _write(cluster, revision, "active", name)
    configuration = store.find(CONFIGURATIONS, namespace, labels_of(route).get(SERVICE_LABEL, ""))
    if not may_release or configuration is None:
        return
    for resource, revision in store.dependents(configuration["metadata"]["uid"]):
        if resource is REVISIONS and revision["metadata"]["name"] not in used:
            _write(cluster, revision, "reserve", None)


def _write(cluster: Cluster, revision: Object, state: str, route: str | None) -> None:
    annotations, labels = dict(annotations_of(revision)), labels_of(revision)
    if (labels.get(ROUTING_STATE_LABEL), annotations.pop(ROUTES_ANNOTATION, None)) == (state, route):
        return
    if "deletionTimestamp" in revision["metadata"]:
        return
    if route is not None:
        annotations[ROUTES_ANNOTATION] = route
    annotations[ROUTING_STATE_MODIFIED] = cluster.clock.timestamp()
    labelled = with_metadata(revision, annotations=annotations, labels=labels | {ROUTING_STATE_LABEL: state})
    cluster.store.update(REVISIONS, labelled)
