"""Reading the mirror: what pages show. Never asks a cluster; raises MirrorUnavailable when Redis is away.

A mirror that was lost, or is not filled yet, lacks what the cluster has. So a single object that is missing in it is
None only where the copy is whole, else MirrorIncomplete is raised; who reads a collection asks `is_whole` too.
Records are signed, because the labels in them decide rights. One that the watcher did not write at its place is left
out of collections; who asks for that object gets MirrorIncomplete.
"""

import functools
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, ParamSpec, TypeVar

import msgspec
import redis

from console.cluster.resources import PODS, REVISIONS, ROUTES
from console.clusters import connections
from console.knative.objects import Revision, Route, Service
from console.knative.pods import Pod
from console.knative.redaction import without_digests
from console.knative.references import ServiceRef
from console.mirror import keys
from console.mirror.copies import MAX_STEPS, Copy
from console.mirror.store import MIRRORED
from console.mirror.summaries import ServiceSummary
from console.mirror.trail import Event
from console.redis_client import client
from console.signing import verify

STALE_AFTER = 10.0  # seconds without a sign of life from the watcher

Kind = Literal["services", "revisions", "routes", "pods", "namespaces"]
P = ParamSpec("P")
T = TypeVar("T")


class MirrorUnavailable(Exception):
    """Redis does not answer, so nothing can be shown."""


class MirrorIncomplete(MirrorUnavailable):
    """The copy of a cluster is not whole: what is missing in it may exist. The message is the cluster's name."""


