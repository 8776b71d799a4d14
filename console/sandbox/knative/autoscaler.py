"""The autoscaler and the activator: how many Pods a Revision has, and requests that wait until one is ready."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from console.sandbox.knative import pods, registry
from console.sandbox.knative.cluster import Cluster
from console.sandbox.knative.conditions import condition_of
from console.sandbox.knative.deployer import Deployer
from console.sandbox.knative.inner_objects import template_hash
from console.sandbox.knative.objects import ROUTING_STATE_LABEL, Key, Object, annotations_of, key_of, labels_of
from console.sandbox.knative.settings import settings_of
from console.sandbox.knative.validation.scaling import find
from console.sandbox.resources import PODS, REVISIONS, SERVICEACCOUNTS
from console.sandbox.store import Store

TARGET_UTILIZATION = 0.7
POD_GRACE_SECONDS = 30
QUOTA = (
    "exceeded quota: compute-resources, requested: requests.cpu=4, used: requests.cpu={used}, limited: requests.cpu=16"
)


@dataclass(slots=True)
class Scale:
    """One Revision's pods and requests; `desired` is None until the first pods were asked for."""

    template_hash: str
    desired: int | None = None
    in_flight: int = 0
    peak: int = 0  # the most requests at once since the last look
    pods: dict[str, bool] = field(default_factory=dict)  # name -> ready
    waiting: list[asyncio.Future[str]] = field(default_factory=list, repr=False)
    timer: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def ready(self) -> int:
        """How many pods take requests."""
        return sum(self.pods.values())


