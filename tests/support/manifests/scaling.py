"""Scaling, concurrency and timeouts as people and tools write them."""

from __future__ import annotations

from tests.support.manifests.build import service

HPA = {"class": "hpa.autoscaling.knative.dev"}

MANIFESTS = (
    service("scale-fraction", scale={"target": "0.7"}),
    service("scale-custom-metric", scale={**HPA, "metric": "queue_depth", "target": "20"}),
    service("scale-cpu", scale={**HPA, "metric": "cpu", "target": "75", "min-scale": "1"}),
    service("scale-leading-zero", scale={"max-scale": "010", "min-scale": "01"}),
    service("scale-plus", scale={"max-scale": "+10", "initial-scale": "+1"}),
    service("scale-utilization", scale={"target-utilization-percentage": "70.5", "target-burst-capacity": "-1"}),
    service("scale-exponent", scale={"target": "1e2", "target-utilization-percentage": "7e1"}),
    service("scale-old-names", scale={"minScale": "2", "maxScale": "7"}),
    service("scale-old-all", scale={"initialScale": "3", "targetUtilizationPercentage": "60", "minScale": "1"}),
    service("scale-old-and-new", scale={"minScale": "2", "min-scale": "3", "max-scale": "9", "maxScale": "8"}),
    service("scale-windows", scale={"window": "1m30s", "scale-down-delay": "15m", "panic-window-percentage": "10.0"}),
    service("scale-window-fraction", scale={"window": "1.5m", "scale-to-zero-pod-retention-period": "1m5s"}),
    service("scale-zero", scale={"min-scale": "0", "max-scale": "0", "initial-scale": "0"}),
    service("scale-rps", scale={"metric": "rps", "target": "150", "activation-scale": "5"}),
    service("scale-huge", scale={"max-scale": "2147483647"}, pod={"containerConcurrency": 1000}),
    service(
        "requests-all",
        pod={
            "containerConcurrency": 1,
            "timeoutSeconds": 600,
            "idleTimeoutSeconds": 30,
            "responseStartTimeoutSeconds": 60,
        },
    ),
    service(
        "scale-sidecar-share",
        template={
            "annotations": {
                "queue.sidecar.serving.knative.dev/resourcePercentage": "20",
                "queue.sidecar.serving.knative.dev/cpu-resource-request": "100m",
            }
        },
    ),
)
