"""The fields of the four kinds in Serving 1.23, and what differs in 1.15.

From config/core/300-resources (which fields there are, list maps, defaults) and from the Go types that Serving's
webhook reads them into (types, and which fields are written when empty).
"""

from __future__ import annotations

from dataclasses import replace

from console.sandbox.crd.types import (
    ANY,
    BOOL,
    INT32,
    INT64,
    PORT,
    QUANTITY,
    STRING,
    TEXT_MAP,
    TEXTS,
    URL,
    Field,
    ListOf,
    MapOf,
    Struct,
    always,
    default,
    embedded,
    kept,
    struct,
    without,
    without_defaults,
)

_NAME = Field(
    STRING, default="", inside="LocalObjectReference"
)  # of a Secret or ConfigMap: the schema writes an empty one
_MODE = kept(INT32)
_ITEMS = ListOf(struct("KeyToPath", key=always(STRING), path=always(STRING), mode=_MODE))

_TIMES = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_PROBE = embedded(
    "ProbeHandler",
    struct(
        "Probe",
        exec=struct("ExecAction", command=TEXTS),
        grpc=struct("GRPCAction", port=always(INT32), service=always(STRING, "")),
        httpGet=struct(
            "HTTPGetAction",
            path=STRING,
            port=always(PORT),
            host=STRING,
            scheme=STRING,
            httpHeaders=ListOf(struct("HTTPHeader", name=always(STRING), value=always(STRING))),
        ),
        tcpSocket=struct("TCPSocketAction", port=always(PORT), host=STRING),
        initialDelaySeconds=INT32,
        timeoutSeconds=INT32,
        periodSeconds=INT32,
        successThreshold=INT32,
        failureThreshold=INT32,
    ),
    but=_TIMES,
)
_FIELD_REFERENCE = struct("ObjectFieldSelector", is_open=True, apiVersion=STRING, fieldPath=always(STRING))
_RESOURCE_REFERENCE = struct(
    "ResourceFieldSelector", is_open=True, containerName=STRING, resource=always(STRING), divisor=always(QUANTITY)
)
_ENV = struct(
    "EnvVar",
    name=always(STRING),
    value=STRING,
    valueFrom=struct(
        "EnvVarSource",
        configMapKeyRef=struct("ConfigMapKeySelector", name=_NAME, key=always(STRING), optional=kept(BOOL)),
        secretKeyRef=struct("SecretKeySelector", name=_NAME, key=always(STRING), optional=kept(BOOL)),
        fieldRef=_FIELD_REFERENCE,
        resourceFieldRef=_RESOURCE_REFERENCE,
    ),
)
_ENV_FROM = struct(
    "EnvFromSource",
    prefix=STRING,
    configMapRef=struct("ConfigMapEnvSource", name=_NAME, optional=kept(BOOL)),
    secretRef=struct("SecretEnvSource", name=_NAME, optional=kept(BOOL)),
)
_SECCOMP = struct("SeccompProfile", type=always(STRING), localhostProfile=kept(STRING))
_SECURITY_CONTEXT = struct(
    "SecurityContext",
    capabilities=struct("Capabilities", add=TEXTS, drop=TEXTS),
    privileged=kept(BOOL),
    runAsUser=kept(INT64),
    runAsGroup=kept(INT64),
    runAsNonRoot=kept(BOOL),
    readOnlyRootFilesystem=kept(BOOL),
    allowPrivilegeEscalation=kept(BOOL),
    seccompProfile=_SECCOMP,
)
_MOUNT = struct(
    "VolumeMount",
    name=always(STRING),
    readOnly=BOOL,
    mountPath=always(STRING),
    subPath=STRING,
    mountPropagation=kept(STRING),
)
_AMOUNTS = MapOf(QUANTITY, "v1.ResourceList")
_RESOURCES = struct("ResourceRequirements", limits=_AMOUNTS, requests=_AMOUNTS)
_CONTAINER = struct(
    "Container",
    name=always(STRING),
    image=STRING,
    command=TEXTS,
    args=TEXTS,
    workingDir=STRING,
    ports=ListOf(struct("ContainerPort", name=STRING, containerPort=always(INT32), protocol=default(STRING, "TCP"))),
    env=ListOf(_ENV, keys=("name",)),
    envFrom=ListOf(_ENV_FROM),
    resources=always(_RESOURCES),
    volumeMounts=ListOf(_MOUNT, keys=("mountPath",)),
    livenessProbe=_PROBE,
    readinessProbe=_PROBE,
    startupProbe=_PROBE,
    terminationMessagePath=STRING,
    terminationMessagePolicy=STRING,
    imagePullPolicy=STRING,
    securityContext=_SECURITY_CONTEXT,
)


