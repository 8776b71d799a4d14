"""What Knative makes of a Revision and a Route in Kubernetes' own kinds: Deployment, ReplicaSet and core Services.

A real cluster has PodAutoscalers, ServerlessServices and Ingresses between them; here their owners are told, but these
objects do not exist.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from console.sandbox.knative import queue_proxy
from console.sandbox.knative.objects import (
    GROUP,
    ROUTES_ANNOTATION,
    ROUTING_STATE_MODIFIED,
    SERVICE_LABEL,
    Object,
    annotations_of,
    controller_reference,
    labels_of,
)
from console.sandbox.knative.pod_template import REVISION_UID, SCALING, inner_annotations, inner_labels, template_of
from console.sandbox.knative.version import OLDEST, knative_version
from console.sandbox.machines import cluster_address
from console.sandbox.names import child_name
from console.sandbox.resources import CORE_SERVICES, DEPLOYMENTS, REPLICASETS, Resource

GATEWAY = "gateway.sandbox.svc.cluster.local"  # where placeholders lead; a real one is the ingress's Service
NETWORKING = "networking.internal.knative.dev"
DEPLOYMENT_REVISION = "deployment.kubernetes.io/revision"
DEADLINE_SECONDS = 600
_DIGITS = str.maketrans("0123456789", "456789bcdf")  # as apimachinery spells a hash without forming words
_PUBLIC = (("http", 80, queue_proxy.HTTP_PORT), ("https", 443, queue_proxy.TLS_PORT))
_PRIVATE = (
    *_PUBLIC,
    ("http-autometric", 9090, "http-autometric"),
    ("http-usermetric", 9091, "http-usermetric"),
)  # fmt: skip


def template_hash(namespace: str, revision: str) -> str:
    """The hash in the names of a Revision's pods, made up but stable."""
    digest = hashlib.sha256(f"{namespace}/{revision}".encode()).digest()
    return str(int.from_bytes(digest[:4])).translate(_DIGITS)


def deployment_for(revision: Object, replicas: int) -> Object:
    """The Deployment of a Revision, without status."""
    namespace, name = revision["metadata"]["namespace"], revision["metadata"]["name"]
    labels, annotations = inner_labels(revision), inner_annotations(revision)
    is_older = knative_version() <= OLDEST
    if not is_older:
        labels |= {f"{GROUP}/deployment-hash": template_hash(namespace, f"{name}/deployment")[:6]}
    strategy = {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}, "type": "RollingUpdate"}
    spec = {
        "progressDeadlineSeconds": DEADLINE_SECONDS,
        "replicas": replicas,
        "revisionHistoryLimit": 10 if is_older else 0,
        "selector": {"matchLabels": {REVISION_UID: revision["metadata"]["uid"]}},
        "strategy": strategy,
        "template": template_of(revision),
    }
    annotations |= {DEPLOYMENT_REVISION: "1"}
    metadata = _metadata(revision, child_name(name, "-deployment"), labels, annotations, controller_reference(revision))
    return _object(DEPLOYMENTS, metadata, spec)


def replica_set_for(revision: Object, deployment: Object) -> Object:
    """The ReplicaSet of a Deployment, without status."""
    namespace, name = revision["metadata"]["namespace"], revision["metadata"]["name"]
    suffix, replicas = template_hash(namespace, name), deployment["spec"]["replicas"]
    labels = inner_labels(revision) | {"pod-template-hash": suffix}
    annotations = inner_annotations(revision) | {
        "deployment.kubernetes.io/desired-replicas": str(replicas),
        "deployment.kubernetes.io/max-replicas": str(_most(replicas)),
        DEPLOYMENT_REVISION: "1",
    }
    template = deployment["spec"]["template"]
    labelled = template["metadata"] | {"labels": template["metadata"]["labels"] | {"pod-template-hash": suffix}}
    selector = deployment["spec"]["selector"]["matchLabels"] | {"pod-template-hash": suffix}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": selector},
        "template": template | {"metadata": labelled},
    }  # fmt: skip
    own_name = f"{deployment['metadata']['name']}-{suffix}"
    metadata = _metadata(revision, own_name, labels, annotations, controller_reference(deployment))
    return _object(REPLICASETS, metadata, spec)


def scaled(obj: Object, replicas: int) -> Object:
    """The Deployment or ReplicaSet when so many pods are wanted."""
    found = obj | {"spec": obj["spec"] | {"replicas": replicas}}
    if obj["kind"] == REPLICASETS.kind:
        sizes = {"desired": replicas, "max": _most(replicas)}
        told = {f"deployment.kubernetes.io/{name}-replicas": str(size) for name, size in sizes.items()}
        found["metadata"] = obj["metadata"] | {"annotations": obj["metadata"]["annotations"] | told}
    return found


