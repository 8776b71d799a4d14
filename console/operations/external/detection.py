"""Changes made outside the console (kn, kubectl, GitOps), recognised from the mirror and written into the audit log.

The database keeps each service as the log last knew it. A look takes the events of the watch since the last look, one
after another, so that each generation is credited to the person whom the object named at it; then it compares what the
mirror holds with what the log knows, which finds what no event told (a watch that broke, Redis that was empty). Where
several generations were seen as one, nobody is named. An entry and the new state are written in one transaction, so
each change is told exactly once, whatever happens to watchers, Redis and workers. What the console's own operations
made is left out: they have entries of their own. Those whose record was lost, because an older backup of the database
was restored, are told as that, from the marks on the object. A deletion leaves no object: one from a time without
records, because nobody looked or a restore lost them, is told as found, not as made outside.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import structlog
from django.db import transaction
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.audit import Outcome, service_history
from console.audit.models import WatchedCluster, WatchedService
from console.cluster.resources import SERVICES
from console.knative.diff import FieldChange, diff
from console.knative.objects import OPERATION, Service
from console.knative.redaction import hide_texts, without_digests
from console.knative.references import ServiceRef
from console.mirror import read
from console.mirror.read import Mark
from console.mirror.sealing import key_mark, seal_key
from console.mirror.trail import Event
from console.operations import totals
from console.operations.external import late_writes
from console.operations.external.origin import (
    generations_of_ours,
    metadata_of_others,
    unrecorded,
    was_deleted_by_us,
)

CHANGED, CREATED, DELETED, UNRECORDED = "outside.change", "outside.create", "outside.delete", "outside.unrecorded"
GONE = "outside.gone"
BATCH_SIZE = 200  # services compared in one transaction
GONE_AFTER = timedelta(seconds=4)  # a service that is missing is looked for once more: Redis may have lost the newest

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """A service as it is now, with the tool that wrote its spec last, as that named itself."""

    ref: ServiceRef
    service: Service
    tool: str


@dataclass(frozen=True, slots=True)
class Generations:
    """Those that came since the log last knew the service, and which of them operations made, by their ids."""

    made: range
    ours: Mapping[int, str]

    @property
    def theirs(self) -> set[int]:
        """Those that no operation here made."""
        return set(self.made) - self.ours.keys()


def look() -> int:
    """Compare every cluster that is mirrored whole; returns how many entries were written. Raises MirrorUnavailable."""
    return sum(_look_at(cluster) for cluster in read.clusters() if _is_whole(cluster))


def _is_whole(cluster: str) -> bool:
    """A list of all services was finished: what is missing in the mirror is missing in the cluster."""
    state = read.states(cluster).get(SERVICES.plural)
    return state is not None and bool(state.resource_version)


def _look_at(cluster: str) -> int:
    now = read.mark(cluster)  # what is written from here on is for the next look
    last = WatchedCluster.objects.filter(cluster=cluster).first()
    until = _true_until(cluster)
    if last is None:
        return _begin(cluster, now)
    written = _replay(cluster)
    names = _to_compare(cluster, Mark(last.epoch, last.version), now, everything=last.confirmed_at is None)
    written += sum(_compare(cluster, part) for part in _parts(names))
    WatchedCluster.objects.filter(cluster=cluster).update(epoch=now.epoch, version=now.version)
    service_history.confirm(cluster, last.confirmed_at, until, timezone.now())
    return written


def _true_until(cluster: str) -> datetime:
    """Until when the mirror is known to have been true."""
    now = timezone.now()
    state = read.states(cluster).get(SERVICES.plural)
    return min(now, datetime.fromtimestamp(state.at, UTC)) if state else now


def _to_compare(cluster: str, last: Mark, now: Mark, *, everything: bool) -> list[str]:
    """What changed since the last scan, or everything when Redis cannot say; and what was missing then.

    Everything too when a version that kept no history of services looked last.
    """
    known = WatchedService.objects.filter(cluster=cluster)
    missing = set(known.filter(missing_since__isnull=False).values_list("address", flat=True))
    if last == now and not everything:
        return sorted(missing)
    changed = None if everything else read.changed_since(cluster, last)
    if changed is None:
        return sorted({*read.names(cluster), *known.values_list("address", flat=True)})
    return sorted({*changed, *missing})


def _begin(cluster: str, now: Mark) -> int:
    """Remember everything as it is: from here on the log is complete. One that died on the way begins again."""
    place = read.end_of_trail(cluster)
    names = read.names(cluster)
    for part in _parts(names):
        found = read.services_named(cluster, part)
        WatchedService.objects.bulk_create(
            [_first_known(cluster, name, each) for name, (each, _) in found.items()],
            update_conflicts=True,
            unique_fields=["cluster", "address"],
            update_fields=["uid", "generation", "resource_version", "object", "missing_since", "kept"],
        )
    until = _true_until(cluster)
    with transaction.atomic():
        facts = {"epoch": now.epoch, "version": now.version, "trail": place, "confirmed_at": until}
        if not WatchedCluster.objects.get_or_create(cluster=cluster, defaults=facts)[1]:
            return 0
        actor, ref = Actor(None, ""), ServiceRef(cluster, "", "")
        audit.record("outside.begin", actor=actor, ref=ref, outcome=Outcome.SUCCEEDED, text=f"{len(names)} services")
    return 1


def _replay(cluster: str) -> int:
    """Record the events of the watch since the last scan, in their order. The position is stored with the records."""
    written = 0
    last = WatchedCluster.objects.values_list("trail", flat=True).get(cluster=cluster) or read.TRAIL_START
    while read.end_of_trail(cluster) != last:
        with transaction.atomic():
            row = WatchedCluster.objects.select_for_update().get(cluster=cluster)  # one look at a time
            events = read.trail_after(cluster, row.trail or read.TRAIL_START)
            if not events:
                break
            written += sum(_tell_event(cluster, event, _moment(at)) for at, event in events if event)
            row.trail = last = events[-1][0]
            row.save(update_fields=["trail"])
    return written


def _moment(place: str) -> datetime:
    """When the watcher wrote the event: places of the trail begin with milliseconds since 1970, by Redis' clock."""
    return min(timezone.now(), datetime.fromtimestamp(int(place.partition("-")[0]) / 1000, UTC))


