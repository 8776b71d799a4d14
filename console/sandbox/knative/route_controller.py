"""The Route controller: assigns traffic, has the ingress programmed step by step, and labels the revisions it uses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from console.sandbox.knative import registry
from console.sandbox.knative.cluster import Cluster
from console.sandbox.knative.conditions import TRUE, Conditions, condition_of
from console.sandbox.knative.inner_objects import placeholder_for
from console.sandbox.knative.labeler import label_revisions
from console.sandbox.knative.objects import (
    ROLLOUT_DURATION,
    ROUTE_FINALIZER,
    Key,
    Object,
    annotations_of,
    host_of,
    key_of,
    local_url_of,
    serving_container,
    status_of,
    with_metadata,
)
from console.sandbox.knative.rollout import blended, old_traffic
from console.sandbox.knative.routing import RoutingTable
from console.sandbox.knative.targets import BadTarget, hosts_of, resolve
from console.sandbox.knative.validation.numbers import parse_duration
from console.sandbox.resources import CORE_SERVICES, REVISIONS, ROUTES

SOURCE = "route-controller"
ASSIGNED, CERTIFIED, INGRESS = "AllTrafficAssigned", "CertificateProvisioned", "IngressReady"
DEPENDENTS = (ASSIGNED, CERTIFIED, INGRESS)


class Phase(Enum):
    """How far the ingress is with what a Route wants: the reason and message of IngressReady."""

    NOT_CONFIGURED = ("IngressNotConfigured", "Ingress has not yet been reconciled.")
    WAITING = ("Uninitialized", "Waiting for load balancer to be ready")
    ROLLING = ("RolloutInProgress", "A gradual rollout of the latest revision(s) is in progress.")
    FAILED = ("DomainConflict", "Ingress rejected as its domain conflicts with another ingress")
    READY = ("", "")


@dataclass(slots=True)
class Programming:
    """One change of the ingress under way or done; a newer one for the same Route takes its place."""

    traffic: list[Object]
    host: str
    before: list[Object]
    phase: Phase = Phase.NOT_CONFIGURED
    rolled: int = 0
    timer: asyncio.Task[None] | None = field(default=None, repr=False)

    def stop(self) -> None:
        """Let no further step happen."""
        if self.timer is not None:
            self.timer.cancel()


class RouteController:
    """Reconciles one Route at a time and owns the ingress's table."""

    def __init__(self, cluster: Cluster, table: RoutingTable) -> None:
        self._cluster = cluster
        self._table = table
        self._programmings: dict[Key, Programming] = {}

    def delay(self, route: Object) -> float:
        """The seconds until a change is taken up."""
        return self._cluster.settings.timings.route

    def forget(self, key: Key) -> None:
        """The Route is gone: neither steps nor hosts remain."""
        programming = self._programmings.pop(key, None)
        if programming is not None:
            programming.stop()
        self._table.remove(key)

    def adopt(self, route: Object) -> None:
        """Program what an earlier life of the sandbox had done for this Route."""
        traffic = status_of(route).get("traffic")
        if traffic and condition_of(route, INGRESS).get("status") == TRUE:
            self._programmings[key_of(route)] = Programming(traffic, host_of(route), traffic, Phase.READY)
            self._table.program(key_of(route), hosts_of(route, traffic))

    def reconcile(self, key: Key) -> None:
        """Finalizer, traffic, ingress, labels; the status says how far each is."""
        store = self._cluster.store
        route = store.find(ROUTES, *key)
        if route is None:
            self.forget(key)
            return
        finalizers = route["metadata"].get("finalizers") or []
        if "deletionTimestamp" in route["metadata"]:
            self.forget(key)
            left = [each for each in finalizers if each != ROUTE_FINALIZER]
            if left != finalizers:
                store.update(ROUTES, with_metadata(route, finalizers=left or None))
            return
        if ROUTE_FINALIZER not in finalizers:
            route = store.update(ROUTES, with_metadata(route, finalizers=[*finalizers, ROUTE_FINALIZER]))
            name = route["metadata"]["name"]
            self._cluster.events.record(route, "FinalizerUpdate", f'Updated "{name}" finalizers', source=SOURCE)
        label_revisions(self._cluster, route, may_release=False)
        route = self._cluster.write_status(ROUTES, route, self._status(key, route))
        programming = self._programmings.get(key)
        if programming is not None and programming.phase in (Phase.READY, Phase.FAILED):
            label_revisions(self._cluster, route, may_release=True)

    def _status(self, key: Key, route: Object) -> Object:
        wanted, now = resolve(self._cluster.store, route), self._cluster.clock.timestamp()
        if isinstance(wanted, BadTarget):
            return unassigned_status(route, wanted, now)
        return assigned_status(route, wanted, self._programming_for(key, route, wanted).phase, now)

    def _programming_for(self, key: Key, route: Object, wanted: list[Object]) -> Programming:
        """The programming of what is wanted: the one there is, or a new one that begins now."""
        current, host = self._programmings.get(key), host_of(route)
        if current is not None and (current.traffic, current.host) == (wanted, host):
            return current
        before = current.traffic if current is not None else old_traffic(self._cluster.store, route, wanted)
        programming = Programming(wanted, host, before)
        if current is not None:
            current.stop()
        self._programmings[key] = programming
        self._hold_places(route, wanted)
        reason = condition_of(route, INGRESS).get("reason", "")
        is_same = current is None and status_of(route).get("traffic") == wanted
        if is_same and reason == Phase.ROLLING.value[0]:  # an earlier life of the sandbox began it
            self._roll(key, programming)
        else:
            self._later(programming, self._cluster.settings.timings.ingress, lambda: self._await_balancer(key))
        return programming

    def _hold_places(self, route: Object, traffic: list[Object]) -> None:
        """A core Service for the Route and for each of its tags; those of tags that it no longer has go."""
        store, (namespace, name) = self._cluster.store, key_of(route)
        is_new = store.find(CORE_SERVICES, namespace, name) is None
        wanted = {name, *(f"{each['tag']}-{name}" for each in traffic if each.get("tag"))}
        for resource, known in store.dependents(route["metadata"]["uid"]):
            if resource is CORE_SERVICES and known["metadata"]["name"] not in wanted:
                store.delete(CORE_SERVICES, *key_of(known))
        for each in sorted(wanted):
            if store.find(CORE_SERVICES, namespace, each) is None:
                store.create(CORE_SERVICES, placeholder_for(route, each), is_managed=True)
                self._tell_created(route, f'placeholder service "{each}"')
        if is_new:
            self._tell_created(route, f'Ingress "{name}"')

    def _tell_created(self, route: Object, what: str) -> None:
        self._cluster.events.record(route, "Created", f"Created {what}", source=SOURCE)

    def _await_balancer(self, key: Key) -> None:
        programming = self._programmings[key]
        programming.phase = Phase.WAITING
        self._later(programming, self._cluster.settings.timings.load_balancer, lambda: self._finish(key))
        self.reconcile(key)

    def _finish(self, key: Key) -> None:
        programming = self._programmings[key]
        kinds = self._image_kinds(key[0], programming)
        if "ingress-stuck" in kinds:
            return
        if "ingress-failure" in kinds:
            programming.phase = Phase.FAILED
            self.reconcile(key)
            return
        self._roll(key, programming)
        self.reconcile(key)

    def _roll(self, key: Key, programming: Programming) -> None:
        """Program the table: at once, or in steps from the old revision to the new over the rollout's duration."""
        route = self._cluster.store.find(ROUTES, *key)
        if route is None:
            return
        asked = parse_duration(annotations_of(route).get(ROLLOUT_DURATION, "0"))
        duration = asked.seconds if asked else 0
        steps = self._cluster.settings.timings.rollout_steps
        has_ended = not duration or programming.rolled >= steps or not programming.before
        share = 1.0 if has_ended else programming.rolled / steps
        self._table.program(key, hosts_of(route, blended(programming.before, programming.traffic, share)))
        programming.phase = Phase.READY if has_ended else Phase.ROLLING
        if not has_ended:
            programming.rolled += 1
            self._later(programming, duration / steps, lambda: self._roll_on(key))

    def _roll_on(self, key: Key) -> None:
        self._roll(key, self._programmings[key])
        self.reconcile(key)

    def _later(self, programming: Programming, seconds: float, step: Callable[[], None]) -> None:
        programming.timer = self._cluster.later(seconds, step)

    def _image_kinds(self, namespace: str, programming: Programming) -> set[str]:
        revisions = [
            self._cluster.store.find(REVISIONS, namespace, each["revisionName"]) for each in programming.traffic
        ]
        return {registry.inspect(serving_container(each).get("image", "")).kind for each in revisions if each}