class Autoscaler:
    """Keeps every Revision's pods at the number that its requests and annotations ask for.

    `on_change` is told of a Revision whose pods or desired number changed.
    """

    def __init__(self, cluster: Cluster, on_change: Callable[[Key], None]) -> None:
        self._cluster = cluster
        self._on_change = on_change
        self._scales: dict[Key, Scale] = {}
        self.deployer = Deployer(cluster)
        self._is_stopping = False

    def stop(self) -> None:
        """Look after nothing any more: requests that end from now on leave the pods as they are."""
        self._is_stopping = True

    def scale(self, key: Key) -> Scale:
        """What is known about a Revision's scale."""
        if key not in self._scales:
            self._scales[key] = Scale(template_hash(*key))
        return self._scales[key]

    def initial_scale(self, revision: Object) -> int:
        """How many pods a new Revision starts with."""
        asked = _number(revision, "initial-scale")
        usual = settings_of(self._cluster.store).initial_scale
        initial = next(each for each in (asked, usual, self._cluster.settings.initial_scale) if each is not None)
        return max(initial, self._least(revision))

    def scale_to(self, key: Key, wanted: int) -> None:
        """Ask for so many pods; missing ones are made and surplus ones ended."""
        scale = self.scale(key)
        has_changed = scale.desired != wanted
        scale.desired = wanted
        self._fill(key)
        if has_changed and (revision := self._cluster.store.find(REVISIONS, *key)):
            self.deployer.deploy(revision, wanted)
        for name in sorted(scale.pods, key=lambda name: scale.pods[name])[: max(0, len(scale.pods) - wanted)]:
            del scale.pods[name]
            if self._cluster.store.find(PODS, key[0], name):
                self._cluster.store.delete(PODS, key[0], name, grace_seconds=POD_GRACE_SECONDS)
                self.deployer.tell_pod(key, name, is_new=False)
        if has_changed:
            self._on_change(key)

    def adopt(self, pod: Object) -> None:
        """Count a Pod that was there before the autoscaler."""
        key = pods.revision_key(pod)
        if key is None or pods.is_terminating(pod):
            return
        scale = self.scale(key)
        scale.pods[pod["metadata"]["name"]] = pods.is_ready(pod)
        scale.desired = len(scale.pods)
        if scale.ready:
            self._look_later(key, scale)

    def observe(self, event: str, pod: Object) -> None:
        """Take up a change of a Pod."""
        key, name = pods.revision_key(pod), pod["metadata"]["name"]
        if key is None:
            return
        scale = self.scale(key)
        known = scale.pods.get(name)
        if event == "DELETED" or pods.is_terminating(pod):
            scale.pods.pop(name, None)
            self._fill(key)
        else:
            scale.pods[name] = pods.is_ready(pod)
            if scale.desired is None:  # somebody restored a pod by hand
                scale.desired = len(scale.pods)
            if scale.pods[name] and not known:
                self._admit_waiting(scale, name)
                self._look_later(key, scale)
        self._on_change(key)

    def reconsider(self, key: Key) -> None:
        """The Revision changed: it may have gained or lost its right to minimum pods."""
        revision, scale = self._cluster.store.find(REVISIONS, *key), self.scale(key)
        if revision is None or scale.desired is None or condition_of(revision, "Ready").get("status") != "True":
            return
        least = self._least(revision)
        if scale.desired < least:
            self.scale_to(key, least)
        elif scale.desired > least and scale.timer is None:
            self._look_later(key, scale)

    def forget(self, key: Key) -> None:
        """The Revision is gone, and its pods go."""
        self.deployer.forget(key)
        scale = self._scales.pop(key, None)
        if scale is None:
            return
        if scale.timer is not None:
            scale.timer.cancel()
        for future in scale.waiting:
            future.cancel()
        for name in scale.pods:
            if self._cluster.store.find(PODS, key[0], name):
                self._cluster.store.delete(PODS, key[0], name, grace_seconds=POD_GRACE_SECONDS)

    @asynccontextmanager
    async def lease(self, key: Key) -> AsyncIterator[str]:
        """The name of a ready Pod for one request, made first if there is none.

        Raises TimeoutError when none becomes ready in time, KeyError when there is no such Revision.
        """
        revision = self._cluster.store.find(REVISIONS, *key)
        if revision is None:
            raise KeyError(key)
        scale = self.scale(key)
        scale.in_flight += 1
        scale.peak = max(scale.peak, scale.in_flight)
        try:
            wanted = self._wanted(revision, scale.in_flight)
            if wanted > (scale.desired or 0):
                self.scale_to(key, wanted)
            yield await self._ready_pod(key, scale)
        finally:
            scale.in_flight -= 1
            if scale.in_flight == 0:
                scale.peak = 0
                self._look_later(key, scale)

    async def _ready_pod(self, key: Key, scale: Scale) -> str:
        ready = [name for name, is_ready in scale.pods.items() if is_ready]
        if ready:
            return self._cluster.chance.choice(ready)
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        scale.waiting.append(future)
        try:
            patience = self._cluster.clock.scaled(self._cluster.settings.activation_seconds)
            async with asyncio.timeout(patience):
                return await future
        finally:
            if future in scale.waiting:
                scale.waiting.remove(future)

    def _admit_waiting(self, scale: Scale, name: str) -> None:
        for future in scale.waiting:
            if not future.done():
                future.set_result(name)
        scale.waiting.clear()

    def _fill(self, key: Key) -> None:
        """Make the pods that are missing; none for a Revision that is gone or whose quota is spent."""
        scale, revision = self.scale(key), self._cluster.store.find(REVISIONS, *key)
        missing = (scale.desired or 0) - len(scale.pods)
        if revision is None or missing <= 0 or pod_refusal(self._cluster.store, revision):
            return
        replica_set = self.deployer.deploy(revision, scale.desired or 0)
        for _ in range(missing):
            pod = pods.pod_for(replica_set, self._cluster.suffix(5))
            while self._cluster.store.find(PODS, *key_of(pod)):
                pod = pods.pod_for(replica_set, self._cluster.suffix(5))
            scale.pods[pod["metadata"]["name"]] = False
            self._cluster.store.create(PODS, pod)
            self.deployer.tell_pod(key, pod["metadata"]["name"], is_new=True)

    def _look_later(self, key: Key, scale: Scale) -> None:
        if scale.timer is not None:
            scale.timer.cancel()
        if not self._is_stopping:
            scale.timer = self._cluster.later(self._cluster.settings.idle_seconds, lambda: self._look(key))

    def _look(self, key: Key) -> None:
        """After a quiet window: no more pods than its busiest moment needed."""
        revision, scale = self._cluster.store.find(REVISIONS, *key), self.scale(key)
        scale.timer = None
        if revision is None:
            return
        wanted = self._wanted(revision, max(scale.peak, scale.in_flight))
        scale.peak = scale.in_flight
        if wanted < (scale.desired or 0):
            self.scale_to(key, wanted)
        if scale.in_flight or (scale.desired or 0) > self._least(revision):
            self._look_later(key, scale)

    def _wanted(self, revision: Object, requests: int) -> int:
        concurrency = revision["spec"].get("containerConcurrency") or 0
        text = find(annotations_of(revision), "target")[1]
        target = float(text) if text else concurrency and max(1, concurrency * TARGET_UTILIZATION)
        wanted = math.ceil(requests / (target or self._cluster.settings.concurrency_target))
        most = _number(revision, "max-scale") or wanted
        return max(min(wanted, most), self._least(revision))

    def _least(self, revision: Object) -> int:
        """The minimum holds only while a Route uses the Revision."""
        if labels_of(revision).get(ROUTING_STATE_LABEL) != "active":
            return 0
        return _number(revision, "min-scale") or 0


def pod_refusal(store: Store, revision: Object) -> str:
    """Why the API server takes no pod of the Revision: a quota (told by the image) or its service account."""
    if any(registry.inspect(each["image"]).kind == "over-quota" for each in revision["spec"]["containers"]):
        return QUOTA
    namespace, account = revision["metadata"]["namespace"], revision["spec"].get("serviceAccountName", "default")
    if account == "default" or store.find(SERVICEACCOUNTS, namespace, account):
        return ""
    return f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'


def _number(revision: Object, name: str) -> int | None:
    text = find(annotations_of(revision), name)[1]
    return None if text is None else int(text)