def _tell_event(cluster: str, event: Event, at: datetime) -> int:
    ref = ServiceRef(cluster, *event.address.split("/", 1))
    known = WatchedService.objects.filter(cluster=cluster, address=event.address).first()
    if not event.is_gone:
        return _compare_one(ref, known, event.service, event.tool, at, has_status=False)
    if known is None or known.uid != event.service.uid:
        return 0
    known.delete()
    return _gone(ref, known, at)


def _compare(cluster: str, names: Sequence[str]) -> int:
    """Tell what happened to these services since the log last knew them."""
    found = read.services_named(cluster, names)
    told = _replay(cluster)  # what is in `found` may be newer than the events read so far, never than those now
    with transaction.atomic():
        WatchedCluster.objects.select_for_update().get(cluster=cluster)  # one look at a time
        known = {row.address: row for row in WatchedService.objects.filter(cluster=cluster, address__in=names)}
        at = timezone.now()
        for name in names:
            service, summary = found.get(name, (None, None))
            tool = summary.changed_with if summary else ""
            told += _compare_one(ServiceRef(cluster, *name.split("/", 1)), known.get(name), service, tool, at)
    return told


def _compare_one(
    ref: ServiceRef,
    known: WatchedService | None,
    service: Service | None,
    tool: str,
    at: datetime,
    *,
    has_status: bool = True,
) -> int:
    if service is None:
        return _missing(ref, known) if known else 0
    if known and _is_older(service, known):
        return 0  # Redis came back with an earlier copy; the watcher is about to catch up
    if known and known.missing_since:
        known.missing_since = None
        known.save(update_fields=["missing_since"])
    told = 0
    if known and known.uid != service.uid:
        told, known.kept = _gone(ref, known, at), None
    row, seen = known or WatchedService(cluster=ref.cluster, address=_address(ref)), Seen(ref, service, tool)
    _keep(ref, row, service, at, has_status=has_status)
    if known is None or known.uid != service.uid:
        return told + _appeared(row, seen)
    return 0 if service.is_being_deleted else _moved(known, seen)


