"""The fields of Kubernetes' own kinds that the sandbox serves, from the reference of its API (v1.36).

Pods and nodes have more fields than are named here: those that no object of the sandbox has are left out.
"""

from __future__ import annotations

from console.sandbox.crd.tables import CONTAINER, OF_REVISIONS, PROBE, REVISION_SPEC, VOLUME
from console.sandbox.crd.types import (
    BOOL,
    INT32,
    INT64,
    PORT,
    QUANTITY,
    STRING,
    TEXT_MAP,
    TEXTS,
    Field,
    ListOf,
    MapOf,
    Shared,
    Struct,
    Type,
    always,
    struct,
    without,
)

_AMOUNTS = MapOf(QUANTITY)
_EXPRESSION = struct("LabelSelectorRequirement", key=always(STRING), operator=always(STRING), values=TEXTS)
_SELECTOR = struct("LabelSelector", matchExpressions=ListOf(_EXPRESSION), matchLabels=TEXT_MAP)
_LOCAL = struct("LocalObjectReference", name=STRING)
_REFERENCE = struct(
    "ObjectReference",
    apiVersion=STRING,
    fieldPath=STRING,
    kind=STRING,
    name=STRING,
    namespace=STRING,
    resourceVersion=STRING,
    uid=STRING,
)
OBJECT_META = struct(
    "ObjectMeta",
    annotations=TEXT_MAP,
    creationTimestamp=STRING,
    deletionGracePeriodSeconds=INT64,
    deletionTimestamp=STRING,
    finalizers=TEXTS,
    generateName=STRING,
    generation=INT64,
    labels=TEXT_MAP,
    managedFields=ListOf(
        struct(
            "ManagedFieldsEntry",
            apiVersion=STRING,
            fieldsType=STRING,
            fieldsV1=struct("FieldsV1"),
            manager=STRING,
            operation=STRING,
            subresource=STRING,
            time=STRING,
        )
    ),
    name=STRING,
    namespace=STRING,
    ownerReferences=ListOf(
        struct(
            "OwnerReference",
            apiVersion=always(STRING),
            blockOwnerDeletion=BOOL,
            controller=BOOL,
            kind=always(STRING),
            name=always(STRING),
            uid=always(STRING),
        ),
        keys=("uid",),
    ),
    resourceVersion=STRING,
    selfLink=STRING,
    uid=STRING,
)


def _condition(name: str, **more: Type | Field) -> ListOf:
    fields: Shared = {"lastTransitionTime": STRING, "message": STRING, "reason": STRING}
    return ListOf(struct(name, fields, more, status=always(STRING), type=always(STRING)), keys=("type",))


def _kind(name: str, shared: Shared | None = None, **fields: Type | Field) -> Struct:
    return struct(name, shared or {}, fields, apiVersion=STRING, kind=STRING, metadata=OBJECT_META)


