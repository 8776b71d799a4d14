"""Volumes and their mounts."""

from __future__ import annotations

from typing import Any

from tests.support.manifests.build import GO, Object, service


def _mounted(name: str, *pairs: tuple[Object, Object]) -> Object:
    """One container, each volume with its mount."""
    return service(
        name,
        container={"volumeMounts": [mount for _volume, mount in pairs]},
        pod={"volumes": [volume for volume, _mount in pairs]},
    )


def _volume(name: str, path: str = "", mount: Object | None = None, **source: Any) -> tuple[Object, Object]:
    return {"name": name, **source}, {"name": name, "mountPath": path or f"/mnt/{name}", **(mount or {})}


def _claim(**spec: Any) -> Object:
    return {"volumeClaimTemplate": {"spec": spec}}


_SHARED = [
    {
        "name": "app",
        "image": GO,
        "ports": [{"containerPort": 8080}],
        "volumeMounts": [{"name": "work", "mountPath": "/work"}, {"name": "tls", "mountPath": "/tls"}],
    },
    {"name": "helper", "image": GO, "volumeMounts": [{"name": "work", "mountPath": "/data", "readOnly": True}]},
]

MANIFESTS = (
    _mounted(
        "mount-secret-options", _volume("tls", secret={"secretName": "tls", "optional": True, "defaultMode": 0o400})
    ),
    _mounted(
        "mount-three",
        _volume("one", configMap={"name": "same", "defaultMode": 420}),
        _volume("two", configMap={"name": "same", "optional": True}),
        _volume("three", secret={"secretName": "same"}),
    ),
    _mounted(
        "mount-items",
        _volume("cfg", configMap={"name": "cfg", "items": [{"key": "a", "path": "b", "mode": 256}]}),
        _volume("plain", configMap={"name": "plain"}),
    ),
    _mounted(
        "mount-projected",
        _volume(
            "all",
            projected={
                "defaultMode": 420,
                "sources": [
                    {"secret": {"name": "a", "items": [{"key": "k", "path": "p"}]}},
                    {"configMap": {"name": "b", "optional": True}},
                    {"serviceAccountToken": {"audience": "x", "expirationSeconds": 600, "path": "token"}},
                    {"downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
                ],
            },
        ),
        _volume("more", emptyDir={}),
    ),
    _mounted(
        "mount-sub-path",
        _volume("cfg", mount={"subPath": "app.conf"}, configMap={"name": "cfg"}),
        _volume("dir", emptyDir={"medium": "Memory", "sizeLimit": "64Mi"}),
    ),
    _mounted(
        "mount-folders",
        _volume("a", emptyDir={}),
        _volume("b", emptyDir={"sizeLimit": "1Gi"}),
        _volume("c", emptyDir={"medium": ""}),
    ),
    _mounted(
        "mount-claim",
        _volume("data", mount={"readOnly": True}, persistentVolumeClaim={"claimName": "data", "readOnly": True}),
        _volume("rw", persistentVolumeClaim={"claimName": "rw"}),
    ),
    _mounted(
        "mount-odd-paths",
        _volume("a", "/with space", secret={"secretName": "a"}),
        _volume("b", "/it's", secret={"secretName": "b"}),
        _volume("c", '/"c"\\', secret={"secretName": "c"}),
    ),
    _mounted(
        "mount-extra-fields",
        _volume("a", mount={"mountPropagation": "None"}, secret={"secretName": "a"}),
        _volume("b", mount={"subPathExpr": "$(POD)"}, emptyDir={}),
    ),
    service(
        "mount-shared",
        containers=_SHARED,
        pod={
            "volumes": [
                {"name": "work", "emptyDir": {"sizeLimit": "1Gi"}},
                {"name": "tls", "secret": {"secretName": "tls"}},
            ]
        },
    ),
    service(
        "mount-twice",
        container={
            "volumeMounts": [{"name": "cfg", "mountPath": "/a"}, {"name": "cfg", "mountPath": "/b", "subPath": "x"}]
        },
        pod={"volumes": [{"name": "cfg", "configMap": {"name": "cfg"}}]},
    ),
    service(
        "mount-same-object",
        container={"volumeMounts": [{"name": "x", "mountPath": "/a"}, {"name": "y", "mountPath": "/b"}]},
        pod={
            "volumes": [
                {"name": "x", "secret": {"secretName": "s"}},
                {"name": "y", "secret": {"secretName": "s", "defaultMode": 256}},
            ]
        },
    ),
    _mounted(
        "mount-image",
        _volume("model", image={"reference": "r.example.com/m:1", "pullPolicy": "Always"}),
        _volume("csi", csi={"driver": "secrets.csi", "readOnly": True}),
    ),
    _mounted(
        "mount-ephemeral",
        _volume("scratch", ephemeral=_claim(accessModes=["ReadWriteOnce"], resources={"requests": {"storage": "1Gi"}})),
        _volume(
            "more",
            ephemeral={
                "volumeClaimTemplate": {
                    "metadata": {"labels": {"a": "b"}},
                    "spec": {
                        "accessModes": ["ReadWriteOnce", "ReadOnlyMany"],
                        "storageClassName": "fast",
                        "volumeMode": "Filesystem",
                        "resources": {"requests": {"storage": "2Gi"}, "limits": {"storage": "3Gi"}},
                    },
                }
            },
        ),
    ),
)
