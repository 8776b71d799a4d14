"""Services that are as hard to edit as real ones: a sidecar, envFrom, volumes, probes, tags, unknown fields."""

from __future__ import annotations

import urllib.error
from typing import Any

from tests.sandbox_process import Sandbox
from tests.waiting import eventually

SERVICES = "/apis/serving.knative.dev/v1/namespaces/{}/services"
GO = "gcr.io/knative-samples/helloworld-go"
RUST = "gcr.io/knative-samples/helloworld-rust"

Object = dict[str, Any]


def manifest(name: str, *, namespace: str = "default", image: str = GO, **metadata: Any) -> Object:
    """A service whose template would lose something at the first careless edit."""
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {
            "template": {
                "metadata": {"annotations": {"autoscaling.knative.dev/max-scale": "5"}, "labels": {"tier": "front"}},
                "spec": {
                    "containers": [
                        {
                            "name": "app",
                            "image": image,
                            "env": [
                                {"name": "TARGET", "value": "First"},
                                {"name": "PASSWORD", "value": "canary-secret-first"},
                                {"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}},
                            ],
                            "envFrom": [{"configMapRef": {"name": "settings"}}],
                            "ports": [{"containerPort": 8080}],
                            "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
                            "readinessProbe": {"httpGet": {"path": "/", "port": 0}},
                        },
                        {"name": "sidecar", "image": "gcr.io/knative-samples/sidecar", "env": []},
                    ],
                    "volumes": [{"name": "cache", "emptyDir": {}}],
                },
            }
        },
    }


class World:
    """What a user of kubectl would do and see in the sandbox."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box

    def create(self, name: str, *, namespace: str = "default", **more: Any) -> Object:
        """Create the secret, the config map and the service; wait until it is ready."""
        core = f"/api/v1/namespaces/{namespace}"
        for kind, thing, data in (("secrets", "db", {"url": "ZGI="}), ("configmaps", "settings", {"MODE": "test"})):
            listed = self.box.get(f"{core}/{kind}")["items"]
            if not any(each["metadata"]["name"] == thing for each in listed):
                body = {"apiVersion": "v1", "metadata": {"name": thing}, "data": data}
                self.box.post(f"{core}/{kind}", {**body, "kind": "Secret" if kind == "secrets" else "ConfigMap"})
        self.box.post(SERVICES.format(namespace), manifest(name, namespace=namespace, **more))
        return eventually(lambda: self.settled(name, namespace), message=f"{name} does not become ready")

    def get(self, name: str, namespace: str = "default") -> Object:
        return self.box.get(f"{SERVICES.format(namespace)}/{name}")

    def put(self, service: Object) -> Object:
        """Write it as another tool would; raises urllib.error.HTTPError."""
        path = f"{SERVICES.format(service['metadata']['namespace'])}/{service['metadata']['name']}"
        return self.box._ask("PUT", path, service, "admin")

    def delete(self, name: str, namespace: str = "default") -> None:
        self.box._ask("DELETE", f"{SERVICES.format(namespace)}/{name}", None, "admin")

    def edit(self, name: str, change: Any, namespace: str = "default") -> Object:
        """Read, change and write a service, as kubectl edit does: once more when the controllers wrote in between."""

        def attempt() -> Object | None:
            service = self.get(name, namespace)
            change(service)
            try:
                return self.put(service)
            except urllib.error.HTTPError as error:
                if error.code != 409:
                    raise
                return None

        return eventually(attempt)

    def settled(self, name: str, namespace: str = "default") -> Object | None:
        """The service once its controller has seen the newest spec and it is ready."""
        service = self.get(name, namespace)
        status = service.get("status", {})
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))
        is_seen = status.get("observedGeneration") == service["metadata"]["generation"]
        return service if ready and is_seen else None

    def env(self, name: str, namespace: str = "default") -> dict[str, str]:
        """The literal variables of the first container."""
        container = self.get(name, namespace)["spec"]["template"]["spec"]["containers"][0]
        return {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}