class KindState(msgspec.Struct, frozen=True):
    """When the copy of one kind was last known to be true (seconds since the epoch), and what is wrong since."""

    at: float  # 0: never
    resource_version: str = ""
    error: str = ""
    layout: str = ""  # see store.layout

    @property
    def is_whole(self) -> bool:
        """A list of the kind was written to its end, now or by an earlier watcher."""
        return bool(self.at or self.resource_version)


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in a cluster's mirror: what is written later has a larger version, or another epoch."""

    epoch: str
    version: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the mirror of a cluster is. `seconds` is None until it was filled once since Redis was last empty.

    `at` is when it was last known to be true (seconds since the epoch; 0: never).
    """

    seconds: float | None
    error: str = ""
    at: float = 0.0

    @property
    def synced_at(self) -> datetime | None:
        """`at` as a moment: an open page counts on from it."""
        return datetime.fromtimestamp(self.at, UTC) if self.at else None

    @property
    def is_stale(self) -> bool:
        return self.seconds is None or self.seconds > STALE_AFTER


def guarded(read: Callable[P, T]) -> Callable[P, T]:
    @functools.wraps(read)
    def answer(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except (redis.RedisError, ValueError) as error:  # ValueError: the value is not a text, or not a number
            raise MirrorUnavailable(type(error).__name__) from error

    return answer


_summary = msgspec.json.Decoder(ServiceSummary)
_object = msgspec.json.Decoder(dict)
_state = msgspec.json.Decoder(KindState)
_event = msgspec.json.Decoder(Event)
_copies: dict[str, Copy[ServiceSummary]] = {}
_copying = threading.Lock()
TRAIL_START = "0-0"
MAX_EVENTS = 500  # of the trail, at once
MAX_CHANGES = 2000  # at once; more are cheaper to read completely. At most store.KEPT_CHANGES.


@guarded
def clusters() -> tuple[str, ...]:
    """Return the names of the clusters that are configured, whether mirrored or not, and of those still mirrored."""
    return tuple(sorted(mirrored().union(connections.names())))


@guarded
def is_led() -> bool:
    """Tell whether a watcher writes the mirror now."""
    return bool(client().exists(keys.LEADER))


@guarded
def mirrored() -> set[str]:
    """Return the names of the clusters of which something is in the mirror."""
    return {str(member) for member in client().smembers(keys.CLUSTERS)}


@guarded
def is_whole(cluster: str, *kinds: Kind) -> bool:
    """Tell whether a list of each of the kinds (without kinds: of every mirrored one) is in the mirror to its end."""
    return has_whole(states(cluster), *kinds)


def has_whole(known: Mapping[str, KindState], *kinds: Kind) -> bool:
    """`is_whole`, by states that are known already."""
    wanted: Iterable[str] = kinds or (resource.plural for resource in MIRRORED)
    return all((state := known.get(kind)) is not None and state.is_whole for kind in wanted)


def require_whole(cluster: str, *kinds: Kind) -> None:
    """Raise MirrorIncomplete when something of the kinds may be missing in the mirror of this known cluster."""
    if not is_whole(cluster, *kinds) and cluster in clusters():
        raise MirrorIncomplete(cluster)


@guarded
def services(cluster: str) -> tuple[ServiceSummary, ...]:
    """Return all services of a cluster."""
    return tuple(copy(cluster).by_name.values())


@guarded
def copy(cluster: str, now: Mark | None = None) -> Copy[ServiceSummary]:
    """Return this process's copy of a cluster, as of a mark that was read before, or as of now.

    What did not change since the last time is not read again.
    """
    now = now or mark(cluster)
    with _copying:
        known = _copies.get(cluster)
        if known is None or (known.epoch, known.version) != (now.epoch, now.version):
            # What was written after the mark may be in it already; the next reading fetches that once more.
            known = _copies[cluster] = _newer(cluster, known, now)
        return known


def _newer(cluster: str, known: Copy[ServiceSummary] | None, now: Mark) -> Copy[ServiceSummary]:
    if known and known.epoch == now.epoch and 0 < now.version - known.version <= MAX_CHANGES:
        names = frozenset(_changed(cluster, known.version))
        told = _several(keys.summaries(cluster), sorted(names))
        kept = {name: summary for name, summary in known.by_name.items() if name not in names}
        by_name = {**kept, **{name: _summary.decode(body) for name, body in told.items()}}
        return Copy(now.epoch, now.version, by_name, (*known.steps, (known.version, names))[-MAX_STEPS:])
    key = keys.summaries(cluster)
    whole = _ours(key, client().hgetall(key))
    return Copy(now.epoch, now.version, {name: _summary.decode(body) for name, body in whole.items()})


def _changed(cluster: str, version: int) -> list[str]:
    return [str(name) for name in client().zrangebyscore(keys.changes(cluster), f"({version}", "+inf")]


@guarded
def mark(cluster: str) -> Mark:
    """Return where the mirror is now, for `changed_since`."""
    epoch, version = client().mget(keys.epoch(cluster), keys.version(cluster))
    return Mark(str(epoch or ""), int(version or 0))


@guarded
def changed_since(cluster: str, last: Mark) -> tuple[str, ...] | None:
    """Return the `namespace/name` of services that were written or dropped since, or None when that is not known."""
    now = mark(cluster)
    if now.epoch != last.epoch or not 0 <= now.version - last.version <= MAX_CHANGES:
        return None
    return tuple(_changed(cluster, last.version))


@guarded
def end_of_trail(cluster: str) -> str:
    """Return the place of the newest event of the trail; TRAIL_START while there is none."""
    found: Any = client().xrevrange(keys.trail(cluster), count=1)
    return str(found[0][0]) if found else TRAIL_START


@guarded
def trail_after(cluster: str, place: str) -> list[tuple[str, Event | None]]:
    """Return the next events after a place, oldest first, each with its own; at most MAX_EVENTS. None: it is forged."""
    if _order(place) > _order(end_of_trail(cluster)):
        place = TRAIL_START  # Redis lost the trail, and its clock was behind when it began a new one
    key = keys.trail(cluster)
    found: Any = client().xrange(key, min=f"({place}", count=MAX_EVENTS)
    bodies = [(str(at), verify(fields.get("event", ""), key)) for at, fields in found]
    return [(at, _event.decode(body) if body else None) for at, body in bodies]


def _order(place: str) -> tuple[int, ...]:
    return tuple(int(part) for part in place.split("-"))


@guarded
def names(cluster: str) -> tuple[str, ...]:
    """Return the `namespace/name` of every service."""
    return tuple(str(name) for name in client().hkeys(keys.services(cluster)))


@guarded
def services_named(cluster: str, wanted: Sequence[str]) -> dict[str, tuple[Service, ServiceSummary]]:
    """Return those of the services, by `namespace/name`, that there are, digests for secrets, with their summaries."""
    if not wanted:
        return {}
    objects = _several(keys.services(cluster), wanted)
    summaries = _several(keys.summaries(cluster), wanted)
    return {
        name: (Service(_object.decode(objects[name])), _summary.decode(summaries[name]))
        for name in objects
        if name in summaries
    }


@guarded
def summaries_named(cluster: str, wanted: Sequence[str]) -> list[ServiceSummary]:
    """Return what lists show of those of the services, by `namespace/name`, that there are."""
    return [_summary.decode(body) for body in _several(keys.summaries(cluster), wanted).values()]


@guarded
def service(ref: ServiceRef) -> Service | None:
    """Return the service, its secrets hidden, or None when there is none; raises MirrorIncomplete."""
    body = _one(ref.cluster, keys.services(ref.cluster), f"{ref.namespace}/{ref.name}")
    if body:
        return Service(_shown(body))
    require_whole(ref.cluster, "services")
    return None


@guarded
def several(cluster: str, refs: Iterable[ServiceRef]) -> tuple[Service, ...]:
    """Return those of the services that are there, in one reading."""
    names = [f"{ref.namespace}/{ref.name}" for ref in refs]
    return tuple(Service(_shown(body)) for body in _several(keys.services(cluster), names).values())


@guarded
def summary(ref: ServiceRef) -> ServiceSummary | None:
    """Return what lists show of the service, or None when there is none; raises MirrorIncomplete."""
    body = _one(ref.cluster, keys.summaries(ref.cluster), f"{ref.namespace}/{ref.name}")
    if body:
        return _summary.decode(body)
    require_whole(ref.cluster, "services")
    return None


def revisions(ref: ServiceRef) -> tuple[Revision, ...]:
    return tuple(Revision(raw) for raw in _owned(ref, REVISIONS.plural))


def revision(ref: ServiceRef, name: str) -> Revision | None:
    """Return the revision, its secrets hidden, or None when there is none; raises MirrorIncomplete."""
    found = sealed_revision(ref, name)
    return Revision(without_digests(found.raw)) if found else None


@guarded
def sealed_revision(ref: ServiceRef, name: str) -> Revision | None:
    """Return the revision with a digest for each secret: for `diff`, which reports those that differ."""
    body = _one(ref.cluster, keys.owned(ref.cluster, REVISIONS.plural, ref.namespace, ref.name), name)
    if body:
        return Revision(_object.decode(body))
    require_whole(ref.cluster, "revisions")
    return None


@guarded
def owner_of(cluster: str, namespace: str, revision: str) -> str:
    """Return the name of the service that the revision belongs to; empty when there is no such revision.

    A revision's name begins with its service's: only those services are looked at.
    """
    for row in services(cluster):
        may_own = row.namespace == namespace and revision.startswith(f"{row.name}-")
        if may_own and _one(cluster, keys.owned(cluster, REVISIONS.plural, namespace, row.name), revision):
            return row.name
    return ""


@guarded
def revision_names(ref: ServiceRef) -> list[str]:
    return [str(name) for name in client().hkeys(keys.owned(ref.cluster, REVISIONS.plural, ref.namespace, ref.name))]


def pods(ref: ServiceRef) -> tuple[Pod, ...]:
    return tuple(Pod(raw) for raw in _owned(ref, PODS.plural))


def route(ref: ServiceRef) -> Route | None:
    return next((Route(raw) for raw in _owned(ref, ROUTES.plural)), None)


@guarded
def namespaces(cluster: str) -> tuple[str, ...]:
    return tuple(sorted(str(member) for member in client().smembers(keys.namespaces(cluster))))


@guarded
def freshness(cluster: str) -> Freshness:
    """Return the age of the oldest kind: a page is only as fresh as the oldest thing on it."""
    return freshness_of(states(cluster))


def freshness_of(known: Mapping[str, KindState]) -> Freshness:
    """`freshness`, by states that are known already."""
    found = tuple(known.get(kind.plural, KindState(0.0)) for kind in MIRRORED)
    oldest = min(found, key=lambda state: state.at)
    seconds = max(0.0, time.time() - oldest.at) if oldest.at else None
    error = oldest.error or next((state.error for state in found if state.error), "")
    return Freshness(seconds, error, oldest.at)


@guarded
def records(key: str, fields: Sequence[str] | None = None) -> dict[str, bytes]:
    """Return the bodies of a hash's records that the watcher wrote at their places: of all, or of these fields."""
    return _ours(key, client().hgetall(key)) if fields is None else _several(key, fields)