def deployment_status(deployment: Object, replica_set: str, made: int, ready: int, now: str) -> Object:
    """The status with `made` pods of which so many are ready."""
    wanted = deployment["spec"]["replicas"]
    is_available = ready >= wanted
    before = {each["type"]: each for each in (deployment.get("status") or {}).get("conditions") or []}
    reason = "NewReplicaSetAvailable" if is_available else "ReplicaSetUpdated"
    how = "has successfully progressed." if is_available else "is progressing."
    conditions = [
        _condition(before, "Available", "True", "MinimumReplicasAvailable",
                   "Deployment has minimum availability.", now)
        if is_available
        else _condition(before, "Available", "False", "MinimumReplicasUnavailable",
                        "Deployment does not have minimum availability.", now),
        _condition(before, "Progressing", "True", reason, f'ReplicaSet "{replica_set}" {how}', now),
    ]  # fmt: skip
    counts = {
        "replicas": made, "updatedReplicas": made, "readyReplicas": ready, "availableReplicas": ready,
        "unavailableReplicas": max(0, wanted - ready),
    }  # fmt: skip
    written = {key: value for key, value in counts.items() if value} | {"terminatingReplicas": 0}
    return written | {"conditions": conditions, "observedGeneration": deployment["metadata"]["generation"]}


def replica_set_status(replica_set: Object, made: int, ready: int) -> Object:
    """The status with `made` pods of which so many are ready."""
    counts = {"fullyLabeledReplicas": made, "readyReplicas": ready, "availableReplicas": ready}
    written = {key: value for key, value in counts.items() if value}
    generation = replica_set["metadata"]["generation"]
    return written | {"replicas": made, "terminatingReplicas": 0, "observedGeneration": generation}


def services_for(revision: Object) -> tuple[Object, Object]:
    """The public Service of a Revision, whose endpoints Knative writes, and the private one, which selects its pods."""
    name = revision["metadata"]["name"]
    private = list(_PRIVATE)
    if knative_version() <= OLDEST:
        private.append(("http-queueadm", queue_proxy.ADMIN_PORT, queue_proxy.ADMIN_PORT))
    private.append(("http-istio", queue_proxy.HTTP_PORT, queue_proxy.HTTP_PORT))
    selector = {"selector": {REVISION_UID: revision["metadata"]["uid"]}}
    return (
        _revision_service(revision, name, "Public", _ports(_PUBLIC), {}),
        _revision_service(revision, child_name(name, "-private"), "Private", _ports(private), selector),
    )


def placeholder_for(route: Object, name: str) -> Object:
    """The Service under which a Route (or one of its tags) is reachable inside the cluster."""
    route_name = route["metadata"]["name"]
    labels = {f"{GROUP}/route": route_name}
    labels |= {SERVICE_LABEL: labels_of(route)[SERVICE_LABEL]} if SERVICE_LABEL in labels_of(route) else {}
    port = {"appProtocol": "kubernetes.io/h2c", "name": "http2", "port": 80, "protocol": "TCP", "targetPort": 80}
    spec = {"externalName": GATEWAY, "ports": [port], "sessionAffinity": "None", "type": "ExternalName"}
    metadata = _metadata(route, name, labels, dict(annotations_of(route)), controller_reference(route))
    return _object(CORE_SERVICES, metadata, spec) | {"status": {"loadBalancer": {}}}


def _revision_service(revision: Object, name: str, kind: str, ports: list[Object], more: Object) -> Object:
    serverless = f"{NETWORKING}/serverlessservice"
    labels = inner_labels(revision) | {serverless: revision["metadata"]["name"], f"{NETWORKING}/serviceType": kind}
    owner = {
        "apiVersion": f"{NETWORKING}/v1alpha1",
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": "ServerlessService",
        "name": revision["metadata"]["name"],
        "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{serverless}/{revision['metadata']['uid']}")),
    }
    left = (ROUTES_ANNOTATION, ROUTING_STATE_MODIFIED)
    annotations = {key: value for key, value in annotations_of(revision).items() if key not in left}
    annotations = {f"{SCALING}class": f"kpa.{SCALING[:-1]}"} | annotations
    metadata = _metadata(revision, name, labels, annotations, owner)
    address = cluster_address(metadata["namespace"], name)
    spec = {
        "clusterIP": address, "clusterIPs": [address], "internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack", "ports": ports, "sessionAffinity": "None", "type": "ClusterIP",
    }  # fmt: skip
    return _object(CORE_SERVICES, metadata, spec | more) | {"status": {"loadBalancer": {}}}


def _ports(rows: Any) -> list[Object]:
    return [{"name": name, "port": port, "protocol": "TCP", "targetPort": target} for name, port, target in rows]


def _most(replicas: int) -> int:
    """With a quarter more while a new template is rolled out, rounded up."""
    return replicas + -(-replicas // 4)


def _condition(before: dict[str, Object], kind: str, status: str, reason: str, message: str, now: str) -> Object:
    known = before.get(kind, {})
    words = {"message": message, "reason": reason, "status": status, "type": kind}
    if {key: known.get(key) for key in words} == words:
        return known
    since = known.get("lastTransitionTime", now) if known.get("status") == status else now
    return {"lastTransitionTime": since, "lastUpdateTime": now, **words}


def _metadata(of: Object, name: str, labels: dict[str, str], annotations: dict[str, str], owner: Object) -> Object:
    return {
        "annotations": annotations,
        "labels": labels,
        "name": name,
        "namespace": of["metadata"]["namespace"],
        "ownerReferences": [owner],
    }


def _object(resource: Resource, metadata: Object, spec: Object) -> Object:
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, "spec": spec}