def _keep(ref: ServiceRef, row: WatchedService, service: Service, at: datetime, *, has_status: bool = True) -> None:
    """Keep what the service is from now on, for questions about a moment."""
    kept = service_history.note(ref, service, at, row.kept, key=key_mark(), has_status=has_status)
    if kept != row.kept:
        row.kept = kept
        if row.pk:
            row.save(update_fields=["kept"])


def _appeared(row: WatchedService, seen: Seen) -> int:
    """A service that the log did not know."""
    service = seen.service
    generations = _generations(seen, range(1, max(service.generation, 1) + 1))
    late_writes.notice(seen.ref.cluster, service)
    _known(row, service).save()
    if 1 not in generations.ours:
        return _tell_generations(CREATED, seen, generations, service.creator, diff({}, service.raw))
    if generations.theirs:
        return _tell_generations(CHANGED, seen, generations, _author(service, generations), ())
    return 0


def _moved(row: WatchedService, seen: Seen) -> int:
    """A service that the log knows: its spec has another generation, or its labels or annotations differ."""
    ref, service, before = seen.ref, seen.service, Service(_object(row))
    if service.generation == row.generation and _kept(service) == before.raw:
        return 0
    rows, made = _rows(row, before, service), range(row.generation + 1, service.generation + 1)
    if service.annotations.get(OPERATION) != before.annotations.get(OPERATION):
        late_writes.notice(ref.cluster, service)
    _known(row, service).save()
    generations = _generations(seen, made)
    if generations.theirs:
        return _tell_generations(CHANGED, seen, generations, _author(service, generations), rows)
    ours = generations.ours
    theirs = metadata_of_others(rows, ref, before, service, ours.values())
    if not theirs:
        return 0
    if not ours and (lost := unrecorded(service, seen.tool, range(service.generation, service.generation + 1))):
        return _tell(UNRECORDED, ref, "", theirs, lost, service)
    # The webhook names the modifier of the spec only, so nobody knows whose change of labels this is.
    return _tell(CHANGED, ref, "", theirs, "" if ours else seen.tool, service)


def _generations(seen: Seen, made: range) -> Generations:
    return Generations(made, generations_of_ours(seen.ref, seen.service, made) if made else {})


def _rows(row: WatchedService, before: Service, service: Service) -> Sequence[FieldChange]:
    """What differs between what the log last knew and the service; `row` still has the generation of before.

    No spec changes within a generation: where one seems to, a new secret key made other digests of what is hidden.
    """
    if service.generation == row.generation and service.raw.get("spec") != before.raw.get("spec"):
        return diff(without_digests(before.raw), without_digests(service.raw))
    return diff(before.raw, service.raw)


def _tell_generations(action: str, seen: Seen, generations: Generations, who: str, rows: Sequence[FieldChange]) -> int:
    """Tell of generations that no operation here made; the newest may be of one whose record was lost."""
    ref, service = seen.ref, seen.service
    if lost := unrecorded(service, seen.tool, generations.made):
        return _tell(UNRECORDED, ref, "", rows, _text(service, generations, "", lost), service)
    return _tell(action, ref, who, rows, _text(service, generations, seen.tool), service)


