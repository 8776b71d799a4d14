"""The simulated kubelet and scheduler: takes a Pod from Pending to Running and to its end, a task for each Pod."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from console.sandbox.errors import StatusError
from console.sandbox.knative import pods, programs, registry
from console.sandbox.knative.cluster import Cluster
from console.sandbox.knative.events import NORMAL, WARNING
from console.sandbox.knative.objects import Key, Object, key_of
from console.sandbox.knative.references import claim_error, container_error, volume_error
from console.sandbox.resources import PODS

NODE = "sandbox-worker"
NO_NODE = (
    "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: "
    "3 No preemption victims found for incoming pod."
)
NO_CLAIM = (
    "0/3 nodes are available: {}. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
)
LONGEST_BACKOFF_SECONDS = 300.0


class Kubelet:
    """Follows the Pods that Knative made; others are left alone."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._ending: set[Key] = set()
        self._pulled: set[str] = set()  # digests of the images on the node

    def observe(self, event: str, pod: Object) -> None:
        """Take up a change of a Pod."""
        key = key_of(pod)
        if event == "DELETED":
            self._stop(key)
            self._ending.discard(key)
            self._cluster.store.logs.discard(*key)
        elif pods.is_terminating(pod):
            if key not in self._ending:
                self._ending.add(key)
                self._start(key, self._end(key))
        elif event == "ADDED" and pods.revision_key(pod):
            if name := pods.crashing_name(pod):  # since an earlier life of the sandbox
                restarts = pods.container_state(pod, name).get("restartCount", 0)
                self._start(key, self._crash(key, name, restarts + 1))
            elif not pods.is_ready(pod):
                self._start(key, self._run(key))

    def remember_images(self, revision: Object) -> None:
        """The Revision ran before: its images are on the node."""
        self._pulled |= {registry.inspect(container["image"]).digest for container in revision["spec"]["containers"]}

    def _start(self, key: Key, work: Coroutine[Any, Any, None]) -> None:
        self._stop(key)
        task = self._cluster.spawn(work)
        self._tasks[key] = task
        task.add_done_callback(lambda done: self._done(key, done))

    def _stop(self, key: Key) -> None:
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()

    def _done(self, key: Key, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]

    async def _run(self, key: Key) -> None:
        """From nothing to ready, with every way in which that can fail."""
        clock, timings = self._cluster.clock, self._cluster.settings.timings
        await clock.sleep(timings.scheduling)
        pod = self._pod(key)
        serving = next(each for each in pod["spec"]["containers"] if each["name"] == pods.serving_name(pod))
        image = registry.inspect(serving["image"])
        if image.kind == "unschedulable":
            self._write(key, pods.unscheduled(pod["status"], NO_NODE, clock.timestamp()))
            self._tell(pod, "FailedScheduling", NO_NODE, WARNING, source="default-scheduler")
            return
        await self._bind(key)
        pod = self._pod(key)
        placed = pod | {"spec": pod["spec"] | {"nodeName": NODE}}
        pod = self._cluster.store.update(PODS, placed)
        message = f"Successfully assigned {key[0]}/{key[1]} to {NODE}"
        self._tell(pod, "Scheduled", message, source="default-scheduler")
        self._write(key, pods.waiting(pod, clock.timestamp()) | {"startTime": clock.timestamp()})
        await clock.sleep(timings.mounting)
        await self._mount(key)
        if not await self._pull(key):
            return
        await self._configure(key)
        pod = self._pod(key)
        for container in pod["spec"]["containers"]:
            self._tell(pod, "Created", f"Created container: {container['name']}")
            self._tell(pod, "Started", f"Started container {container['name']}")
        self._write(key, pods.running(pod, clock.timestamp(), ready=False))
        for container in (serving, *pod["spec"]["containers"]):
            if registry.inspect(container["image"]).kind == "crash":
                await self._crash(key, container["name"])
        for line in programs.starting_lines(image):
            self._cluster.store.logs.append(*key, serving["name"], line)
        self._cluster.store.logs.append(*key, pods.QUEUE_PROXY, programs.QUEUE_PROXY_LINE)
        if image.kind == "never-ready":
            await clock.sleep(image.start_seconds)
            message = "Readiness probe failed: HTTP probe failed with statuscode: 503"
            self._tell(self._pod(key), "Unhealthy", message, WARNING)
            return
        await clock.sleep(image.start_seconds)
        self._write(key, pods.running(self._pod(key), clock.timestamp(), ready=True))

    async def _bind(self, key: Key) -> None:
        """Wait until every claim of the pod's volumes is there and bound."""
        pod = self._pod(key)
        while problem := claim_error(self._cluster.store, key[0], pod["spec"]):
            message = NO_CLAIM.format(problem)
            self._write(key, pods.unscheduled(pod["status"], message, self._cluster.clock.timestamp()))
            self._tell(pod, "FailedScheduling", message, WARNING, source="default-scheduler")
            await self._cluster.clock.sleep(self._cluster.settings.timings.config_retry)
            pod = self._pod(key)

    async def _mount(self, key: Key) -> None:
        """Wait until every volume's source is there."""
        pod = self._pod(key)
        while problem := volume_error(self._cluster.store, key[0], pod["spec"]):
            self._tell(pod, "FailedMount", problem, WARNING)
            await self._cluster.clock.sleep(self._cluster.settings.timings.config_retry)

    async def _pull(self, key: Key) -> bool:
        """Bring every image to the node; False when one cannot be pulled."""
        pod = self._pod(key)
        for container in pod["spec"]["containers"]:
            reference, image = container["image"], registry.inspect(container["image"])
            if image.kind == "pull-backoff":
                self._fail_pull(key, container)
                return False
            if image.digest in self._pulled or container["name"] == pods.QUEUE_PROXY:
                self._tell(pod, "Pulled", f'Container image "{reference}" already present on machine')
                await self._cluster.clock.sleep(self._cluster.settings.timings.cached_pull)
                continue
            self._tell(pod, "Pulling", f'Pulling image "{reference}"')
            await self._cluster.clock.sleep(image.pull_seconds)
            self._pulled.add(image.digest)
            took = f"{image.pull_seconds:g}s"
            self._tell(pod, "Pulled", f'Successfully pulled image "{reference}" in {took} ({took} including waiting)')
        return True

    def _fail_pull(self, key: Key, container: Object) -> None:
        pod, reference = self._pod(key), container["image"]
        why = f'Failed to pull image "{reference}": rpc error: code = Unknown desc = connection reset by peer'
        self._tell(pod, "Failed", why, WARNING)
        backing_off = f'Back-off pulling image "{reference}"'
        self._tell(pod, "BackOff", backing_off, NORMAL)
        now = self._cluster.clock.timestamp()
        self._write(key, pods.waiting(pod, now, "ImagePullBackOff", backing_off, container["name"]))

    async def _configure(self, key: Key) -> None:
        """Wait until every secret and config map that an environment refers to is there."""
        while True:
            pod = self._pod(key)
            for container in pod["spec"]["containers"]:
                problem = container_error(self._cluster.store, key[0], container)
                if problem:
                    break
            else:
                return
            self._tell(pod, "Failed", f"Error: {problem}", WARNING)
            now, reason = self._cluster.clock.timestamp(), "CreateContainerConfigError"
            self._write(key, pods.waiting(pod, now, reason, problem, container["name"]))
            await self._cluster.clock.sleep(self._cluster.settings.timings.config_retry)

    async def _crash(self, key: Key, container: str, restarts: int = 0) -> None:
        """Exit, wait, start again, without end."""
        backoff = self._cluster.settings.timings.crash_backoff
        while True:
            lines = programs.crash_lines(self._cluster.clock.now(), self._settings_told(key, container))
            self._cluster.store.logs.append(*key, container, "\n".join(lines))
            await self._cluster.clock.sleep(self._cluster.settings.timings.crash)
            self._cluster.store.logs.end(*key, container)
            pod, now = self._pod(key), self._cluster.clock.timestamp()
            self._tell(pod, "BackOff", f"Back-off restarting failed container {container} in pod {key[1]}", WARNING)
            text = f"{backoff:g}s" if backoff < LONGEST_BACKOFF_SECONDS else "5m0s"
            self._write(key, pods.crashed(pod, now, container, restarts=restarts, backoff=text, message=lines[-1]))
            await self._cluster.clock.sleep(backoff)
            backoff, restarts = min(2 * backoff, LONGEST_BACKOFF_SECONDS), restarts + 1
            self._cluster.store.logs.restart(*key, container)

    async def _end(self, key: Key) -> None:
        """Terminating for a moment, then gone."""
        pod = self._pod(key)
        for container in pod["spec"]["containers"]:
            self._tell(pod, "Killing", f"Stopping container {container['name']}")
        await self._cluster.clock.sleep(self._cluster.settings.timings.terminating)
        self._ending.discard(key)
        if self._cluster.store.find(PODS, *key):
            self._cluster.store.delete(PODS, *key, grace_seconds=0)

    def _settings_told(self, key: Key, container: str) -> list[str]:
        """The values of its variables and its arguments, for a program that prints them where PANIC is set."""
        found = next(each for each in self._pod(key)["spec"]["containers"] if each["name"] == container)
        values = {entry["name"]: entry["value"] for entry in found.get("env") or () if entry.get("value")}
        return [*values.values(), *(found.get("args") or ())] if values.pop("PANIC", "") else []

    def _pod(self, key: Key) -> Object:
        """The Pod as it is now; ends the task when it is gone."""
        try:
            return self._cluster.store.get(PODS, *key)
        except StatusError as gone:
            raise asyncio.CancelledError from gone

    def _write(self, key: Key, status: Object) -> None:
        self._cluster.write_status(PODS, self._pod(key), status)

    def _tell(self, pod: Object, reason: str, message: str, kind: str = NORMAL, *, source: str = "kubelet") -> None:
        self._cluster.events.record(pod, reason, message, source=source, kind=kind)
