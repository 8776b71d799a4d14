"""Objects as they look after the controllers are done with them, for seeds: with ages, history and pods."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from console.sandbox.knative import pods, programs, registry
from console.sandbox.knative.admission import admit
from console.sandbox.knative.conditions import Conditions, condition_of
from console.sandbox.knative.deployer import replica_set_name
from console.sandbox.knative.inner_objects import (
    deployment_for,
    deployment_status,
    placeholder_for,
    replica_set_for,
    replica_set_status,
    services_for,
)
from console.sandbox.knative.kubelet import NODE
from console.sandbox.knative.objects import (
    CREATOR,
    LAST_MODIFIER,
    ROUTE_FINALIZER,
    ROUTES_ANNOTATION,
    ROUTING_STATE_LABEL,
    Object,
    configuration_for,
    key_of,
    revision_for,
    route_for,
    serving_container,
    with_metadata,
)
from console.sandbox.knative.revision_controller import (
    ACTIVE,
    AVAILABLE,
    DEPENDENTS,
    HEALTHY,
    NO_TRAFFIC,
    QUEUED,
    container_statuses,
    mark_well,
    resolution_problem,
)
from console.sandbox.knative.route_controller import Phase, assigned_status, unassigned_status
from console.sandbox.knative.service_controller import service_status
from console.sandbox.knative.targets import BadTarget, named_revisions, resolve
from console.sandbox.resources import (
    CONFIGURATIONS,
    CORE_SERVICES,
    DEPLOYMENTS,
    PODS,
    REPLICASETS,
    REVISIONS,
    ROUTES,
    SERVICES,
    Resource,
)
from console.sandbox.store import Store

SECONDS_UNTIL_READY = 3
READY, CRASHING, OVER_QUOTA = "ready", "crashing", "over quota"
QUOTA_MESSAGE = (
    'pods "{}-deployment-5c7f9d8b6f-x2k8p" is forbidden: exceeded quota: compute-resources, requested: '
    "requests.cpu=4, used: requests.cpu=14, limited: requests.cpu=16"
)


@dataclass(frozen=True, slots=True)
class SeededRevision:
    """One revision of a seeded Service: its template, who made it and how long ago, and what became of it.

    An image that cannot be resolved fails whatever `outcome` says; `running` is the number of its ready pods.
    """

    template: Mapping[str, Any]
    creator: str
    age: timedelta
    outcome: str = READY
    running: int = 0


@dataclass(frozen=True, slots=True)
class SeededService:
    """A Service with its history, oldest revision first; `traffic` may be empty (100% latest)."""

    namespace: str
    name: str
    revisions: Sequence[SeededRevision]
    traffic: Sequence[Mapping[str, Any]] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    is_rolling_out: bool = False
    generation: int = 0  # more than its revisions and its split made: the split was changed before


class Settler:
    """Puts settled objects into a store that nothing follows yet."""

    def __init__(self, store: Store, now: datetime | None = None, *, is_whole: bool = True) -> None:
        """`is_whole` is whether each revision has its Deployment and Services, too: four more objects."""
        self._store = store
        self._is_whole = is_whole
        self._now = now or datetime.now(UTC)

    def plain(self, resource: Resource, obj: Object, age: timedelta) -> Object:
        """Add an object of any kind as it is, made `age` ago."""
        complete = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        return self._put(resource, complete, self._stamp(age), generation=1 if resource.has_generation else 0)

    def service(self, wanted: SeededService) -> None:
        """Add a Service with everything that its controllers would have made of it."""
        first, last = wanted.revisions[0], wanted.revisions[-1]
        generation = max(wanted.generation, len(wanted.revisions) + (1 if wanted.traffic else 0))
        service = self._numbered(self._admitted(wanted, last), first.age, generation)
        configuration: Object = {}
        ready, revision = "", {}
        for number, each in enumerate(wanted.revisions, start=1):
            at_the_time = with_metadata(
                self._admitted(wanted, each), uid=service["metadata"]["uid"], generation=generation
            )
            configuration = self._numbered(configuration_for(at_the_time), first.age, number)
            revision = self._revision(configuration, each)
            is_ready = any(
                one["type"] == "Ready" and one["status"] == "True" for one in revision["status"]["conditions"]
            )
            ready = revision["metadata"]["name"] if is_ready else ready
        configuration = self._put(
            CONFIGURATIONS, configuration | {"status": self._configuration_status(configuration, revision, ready)}
        )
        route = self._route(service, wanted, last)
        status = service_status(service, configuration, route, self._stamp(last.age, SECONDS_UNTIL_READY))
        self._put(SERVICES, service | {"status": status})
        self._label(configuration, route)
        if self._is_whole:
            self._hold_places(route, self._stamp(first.age))
        self._start_pods(wanted, configuration)

    def _admitted(self, wanted: SeededService, revision: SeededRevision) -> Object:
        metadata = {
            "name": wanted.name,
            "namespace": wanted.namespace,
            "labels": dict(wanted.labels),
            "annotations": dict(wanted.annotations),
        }
        spec: Object = {"template": dict(revision.template)}
        if wanted.traffic:
            spec["traffic"] = [dict(target) for target in wanted.traffic]
        service = {"apiVersion": SERVICES.api_version, "kind": SERVICES.kind, "metadata": metadata, "spec": spec}
        admitted = admit("create", SERVICES, None, service, revision.creator)
        stamps = {CREATOR: wanted.revisions[0].creator, LAST_MODIFIER: revision.creator}
        annotations = admitted["metadata"]["annotations"] | stamps
        return with_metadata(admitted, annotations=annotations, labels=dict(wanted.labels) or None)

    def _revision(self, configuration: Object, seeded: SeededRevision) -> Object:
        made = self._stamp(seeded.age)
        revision = self._numbered(revision_for(configuration, made), seeded.age, 1)
        status: Object = {}
        conditions = Conditions([], DEPENDENTS, self._stamp(seeded.age, SECONDS_UNTIL_READY))
        problem = resolution_problem(revision)
        if problem:
            conditions.mark_unknown(AVAILABLE, "ResolvingDigests")
            conditions.mark_false(HEALTHY, "ContainerMissing", problem)
        else:
            status["containerStatuses"] = container_statuses(revision)
            status["actualReplicas"] = seeded.running
            self._mark_outcome(status, conditions, revision, seeded)
        status |= {"conditions": conditions.as_list(), "observedGeneration": 1}
        return self._put(REVISIONS, revision | {"status": status})

    def _mark_outcome(self, status: Object, conditions: Conditions, revision: Object, seeded: SeededRevision) -> None:
        if seeded.outcome == READY:
            mark_well(conditions)
            status["desiredReplicas"] = seeded.running
            if seeded.running:
                conditions.mark_true(ACTIVE)
            else:
                conditions.mark_false(ACTIVE, *NO_TRAFFIC)
            return
        conditions.mark_unknown(AVAILABLE, "Deploying")
        conditions.mark_unknown(HEALTHY, "Deploying")
        if seeded.outcome == CRASHING:
            status["desiredReplicas"] = 1
            conditions.mark_unknown(ACTIVE, *QUEUED)
            why = f"Container failed with: {programs.crash_lines(self._now)[-1]}"
            conditions.mark_false(HEALTHY, "ExitCode1", why)
        else:
            conditions.mark_unknown(ACTIVE, "Deploying")
            conditions.mark_false(AVAILABLE, "FailedCreate", QUOTA_MESSAGE.format(revision["metadata"]["name"]))

    def _configuration_status(self, configuration: Object, revision: Object, ready: str) -> Object:
        name, of_revision = revision["metadata"]["name"], condition_of(revision, "Ready")
        conditions = Conditions([], (), of_revision["lastTransitionTime"])
        if ready == name:
            conditions.mark_true("Ready")
        else:
            why = f'Revision "{name}" failed with message: {of_revision.get("message", "")}.'
            conditions.mark_false("Ready", "RevisionFailed", why)
        status = {"latestCreatedRevisionName": name} | ({"latestReadyRevisionName": ready} if ready else {})
        generation = configuration["metadata"]["generation"]
        return status | {"conditions": conditions.as_list(), "observedGeneration": generation}

    def _route(self, service: Object, wanted: SeededService, last: SeededRevision) -> Object:
        changes = 2 if wanted.traffic else 1
        route = self._numbered(route_for(service), wanted.revisions[0].age, changes)
        route = with_metadata(route, finalizers=[ROUTE_FINALIZER])
        traffic, since = resolve(self._store, route), self._stamp(last.age, SECONDS_UNTIL_READY)
        if isinstance(traffic, BadTarget):
            status = unassigned_status(route, traffic, since)
        else:
            phase = Phase.ROLLING if wanted.is_rolling_out else Phase.READY
            status = assigned_status(route, traffic, phase, since)
        return self._put(ROUTES, route | {"status": status})

    def _label(self, configuration: Object, route: Object) -> None:
        """Revisions that no traffic names are in reserve; a rollout still uses the one before."""
        used = named_revisions(self._store, route)
        revisions = [obj for kind, obj in self._store.dependents(configuration["metadata"]["uid"]) if kind is REVISIONS]
        revisions.sort(key=lambda obj: obj["metadata"]["name"])
        if any(each.get("reason") == Phase.ROLLING.value[0] for each in route["status"]["conditions"]):
            used |= {obj["metadata"]["name"] for obj in revisions[-2:]}
        for revision in revisions:
            if revision["metadata"]["name"] not in used:
                metadata = revision["metadata"]
                annotations = {key: each for key, each in metadata["annotations"].items() if key != ROUTES_ANNOTATION}
                labels = metadata["labels"] | {ROUTING_STATE_LABEL: "reserve"}
                self._put(REVISIONS, with_metadata(revision, annotations=annotations, labels=labels))

    def _start_pods(self, wanted: SeededService, configuration: Object) -> None:
        revisions = [obj for kind, obj in self._store.dependents(configuration["metadata"]["uid"]) if kind is REVISIONS]
        revisions.sort(key=lambda obj: obj["metadata"]["name"])
        for revision, seeded in zip(revisions, wanted.revisions, strict=True):
            count = 1 if seeded.outcome == CRASHING else seeded.running
            if count or (self._is_whole and revision["status"].get("containerStatuses")):
                replica_set = self._deploy(revision, seeded, count)
                for number in range(count):
                    self._start_pod(revision, replica_set, seeded, number)

    def _deploy(self, revision: Object, seeded: SeededRevision, count: int) -> Object:
        """The Deployment, ReplicaSet and Services; returns the ReplicaSet."""
        made, ready = self._stamp(seeded.age), 0 if seeded.outcome == CRASHING else count
        for service in services_for(revision):
            self._put(CORE_SERVICES, service, made)
        wanted = with_metadata(deployment_for(revision, count), generation=1)
        replica_set = replica_set_name(key_of(revision))
        status = deployment_status(wanted, replica_set, count, ready, made)
        deployment = self._put(DEPLOYMENTS, wanted | {"status": status}, made)
        wanted = with_metadata(replica_set_for(revision, deployment), generation=1)
        return self._put(REPLICASETS, wanted | {"status": replica_set_status(wanted, count, ready)}, made)

    def _hold_places(self, route: Object, made: str) -> None:
        """The core Services of a Route and of its tags."""
        name, traffic = route["metadata"]["name"], route["status"].get("traffic") or []
        for each in {name, *(f"{target['tag']}-{name}" for target in traffic if target.get("tag"))}:
            self._put(CORE_SERVICES, placeholder_for(route, each), made)

    def _start_pod(self, revision: Object, replica_set: Object, seeded: SeededRevision, number: int) -> None:
        digest = registry.digest_of("/".join(key_of(revision)))
        suffix = registry.digest_of(f"{digest}{number}")[:5]
        pod = pods.pod_for(replica_set, suffix)
        pod = pod | {"spec": pod["spec"] | {"nodeName": NODE}}
        made = self._stamp(seeded.age)
        image, name = registry.inspect(serving_container(revision)["image"]), pods.serving_name(pod)
        if seeded.outcome == CRASHING:
            lines = programs.crash_lines(self._now)
            status = pods.crashed(pod, made, pods.serving_name(pod), restarts=4, backoff="2m40s", message=lines[-1])
        else:
            lines = programs.starting_lines(image)
            status = pods.running(pod, made, ready=True)
        pod = self._put(PODS, pod | {"status": pod["status"] | status | {"startTime": made}}, made)
        self._store.logs.append(*key_of(pod), name, "\n".join(lines))
        self._store.logs.append(*key_of(pod), pods.QUEUE_PROXY, programs.QUEUE_PROXY_LINE)

    def _numbered(self, obj: Object, age: timedelta, generation: int) -> Object:
        """With uid, creationTimestamp and generation, as the API server gives them."""
        named = "/".join((obj["kind"], *key_of(obj)))
        uid = str(uuid.uuid5(uuid.NAMESPACE_URL, named))
        return with_metadata(obj, uid=uid, creationTimestamp=self._stamp(age), generation=generation)

    def _put(self, resource: Resource, obj: Object, made: str = "", generation: int = 0) -> Object:
        metadata: Object = {"creationTimestamp": made} if made else {}
        metadata |= {"generation": generation} if generation else {}
        if "uid" not in obj["metadata"]:
            metadata["uid"] = str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join((resource.qualified, *key_of(obj)))))
        metadata["resourceVersion"] = str(self._store.version + 1)
        complete = with_metadata(obj, **metadata)
        self._store.load({"version": self._store.version + 1, "objects": [complete]})
        return complete

    def _stamp(self, age: timedelta, later_seconds: int = 0) -> str:
        return (self._now - age + timedelta(seconds=later_seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
