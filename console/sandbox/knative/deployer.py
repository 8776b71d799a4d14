"""Keeps the Deployment, ReplicaSet and core Services of each Revision, and tells their events."""

from __future__ import annotations

from console.sandbox.knative.cluster import Cluster
from console.sandbox.knative.inner_objects import (
    deployment_for,
    deployment_status,
    replica_set_for,
    replica_set_status,
    scaled,
    services_for,
    template_hash,
)
from console.sandbox.knative.objects import Key, Object, key_of
from console.sandbox.names import child_name
from console.sandbox.resources import CORE_SERVICES, DEPLOYMENTS, REPLICASETS

DEPLOYMENT_SOURCE, REPLICA_SET_SOURCE = "deployment-controller", "replicaset-controller"


class Deployer:
    """What is between a Revision and its pods on a real cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def deploy(self, revision: Object, replicas: int) -> Object:
        """Make what is missing, want so many pods, and return the ReplicaSet."""
        store, key = self._cluster.store, key_of(revision)
        deployment = store.find(DEPLOYMENTS, key[0], deployment_name(key))
        replica_set = store.find(REPLICASETS, key[0], replica_set_name(key))
        if deployment is None or replica_set is None:
            return self._make(revision, replicas)
        before = deployment["spec"]["replicas"]
        if before == replicas:
            return replica_set
        deployment = store.update(DEPLOYMENTS, scaled(deployment, replicas), is_managed=True)
        self._tell_scale(deployment, replica_set["metadata"]["name"], before, replicas)
        return store.update(REPLICASETS, scaled(replica_set, replicas), is_managed=True)

    def reflect(self, key: Key, made: int, ready: int) -> None:
        """Say in their status how many pods there are, of which so many are ready."""
        store, now = self._cluster.store, self._cluster.clock.timestamp()
        deployment = store.find(DEPLOYMENTS, key[0], deployment_name(key))
        replica_set = store.find(REPLICASETS, key[0], replica_set_name(key))
        if deployment is None or replica_set is None:
            return
        status = replica_set_status(replica_set, made, ready)
        store.update(REPLICASETS, replica_set | {"status": status}, subresource="status", is_managed=True)
        status = deployment_status(deployment, replica_set["metadata"]["name"], made, ready, now)
        store.update(DEPLOYMENTS, deployment | {"status": status}, subresource="status", is_managed=True)

    def tell_pod(self, key: Key, pod: str, *, is_new: bool) -> None:
        """The ReplicaSet made a pod, or ended one."""
        replica_set = self._cluster.store.find(REPLICASETS, key[0], replica_set_name(key))
        if replica_set is not None:
            reason, verb = ("SuccessfulCreate", "Created") if is_new else ("SuccessfulDelete", "Deleted")
            self._cluster.events.record(replica_set, reason, f"{verb} pod: {pod}", source=REPLICA_SET_SOURCE)

    def forget(self, key: Key) -> None:
        """The Revision is gone: its Services, which no owner takes with it, go too."""
        for name in (key[1], child_name(key[1], "-private")):
            found = self._cluster.store.find(CORE_SERVICES, key[0], name)
            if found and any(each["kind"] == "ServerlessService" for each in found["metadata"]["ownerReferences"]):
                self._cluster.store.delete(CORE_SERVICES, key[0], name)

    def _make(self, revision: Object, replicas: int) -> Object:
        store, namespace = self._cluster.store, revision["metadata"]["namespace"]
        for service in services_for(revision):
            if store.find(CORE_SERVICES, *key_of(service)) is None:
                store.create(CORE_SERVICES, service, is_managed=True)
        wanted = deployment_for(revision, replicas)
        deployment = store.find(DEPLOYMENTS, *key_of(wanted)) or store.create(DEPLOYMENTS, wanted, is_managed=True)
        name = replica_set_name(key_of(revision))
        if replicas:
            self._tell_scale(deployment, name, 0, replicas)
        found = store.find(REPLICASETS, namespace, name)
        made = found or store.create(REPLICASETS, replica_set_for(revision, deployment), is_managed=True)
        self.reflect(key_of(revision), 0, 0)
        return made

    def _tell_scale(self, deployment: Object, replica_set: str, before: int, after: int) -> None:
        way = "up" if after > before else "down"
        message = f"Scaled {way} replica set {replica_set} from {before} to {after}"
        self._cluster.events.record(deployment, "ScalingReplicaSet", message, source=DEPLOYMENT_SOURCE)


def deployment_name(key: Key) -> str:
    """The name of a Revision's Deployment."""
    return child_name(key[1], "-deployment")


def replica_set_name(key: Key) -> str:
    """The name of a Revision's ReplicaSet."""
    return f"{deployment_name(key)}-{template_hash(*key)}"
