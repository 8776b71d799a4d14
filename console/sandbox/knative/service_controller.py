"""The Service controller: makes the Configuration and the Route, and gathers their conditions."""

from __future__ import annotations

from console.sandbox.knative.cluster import Cluster
from console.sandbox.knative.conditions import FALSE, TRUE, Conditions, condition_of
from console.sandbox.knative.objects import (
    Key,
    Object,
    configuration_for,
    key_of,
    route_for,
    status_of,
)
from console.sandbox.resources import CONFIGURATIONS, ROUTES, SERVICES, Resource

SOURCE = "service-controller"
CONFIGURATIONS_READY, ROUTES_READY = "ConfigurationsReady", "RoutesReady"
DEPENDENTS = (CONFIGURATIONS_READY, ROUTES_READY)
STILL_WORKING = "The {} is still working to reflect the latest desired specification."
NOT_MIGRATED = "Traffic is not yet migrated to the latest revision."


class ServiceController:
    """Reconciles one Service at a time; each call writes at most one status."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def delay(self, service: Object) -> float:
        """The seconds until a change of this Service is taken up: a new generation takes longer than a new status."""
        is_new = status_of(service).get("observedGeneration") != service["metadata"]["generation"]
        return self._cluster.settings.timings.service if is_new else 0

    def reconcile(self, key: Key) -> None:
        """Bring the Configuration, the Route and the Service's status up to its spec."""
        service = self._cluster.store.find(SERVICES, *key)
        if service is None or "deletionTimestamp" in service["metadata"]:
            return
        configuration = self._ensure(CONFIGURATIONS, configuration_for(service), service)
        route = self._ensure(ROUTES, route_for(service), service)
        status = service_status(service, configuration, route, self._cluster.clock.timestamp())
        self._cluster.write_status(SERVICES, service, status)

    def _ensure(self, resource: Resource, wanted: Object, service: Object) -> Object:
        store = self._cluster.store
        found = store.find(resource, *key_of(wanted))
        if found is None:
            created = store.create(resource, wanted)
            message = f'Created {resource.kind} "{wanted["metadata"]["name"]}"'
            self._cluster.events.record(service, "Created", message, source=SOURCE)
            return created
        inherited = ("annotations", "labels", "ownerReferences")  # what left the Service leaves these, too
        metadata = found["metadata"] | {field: wanted["metadata"][field] for field in inherited}
        return store.update(resource, found | {"metadata": metadata, "spec": wanted["spec"]})


def service_status(service: Object, configuration: Object, route: Object, now: str) -> Object:
    """The status that gathers those of the Configuration and the Route; `now` is the time of changed conditions."""
    status = dict(status_of(service))
    conditions = Conditions(status.get("conditions") or [], DEPENDENTS, now)
    if _is_observed(configuration):
        for field in ("latestCreatedRevisionName", "latestReadyRevisionName"):
            if field in configuration["status"]:
                status[field] = configuration["status"][field]
        _propagate(conditions, CONFIGURATIONS_READY, condition_of(configuration, "Ready"))
    else:
        conditions.mark_unknown(CONFIGURATIONS_READY, "OutOfDate", STILL_WORKING.format("Configuration"))
    if _is_observed(route):
        for field in ("url", "address", "traffic"):
            if field in route["status"]:
                status[field] = route["status"][field]
        _propagate(conditions, ROUTES_READY, condition_of(route, "Ready"))
        if condition_of(route, "Ready").get("status") == TRUE and not _is_migrated(configuration, route):
            conditions.mark_unknown(ROUTES_READY, "TrafficNotMigrated", NOT_MIGRATED)
    else:
        conditions.mark_unknown(ROUTES_READY, "OutOfDate", STILL_WORKING.format("Route"))
    status["conditions"] = conditions.as_list()
    status["observedGeneration"] = service["metadata"]["generation"]
    return status


def _is_observed(obj: Object) -> bool:
    return bool(status_of(obj).get("observedGeneration") == obj["metadata"]["generation"])


def _propagate(conditions: Conditions, kind: str, ready: Object) -> None:
    reason, message = ready.get("reason", ""), ready.get("message", "")
    if ready.get("status") == TRUE:
        conditions.mark_true(kind)
    elif ready.get("status") == FALSE:
        conditions.mark_false(kind, reason, message)
    else:
        conditions.mark_unknown(kind, reason, message)


def _is_migrated(configuration: Object, route: Object) -> bool:
    """Whether what the Route serves is what its spec means by now, the latest ready revision in particular."""
    latest = status_of(configuration).get("latestReadyRevisionName")
    wanted = [
        (target.get("revisionName") or latest, target.get("percent"), target.get("tag"))
        for target in route["spec"]["traffic"]
    ]
    served = [
        (target.get("revisionName"), target.get("percent"), target.get("tag"))
        for target in status_of(route).get("traffic") or []
    ]
    return wanted == served
