"""Values of the wrong type: what the defaulting webhook answers when Go's decoder cannot read the object.

The trees below name the Go types of the fields that Knative's own code looks at; others are not judged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from console.sandbox import errors

PREFIX = (
    'admission webhook "webhook.serving.knative.dev" denied the request: mutation failed: '
    "cannot decode incoming new object: json: cannot unmarshal "
)
STRING, BOOL, INT32, INT64 = "string", "bool", "int32", "int64"
_LIMITS = {INT32: 2**31, INT64: 2**63}
_JSON_NAMES: dict[type, str] = {dict: "object", list: "array", str: "string"}


@dataclass(frozen=True, slots=True)
class Struct:
    """A Go struct: its name and the types of its JSON fields; a list's type is in a list."""

    name: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StringMap:
    """map[string]string."""


def _struct(name: str, /, **fields: Any) -> Struct:
    return Struct(name, fields)


_KEY = {"name": STRING, "key": STRING, "optional": BOOL}
_ITEMS = [_struct("KeyToPath", key=STRING, path=STRING)]
_HTTP_GET = _struct("HTTPGetAction", path=STRING, host=STRING, scheme=STRING)
_PROBE = _struct(
    "Probe",
    httpGet=_HTTP_GET,
    tcpSocket=_struct("TCPSocketAction", host=STRING),
    exec=_struct("ExecAction", command=[STRING]),
    grpc=_struct("GRPCAction", port=INT32, service=STRING),
    periodSeconds=INT32,
    initialDelaySeconds=INT32,
    successThreshold=INT32,
    failureThreshold=INT32,
    timeoutSeconds=INT32,
)
_ENV_SOURCE = _struct(
    "EnvVarSource",
    secretKeyRef=Struct("SecretKeySelector", _KEY),
    configMapKeyRef=Struct("ConfigMapKeySelector", _KEY),
    fieldRef=_struct("ObjectFieldSelector", fieldPath=STRING),
    resourceFieldRef=_struct("ResourceFieldSelector", resource=STRING),
)
_CONTAINER = _struct(
    "Container",
    name=STRING,
    image=STRING,
    imagePullPolicy=STRING,
    workingDir=STRING,
    command=[STRING],
    args=[STRING],
    terminationMessagePolicy=STRING,
    env=[_struct("EnvVar", name=STRING, value=STRING, valueFrom=_ENV_SOURCE)],
    envFrom=[
        _struct(
            "EnvFromSource",
            prefix=STRING,
            secretRef=_struct("SecretEnvSource", name=STRING, optional=BOOL),
            configMapRef=_struct("ConfigMapEnvSource", name=STRING, optional=BOOL),
        )
    ],
    ports=[_struct("ContainerPort", containerPort=INT32, name=STRING, protocol=STRING)],
    resources=_struct("ResourceRequirements"),
    readinessProbe=_PROBE,
    livenessProbe=_PROBE,
    startupProbe=_PROBE,
    securityContext=_struct("SecurityContext", runAsUser=INT64, runAsGroup=INT64, runAsNonRoot=BOOL),
    volumeMounts=[_struct("VolumeMount", name=STRING, mountPath=STRING, readOnly=BOOL, subPath=STRING)],
)
_VOLUME = _struct(
    "Volume",
    name=STRING,
    secret=_struct("SecretVolumeSource", secretName=STRING, optional=BOOL, items=_ITEMS),
    configMap=_struct("ConfigMapVolumeSource", name=STRING, optional=BOOL, items=_ITEMS),
    projected=_struct("ProjectedVolumeSource", sources=[_struct("VolumeProjection")]),
    emptyDir=_struct("EmptyDirVolumeSource", medium=STRING),
    persistentVolumeClaim=_struct("PersistentVolumeClaimVolumeSource", claimName=STRING, readOnly=BOOL),
)
_REVISION_SPEC = _struct(
    "RevisionSpec",
    containerConcurrency=INT64,
    timeoutSeconds=INT64,
    responseStartTimeoutSeconds=INT64,
    idleTimeoutSeconds=INT64,
    containers=[_CONTAINER],
    initContainers=[_CONTAINER],
    volumes=[_VOLUME],
    serviceAccountName=STRING,
    enableServiceLinks=BOOL,
)
_METADATA = _struct(
    "ObjectMeta",
    name=STRING,
    generateName=STRING,
    namespace=STRING,
    labels=StringMap(),
    annotations=StringMap(),
    finalizers=[STRING],
    ownerReferences=[_struct("OwnerReference", apiVersion=STRING, kind=STRING, name=STRING, uid=STRING)],
)
_TEMPLATE = _struct("RevisionTemplateSpec", metadata=_METADATA, spec=_REVISION_SPEC)
_TARGET = _struct(
    "TrafficTarget",
    percent=INT64,
    revisionName=STRING,
    configurationName=STRING,
    tag=STRING,
    latestRevision=BOOL,
    url=STRING,
)
_OBJECTS = {
    "Service": _struct(
        "Service", metadata=_METADATA, spec=_struct("ServiceSpec", template=_TEMPLATE, traffic=[_TARGET])
    ),
    "Configuration": _struct(
        "Configuration", metadata=_METADATA, spec=_struct("ConfigurationSpec", template=_TEMPLATE)
    ),
    "Route": _struct("Route", metadata=_METADATA, spec=_struct("RouteSpec", traffic=[_TARGET])),
    "Revision": _struct("Revision", metadata=_METADATA, spec=_REVISION_SPEC),
}


def check_types(obj: dict[str, Any]) -> None:
    """Raise StatusError 400 for the first value of a wrong type in a Knative object."""
    _check(obj, _OBJECTS[obj["kind"]], "", obj["kind"])


def _check(value: Any, kind: Any, path: str, owner: str) -> None:
    """`owner` is the Go struct that has the field; null means nothing everywhere except in a list of objects."""
    if value is None:
        return
    if isinstance(kind, Struct):
        if not isinstance(value, dict):
            raise _refusal(value, path, owner, kind.name)
        for field, inner in kind.fields.items():
            _check(value.get(field), inner, f"{path}.{field}" if path else field, kind.name)
    elif isinstance(kind, list):
        if not isinstance(value, list):
            raise _refusal(value, path, owner, "array")
        for item in value:
            if item is None:
                raise _refusal(item, path, owner, "object")
            _check(item, kind[0], path, owner)
    elif isinstance(kind, StringMap):
        if not isinstance(value, dict):
            raise _refusal(value, path, owner, "map[string]string")
        for item in value.values():
            _check("" if item is None else item, STRING, path, owner)
    elif not _is(value, kind):
        raise _refusal(value, path, owner, kind)


def _is(value: Any, kind: str) -> bool:
    if kind == BOOL:
        return isinstance(value, bool)
    if kind == STRING:
        return isinstance(value, str)
    limit = _LIMITS[kind]
    return isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit


def _refusal(value: Any, path: str, owner: str, kind: str) -> errors.StatusError:
    if isinstance(value, bool):
        got = "bool"
    elif isinstance(value, int | float):
        got = f"number {json.dumps(value)}" if kind in _LIMITS else "number"
    else:
        got = _JSON_NAMES.get(type(value), "null")
    return errors.bad_request(f"{PREFIX}{got} into Go struct field {owner}.{path} of type {kind}")
