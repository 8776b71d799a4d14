"""Operations as pages read them: only those of services that the person may see."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from console.access.authorization import Rights
from console.access.permissions import Permission
from console.audit import Outcome
from console.audit.models import Entry
from console.audit.searching import GROUPS
from console.database import Prepared
from console.knative import paths, traffic
from console.knative.changes import CreateService, DeleteService
from console.knative.objects import Service
from console.knative.progress import durations, expected_phases
from console.knative.references import ServiceRef
from console.operations.models import SEALED, OnService, Operation, TimelineLine
from console.operations.models.protection import Approval
from console.operations.models.statuses import OPEN, SUCCESSFUL, Status

RECENT = 5  # operations that the first page of a service lists
GLASS_SHOWN = timedelta(days=7)  # how long a service's page warns of an emergency override
ENDED = "ended"  # what follows the last station of an operation that did not reach its goal
MIN_SAMPLES = 3  # fewer say nothing of what is usual
USUAL_OF = 20  # the newest successful operations of a kind that make up "usual"


def visible(rights: Rights, labels: Callable[[ServiceRef], Mapping[str, str]]) -> QuerySet[Operation]:
    """Return the operations on services that the person may see. `labels(ref)` returns a service's labels.

    Services are looked at only in namespaces where labels decide: elsewhere all of them are seen, or none.
    """
    if rights.is_administrator:
        return Operation.objects.all()
    places = Operation.objects.order_by().values_list("cluster", "namespace").distinct()
    held = {place: rights.within(*place) for place in places}
    whole = [place for place, mine in held.items() if mine.allows(Permission.VIEW, ServiceRef(*place, ""))]
    by_labels = [place for place in held.keys() - whole if held[place].allows(Permission.VIEW)]
    condition = _in(whole)
    for place, names in _names_in(by_labels).items():  # SQLite reads no more than 1,000 conditions in a row
        refs = [ServiceRef(*place, name) for name in names]
        seen = [ref.name for ref in refs if held[place].allows(Permission.VIEW, ref, labels(ref))]
        condition |= Q(cluster=place[0], namespace=place[1], name__in=seen)
    return Operation.objects.filter(condition)


def _in(places: Iterable[tuple[str, str]]) -> Q:
    """The condition of being in one of these namespaces of clusters."""
    by_cluster, condition = defaultdict[str, list[str]](list), Q(pk=None)
    for cluster, namespace in places:
        by_cluster[cluster].append(namespace)
    for cluster, namespaces in by_cluster.items():
        condition |= Q(cluster=cluster, namespace__in=namespaces)
    return condition


def _names_in(places: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """The names of the services of these namespaces that have operations."""
    found = defaultdict[tuple[str, str], list[str]](list)
    rows = Operation.objects.filter(_in(places)).order_by().values_list("cluster", "namespace", "name").distinct()
    for cluster, namespace, name in rows if places else ():
        found[cluster, namespace].append(name)
    return found


def one(id: UUID) -> Operation | None:
    """Return the operation, with all of it."""
    return next(iter(_one.instances(Operation, id)), None)


def lines(operation: Operation) -> list[TimelineLine]:
    """Return the operation's timeline, the oldest line first."""
    return _lines.instances(TimelineLine, operation.id)


def approval_of(operation: Operation) -> Approval | None:
    """Return the approval that the operation waits for, or waited for."""
    return next(iter(_approval.instances(Approval, operation.id)), None)


def of_service(ref: ServiceRef) -> QuerySet[Operation]:
    return Operation.objects.filter(cluster=ref.cluster, namespace=ref.namespace, name=ref.name)


class Makers(NamedTuple):
    """Who made a service and its revisions through the console: the cluster knows the console's account only."""

    of_revisions: dict[str, str]  # by their names
    of_service: str  # empty where it was not created through the console, or no operation tells any more


def makers(ref: ServiceRef, uid: str) -> Makers:
    """Return who made the service and its revisions. `uid` is its own: another one of its name had the same names."""
    rows = _makers.rows(*_place(ref), uid)
    created = (actor for _revision, actor, kind in rows if kind == CreateService.__name__)
    return Makers({revision: actor for revision, actor, _kind in rows}, next(created, ""))


def open_of(ref: ServiceRef, uid: str) -> list[Operation]:
    """Return the operations on the service that have not ended, the oldest first."""
    return _open_of.instances(Operation, *_place(ref), uid)


def recent(ref: ServiceRef) -> list[Operation]:
    """Return the newest operations on the service."""
    return _recent.instances(Operation, *_place(ref))


def last_written(ref: ServiceRef, uid: str) -> Operation | None:
    """Return the newest operation that has ended and wrote, with what the person saw of the service before."""
    return next(iter(_last_written.instances(Operation, *_place(ref), uid)), None)


def deletion_of(ref: ServiceRef, uid: str) -> Operation | None:
    """Return the operation that deleted the service, though it may not have ended; None where another tool did."""
    of_it = of_service(ref).filter(uid=uid, kind=DeleteService.__name__).exclude(base_version="")
    return of_it.filter(status__in=(*OPEN, Status.SUCCEEDED)).defer(*SEALED).first()


