"""The status of each of Knative's kinds, for the OpenAPI document; the store keeps what the controllers write."""

from __future__ import annotations

from console.sandbox.crd.types import BOOL, INT32, INT64, STRING, TEXT_MAP, URL, ListOf, Shared, Struct, always, struct

_CONDITIONS = ListOf(
    struct(
        "Condition",
        lastTransitionTime=STRING,
        message=STRING,
        reason=STRING,
        severity=STRING,
        status=always(STRING),
        type=always(STRING),
    )
)
_TARGETS = ListOf(
    struct(
        "TrafficTarget",
        configurationName=STRING,
        latestRevision=BOOL,
        percent=INT64,
        revisionName=STRING,
        tag=STRING,
        url=URL,
    )
)
_COMMON: Shared = {"annotations": TEXT_MAP, "conditions": _CONDITIONS, "observedGeneration": INT64}
_LATEST: Shared = {"latestCreatedRevisionName": STRING, "latestReadyRevisionName": STRING}
_ROUTED: Shared = {
    "address": struct("Addressable", CACerts=STRING, audience=STRING, name=STRING, url=STRING),
    "traffic": _TARGETS,
    "url": STRING,
}
_CONTAINERS = ListOf(struct("ContainerStatus", imageDigest=STRING, name=STRING))

STATUSES: dict[str, Struct] = {
    "Service": struct("ServiceStatus", _COMMON, _LATEST, _ROUTED),
    "Configuration": struct("ConfigurationStatus", _COMMON, _LATEST),
    "Route": struct("RouteStatus", _COMMON, _ROUTED),
    "Revision": struct(
        "RevisionStatus",
        _COMMON,
        actualReplicas=INT32,
        containerStatuses=_CONTAINERS,
        desiredReplicas=INT32,
        initContainerStatuses=_CONTAINERS,
        logUrl=STRING,
    ),
}
