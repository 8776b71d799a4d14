"""The controllers' common loop: each change of the store reaches those whom it concerns, each object once at a time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

from console.sandbox.knative.claims import ClaimController
from console.sandbox.knative.cluster import Cluster
from console.sandbox.knative.conditions import TRUE, condition_of
from console.sandbox.knative.configuration_controller import ConfigurationController
from console.sandbox.knative.kubelet import Kubelet
from console.sandbox.knative.objects import (
    CONFIGURATION_LABEL,
    SERVICE_LABEL,
    Key,
    Object,
    key_of,
    labels_of,
)
from console.sandbox.knative.revision_controller import RevisionController
from console.sandbox.knative.route_controller import RouteController
from console.sandbox.knative.routing import RoutingTable
from console.sandbox.knative.service_controller import ServiceController
from console.sandbox.resources import CLAIMS, CONFIGURATIONS, PODS, REVISIONS, ROUTES, SERVICES, Resource

BATCH_SIZE = 200  # changes handled before others on the event loop get their turn


class Reconciler(Protocol):
    """What the loop needs of a controller."""

    def delay(self, obj: Object) -> float:
        """The seconds until a change is taken up."""

    def reconcile(self, key: Key) -> None:
        """Bring the world up to the object's spec."""


class Controllers:
    """All of Knative's controllers over one store; nothing polls, each change costs the objects that it concerns."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.table = RoutingTable(cluster.chance)
        self.revisions = RevisionController(cluster)
        self._kubelet = Kubelet(cluster)
        self._claims = ClaimController(cluster)
        self._routes = RouteController(cluster, self.table)
        self._reconcilers: dict[Resource, Reconciler] = {
            SERVICES: ServiceController(cluster),
            CONFIGURATIONS: ConfigurationController(cluster),
            ROUTES: self._routes,
        }
        self._pending: dict[tuple[Resource, Key], asyncio.Task[None]] = {}
        self._routes_to: defaultdict[Key, set[Key]] = defaultdict(set)  # by the Configuration
        self._take_over()
        self._subscription = cluster.store.subscribe(SERVICES, CONFIGURATIONS, REVISIONS, ROUTES, PODS, CLAIMS)

    def _take_over(self) -> None:
        """Know what ran when the store was filled, before any change is handled."""
        for pod in self._cluster.store.list(PODS):
            self.revisions.autoscaler.adopt(pod)
        for revision in self._cluster.store.list(REVISIONS):
            if condition_of(revision, "Ready").get("status") == TRUE:
                self._kubelet.remember_images(revision)
        for route in self._cluster.store.list(ROUTES):
            self._routes.adopt(route)
            self._remember_targets(route)

    async def follow(self) -> None:
        """Handle every change of the store until cancelled."""
        handled = 0
        try:
            async for event, resource, obj in self._subscription:
                self._handle(event, resource, obj)
                handled += 1
                if handled % BATCH_SIZE == 0:
                    await asyncio.sleep(0)
        finally:
            self._subscription.close()

    def _handle(self, event: str, resource: Resource, obj: Object) -> None:
        namespace, name = key_of(obj)
        if resource is PODS:
            self.revisions.autoscaler.observe(event, obj)
            self._kubelet.observe(event, obj)
            self._claims.observe_pod(event, obj)
        elif resource is CLAIMS:
            self._claims.observe(event, obj)
        elif resource is REVISIONS:
            self.revisions.observe(event, obj)
            self._enqueue(CONFIGURATIONS, (namespace, labels_of(obj).get(CONFIGURATION_LABEL, "")))
            self._enqueue(ROUTES, (namespace, labels_of(obj).get(SERVICE_LABEL, "")))
        elif resource is ROUTES and event == "DELETED":
            self._routes.forget((namespace, name))
        else:
            if resource is ROUTES:
                self._remember_targets(obj)
            self._enqueue(resource, (namespace, name))
        if resource is CONFIGURATIONS:
            for route in self._routes_to.get((namespace, name), ()):
                self._enqueue(ROUTES, route)
        if resource in (CONFIGURATIONS, ROUTES):
            self._enqueue(SERVICES, (namespace, labels_of(obj).get(SERVICE_LABEL, "")))

    def _remember_targets(self, route: Object) -> None:
        """A Route follows the Configurations that it names, whatever its own name. Old targets only wake it in vain."""
        for target in route["spec"].get("traffic") or []:
            if name := target.get("configurationName"):
                self._routes_to[route["metadata"]["namespace"], name].add(key_of(route))

    def _enqueue(self, resource: Resource, key: Key) -> None:
        """Reconcile after the controller's delay; a key that waits already is not queued again."""
        obj = self._cluster.store.find(resource, *key)
        if obj is None:
            return
        delay = self._reconcilers[resource].delay(obj)
        if not delay:
            self._reconcilers[resource].reconcile(key)
        elif (resource, key) not in self._pending:
            self._pending[resource, key] = self._cluster.later(delay, self._due(resource, key))

    def _due(self, resource: Resource, key: Key) -> Callable[[], None]:
        def reconcile() -> None:
            del self._pending[resource, key]
            self._reconcilers[resource].reconcile(key)
            self._catch_up()

        return reconcile

    def _catch_up(self) -> None:
        """Handle what was just written before anything else is: no state is skipped by those who gather states."""
        while change := self._subscription.take():
            self._handle(change.type, change.resource, change.object)