_HANDLER = struct("LifecycleHandler", {name: PROBE.fields[name].type for name in ("exec", "httpGet", "tcpSocket")})
_CONTAINER = without(
    CONTAINER,
    ports=ListOf(
        struct(
            "ContainerPort", containerPort=always(INT32), hostIP=STRING, hostPort=INT32, name=STRING, protocol=STRING
        ),
        keys=("containerPort",),
    ),
    lifecycle=struct("Lifecycle", postStart=_HANDLER, preStop=_HANDLER, stopSignal=STRING),
    restartPolicy=STRING,
    stdin=BOOL,
    stdinOnce=BOOL,
    tty=BOOL,
)
_VOLUME = without(
    VOLUME,
    ephemeral=struct("EphemeralVolumeSource", volumeClaimTemplate=struct("PersistentVolumeClaimTemplate")),
)
# As far as the pods of revisions go.
_POD_SPEC = without(
    Struct("PodSpec", REVISION_SPEC.fields),
    *OF_REVISIONS,
    affinity=struct("Affinity"),
    containers=always(ListOf(_CONTAINER, keys=("name",))),
    dnsConfig=struct("PodDNSConfig"),
    hostAliases=ListOf(struct("HostAlias", hostnames=TEXTS, ip=always(STRING)), keys=("ip",)),
    initContainers=ListOf(_CONTAINER, keys=("name",)),
    nodeName=STRING,
    preemptionPolicy=STRING,
    priority=INT32,
    restartPolicy=STRING,
    securityContext=struct("PodSecurityContext"),
    serviceAccount=STRING,
    terminationGracePeriodSeconds=INT64,
    topologySpreadConstraints=ListOf(struct("TopologySpreadConstraint")),
    volumes=ListOf(_VOLUME, keys=("name",)),
)
_POD_TEMPLATE = struct("PodTemplateSpec", metadata=OBJECT_META, spec=_POD_SPEC)
_POD_STATUS = struct(
    "PodStatus",
    conditions=_condition("PodCondition", lastProbeTime=STRING, observedGeneration=INT64),
    containerStatuses=ListOf(
        struct(
            "ContainerStatus",
            containerID=STRING,
            image=always(STRING),
            imageID=always(STRING),
            lastState=struct("ContainerState"),
            name=always(STRING),
            ready=always(BOOL),
            restartCount=always(INT32),
            started=BOOL,
            state=struct("ContainerState"),
        )
    ),
    hostIP=STRING,
    hostIPs=ListOf(struct("HostIP", ip=always(STRING))),
    message=STRING,
    nominatedNodeName=STRING,
    phase=STRING,
    podIP=STRING,
    podIPs=ListOf(struct("PodIP", ip=always(STRING)), keys=("ip",)),
    qosClass=STRING,
    reason=STRING,
    startTime=STRING,
)
_SERVICE_SPEC = struct(
    "ServiceSpec",
    allocateLoadBalancerNodePorts=BOOL,
    clusterIP=STRING,
    clusterIPs=TEXTS,
    externalIPs=TEXTS,
    externalName=STRING,
    externalTrafficPolicy=STRING,
    healthCheckNodePort=INT32,
    internalTrafficPolicy=STRING,
    ipFamilies=TEXTS,
    ipFamilyPolicy=STRING,
    loadBalancerClass=STRING,
    loadBalancerIP=STRING,
    loadBalancerSourceRanges=TEXTS,
    ports=ListOf(
        struct(
            "ServicePort",
            appProtocol=STRING,
            name=STRING,
            nodePort=INT32,
            port=always(INT32),
            protocol=STRING,
            targetPort=PORT,
        ),
        keys=("port",),
    ),
    publishNotReadyAddresses=BOOL,
    selector=TEXT_MAP,
    sessionAffinity=STRING,
    sessionAffinityConfig=struct("SessionAffinityConfig", clientIP=struct("ClientIPConfig", timeoutSeconds=INT32)),
    trafficDistribution=STRING,
    type=STRING,
)
_INGRESS = struct(
    "LoadBalancerIngress",
    hostname=STRING,
    ip=STRING,
    ipMode=STRING,
    ports=ListOf(struct("PortStatus", error=STRING, port=always(INT32), protocol=always(STRING))),
)
_SERVICE_STATUS = struct(
    "ServiceStatus",
    conditions=ListOf(
        struct(
            "Condition",
            lastTransitionTime=always(STRING),
            message=always(STRING),
            observedGeneration=INT64,
            reason=always(STRING),
            status=always(STRING),
            type=always(STRING),
        ),
        keys=("type",),
    ),
    loadBalancer=struct("LoadBalancerStatus", ingress=ListOf(_INGRESS)),
)
_CLAIM_SPEC = struct(
    "PersistentVolumeClaimSpec",
    accessModes=TEXTS,
    dataSource=struct("TypedLocalObjectReference", apiGroup=STRING, kind=always(STRING), name=always(STRING)),
    dataSourceRef=struct(
        "TypedObjectReference", apiGroup=STRING, kind=always(STRING), name=always(STRING), namespace=STRING
    ),
    resources=struct("VolumeResourceRequirements", limits=_AMOUNTS, requests=_AMOUNTS),
    selector=_SELECTOR,
    storageClassName=STRING,
    volumeAttributesClassName=STRING,
    volumeMode=STRING,
    volumeName=STRING,
)
_CLAIM_STATUS = struct(
    "PersistentVolumeClaimStatus",
    accessModes=TEXTS,
    allocatedResourceStatuses=TEXT_MAP,
    allocatedResources=_AMOUNTS,
    capacity=_AMOUNTS,
    conditions=_condition("PersistentVolumeClaimCondition", lastProbeTime=STRING),
    currentVolumeAttributesClassName=STRING,
    modifyVolumeStatus=struct("ModifyVolumeStatus", status=always(STRING), targetVolumeAttributesClassName=STRING),
    phase=STRING,
)
_NODE_FACTS = (
    "architecture", "bootID", "containerRuntimeVersion", "kernelVersion", "kubeProxyVersion", "kubeletVersion",
    "machineID", "operatingSystem", "osImage", "systemUUID",
)  # fmt: skip
_TAINT = struct("Taint", effect=always(STRING), key=always(STRING), timeAdded=STRING, value=STRING)
_NODE_SPEC = struct(
    "NodeSpec", podCIDR=STRING, podCIDRs=TEXTS, providerID=STRING, taints=ListOf(_TAINT), unschedulable=BOOL
)
_NODE_STATUS = struct(
    "NodeStatus",
    addresses=ListOf(struct("NodeAddress", address=always(STRING), type=always(STRING)), keys=("type",)),
    allocatable=_AMOUNTS,
    capacity=_AMOUNTS,
    conditions=_condition("NodeCondition", lastHeartbeatTime=STRING),
    nodeInfo=struct("NodeSystemInfo", dict.fromkeys(_NODE_FACTS, always(STRING))),
)
_RULES = ListOf(
    struct(
        "PolicyRule",
        apiGroups=TEXTS,
        nonResourceURLs=TEXTS,
        resourceNames=TEXTS,
        resources=TEXTS,
        verbs=always(TEXTS),
    )
)
_BINDING: Shared = {
    "roleRef": struct("RoleRef", apiGroup=always(STRING), kind=always(STRING), name=always(STRING)),
    "subjects": ListOf(struct("Subject", apiGroup=STRING, kind=always(STRING), name=always(STRING), namespace=STRING)),
}
_DEPLOYMENT_SPEC = struct(
    "DeploymentSpec",
    minReadySeconds=INT32,
    paused=BOOL,
    progressDeadlineSeconds=INT32,
    replicas=INT32,
    revisionHistoryLimit=INT32,
    selector=_SELECTOR,
    strategy=struct(
        "DeploymentStrategy",
        rollingUpdate=struct("RollingUpdateDeployment", maxSurge=PORT, maxUnavailable=PORT),
        type=STRING,
    ),
    template=_POD_TEMPLATE,
)
_COUNTS: Shared = {
    "availableReplicas": INT32,
    "observedGeneration": INT64,
    "readyReplicas": INT32,
    "terminatingReplicas": INT32,
}
_DEPLOYMENT_STATUS = struct(
    "DeploymentStatus",
    _COUNTS,
    collisionCount=INT32,
    conditions=_condition("DeploymentCondition", lastUpdateTime=STRING),
    replicas=INT32,
    unavailableReplicas=INT32,
    updatedReplicas=INT32,
)
_REPLICA_SET_SPEC = struct(
    "ReplicaSetSpec", minReadySeconds=INT32, replicas=INT32, selector=_SELECTOR, template=_POD_TEMPLATE
)
_REPLICA_SET_STATUS = struct(
    "ReplicaSetStatus",
    _COUNTS,
    conditions=_condition("ReplicaSetCondition"),
    fullyLabeledReplicas=INT32,
    replicas=always(INT32),
)
_NAMESPACE_STATUS = struct("NamespaceStatus", conditions=_condition("NamespaceCondition"), phase=STRING)

