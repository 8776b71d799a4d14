"""Probes, volumes and whole pods, and pods that hold one of them."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

GO = "gcr.io/knative-samples/helloworld-go"
AUTOSCALING, SERVING = "autoscaling.knative.dev/", "serving.knative.dev/"
PROBES: list[Any] = [
    {},
    {"httpGet": {}},
    {"httpGet": {"path": "/healthz", "port": 8080}},
    {"httpGet": {"path": "/", "port": "http1"}},
    {"httpGet": {"path": "/", "port": "http"}},
    {"httpGet": {"port": 8080, "scheme": "HTTPS", "host": "x", "httpHeaders": [{"name": "a", "value": "b"}]}},
    {"tcpSocket": {"port": 0}},
    {"tcpSocket": {"port": "other"}},
    {"exec": {"command": ["true"]}},
    {"grpc": {"port": 8080}},
    {"grpc": {"service": "x"}},
    {"httpGet": {"path": "/"}, "tcpSocket": {"port": "other"}},
    {"httpGet": {"path": "/", "port": "other"}, "grpc": {"port": 1}},
    {"periodSeconds": 10},
    {"periodSeconds": 10, "timeoutSeconds": -1},
    {"periodSeconds": 10, "failureThreshold": -2},
    {"periodSeconds": -1},
    {"timeoutSeconds": 5},
    {"failureThreshold": 3},
    {"initialDelaySeconds": -1},
    {"successThreshold": -1},
    {"successThreshold": 3},
    {"terminationGracePeriodSeconds": 5},
    {"httpGet": None},
    None,
]
VOLUMES: list[Any] = [
    {"secret": {"secretName": "s"}},
    {"secret": {"secretName": "s", "items": [{"key": "k", "path": "p"}], "defaultMode": 420, "optional": True}},
    {"secret": {"items": [{"key": "", "path": "p"}]}},
    {"secret": {"items": [{"key": "k"}]}},
    {"configMap": {"name": "c"}},
    {"configMap": {}},
    {"configMap": {"name": "c", "items": [{}]}},
    {"emptyDir": {}},
    {"emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
    {"emptyDir": {"medium": "Disk"}},
    {"emptyDir": {"sizeLimit": "-1"}},
    {"emptyDir": {"sizeLimit": "1000m"}},
    {"projected": {"sources": [{"secret": {"name": "s"}}]}},
    {"projected": {"sources": [{"secret": {}}]}},
    {"projected": {"sources": [{"configMap": {"name": "c", "items": [{"key": "k"}]}}]}},
    {"projected": {"sources": [{"serviceAccountToken": {"audience": "a"}}]}},
    {"projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 600}}]}},
    {"projected": {"sources": [{"downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "a"}}]}}]}},
    {"projected": {"sources": [{"downwardAPI": {"items": [{"path": "l"}]}}]}},
    {
        "projected": {
            "sources": [
                {"downwardAPI": {"items": [{"fieldRef": {"fieldPath": "a"}, "resourceFieldRef": {"resource": "r"}}]}}
            ]
        }
    },
    {"projected": {"sources": [{}]}},
    {"projected": {"sources": [{"secret": {"name": "s"}, "configMap": {"name": "c"}}]}},
    {"projected": {"sources": []}},
    {"projected": {}},
    {"persistentVolumeClaim": {"claimName": "data"}},
    {"persistentVolumeClaim": {"claimName": "data", "readOnly": True}},
    {"hostPath": {"path": "/tmp"}},
    {"csi": {"driver": "d"}},
    {"ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
    {"image": {"reference": "x"}},
    {"image": {"pullPolicy": "Sometimes"}},
    {"nfs": {"server": "s", "path": "/"}},
    {},
    {"secret": {"secretName": "s"}, "configMap": {"name": "c"}},
]


def mounted(volume: Object, **mount: Any) -> Object:
    """A pod that mounts the volume."""
    given = {"name": "v", "mountPath": "/v", **mount}
    return {"containers": [{"image": GO, "volumeMounts": [given]}], "volumes": [{"name": "v", **volume}]}


def sidecar(**fields: Any) -> Object:
    """A pod of a serving container and a second one with the fields."""
    return {
        "containers": [
            {"name": "main", "image": GO, "ports": [{"containerPort": 8080}]},
            {"name": "side", "image": GO, **fields},
        ]
    }


PODS: list[Object] = [
    *(mounted(volume) for volume in VOLUMES),
    *(sidecar(readinessProbe=probe, livenessProbe=probe) for probe in PROBES),
    *(sidecar(startupProbe=probe) for probe in PROBES[:8]),
    mounted({"secret": {"secretName": "s"}}, readOnly=False),
    mounted({"emptyDir": {}}, readOnly=True, subPath="x"),
    *(
        mounted({"emptyDir": {}}, mountPath=path)
        for path in ("/", "/dev", "/dev/log", "/dev/x", "/x/..", "//dev", "relative", "", "/x//y/", ".")
    ),
    mounted({"emptyDir": {}}, mountPropagation="None"),
    mounted({"emptyDir": {}}, mountPropagation="Bidirectional"),
    mounted({"emptyDir": {}}, recursiveReadOnly="Enabled"),
    mounted({"emptyDir": {}}, subPathExpr="$(A)"),
    *(mounted({"emptyDir": {}, "name": name}, name=name) for name in ("", "Bad_Name", "a.b", "x" * 64)),
    {
        "containers": [
            {"image": GO, "volumeMounts": [{"name": "v", "mountPath": "/v"}, {"name": "v", "mountPath": "/v"}]}
        ],
        "volumes": [{"name": "v", "emptyDir": {}}],
    },
    {
        "containers": [
            {"image": GO, "volumeMounts": [{"name": "v", "mountPath": "/v"}, {"name": "v", "mountPath": "/v/"}]}
        ],
        "volumes": [{"name": "v", "emptyDir": {}}],
    },
    {
        "containers": [{"image": GO, "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
        "volumes": [{"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}],
    },
    sidecar(),
    sidecar(name="main"),
    sidecar(name=""),
    sidecar(ports=[{"containerPort": 9000}]),
    sidecar(env=[{"name": "PORT", "value": "1"}]),
    sidecar(env=[{"name": "K_SERVICE", "value": "1"}]),
    sidecar(image=""),
    sidecar(volumeMounts=[{"name": "v", "mountPath": "/v"}]),
    {"containers": [{"image": GO, "name": "a"}, {"image": GO, "name": "b"}]},
    {"containers": [{"image": GO}, {"image": GO, "ports": [{"containerPort": 8080}]}, {"image": GO}]},
    {
        "containers": [
            {"image": "", "name": "a"},
            {"image": GO, "name": "a", "ports": [{"containerPort": 8080}]},
            {"image": GO, "name": "a", "env": [{"name": ""}]},
        ]
    },
    {
        "containers": [
            {
                "image": GO,
                "ports": [{"name": "h2c", "containerPort": 1}],
                "readinessProbe": {"httpGet": {"port": "h2c"}},
            }
        ]
    },
    {"containers": [{"image": GO, "ports": [{"name": "h2c"}], "livenessProbe": {"tcpSocket": {"port": "http1"}}}]},
    {
        "containers": [{"image": GO}],
        "timeoutSeconds": 600,
        "responseStartTimeoutSeconds": 600,
        "idleTimeoutSeconds": 600,
    },
    {"containers": [{"image": GO}], "timeoutSeconds": 10, "responseStartTimeoutSeconds": 20, "idleTimeoutSeconds": 30},
    {"containers": [{"image": GO}], "timeoutSeconds": 100},
]
