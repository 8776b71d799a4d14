"""The hardest realistic objects, so that losing a field fails everywhere."""

from __future__ import annotations

from typing import Any

from console.knative.capabilities import CONFIG_MAPS, FEATURES, Capabilities
from console.knative.gates import GATES, SECURE_DEFAULTS

SECRET_VALUE = "s3cr3t-canary-0f9c"


def service(name: str = "shop", namespace: str = "default", **changes: Any) -> dict[str, Any]:
    """A Service with a sidecar, envFrom, volumes, probes, two tags on one revision and a field nobody knows."""
    raw: dict[str, Any] = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "resourceVersion": "100",
            "generation": 4,
            "creationTimestamp": "2026-11-01T10:00:00Z",
            "labels": {"app": "shop", "tier": "front"},
            "annotations": {
                "serving.knative.dev/creator": "alice@shop.example",
                "serving.knative.dev/lastModifier": "bob@shop.example",
            },
        },
        "spec": {
            "template": {
                "metadata": {
                    "name": f"{name}-pinned-name",
                    "labels": {"team": "front"},
                    "annotations": {
                        "autoscaling.knative.dev/min-scale": "1",
                        "client.knative.dev/user-image": "registry.example.com/shop:1.4",
                    },
                },
                "spec": {
                    "containerConcurrency": 20,
                    "timeoutSeconds": 120,
                    "serviceAccountName": "shop",
                    "enableServiceLinks": False,
                    "containers": [
                        {
                            "name": "app",
                            "image": "registry.example.com/shop@sha256:" + "5ea96b" + "0" * 58,
                            "ports": [{"containerPort": 8080, "name": "h2c"}],
                            "env": [
                                {"name": "TARGET", "value": "First"},
                                {"name": "PASSWORD", "value": SECRET_VALUE},
                                {"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
                            ],
                            "envFrom": [{"secretRef": {"name": "shop-env"}}, {"configMapRef": {"name": "flags"}}],
                            "resources": {"requests": {"cpu": "100m"}, "limits": {"nvidia.com/gpu": "1"}},
                            "readinessProbe": {"httpGet": {"path": "/ready", "port": 0}, "successThreshold": 1},
                            "volumeMounts": [{"name": "config", "mountPath": "/etc/shop", "readOnly": True}],
                            "fieldOfTomorrow": {"keep": ["me"]},
                        },
                        {
                            "name": "sidecar",
                            "image": "registry.example.com/log:2",
                            "env": [{"name": "LEVEL", "value": "info"}],
                        },
                    ],
                    "volumes": [{"name": "config", "configMap": {"name": "shop-config"}}],
                },
            },
            "traffic": [
                {"revisionName": f"{name}-00003", "percent": 90, "latestRevision": False, "tag": "stable"},
                {"revisionName": f"{name}-00004", "percent": 10, "latestRevision": False, "tag": "canary"},
                {"revisionName": f"{name}-00004", "percent": 0, "latestRevision": False, "tag": "next"},
            ],
        },
        "status": {
            "observedGeneration": 4,
            "url": f"http://{name}.{namespace}.example.com",
            "latestReadyRevisionName": f"{name}-00004",
            "latestCreatedRevisionName": f"{name}-00004",
            "conditions": [
                {"type": "ConfigurationsReady", "status": "True", "lastTransitionTime": "2026-11-20T10:00:00Z"},
                {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-20T10:00:00Z"},
                {"type": "RoutesReady", "status": "True", "lastTransitionTime": "2026-11-20T10:00:00Z"},
            ],
            "traffic": [
                {
                    "revisionName": f"{name}-00003",
                    "percent": 90,
                    "tag": "stable",
                    "url": f"http://stable-{name}.{namespace}.example.com",
                },
                {
                    "revisionName": f"{name}-00004",
                    "percent": 10,
                    "tag": "canary",
                    "url": f"http://canary-{name}.{namespace}.example.com",
                },
                {
                    "revisionName": f"{name}-00004",
                    "percent": 0,
                    "tag": "next",
                    "url": f"http://next-{name}.{namespace}.example.com",
                },
            ],
        },
    }
    raw.update(changes)
    return raw


def revision(of: str = "shop", number: int = 4, namespace: str = "default") -> dict[str, Any]:
    """A Revision of that service, ready and scaled to zero."""
    template = service(of, namespace)["spec"]["template"]
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Revision",
        "metadata": {
            "name": f"{of}-{number:05}",
            "namespace": namespace,
            "uid": f"uid-{namespace}-{of}-{number}",
            "resourceVersion": str(90 + number),
            "generation": 1,
            "creationTimestamp": f"2026-11-{number:02}T10:00:00Z",
            "labels": {
                "serving.knative.dev/service": of,
                "serving.knative.dev/configuration": of,
                "serving.knative.dev/configurationGeneration": str(number),
                "serving.knative.dev/routingState": "active",
            },
            "annotations": {
                "serving.knative.dev/creator": "carol@shop.example",
                "client.knative.dev/user-image": "registry.example.com/shop:1.4",
            },
        },
        "spec": template["spec"],
        "status": {
            "observedGeneration": 1,
            "actualReplicas": 0,
            "desiredReplicas": 0,
            "containerStatuses": [
                {"name": "app", "imageDigest": "registry.example.com/shop@sha256:" + "5ea96b" + "0" * 58}
            ],
            "conditions": [
                {
                    "type": "Active",
                    "status": "False",
                    "severity": "Info",
                    "reason": "NoTraffic",
                    "message": "The target is not receiving traffic.",
                    "lastTransitionTime": "2026-11-20T10:00:00Z",
                },
                {"type": "ContainerHealthy", "status": "True", "lastTransitionTime": "2026-11-20T10:00:00Z"},
                {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-20T10:00:00Z"},
                {"type": "ResourcesAvailable", "status": "True", "lastTransitionTime": "2026-11-20T10:00:00Z"},
            ],
        },
    }


def capabilities(release: str = "1.23.0", **settings: dict[str, str] | None) -> Capabilities:
    """A cluster that allows every gate, has no settings else, and lets all of them be read; `config_gc=None`: not that.

    A setting of features replaces all gates: `config_features={}` leaves each at Knative's own.
    """
    gates = {gate.key: "enabled" for gate in GATES if gate is not SECURE_DEFAULTS}
    found: dict[str, dict[str, str] | None] = {name: {} for name in CONFIG_MAPS} | {FEATURES: gates}
    return Capabilities(release, found | {name.replace("_", "-"): data for name, data in settings.items()})
