"""The plain HTTP client of the contract suite, and what the sandbox's own tests make with it."""

from __future__ import annotations

from typing import Any

from tests.contract.client import RBAC, SERVING, Client

__all__ = ["CONFIGMAPS", "RBAC", "SERVICES", "SERVING", "Client", "configmap", "service"]

SERVICES = f"{SERVING}/namespaces/default/services"
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


def service(name: str = "hello", *, value: str = "First", **labels: str) -> dict[str, Any]:
    """A Service as a person writes it, with a sidecar so that lists have two items."""
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {
                            "image": "gcr.io/knative-samples/helloworld-go",
                            "ports": [{"containerPort": 8080}],
                            "env": [{"name": "TARGET", "value": value}],
                        },
                        {"name": "sidecar", "image": "example.com/sidecar", "envFrom": [{"secretRef": {"name": "db"}}]},
                    ]
                }
            }
        },
    }


def configmap(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
