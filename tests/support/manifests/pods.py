"""Images, ports, resources, security, placement, and every other field of the pod."""

from __future__ import annotations

from tests.support.manifests.build import GO, SHA, service

_USER_IMAGE = "client.knative.dev/user-image"

MANIFESTS = (
    service(
        "image-pinned",
        container={"image": f"registry.example.com/shop/api@{SHA}"},
        template={"annotations": {_USER_IMAGE: "registry.example.com/shop/api:1.0"}},
    ),
    service(
        "image-stale",
        container={"image": "registry.example.com/shop/api:2.0"},
        template={"annotations": {_USER_IMAGE: "registry.example.com/shop/api:1.0"}},
    ),
    service(
        "image-other-repository",
        container={"image": f"registry.example.com/other@{SHA}"},
        template={"annotations": {_USER_IMAGE: "registry.example.com/shop/api:1.0"}},
    ),
    service("image-tag-and-digest", container={"image": f"localhost:5000/a/b:1.0@{SHA}"}),
    service("image-no-tag", container={"image": "nginx"}, template={"annotations": {_USER_IMAGE: "nginx"}}),
    service(
        "containers-three",
        containers=[
            {"name": "env", "image": "r.example.com/a:1", "env": [{"name": "A", "value": "1"}]},
            {"name": "containers", "image": "r.example.com/b:1", "ports": [{"containerPort": 9000, "name": "h2c"}]},
            {"name": "volumes", "image": "r.example.com/c:1", "args": ["a\nb"]},
        ],
        template={"annotations": {_USER_IMAGE: "r.example.com/b:1"}},
    ),
    service("port-user", container={"ports": [{"containerPort": 8081, "name": "user-port", "protocol": "TCP"}]}),
    service("port-named-only", container={"ports": [{"name": "h2c"}]}),
    service("port-h2c", container={"ports": [{"containerPort": 8443, "name": "h2c", "protocol": "TCP"}]}),
    service("port-http1", container={"ports": [{"name": "http1", "containerPort": 8080}]}),
    service(
        "resources-numbers",
        container={
            "resources": {"requests": {"cpu": 1, "memory": 134217728}, "limits": {"cpu": "1000m", "memory": "128Mi"}}
        },
    ),
    service(
        "resources-odd",
        container={
            "resources": {
                "requests": {"cpu": "0.1", "memory": "1e3"},
                "limits": {"cpu": "1E3", "memory": "0.5Gi", "nvidia.com/gpu": 1, "ephemeral-storage": "1G"},
                "claims": [{"name": "gpu"}],
            }
        },
    ),
    service("resources-empty", container={"resources": {"limits": {}, "requests": {"cpu": "250m"}}}),
    service(
        "security",
        container={
            "securityContext": {
                "runAsUser": 0,
                "runAsGroup": 1000,
                "runAsNonRoot": False,
                "readOnlyRootFilesystem": True,
                "allowPrivilegeEscalation": False,
                "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
                "seccompProfile": {"type": "Localhost", "localhostProfile": "a"},
            },
            "imagePullPolicy": "IfNotPresent",
            "workingDir": "/srv",
            "terminationMessagePath": "/dev/x",
            "terminationMessagePolicy": "FallbackToLogsOnError",
        },
        pod={"securityContext": {"fsGroup": 7, "supplementalGroups": [1, 2]}},
    ),
    service(
        "identity",
        pod={
            "serviceAccountName": "shop",
            "imagePullSecrets": [{"name": "a"}, {"name": "b.c"}],
            "automountServiceAccountToken": False,
            "enableServiceLinks": True,
        },
    ),
    service("identity-odd", pod={"serviceAccountName": "shop.sa", "imagePullSecrets": [{"name": ""}, {"name": "a"}]}),
    service("pull-policy-odd", container={"imagePullPolicy": "Never"}),
    service(
        "placement",
        pod={
            "nodeSelector": {"disktype": "ssd", "zone": "", "kubernetes.io/arch": "amd64"},
            "tolerations": [
                {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"},
                {"key": "a", "value": "b"},
                {"key": "c", "operator": "Equal", "value": "", "effect": "NoExecute"},
            ],
        },
    ),
    service(
        "placement-odd",
        pod={
            "tolerations": [
                {"operator": "Exists"},
                {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            ]
        },
    ),
    service(
        "placement-all",
        pod={
            "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}},
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
            "priorityClassName": "high",
            "runtimeClassName": "gvisor",
            "schedulerName": "other",
            "dnsPolicy": "None",
            "dnsConfig": {"nameservers": ["192.0.2.1"], "options": [{"name": "ndots", "value": "2"}]},
            "hostAliases": [{"ip": "192.0.2.2", "hostnames": ["a", "b"]}],
            "shareProcessNamespace": True,
        },
    ),
    service(
        "init-containers",
        pod={
            "initContainers": [{"name": "init", "image": GO, "args": ["a\nb"], "restartPolicy": "Always"}],
            "volumes": [{"name": "only-init", "emptyDir": {}}],
        },
    ),
    service(
        "unknown-fields",
        container={"fieldOfTomorrow": {"keep": ["me", 1, None, 1.5, True]}},
        pod={"podFieldOfTomorrow": "2026-11-01"},
        spec={"specFieldOfTomorrow": [1e3, "1e3"]},
    ),
)