@guarded
def states(cluster: str) -> dict[str, KindState]:
    """Return the state of each mirrored kind, by plural."""
    return states_of(cluster, client().hgetall(keys.freshness(cluster)))


def states_of(cluster: str, records: Mapping[Any, Any]) -> dict[str, KindState]:
    """`states`, of records that were read already."""
    return {plural: _state.decode(body) for plural, body in _ours(keys.freshness(cluster), records).items()}


@guarded
def _owned(ref: ServiceRef, plural: str) -> Iterable[dict[str, object]]:
    key = keys.owned(ref.cluster, plural, ref.namespace, ref.name)
    return [_shown(body) for body in _ours(key, client().hgetall(key)).values()]


def _shown(body: bytes) -> dict[str, Any]:
    shown: dict[str, Any] = _object.decode(without_digests(body.decode()))
    return shown


def _one(cluster: str, key: str, field: str) -> bytes | None:
    """Return the body of the record, or None when there is none; raises MirrorIncomplete for a forged one."""
    record = client().hget(key, field)
    if record is None:
        return None
    if (body := verify(str(record), key, field)) is None:
        raise MirrorIncomplete(cluster)
    return body


def _several(key: str, fields: Sequence[str]) -> dict[str, bytes]:
    return several_of((key, fields))[0]


def several_of(*wanted: tuple[str, Sequence[str]]) -> list[dict[str, bytes]]:
    """Return those of the fields of each hash that there are, in one call of Redis."""
    asked = client().pipeline(transaction=False)
    for key, fields in wanted:
        if fields:
            asked.hmget(key, list(fields))
    told = iter(asked.execute() if asked else ())
    return [_ours(key, dict(zip(fields, next(told), strict=True))) if fields else {} for key, fields in wanted]


def _ours(key: str, records: Mapping[Any, Any]) -> dict[str, bytes]:
    """Return the bodies of the records that the watcher wrote at their places."""
    bodies = {str(field): verify(record, key, str(field)) for field, record in records.items() if record}
    return {field: body for field, body in bodies.items() if body is not None}