def _opened(container: Struct) -> Struct:
    """An init container: the schema keeps all of it, Go knows also what a container of Knative may not have."""
    fields = {
        key: each.type if key in ("env", "volumeMounts") else each
        for key, each in container.fields.items()
        if key not in ("env", "volumeMounts", "ports")
    }
    ports = ListOf(
        struct(
            "ContainerPort", name=STRING, hostPort=INT32, containerPort=always(INT32), protocol=STRING, hostIP=STRING
        )
    )
    return struct(
        "Container",
        is_open=True,
        **fields,
        env=ListOf(_ENV),
        volumeMounts=ListOf(_MOUNT),
        ports=ports,
        lifecycle=ANY,
        stdin=BOOL,
        stdinOnce=BOOL,
        tty=BOOL,
        volumeDevices=ListOf(ANY),
        restartPolicy=kept(STRING),
    )


_PROJECTION = struct(
    "VolumeProjection",
    secret=struct("SecretProjection", name=_NAME, items=_ITEMS, optional=kept(BOOL)),
    configMap=struct("ConfigMapProjection", name=_NAME, items=_ITEMS, optional=kept(BOOL)),
    serviceAccountToken=struct(
        "ServiceAccountTokenProjection", audience=STRING, expirationSeconds=kept(INT64), path=always(STRING)
    ),
    downwardAPI=struct(
        "DownwardAPIProjection",
        items=ListOf(
            struct(
                "DownwardAPIVolumeFile",
                path=always(STRING),
                fieldRef=replace(_FIELD_REFERENCE, is_open=False),
                resourceFieldRef=replace(_RESOURCE_REFERENCE, is_open=False),
                mode=_MODE,
            )
        ),
    ),
)
_VOLUME = embedded(
    "VolumeSource",
    struct(
        "Volume",
        name=always(STRING),
        secret=struct("SecretVolumeSource", secretName=STRING, items=_ITEMS, defaultMode=_MODE, optional=kept(BOOL)),
        configMap=struct("ConfigMapVolumeSource", name=_NAME, items=_ITEMS, defaultMode=_MODE, optional=kept(BOOL)),
        projected=struct("ProjectedVolumeSource", sources=always(ListOf(_PROJECTION)), defaultMode=_MODE),
        emptyDir=struct("EmptyDirVolumeSource", is_open=True, medium=STRING, sizeLimit=kept(QUANTITY)),
        persistentVolumeClaim=struct(
            "PersistentVolumeClaimVolumeSource", is_open=True, claimName=always(STRING), readOnly=BOOL
        ),
        hostPath=struct("HostPathVolumeSource", is_open=True, path=always(STRING), type=kept(STRING)),
        csi=struct(
            "CSIVolumeSource",
            is_open=True,
            driver=always(STRING),
            readOnly=kept(BOOL),
            fsType=kept(STRING),
            volumeAttributes=TEXT_MAP,
            nodePublishSecretRef=struct("LocalObjectReference", name=STRING),
        ),
        ephemeral=struct("EphemeralVolumeSource", is_open=True, volumeClaimTemplate=ANY),
        image=struct("ImageVolumeSource", is_open=True, reference=STRING, pullPolicy=STRING),
    ),
    but=("name",),
)
_POD_SECURITY_CONTEXT = struct(
    "PodSecurityContext",
    is_open=True,
    seLinuxOptions=ANY,
    windowsOptions=ANY,
    runAsUser=kept(INT64),
    runAsGroup=kept(INT64),
    runAsNonRoot=kept(BOOL),
    supplementalGroups=ListOf(INT64),
    supplementalGroupsPolicy=kept(STRING),
    fsGroup=kept(INT64),
    sysctls=ListOf(ANY),
    fsGroupChangePolicy=kept(STRING),
    seccompProfile=_SECCOMP,
    appArmorProfile=ANY,
    seLinuxChangePolicy=kept(STRING),
)
_OWN = ("containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds")
_REVISION_SPEC = embedded(
    "PodSpec",
    struct(
        "RevisionSpec",
        containerConcurrency=kept(INT64),
        timeoutSeconds=kept(INT64),
        responseStartTimeoutSeconds=kept(INT64),
        idleTimeoutSeconds=kept(INT64),
        volumes=ListOf(_VOLUME, keys=("name",)),
        initContainers=ListOf(_opened(_CONTAINER)),
        containers=always(ListOf(_CONTAINER)),
        dnsPolicy=STRING,
        nodeSelector=TEXT_MAP,
        serviceAccountName=STRING,
        automountServiceAccountToken=kept(BOOL),
        hostNetwork=BOOL,
        hostPID=BOOL,
        hostIPC=BOOL,
        shareProcessNamespace=kept(BOOL),
        securityContext=_POD_SECURITY_CONTEXT,
        imagePullSecrets=ListOf(struct("LocalObjectReference", name=_NAME), keys=("name",)),
        affinity=ANY,
        schedulerName=STRING,
        tolerations=ListOf(
            struct(
                "Toleration",
                is_open=True,
                key=STRING,
                operator=STRING,
                value=STRING,
                effect=STRING,
                tolerationSeconds=kept(INT64),
            )
        ),
        hostAliases=ListOf(struct("HostAlias", is_open=True, ip=always(STRING), hostnames=TEXTS)),
        priorityClassName=STRING,
        dnsConfig=struct("PodDNSConfig", is_open=True, nameservers=TEXTS, searches=TEXTS, options=ListOf(ANY)),
        runtimeClassName=kept(STRING),
        enableServiceLinks=kept(BOOL),
        topologySpreadConstraints=ListOf(ANY),
    ),
    but=_OWN,
)
_METADATA = struct(
    "ObjectMeta",
    is_open=True,
    name=STRING,
    generateName=STRING,
    namespace=STRING,
    selfLink=STRING,
    uid=STRING,
    resourceVersion=STRING,
    generation=INT64,
    creationTimestamp=ANY,
    deletionTimestamp=ANY,
    deletionGracePeriodSeconds=kept(INT64),
    labels=TEXT_MAP,
    annotations=TEXT_MAP,
    ownerReferences=ListOf(
        struct(
            "OwnerReference",
            apiVersion=always(STRING),
            kind=always(STRING),
            name=always(STRING),
            uid=always(STRING),
            controller=kept(BOOL),
            blockOwnerDeletion=kept(BOOL),
        )
    ),
    finalizers=TEXTS,
    managedFields=ListOf(ANY),
)
_TARGET = struct(
    "TrafficTarget",
    tag=STRING,
    revisionName=STRING,
    configurationName=STRING,
    latestRevision=kept(BOOL),
    percent=kept(INT64),
    url=kept(URL),
)


