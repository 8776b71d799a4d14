"""The Revision controller: digests, the first pods, and what the pods say about it ever after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from console.sandbox.knative import pods, registry
from console.sandbox.knative.autoscaler import QUOTA, Autoscaler, Scale, pod_refusal
from console.sandbox.knative.cluster import Cluster
from console.sandbox.knative.conditions import FALSE, TRUE, UNKNOWN, Conditions, condition_of
from console.sandbox.knative.events import WARNING
from console.sandbox.knative.objects import Key, Object, annotations_of, key_of, status_of
from console.sandbox.knative.validation.numbers import parse_duration
from console.sandbox.names import child_name
from console.sandbox.resources import PODS, REVISIONS

SOURCE = "revision-controller"
AVAILABLE, HEALTHY, ACTIVE = "ResourcesAvailable", "ContainerHealthy", "Active"
DEPENDENTS = (AVAILABLE, HEALTHY)
PROGRESS_DEADLINE = "serving.knative.dev/progress-deadline"
NO_TRAFFIC = ("NoTraffic", "The target is not receiving traffic.")
QUEUED = ("Queued", "Requests to the target are being buffered as resources are provisioned.")
TIMED_OUT = ("TimedOut", "The target could not be activated.")
NEVER_ACHIEVED = ("ProgressDeadlineExceeded", "Initial scale was never achieved")
Change = Callable[[Object, Conditions, Object], None]


class RevisionController:
    """Deploys each Revision once, in a task of its own, then reflects its pods in its status."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.autoscaler = Autoscaler(cluster, self._reflect)
        self._deploying: dict[Key, asyncio.Task[None]] = {}
        self._initial: dict[Key, int] = {}  # the pods that must be ready before the Revision is
        self._timed_out: set[Key] = set()

    def observe(self, event: str, revision: Object) -> None:
        """Take up a change of a Revision."""
        key = key_of(revision)
        if event == "DELETED":
            task = self._deploying.pop(key, None)
            if task is not None:
                task.cancel()
            self._initial.pop(key, None)
            self._timed_out.discard(key)
            self.autoscaler.forget(key)
        elif event == "ADDED" and condition_of(revision, "Ready").get("status", UNKNOWN) == UNKNOWN:
            task = self._cluster.spawn(self._deploy(key))
            self._deploying[key] = task
            task.add_done_callback(lambda _: self._deploying.pop(key, None))
        elif event == "MODIFIED" or pods_are_wanted(revision):
            self.autoscaler.reconsider(key)

    async def _deploy(self, key: Key) -> None:
        """Resolve the digests, start the first pods (or none), and give up when the deadline passes."""
        clock, timings = self._cluster.clock, self._cluster.settings.timings
        revision = self._edit(key, mark_resolving)
        if revision is None:
            return
        problem = resolution_problem(revision)
        if problem:
            await clock.sleep(timings.resolution_failure)
            self._edit(key, lambda _, conditions, __: conditions.mark_false(HEALTHY, "ContainerMissing", problem))
            self._tell(key, "InternalError", problem, WARNING)
            return
        await clock.sleep(timings.resolving)
        revision = self._edit(key, mark_deploying)
        if revision is None:
            return
        await clock.sleep(timings.deploying)
        initial = self._initial[key] = self.autoscaler.initial_scale(revision)
        self.autoscaler.deployer.deploy(revision, initial)
        if initial == 0:
            self._edit(key, mark_scaled_to_zero)
            await clock.sleep(timings.settling)
            self._edit(key, lambda _, conditions, __: mark_well(conditions))
            self._tell(key, "RevisionReady", "Revision becomes ready upon all resources being ready")
            return
        while why := pod_refusal(self._cluster.store, revision):
            self._refuse_pods(key, why, initial)
            if why == QUOTA:  # which nobody raises here
                return
            await clock.sleep(timings.config_retry)
        self.autoscaler.scale_to(key, initial)
        deadline = parse_duration(annotations_of(revision).get(PROGRESS_DEADLINE, ""))
        await clock.sleep((deadline and deadline.seconds) or self._cluster.settings.progress_deadline_seconds)
        self._give_up(key)

    def _refuse_pods(self, key: Key, why: str, replicas: int) -> None:
        """The ReplicaSet is refused its pods and tries again; the first refusal is told."""
        revision = self._cluster.store.find(REVISIONS, *key)
        if revision is None or condition_of(revision, AVAILABLE).get("reason") == "FailedCreate":
            return
        deployment = child_name(key[1], "-deployment")
        name = f"{deployment}-{self.autoscaler.scale(key).template_hash}-{self._cluster.suffix(5)}"
        message = f'pods "{name}" is forbidden: {why.format(used=16 - min(replicas, 4) * 4 + 2)}'
        self._edit(key, lambda _, conditions, __: conditions.mark_false(AVAILABLE, "FailedCreate", message))
        self._tell(key, "FailedCreate", f"Error creating: {message}", WARNING)

    def _give_up(self, key: Key) -> None:
        """The progress deadline passed: failed, unless it is ready by now."""
        revision = self._cluster.store.find(REVISIONS, *key)
        if revision is None or condition_of(revision, "Ready").get("status") == TRUE:
            return
        reason, message = self._waiting_reason(key) or NEVER_ACHIEVED
        if condition_of(revision, "Ready").get("status") != FALSE:
            self._edit(key, lambda _, conditions, __: conditions.mark_false(AVAILABLE, reason, message))
        self._timed_out.add(key)
        self.autoscaler.scale_to(key, 0)

    def _waiting_reason(self, key: Key) -> tuple[str, str] | None:
        for pod in self._pods(key):
            state = pods.container_state(pod, pods.serving_name(pod)).get("state", {}).get("waiting")
            if state and state.get("message"):
                return state["reason"], state["message"]
        return None

    def _reflect(self, key: Key) -> None:
        """Write what the pods say: replicas, Active, and failures that nobody needs to wait for."""
        scale = self.autoscaler.scale(key)
        if scale.desired is None or self._cluster.store.find(REVISIONS, *key) is None:
            return
        was_ready = self._is_ready(key)

        def edit(status: Object, conditions: Conditions, _: Object) -> None:
            status["actualReplicas"], status["desiredReplicas"] = scale.ready, scale.desired
            self._mark_scale(key, scale, conditions)

        self._edit(key, edit)
        self.autoscaler.deployer.reflect(key, len(scale.pods), scale.ready)
        if self._is_ready(key) and not was_ready:
            self._timed_out.discard(key)
            task = self._deploying.get(key)
            if task is not None:
                task.cancel()  # it waits for the deadline only
            self._tell(key, "RevisionReady", "Revision becomes ready upon all resources being ready")

    def _mark_scale(self, key: Key, scale: Scale, conditions: Conditions) -> None:
        if scale.ready:
            if scale.ready >= self._initial.get(key, 1) or conditions.status("Ready") == FALSE:
                mark_well(conditions)
            conditions.mark_true(ACTIVE)
            return
        if not scale.desired:
            conditions.mark_false(ACTIVE, *(TIMED_OUT if key in self._timed_out else NO_TRAFFIC))
            return
        conditions.mark_unknown(ACTIVE, *QUEUED)
        for pod in self._pods(key):
            for condition in pod["status"].get("conditions") or []:
                if condition["type"] == "PodScheduled" and condition["status"] == "False":
                    conditions.mark_false(AVAILABLE, condition["reason"], condition["message"])
            ended = pods.container_state(pod, pods.serving_name(pod)).get("lastState", {}).get("terminated")
            if ended:
                why = f"Container failed with: {ended['message']}"
                conditions.mark_false(HEALTHY, f"ExitCode{ended['exitCode']}", why)

    def _pods(self, key: Key) -> list[Object]:
        found = [self._cluster.store.find(PODS, key[0], name) for name in self.autoscaler.scale(key).pods]
        return [pod for pod in found if pod is not None]

    def _is_ready(self, key: Key) -> bool:
        revision = self._cluster.store.find(REVISIONS, *key)
        return revision is not None and condition_of(revision, "Ready").get("status") == TRUE

    def _edit(self, key: Key, change: Change) -> Object | None:
        """Change the status by `change(status, conditions, revision)`; None when the Revision is gone."""
        revision = self._cluster.store.find(REVISIONS, *key)
        if revision is None:
            return None
        status = dict(status_of(revision))
        conditions = Conditions(status.get("conditions") or [], DEPENDENTS, self._cluster.clock.timestamp())
        change(status, conditions, revision)
        status["conditions"] = conditions.as_list()
        status["observedGeneration"] = revision["metadata"]["generation"]
        return self._cluster.write_status(REVISIONS, revision, status)

    def _tell(self, key: Key, reason: str, message: str, kind: str = "Normal") -> None:
        revision = self._cluster.store.find(REVISIONS, *key)
        if revision is not None:
            self._cluster.events.record(revision, reason, message, source=SOURCE, kind=kind)