def broken_glass(ref: ServiceRef) -> Operation | None:
    """Return the newest operation of the last days that passed by the service's protection."""
    newest = next(iter(_broken_glass.instances(Operation, *_place(ref))), None)
    return newest if newest and newest.submitted_at > timezone.now() - GLASS_SHOWN else None


def _place(ref: ServiceRef) -> tuple[str, str, str]:
    return ref.cluster, ref.namespace, ref.name


def _of_name(cluster: str, namespace: str, name: str) -> QuerySet[Operation]:
    return of_service(ServiceRef(cluster, namespace, name))


def _columns(model: type[Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields)


_COLUMNS = _columns(Operation)
_NAMED = ("id", "kind", "status", "actor", "submitted_at")  # what is said of an operation on another one's page
_one = Prepared(lambda id: Operation.objects.filter(id=id).values_list(*_COLUMNS))
_lines = Prepared(
    lambda id: TimelineLine.objects.filter(operation=id).order_by("sequence").values_list(*_columns(TimelineLine))
)
_approval = Prepared(lambda id: Approval.objects.filter(operation=id).values_list(*_columns(Approval)))
_retries = Prepared(lambda id: Operation.objects.filter(retry_of=id).order_by("submitted_at").values_list(*_NAMED))
_cancelled = Prepared(
    lambda id: (
        Entry.objects.filter(operation=id, action="operation.cancel").order_by("sequence").values_list("actor")[:1]
    )
)
_earlier = Prepared(
    lambda *of: (
        _of_name(*of[:3])
        .filter(kind=of[3], submitted_at__lt=of[4], status__in=(Status.SUCCEEDED, Status.NOT_SERVING))
        .values_list("id", "submitted_at", "released_at", "finished_at", "phases")[:USUAL_OF]
    )
)
_UNSEALED = tuple(name for name in _COLUMNS if name not in SEALED)
_makers = Prepared(
    lambda *of: (
        _of_name(*of[:3])
        .filter(uid=of[3], is_written=True, makes_revision=True)
        .exclude(revision="")
        .order_by("submitted_at")
        .values_list("revision", "actor", "kind")
    )
)
_open_of = Prepared(
    lambda *of: _of_name(*of[:3]).filter(uid=of[3], status__in=OPEN).order_by("submitted_at").values_list(*_UNSEALED)
)
_recent = Prepared(lambda *of: _of_name(*of).values_list(*_UNSEALED)[:RECENT])
_last_written = Prepared(
    lambda *of: _of_name(*of[:3]).filter(uid=of[3], is_written=True).exclude(status__in=OPEN).values_list(*_COLUMNS)[:1]
)
_broken_glass = Prepared(lambda *of: _of_name(*of).filter(broke_glass=True).values_list(*_UNSEALED)[:1])


def under_way(cluster: str) -> int:
    """Return the number of operations on the cluster that have not ended; those that wait for an approval count too."""
    return Operation.objects.filter(cluster=cluster, status__in=OPEN).count()


def open_by_service() -> dict[ServiceRef, Operation]:
    """Return the operation of each service that has not ended: the one that a worker has before those that wait."""
    oldest_first = _open.instances(Operation)
    active = [one for one in reversed(oldest_first) if one.is_active]  # the oldest of them is the one that counts
    return {one.ref: one for one in (*oldest_first, *active)}


_open = Prepared(
    lambda: (
        Operation.objects.filter(status__in=OPEN)
        .order_by("submitted_at")
        .values_list("id", "cluster", "namespace", "name", "kind", "status", "actor", "submitted_at")
    )
)


def may_see(rights: Rights, thing: OnService, labels: Mapping[str, str]) -> bool:
    return rights.allows(Permission.VIEW, thing.ref, labels)


class Made(NamedTuple):
    """What an operation changes and who made it, from the log: it knows that when the operation is gone."""

    kind: str
    author: str
    changes: Sequence[Mapping[str, Any]]  # field, before, after


def made(ids: Iterable[UUID | None]) -> dict[UUID, Made]:
    """Return what these operations change, for entries of the log that are about them.

    From the entries by which they were asked for; where those are archived, from the operations.
    """
    wanted = {one for one in ids if one}
    asked = Entry.objects.filter(operation__in=wanted, outcome=Outcome.REQUESTED).order_by()
    rows: Any = asked.values_list("operation", "action", "actor", "changes")
    found = {id: Made(action.partition(".")[2], actor, changes) for id, action, actor, changes in rows if _asks(action)}
    if rest := wanted - found.keys():
        kept = Operation.objects.filter(id__in=rest).order_by().only("id", "kind", "actor", "changes")
        found |= {one.pk: Made(one.kind, one.actor, _told(one.changes)) for one in kept}
    return found


def _asks(action: str) -> bool:
    return action.partition(".")[0] in GROUPS["changes"]


def _told(changes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The stored difference as entries of the log have it."""
    return [{**row, "field": paths.text(tuple(row["path"]))} for row in changes]


@dataclass(frozen=True)
class PhaseSpan:
    """One station of an operation: reached or not, when, and how long it took (seconds)."""

    name: str
    reached_at: float | None
    seconds: float
    start: float


def phase_spans(operation: Operation) -> tuple[PhaseSpan, ...]:
    """Return the phases in order for the duration chart, ending with the one that was never reached."""
    took = durations(operation.phases)
    spans = tuple(
        PhaseSpan(phase.value, at, took.get(phase.value, 0.0), (at or 0.0) - took.get(phase.value, 0.0))
        for phase in expected_phases(operation.makes_revision)
        for at in (operation.phases.get(phase.value),)
    )
    last = max(operation.phases.values(), default=0.0)
    if operation.is_active or operation.status in SUCCESSFUL or operation.elapsed <= last:
        return spans
    return (*spans, PhaseSpan(ENDED, operation.elapsed, operation.elapsed - last, last))


@dataclass(frozen=True)
class Usual:
    """Medians of this service's earlier successes of the same kind, in seconds: in all, and of each phase."""

    seconds: float
    phases: dict[str, float]


def usual(operation: Operation) -> Usual | None:
    """Return what this kind of change usually takes on this service, or None below three earlier successes."""
    earlier = _earlier.instances(Operation, *_place(operation.ref), operation.kind, operation.submitted_at)
    found = [one for one in earlier if one.seconds is not None]
    if len(found) < MIN_SAMPLES:
        return None
    by_phase: dict[str, list[float]] = {}
    for one in found:
        for phase, took in durations(one.phases).items():
            by_phase.setdefault(phase, []).append(took)
    return Usual(
        statistics.median(one.seconds or 0.0 for one in found),
        {phase: statistics.median(times) for phase, times in by_phase.items() if len(times) >= MIN_SAMPLES},
    )


@dataclass(frozen=True)
class Side:
    """A field that two people changed: the value before, the other person's value, and the value of this change."""

    field: str
    was: str | None
    theirs: str | None
    mine: str | None


def both_sides(operation: Operation) -> tuple[Side, ...]:
    """Return the fields of a conflict. A change of a whole list is shown beside each of its entries."""
    wanted = [(paths.text(tuple(row["path"])), row["after"]) for row in operation.changes]
    return tuple(
        Side(
            row.field,
            row.was,
            row.theirs,
            next((after for field, after in wanted if _is_same_place(field, row.field)), None),
        )
        for row in (operation.why.conflicts if operation.why else ())
    )


def _is_same_place(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


class Serving(StrEnum):
    """Which revision serves a service's requests, seen from an operation on it."""

    UNKNOWN = "unknown"
    PREVIOUS = "previous"  # only what served before the operation
    OTHERS = "others"
    NOTHING = "nothing"
    DELETED = "deleted"
    RECREATED = "recreated"  # another service has the name


@dataclass(frozen=True, slots=True)
class ServesNow:
    """What the mirror shows of an operation's service at this moment; `revisions` get traffic."""

    serving: Serving = Serving.UNKNOWN
    revisions: tuple[str, ...] = ()


def serves_now(operation: Operation, service: Service | None, *, is_fresh: bool) -> ServesNow:
    """Return who serves by the mirrored service; stale or unsettled data says nothing."""
    if not is_fresh or not operation.uid:
        return ServesNow()
    if service is None:
        return ServesNow(Serving.DELETED)
    if service.uid != operation.uid:
        return ServesNow(Serving.RECREATED)
    revisions = tuple(sorted(traffic.shares(service.status_traffic)))
    if not revisions:
        return ServesNow(Serving.NOTHING)
    route = service.condition("RoutesReady")
    if not (route and route.is_true):  # the split that the status names is not what the ingress has
        return ServesNow(Serving.UNKNOWN, revisions)
    return ServesNow(Serving.PREVIOUS if _served_before(operation, revisions) else Serving.OTHERS, revisions)


def _served_before(operation: Operation, revisions: Iterable[str]) -> bool:
    """Whether all of these are known to have served before the operation."""
    return operation.is_readable and traffic.shares(operation.seen.status_traffic).keys() >= set(revisions)


@dataclass(frozen=True)
class Relatives:
    """The operations that an operation has to do with."""

    retries: tuple[Operation, ...]
    superseded: tuple[Operation, ...]  # that this one took over from, or stopped by a conflict
    cancelled_by: str


def relatives(operation: Operation) -> Relatives:
    """Return the later tries, those that gave way to this one, and who cancelled it."""
    gave_way = of_service(operation.ref).filter(
        status__in=(Status.SUPERSEDED, Status.CONFLICTED), cause__facts__operation=str(operation.id)
    )
    cancelled = _cancelled.rows(operation.id) if operation.status == Status.CANCELLED else ()
    return Relatives(
        tuple(_retries.instances(Operation, operation.id)),
        tuple(gave_way.only(*_NAMED)),
        cancelled[0][0] if cancelled else "",
    )
