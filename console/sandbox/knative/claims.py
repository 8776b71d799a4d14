"""Volume claims: those of the default storage class are bound at once, others wait; none goes while a pod uses it."""

from __future__ import annotations

import uuid

from console.sandbox.core_defaults import CLAIM_PROTECTION, STORAGE_CLASS
from console.sandbox.knative.cluster import Cluster
from console.sandbox.knative.events import WARNING
from console.sandbox.knative.objects import Key, Object, key_of, status_of, with_metadata
from console.sandbox.knative.references import claims_of
from console.sandbox.resources import CLAIMS, PODS

BOUND = "Bound"
SOURCE = "persistentvolume-controller"


class ClaimController:
    """Follows claims, and the pods that use them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def observe(self, event: str, claim: Object) -> None:
        """Take up a change of a claim."""
        if event == "DELETED":
            return
        if "deletionTimestamp" in claim["metadata"]:
            self._release(key_of(claim))
        elif event == "ADDED" and status_of(claim).get("phase") != BOUND:
            self._provide(claim)

    def observe_pod(self, event: str, pod: Object) -> None:
        """A pod that is gone uses no claim any more."""
        if event == "DELETED":
            for name in claims_of(pod["spec"]):
                self._release((pod["metadata"]["namespace"], name))

    def _provide(self, claim: Object) -> None:
        """Make its volume soon, or say why there is none."""
        storage_class = claim["spec"].get("storageClassName")
        if storage_class == STORAGE_CLASS:
            self._cluster.later(self._cluster.settings.timings.mounting, lambda: self._bind(key_of(claim)))
        elif storage_class:
            message = f'storageclass.storage.k8s.io "{storage_class}" not found'
            self._cluster.events.record(claim, "ProvisioningFailed", message, source=SOURCE, kind=WARNING)
        else:
            message = "no persistent volumes available for this claim and no storage class is set"
            self._cluster.events.record(claim, "FailedBinding", message, source=SOURCE)

    def _bind(self, key: Key) -> None:
        claim = self._cluster.store.find(CLAIMS, *key)
        if claim is None or "deletionTimestamp" in claim["metadata"] or status_of(claim).get("phase") == BOUND:
            return
        bound = self._cluster.store.update(CLAIMS, claim | {"spec": claim["spec"] | {"volumeName": volume_name(claim)}})
        self._cluster.write_status(CLAIMS, bound, bound_status(bound))

    def _release(self, key: Key) -> None:
        """Let a claim that is being deleted go, unless a pod still uses it."""
        claim, store = self._cluster.store.find(CLAIMS, *key), self._cluster.store
        if claim is None or "deletionTimestamp" not in claim["metadata"]:
            return
        if any(key[1] in claims_of(pod["spec"]) for pod in store.list(PODS, key[0])):
            return
        left = [each for each in claim["metadata"].get("finalizers") or () if each != CLAIM_PROTECTION]
        store.update(CLAIMS, with_metadata(claim, finalizers=left or None))


def volume_name(claim: Object) -> str:
    """The name of the volume that is made for a claim."""
    return f"pvc-{uuid.UUID(claim['metadata']['uid'])}"


def bound_status(claim: Object) -> Object:
    """The status of a claim that has its volume."""
    spec = claim["spec"]
    requested = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    capacity = {"capacity": {"storage": requested}} if requested else {}
    return {"accessModes": spec.get("accessModes") or [], **capacity, "phase": BOUND}