def _missing(ref: ServiceRef, known: WatchedService) -> int:
    now = timezone.now()
    if known.missing_since is None:
        known.missing_since = now
        known.save(update_fields=["missing_since"])
        return 0
    if now - known.missing_since < GONE_AFTER:
        return 0
    told = _gone(ref, known, known.missing_since)
    known.delete()
    return told


def _gone(ref: ServiceRef, known: WatchedService, at: datetime) -> int:
    service_history.note_gone(ref, at)
    if was_deleted_by_us(ref, known.uid):
        return 0
    rows = (FieldChange(("service",), ref.name, None),)
    action, text = DELETED, f"generation {known.generation}"
    if (since := service_history.silence_around(ref.cluster, at, timezone.now())) is not None:
        action, text = GONE, f"{text} · nothing is recorded from {since.isoformat(timespec='seconds')} on"
    return _tell(action, ref, "", rows, text, Service(_object(known)))


def _tell(action: str, ref: ServiceRef, who: str, rows: Sequence[FieldChange], text: str, service: Service) -> int:
    actor = Actor(None, who[:200])
    audit.record(
        action, actor=actor, ref=ref, outcome=Outcome.SUCCEEDED, changes=rows, text=text, labels=service.labels
    )
    totals.count_outside(action)
    log.info("outside_change_noticed", service=str(ref), action=action, generation=service.generation)
    return 1


def _author(service: Service, generations: Generations) -> str:
    """Who made the generations that are not ours: the webhook names the modifier of the last one only."""
    return service.last_modifier if generations.theirs == {service.generation} else ""


def _text(service: Service, generations: Generations, tool: str, lost: str = "") -> str:
    """`generation 5 · kubectl-edit`. Several that were seen as one are one entry, which names those that were ours."""
    made, ours = generations.made, sorted(generations.ours.items())
    several = len(made) > 1
    words = [f"generations {made[0]}–{made[-1]}" if several else f"generation {service.generation}"]
    words += [f"{generation} is operation {operation}" for generation, operation in ours]
    words += [lost] if lost else []
    if len(generations.theirs) > 1:
        return " · ".join((*words, "not observed one by one"))
    return " · ".join((*words, tool)) if tool else " · ".join(words)


def _is_older(service: Service, known: WatchedService) -> bool:
    """resourceVersions of one object can be compared as numbers where both are numbers."""
    new, old = service.resource_version, known.resource_version
    return new.isdigit() and old.isdigit() and int(new) < int(old)


def _kept(service: Service) -> dict[str, Any]:
    """What is compared: not the status, and not the numbers that differ with each write."""
    raw = {key: value for key, value in service.raw.items() if key != "status"}
    machines = ("resourceVersion", "generation", "managedFields")
    return {**raw, "metadata": {key: value for key, value in service.metadata.items() if key not in machines}}


def _first_known(cluster: str, name: str, service: Service) -> WatchedService:
    """A service that the log has not met yet. A beginning that was interrupted has kept its moment already."""
    kept = WatchedService.objects.filter(cluster=cluster, address=name).values_list("kept", flat=True).first()
    ref = ServiceRef(cluster, *name.split("/", 1))
    kept = service_history.note(ref, service, timezone.now(), kept, key=key_mark())
    return _known(WatchedService(cluster=cluster, address=name, kept=kept), service)


def _known(row: WatchedService, service: Service) -> WatchedService:
    row.uid, row.generation, row.resource_version = service.uid, service.generation, service.resource_version
    row.object, row.missing_since = zlib.compress(msgspec.json.encode(_kept(service))), None
    return row


def _object(row: WatchedService) -> dict[str, Any]:
    """What the log last knew; what an earlier version had not hidden yet is hidden as the mirror hides it now."""
    return hide_texts(msgspec.json.decode(zlib.decompress(bytes(row.object))), seal_key())


def _address(ref: ServiceRef) -> str:
    return f"{ref.namespace}/{ref.name}"


def _parts(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + BATCH_SIZE] for start in range(0, len(names), BATCH_SIZE)]
