"""The template of a Revision's pods: what Knative writes into its Deployment, completed as an API server does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from console.sandbox.knative import queue_proxy
from console.sandbox.knative.objects import (
    CONFIGURATION_LABEL,
    GROUP,
    REVISION_LABEL,
    ROUTES_ANNOTATION,
    ROUTING_STATE_LABEL,
    ROUTING_STATE_MODIFIED,
    SERVICE_LABEL,
    Object,
    annotations_of,
    labels_of,
    serving_container,
)
from console.sandbox.knative.version import OLDEST, knative_version

REVISION_UID = f"{GROUP}/revisionUID"
SCALING = "autoscaling.knative.dev/"
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
GRACE_SECONDS = 300
DEFAULT_PORT = 8080
_OF_THE_REVISION_ALONE = ("containers", "containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds",
                          "idleTimeoutSeconds")  # fmt: skip
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE_DEFAULTS = {"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}
_DRAINING = {
    "preStop": {"httpGet": {"path": "/wait-for-drain", "port": queue_proxy.ADMIN_PORT, "scheme": "HTTP"}},
}  # fmt: skip
_READABLE_BY_ALL = 0o644
_PROBED_BY_THE_PROXY = ("httpGet", "tcpSocket", "grpc")


def template_of(revision: Object) -> Object:
    """Metadata and spec of the Revision's pods."""
    annotations = inner_annotations(revision)
    if knative_version() > OLDEST:
        annotations[DEFAULT_CONTAINER] = serving_container(revision)["name"]
    return {"metadata": {"annotations": annotations, "labels": inner_labels(revision)}, "spec": _spec(revision)}


def inner_labels(revision: Object) -> dict[str, str]:
    """The labels of everything that Knative makes for a Revision."""
    own = {key: value for key, value in labels_of(revision).items() if key != ROUTING_STATE_LABEL}
    name, uid = revision["metadata"]["name"], revision["metadata"]["uid"]
    return own | {"app": own.get("app", name), REVISION_LABEL: name, REVISION_UID: uid}


def inner_annotations(revision: Object) -> dict[str, str]:
    """The annotations of its Deployment and pods; since 1.16 they do not say how to scale."""
    left = (ROUTES_ANNOTATION, ROUTING_STATE_MODIFIED)
    is_older = knative_version() <= OLDEST
    return {
        key: value
        for key, value in annotations_of(revision).items()
        if key not in left and (is_older or not key.startswith(SCALING))
    }


def port_of(revision: Object) -> int:
    """The port that its program listens on."""
    ports = serving_container(revision).get("ports") or [{}]
    return int(ports[0].get("containerPort", DEFAULT_PORT))


def _spec(revision: Object) -> Object:
    spec, serving = revision["spec"], serving_container(revision)
    statuses = {each["name"]: each for each in (revision.get("status") or {}).get("containerStatuses") or []}
    containers = [
        _container(_pinned(each, statuses), revision, is_serving=each["name"] == serving["name"])
        for each in spec["containers"]
    ]
    proxy = queue_proxy.container(revision, port_of(revision), serving.get("readinessProbe"))
    given = {key: value for key, value in spec.items() if key not in _OF_THE_REVISION_ALONE}
    if "initContainers" in given:
        given["initContainers"] = [_completed(each) for each in given["initContainers"]]
    if "volumes" in given:
        given["volumes"] = list(_volumes(given["volumes"]))
    if "serviceAccountName" in given:
        given["serviceAccount"] = given["serviceAccountName"]
    return {
        "affinity": _apart(revision["metadata"]["name"]),
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": False,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": spec.get("timeoutSeconds", GRACE_SECONDS),
    } | given | {"containers": [*containers, proxy]}  # fmt: skip


def _pinned(container: Object, statuses: dict[str, Object]) -> Object:
    """The container with its image by the digest that was resolved for the Revision."""
    image, digest = container["image"], statuses.get(container["name"], {}).get("imageDigest", "")
    return container | {"image": f"{image}@{digest.partition('@')[2]}"} if digest and "@" not in image else container


def _container(container: Object, revision: Object, *, is_serving: bool) -> Object:
    port = port_of(revision)
    identity = {"PORT": str(port)} if is_serving else {}
    identity |= {
        "K_REVISION": revision["metadata"]["name"],
        "K_CONFIGURATION": labels_of(revision).get(CONFIGURATION_LABEL, ""),
        "K_SERVICE": labels_of(revision).get(SERVICE_LABEL, ""),
    }
    filled = container | {
        "env": [*(container.get("env") or []), *({"name": name, "value": value} for name, value in identity.items())],
        "lifecycle": _DRAINING,
        "terminationMessagePolicy": container.get("terminationMessagePolicy", "FallbackToLogsOnError"),
    }
    if is_serving:
        filled["ports"] = [{"containerPort": port, "name": "user-port", "protocol": "TCP"}]
    if any(handler in (filled.get("readinessProbe") or {}) for handler in _PROBED_BY_THE_PROXY):
        del filled["readinessProbe"]
    return _completed(filled)


def _completed(container: Object) -> Object:
    """With what an API server fills in."""
    filled: dict[str, Any] = {
        "imagePullPolicy": _pull_policy(container.get("image", "")),
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    } | container  # fmt: skip
    for name in _PROBES:
        if name in filled:
            filled[name] = _PROBE_DEFAULTS | filled[name]
    return filled


def _pull_policy(image: str) -> str:
    tag = image.rpartition("/")[2].partition(":")[2]
    is_moving = "@" not in image and tag in ("", "latest")
    return "Always" if is_moving else "IfNotPresent"


def _volumes(volumes: Iterable[Object]) -> Iterable[Object]:
    for volume in volumes:
        yield {
            key: {"defaultMode": _READABLE_BY_ALL} | source if key in ("secret", "configMap", "projected") else source
            for key, source in volume.items()
        }


def _apart(revision: str) -> Object:
    """Pods of a Revision keep to different nodes where they can (default-affinity-type of config-deployment)."""
    term = {
        "labelSelector": {"matchLabels": {REVISION_LABEL: revision}},
        "topologyKey": "kubernetes.io/hostname",
    }  # fmt: skip
    preferred = [{"podAffinityTerm": term, "weight": 100}]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