def pods_are_wanted(revision: Object) -> bool:
    """Whether a Revision that is already ready asks for pods by itself."""
    return "autoscaling.knative.dev/min-scale" in annotations_of(revision)


def container_statuses(revision: Object) -> list[Object]:
    """`status.containerStatuses`: every container's name and image by digest."""
    return [
        {"imageDigest": registry.inspect(container["image"]).pinned, "name": container["name"]}
        for container in revision["spec"]["containers"]
    ]


def resolution_problem(revision: Object) -> str:
    for container in revision["spec"]["containers"]:
        error = registry.inspect(container["image"]).resolve_error
        if error:
            return f'Unable to fetch image "{container["image"]}": failed to resolve image to digest: {error}'
    return ""


def mark_resolving(status: Object, conditions: Conditions, revision: Object) -> None:
    conditions.mark_unknown(AVAILABLE, "ResolvingDigests")


def mark_deploying(status: Object, conditions: Conditions, revision: Object) -> None:
    status["containerStatuses"] = container_statuses(revision)
    conditions.mark_unknown(AVAILABLE, "Deploying")
    conditions.mark_unknown(HEALTHY, "Deploying")
    conditions.mark_unknown(ACTIVE, "Deploying")


def mark_scaled_to_zero(status: Object, conditions: Conditions, revision: Object) -> None:
    """The deployment exists with no replicas; the container's health is unknown, like in the recording."""
    status["actualReplicas"] = 0
    conditions.mark_unknown(HEALTHY)
    conditions.mark_unknown(AVAILABLE, "Deploying")
    conditions.mark_false(ACTIVE, *NO_TRAFFIC)


def mark_well(conditions: Conditions) -> None:
    conditions.mark_true(AVAILABLE)
    conditions.mark_true(HEALTHY)