KINDS: dict[tuple[str, str], Struct] = {
    ("", "ConfigMap"): _kind("ConfigMap", binaryData=TEXT_MAP, data=TEXT_MAP, immutable=BOOL),
    ("", "Secret"): _kind("Secret", data=TEXT_MAP, immutable=BOOL, stringData=TEXT_MAP, type=STRING),
    ("", "Namespace"): _kind("Namespace", spec=struct("NamespaceSpec", finalizers=TEXTS), status=_NAMESPACE_STATUS),
    ("", "ServiceAccount"): _kind(
        "ServiceAccount",
        automountServiceAccountToken=BOOL,
        imagePullSecrets=ListOf(_LOCAL, keys=("name",)),
        secrets=ListOf(_REFERENCE, keys=("name",)),
    ),
    ("", "Service"): _kind("Service", spec=_SERVICE_SPEC, status=_SERVICE_STATUS),
    ("", "PersistentVolumeClaim"): _kind("PersistentVolumeClaim", spec=_CLAIM_SPEC, status=_CLAIM_STATUS),
    ("", "Node"): _kind("Node", spec=_NODE_SPEC, status=_NODE_STATUS),
    ("", "Pod"): _kind("Pod", spec=_POD_SPEC, status=_POD_STATUS),
    ("", "Event"): _kind(
        "Event",
        action=STRING,
        count=INT32,
        eventTime=STRING,
        firstTimestamp=STRING,
        involvedObject=_REFERENCE,
        lastTimestamp=STRING,
        message=STRING,
        reason=STRING,
        related=_REFERENCE,
        reportingComponent=STRING,
        reportingInstance=STRING,
        series=struct("EventSeries", count=INT32, lastObservedTime=STRING),
        source=struct("EventSource", component=STRING, host=STRING),
        type=STRING,
    ),
    ("apps", "Deployment"): _kind("Deployment", spec=_DEPLOYMENT_SPEC, status=_DEPLOYMENT_STATUS),
    ("apps", "ReplicaSet"): _kind("ReplicaSet", spec=_REPLICA_SET_SPEC, status=_REPLICA_SET_STATUS),
    ("rbac.authorization.k8s.io", "Role"): _kind("Role", rules=_RULES),
    ("rbac.authorization.k8s.io", "ClusterRole"): _kind(
        "ClusterRole", aggregationRule=struct("AggregationRule", clusterRoleSelectors=ListOf(_SELECTOR)), rules=_RULES
    ),
    ("rbac.authorization.k8s.io", "RoleBinding"): _kind("RoleBinding", _BINDING),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _kind("ClusterRoleBinding", _BINDING),
}
