"""Config maps, and the pods and annotations that they allow or forbid."""

from __future__ import annotations

from typing import Any

from tests.sandbox.webhook.pods import AUTOSCALING, GO, PROBES, Object, mounted, sidecar

_F, _P = "config-features", "kubernetes.podspec-"
_INIT = {"containers": [{"image": GO}], "initContainers": [{"image": GO}]}


def _inits(*fields: Object) -> Object:
    return {"containers": [{"image": GO}], "initContainers": [{"image": GO, **each} for each in fields]}


def _with(**pod: Any) -> Object:
    return {"containers": [{"image": GO}], **pod}


def _only(**container: Any) -> Object:
    return {"containers": [{"image": GO, **container}]}


_INIT_PODS = [
    _INIT,
    _inits({}, {}),
    _inits({"name": "user-container"}),
    _inits({"readinessProbe": {}}),
    _inits({"lifecycle": {}}),
    _inits({"stdin": True}),
    _inits({"ports": [{"containerPort": 80, "hostPort": 80}]}),
    _inits({"env": [{"name": "PORT"}]}),
    _inits({"env": [{"name": "K_REVISION"}]}),
    _inits({"image": ""}),
    _inits({"name": "a"}, {"name": "a"}),
    _inits({"restartPolicy": "Always"}),
    _inits({"ports": [{"containerPort": 8012}, {"containerPort": 70000}]}),
]
_SECURE_PODS = [
    _only(),
    _only(securityContext={"allowPrivilegeEscalation": True}),
    _only(ports=[{"containerPort": 80}]),
    _only(securityContext={"capabilities": {"add": ["NET_BIND_SERVICE"]}}),
    _only(securityContext={"capabilities": {"add": ["NET_ADMIN"]}}),
    _only(securityContext={"runAsNonRoot": False, "seccompProfile": {"type": "Unconfined"}}),
    _with(securityContext={"runAsNonRoot": False}),
    _with(securityContext={"seccompProfile": {"type": "Unconfined"}}),
    _with(securityContext={"seccompProfile": {"type": "Localhost"}}),
    _inits({}),
]
GATED: list[tuple[str, dict[str, str], list[Object]]] = [
    (_F, {f"{_P}init-containers": "enabled"}, _INIT_PODS),
    (_F, {f"{_P}init-containers": "Allowed"}, _INIT_PODS[:2]),
    (_F, {f"{_P}affinity": "enabled"}, [_with(affinity={"nodeAffinity": {}})]),
    (_F, {f"{_P}nodeselector": "allowed"}, [_with(nodeSelector={"a": "b"})]),
    (_F, {f"{_P}tolerations": "Enabled"}, [_with(tolerations=[{"key": "a", "operator": "Nonsense"}])]),
    (
        _F,
        {f"{_P}topologyspreadconstraints": "enabled"},
        [_with(topologySpreadConstraints=[{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "x"}])],
    ),
    (_F, {f"{_P}hostaliases": "enabled"}, [_with(hostAliases=[{"ip": "1.2.3.4"}])]),
    (_F, {f"{_P}runtimeclassname": "enabled"}, [_with(runtimeClassName="x")]),
    (_F, {f"{_P}shareprocessnamespace": "enabled"}, [_with(shareProcessNamespace=True)]),
    (_F, {f"{_P}priorityclassname": "enabled"}, [_with(priorityClassName="x")]),
    (_F, {f"{_P}schedulername": "enabled"}, [_with(schedulerName="x")]),
    (
        _F,
        {f"{_P}dnspolicy": "enabled", f"{_P}dnsconfig": "enabled"},
        [_with(dnsPolicy="None", dnsConfig={"searches": ["a"]})],
    ),
    (
        _F,
        {f"{_P}hostnetwork": "enabled", f"{_P}hostpid": "enabled", f"{_P}hostipc": "enabled"},
        [_with(hostNetwork=True, hostPID=True, hostIPC=True)],
    ),
    (
        _F,
        {f"{_P}fieldref": "enabled"},
        [
            _only(
                env=[
                    {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}},
                    {"name": "B", "valueFrom": {"resourceFieldRef": {"resource": "x"}}},
                ]
            )
        ],
    ),
    (
        _F,
        {"kubernetes.containerspec-addcapabilities": "enabled"},
        [_only(securityContext={"capabilities": {"add": ["X"]}})],
    ),
    (
        _F,
        {"kubernetes.containerspec-addcapabilities": "allowed"},
        [_only(securityContext={"capabilities": {"add": ["X"]}})],
    ),
    (
        _F,
        {f"{_P}securitycontext": "enabled"},
        [
            _with(securityContext=context)
            for context in (
                {"runAsUser": 1, "runAsGroup": 2, "fsGroup": 3, "supplementalGroups": [4]},
                {"runAsUser": -1},
                {"fsGroup": 2**31, "runAsGroup": -1},
                {"supplementalGroups": [1, -1]},
                {"sysctls": [{"name": "a", "value": "b"}]},
                {"seLinuxOptions": {}},
                {"fsGroupChangePolicy": "Always"},
                {"seccompProfile": {"type": "x"}},
            )
        ],
    ),
    (_F, {"secure-pod-defaults": "enabled"}, _SECURE_PODS),
    (_F, {"secure-pod-defaults": "allowrootbounded"}, _SECURE_PODS[:4]),
    (_F, {"secure-pod-defaults": "allowed"}, _SECURE_PODS[:2]),
    (_F, {"multi-container": "disabled"}, [sidecar()]),
    (_F, {"multi-container": "allowed"}, [sidecar()]),
    (_F, {"multi-container-probing": "enabled"}, [sidecar(readinessProbe=p, livenessProbe=p) for p in PROBES]),
    (_F, {f"{_P}volumes-emptydir": "disabled"}, [mounted({"emptyDir": {}}), mounted({})]),
    (_F, {f"{_P}volumes-emptydir": "allowed"}, [mounted({"emptyDir": {}})]),
    (
        _F,
        {f"{_P}persistent-volume-claim": "enabled"},
        [
            mounted({"persistentVolumeClaim": {"claimName": "a"}}),
            mounted({}),
            mounted({"persistentVolumeClaim": {"claimName": "a", "readOnly": True}}),
            mounted({"persistentVolumeClaim": {"claimName": "a", "readOnly": True}}, readOnly=True),
        ],
    ),
    (
        _F,
        {f"{_P}persistent-volume-claim": "enabled", f"{_P}persistent-volume-write": "enabled"},
        [
            mounted({"persistentVolumeClaim": {"claimName": "a"}}),
            mounted({"persistentVolumeClaim": {"claimName": "a", "readOnly": True}}),
        ],
    ),
    (_F, {f"{_P}volumes-hostpath": "enabled"}, [mounted({"hostPath": {"path": "/x"}}), mounted({})]),
    (_F, {f"{_P}volumes-csi": "enabled"}, [mounted({"csi": {"driver": "x"}})]),
    (_F, {f"{_P}volumes-ephemeral": "enabled"}, [mounted({"ephemeral": {"volumeClaimTemplate": {"spec": {}}}})]),
    (
        _F,
        {f"{_P}volumes-image": "enabled"},
        [
            mounted({"image": {"reference": "x"}}),
            mounted({"image": {}}),
            mounted({"image": {"reference": "x", "pullPolicy": "x"}}),
        ],
    ),
    (
        _F,
        {f"{_P}volumes-mount-propagation": "enabled"},
        [mounted({"emptyDir": {}}, mountPropagation=value) for value in ("None", "HostToContainer", "Bidirectional")],
    ),
    (_F, {f"{_P}volumes-mount-propagation": "allowed"}, [mounted({"emptyDir": {}}, mountPropagation="None")]),
    (_F, {"kubernetes.podspec-affinity": "nonsense"}, [_with(affinity={"nodeAffinity": {}})]),
    (
        "config-defaults",
        {"max-revision-timeout-seconds": "900"},
        [_with(timeoutSeconds=900), _with(timeoutSeconds=901)],
    ),
    (
        "config-defaults",
        {"revision-timeout-seconds": "100", "revision-idle-timeout-seconds": "50"},
        [_with(), _with(timeoutSeconds=20)],
    ),
    (
        "config-defaults",
        {"container-concurrency-max-limit": "10", "container-concurrency": "5"},
        [_with(), _with(containerConcurrency=11)],
    ),
    (
        "config-defaults",
        {"allow-container-concurrency-zero": "false", "container-concurrency": "5"},
        [_with(containerConcurrency=0)],
    ),
    ("config-defaults", {"enable-service-links": "true"}, [_with(), _with(enableServiceLinks=False)]),
    ("config-defaults", {"enable-service-links": "default"}, [_with()]),
    (
        "config-defaults",
        {"revision-cpu-request": "100m", "revision-memory-limit": "1Gi"},
        [_with(), _only(resources={"requests": {"cpu": "1"}}), sidecar()],
    ),
    (
        "config-defaults",
        {"container-name-template": "main"},
        [_with(), _only(name="x"), {"containers": [{"image": GO, "ports": [{}]}, {"image": GO}]}],
    ),
]
SCALING_LIMITS: list[tuple[dict[str, str], Object]] = [
    ({"allow-zero-initial-scale": "true"}, {f"{AUTOSCALING}initial-scale": "0"}),
    ({"allow-zero-initial-scale": "false"}, {f"{AUTOSCALING}initial-scale": "0"}),
    ({"max-scale-limit": "5", "max-scale": "3"}, {f"{AUTOSCALING}max-scale": "6"}),
    ({"max-scale-limit": "5", "max-scale": "3"}, {f"{AUTOSCALING}max-scale": "5"}),
    ({"max-scale-limit": "5", "max-scale": "3"}, {f"{AUTOSCALING}max-scale": "0"}),
    ({"max-scale-limit": "5", "max-scale": "3"}, {f"{AUTOSCALING}min-scale": "6"}),
    ({"pod-autoscaler-class": "hpa.autoscaling.knative.dev"}, {f"{AUTOSCALING}metric": "cpu"}),
    ({"pod-autoscaler-class": "hpa.autoscaling.knative.dev"}, {f"{AUTOSCALING}metric": ""}),
    ({"pod-autoscaler-class": "mine"}, {f"{AUTOSCALING}metric": ""}),
]
