"""What every part of the small Knative shares: the store, the time, the settings and a source of chance."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any

from console.sandbox.knative.clock import Clock
from console.sandbox.knative.events import EventRecorder
from console.sandbox.knative.objects import Object, status_of
from console.sandbox.resources import Resource
from console.sandbox.store import Store

NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


@dataclass(frozen=True, slots=True)
class Timings:
    """How long each step takes, in seconds of a real cluster; the defaults give the pace of kn's transcripts."""

    service: float = 0.042
    configuration: float = 0.012
    resolving: float = 0.3
    resolution_failure: float = 0.4
    deploying: float = 0.45
    settling: float = 0.35
    route: float = 0.031
    ingress: float = 0.025
    load_balancer: float = 0.215
    scheduling: float = 0.05
    mounting: float = 0.2
    cached_pull: float = 0.05
    crash: float = 0.3
    crash_backoff: float = 10.0
    config_retry: float = 5.0
    terminating: float = 2.0
    rollout_steps: int = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """The cluster's own configuration. Durations in seconds; `initial_scale` pods start with every revision."""

    idle_seconds: float = 60.0
    initial_scale: int = 1
    progress_deadline_seconds: float = 600.0
    activation_seconds: float = 60.0
    concurrency_target: float = 70.0
    timings: Timings = field(default_factory=Timings)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a controller works with."""

    store: Store
    clock: Clock
    settings: Settings
    chance: Random
    events: EventRecorder
    spawn: Spawn

    def later(self, seconds: float, action: Callable[[], None]) -> asyncio.Task[None]:
        """Call `action` when `seconds` have passed; cancelling the task forgets it, its failure ends the whole."""
        return self.spawn(_after(self.clock, seconds, action))

    def suffix(self, length: int) -> str:
        """Letters as Kubernetes adds to names."""
        return "".join(self.chance.choices(NAME_LETTERS, k=length))

    def write_status(self, resource: Resource, obj: Object, status: Object) -> Object:
        """Put `status` in place of the object's and return the object as stored; no change, no write."""
        if status == status_of(obj):
            return obj
        return self.store.update(resource, obj | {"status": status}, subresource="status")


async def _after(clock: Clock, seconds: float, action: Callable[[], None]) -> None:
    await clock.sleep(seconds)
    action()


def cluster_of(store: Store, clock: Clock, settings: Settings, chance: Random, spawn: Spawn) -> Cluster:
    """A Cluster with its own event recorder; `spawn` starts a task whose failure ends the whole."""
    return Cluster(store, clock, settings, chance, EventRecorder(store, clock), spawn)