def unassigned_status(route: Object, bad: BadTarget, now: str) -> Object:
    """The status of a Route whose traffic cannot go where its spec says; the previous targets keep serving."""
    status, conditions = _begun(route, now)
    conditions.mark_unknown(INGRESS, *Phase.NOT_CONFIGURED.value)
    mark = conditions.mark_false if bad.is_final else conditions.mark_unknown
    mark(ASSIGNED, bad.reason, bad.message)
    return status | {"conditions": conditions.as_list()}


def assigned_status(route: Object, traffic: list[Object], phase: Phase, now: str) -> Object:
    """The status of a Route whose `traffic` is assigned and whose ingress is at `phase`."""
    status, conditions = _begun(route, now)
    conditions.mark_true(ASSIGNED)
    conditions.mark_true(CERTIFIED, "TLSNotEnabled", "external-domain-tls is not enabled")
    if phase is Phase.READY:
        conditions.mark_true(INGRESS)
    elif phase is Phase.FAILED:
        conditions.mark_false(INGRESS, *phase.value)
    else:
        conditions.mark_unknown(INGRESS, *phase.value)
    address = {"url": local_url_of(route)}
    return status | {"traffic": traffic, "address": address, "conditions": conditions.as_list()}


def _begun(route: Object, now: str) -> tuple[Object, Conditions]:
    status = status_of(route) | {
        "url": f"http://{host_of(route)}",
        "observedGeneration": route["metadata"]["generation"],
    }
    return status, Conditions(status.get("conditions") or [], DEPENDENTS, now)
