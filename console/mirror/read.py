"""Reading the mirror: what pages show. Never asks a cluster; raises MirrorUnavailable when Redis is away."""

import functools
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import msgspec
import redis

from console.cluster.resources import PODS, REVISIONS, ROUTES
from console.knative.objects import Pod, Revision, Route, Service
from console.knative.references import ServiceRef
from console.mirror import keys
from console.mirror.summaries import ServiceSummary
from console.redis_client import client

STALE_AFTER = 10.0  # seconds without a sign of life from the watcher

P = ParamSpec("P")
T = TypeVar("T")


class MirrorUnavailable(Exception):
    """Redis does not answer, so nothing can be shown."""


class KindState(msgspec.Struct, frozen=True):
    """When the copy of one kind was last known to be true (seconds since the epoch), and what is wrong since."""

    at: float
    resource_version: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the mirror of a cluster is. `seconds` is None when it was never filled."""

    seconds: float | None
    error: str = ""

    @property
    def is_stale(self) -> bool:
        return self.seconds is None or self.seconds > STALE_AFTER


def _guarded(read: Callable[P, T]) -> Callable[P, T]:
    @functools.wraps(read)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except redis.RedisError as error:
            raise MirrorUnavailable(type(error).__name__) from error

    return guarded


_summary = msgspec.json.Decoder(ServiceSummary)
_object = msgspec.json.Decoder(dict)
_state = msgspec.json.Decoder(KindState)
_cache: dict[str, tuple[str, tuple[ServiceSummary, ...]]] = {}
_cache_lock = threading.Lock()


@_guarded
def clusters() -> tuple[str, ...]:
    """Return the names of the clusters that were ever mirrored."""
    return tuple(sorted(str(member) for member in client().smembers(keys.CLUSTERS)))


@_guarded
def services(cluster: str) -> tuple[ServiceSummary, ...]:
    """Return all services of a cluster; decoded once for each version of the mirror, whatever the number of readers."""
    version = str(client().get(keys.version(cluster)))
    with _cache_lock:
        known = _cache.get(cluster)
    if known and known[0] == version:
        return known[1]
    found = tuple(_summary.decode(raw) for raw in client().hgetall(keys.summaries(cluster)).values())
    with _cache_lock:
        _cache[cluster] = (version, found)
    return found


@_guarded
def service(ref: ServiceRef) -> Service | None:
    """Return the service, its env values sealed, or None when there is none."""
    raw = client().hget(keys.services(ref.cluster), f"{ref.namespace}/{ref.name}")
    return Service(_object.decode(raw)) if raw else None


@_guarded
def summary(ref: ServiceRef) -> ServiceSummary | None:
    raw = client().hget(keys.summaries(ref.cluster), f"{ref.namespace}/{ref.name}")
    return _summary.decode(raw) if raw else None


def revisions(ref: ServiceRef) -> tuple[Revision, ...]:
    return tuple(Revision(raw) for raw in _owned(ref, REVISIONS.plural))


@_guarded
def revision(ref: ServiceRef, name: str) -> Revision | None:
    raw = client().hget(keys.owned(ref.cluster, REVISIONS.plural, ref.namespace, ref.name), name)
    return Revision(_object.decode(raw)) if raw else None


def pods(ref: ServiceRef) -> tuple[Pod, ...]:
    return tuple(Pod(raw) for raw in _owned(ref, PODS.plural))


def route(ref: ServiceRef) -> Route | None:
    return next((Route(raw) for raw in _owned(ref, ROUTES.plural)), None)


@_guarded
def namespaces(cluster: str) -> tuple[str, ...]:
    return tuple(sorted(str(member) for member in client().smembers(keys.namespaces(cluster))))


@_guarded
def freshness(cluster: str) -> Freshness:
    """Return the age of the oldest kind: a page is only as fresh as the oldest thing on it."""
    states = [_state.decode(raw) for raw in client().hgetall(keys.freshness(cluster)).values()]
    if not states:
        return Freshness(None)
    oldest = min(states, key=lambda state: state.at)
    return Freshness(max(0.0, time.time() - oldest.at), next((state.error for state in states if state.error), ""))


@_guarded
def _owned(ref: ServiceRef, plural: str) -> Iterable[dict[str, object]]:
    found = client().hgetall(keys.owned(ref.cluster, plural, ref.namespace, ref.name))
    return [_object.decode(raw) for raw in found.values()]