def _kinds(revision_spec: Struct, metadata_of_template: Struct = _METADATA) -> dict[str, Struct]:
    template = always(struct("RevisionTemplateSpec", metadata=always(metadata_of_template), spec=always(revision_spec)))
    traffic = Field(ListOf(_TARGET), inside="RouteSpec")
    specs = {
        "Service": struct("ServiceSpec", template=replace(template, inside="ConfigurationSpec"), traffic=traffic),
        "Configuration": struct("ConfigurationSpec", template=template),
        "Route": struct("RouteSpec", traffic=ListOf(_TARGET)),
        "Revision": revision_spec,
    }
    metadata = replace(_METADATA, is_open=False)
    return {
        kind: struct(kind, apiVersion=STRING, kind=STRING, metadata=always(metadata), spec=always(spec), status=ANY)
        for kind, spec in specs.items()
    }


def _spec_of_1_15() -> Struct:
    """What Serving 1.15 has otherwise: fewer fields, and list maps of other lists."""
    ports = ListOf(
        struct("ContainerPort", name=STRING, containerPort=always(INT32), protocol=default(STRING, "TCP")),
        keys=("containerPort", "protocol"),
    )
    claims = ListOf(struct("ResourceClaim", name=always(STRING)), keys=("name",))
    container = without(
        _CONTAINER,
        env=ListOf(_ENV),
        volumeMounts=ListOf(without(_MOUNT, "mountPropagation")),
        ports=ports,
        resources=always(without(_RESOURCES, claims=claims)),
        securityContext=without(_SECURITY_CONTEXT, "privileged"),
    )
    volume = without(_VOLUME, "hostPath", "csi", "ephemeral", "image")
    older = without(
        _REVISION_SPEC,
        "hostNetwork",
        "hostPID",
        "hostIPC",
        containers=always(ListOf(container)),
        initContainers=ListOf(_opened(container)),
        volumes=ListOf(volume),
        imagePullSecrets=ListOf(struct("LocalObjectReference", name=STRING)),
    )
    return embedded("PodSpec", older, but=_OWN)


# What Kubernetes' own pods have in common with a revision (console/sandbox/openapi).
CONTAINER, PROBE, VOLUME, REVISION_SPEC, OF_REVISIONS = _CONTAINER, _PROBE, _VOLUME, _REVISION_SPEC, _OWN
_NEW = _kinds(_REVISION_SPEC)
# The libraries of the time wrote `creationTimestamp: null` where there is none.
_OLD = _kinds(without_defaults(_spec_of_1_15(), but=("ports",)), without(_METADATA, creationTimestamp=always(ANY)))


def kinds(*, is_older: bool) -> dict[str, Struct]:
    """The four kinds by name, in the older of the two releases or in the newer."""
    return _OLD if is_older else _NEW
