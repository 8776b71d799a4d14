"""Which revisions served a service over time, from what operations and the audit log say of its traffic.

Each recorded change says at most two things: what served before it, and what served after it. Between two changes
nothing else is recorded, so what one leaves behind and what the next one finds must be the same. Where they differ, or
neither says anything, it is unknown who served: such a stretch has no shares, and no chart draws it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice, pairwise
from uuid import UUID

from django.db.models import QuerySet

from console.audit.models import Entry
from console.audit.summary import OUTSIDE
from console.knative import paths, traffic
from console.knative.changes import Verb
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.statuses import SUCCESSFUL, Status

Shares = Mapping[str, int]  # percent by revision
MAX_CHANGES = 300  # of one service that are read; older ones are not shown
OUTSIDE_BEGIN = "outside.begin"
_TRAFFIC = paths.text(paths.TRAFFIC)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A change that may have moved traffic. None: it does not say what served. `before` was seen at `seen_at`."""

    at: datetime
    before: Shares | None
    after: Shares | None
    seen_at: datetime | None = None  # None: at the moment of the change itself
    actor: str = ""
    kind: str = ""  # of an operation; empty for a change from outside
    operation: UUID | None = None
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """From `begin` to `end` these revisions served. None: unknown. `by` began it; None at the start of the record."""

    begin: datetime
    end: datetime
    shares: Shares | None
    by: Recorded | None = None


def history(
    ref: ServiceRef, now: datetime, serving: Shares | None, since: datetime, until: datetime | None = None
) -> tuple[Step, ...]:
    """Return the stretches of time from the moment to `until` (None: to now), oldest first.

    `serving` is what the mirror shows at this moment, None while it is stale. What was recorded before `since` counts
    for what served then, and the first change after `until` for what served before it. The first stretch begins where
    the record does.
    """
    until = min(until or now, now)
    recorded = sorted([*_operations(ref, since, until), *_outside(ref, until)], key=lambda one: one.at)
    begin = _recorded_since(ref, recorded)
    return tuple(_within(steps(recorded, begin, now, serving), since, until))


def steps(recorded: Sequence[Recorded], begin: datetime | None, now: datetime, serving: Shares | None) -> list[Step]:
    """Return what the changes, oldest first, add up to. `begin`: from when on every change is recorded."""
    start = Recorded(begin, None, None) if begin and (not recorded or begin < recorded[0].at) else None
    known = [*([start] if start else []), *recorded, Recorded(now, serving, None)]
    found = []
    for one, following in pairwise(known):
        by = None if one is start else one
        seen_before = following.seen_at is not None and following.seen_at < one.at  # it waited, and this came first
        finding = None if seen_before else following.before
        found.append(Step(one.at, following.at, _agreed(one.after, finding), by))
    return found


def _agreed(left: Shares | None, found: Shares | None) -> Shares | None:
    """What one change leaves behind and the next one finds; either may not say it."""
    if left is None or found is None:
        return found if left is None else left
    return left if dict(left) == dict(found) else None


def _within(found: Iterable[Step], since: datetime, until: datetime) -> Iterable[Step]:
    for step in found:
        if step.end > since and step.begin < until:
            yield replace(step, begin=max(step.begin, since), end=min(step.end, until))


def _recorded_since(ref: ServiceRef, recorded: Sequence[Recorded]) -> datetime | None:
    """From when on changes from outside are recorded too; later than the first change it tells nothing."""
    first = recorded[0].at if recorded else None
    began = Entry.objects.filter(action=OUTSIDE_BEGIN, cluster=ref.cluster).order_by("-sequence")
    if first is not None:
        began = began.filter(at__lt=first)
    return began.values_list("at", flat=True).first() or first


def _operations(ref: ServiceRef, since: datetime, until: datetime) -> Iterable[Recorded]:
    """Those of the time, the last one before it and the first one after it: each costs the decryption of a service."""
    mine = Operation.objects.filter(cluster=ref.cluster, namespace=ref.namespace, name=ref.name, is_written=True)
    yield from islice(_that_move(mine.filter(finished_at__gte=until).order_by("finished_at")), 1)
    for recorded in _that_move(mine.filter(finished_at__lt=until).order_by("-finished_at")):
        yield recorded
        if recorded.at < since:
            return


def _that_move(ended: QuerySet[Operation]) -> Iterator[Recorded]:
    """Those that may have moved traffic."""
    for operation in ended[:MAX_CHANGES].iterator(chunk_size=20):
        if operation.makes_revision or operation.verb is not Verb.UPDATE or _splits(operation):
            yield _of_operation(operation)


def _splits(operation: Operation) -> bool:
    return any(tuple(row["path"]) == paths.TRAFFIC for row in operation.changes)


def _of_operation(operation: Operation) -> Recorded:
    return Recorded(
        at=operation.finished_at or operation.submitted_at,
        before=traffic.shares(operation.seen.status_traffic) if operation.is_readable else None,
        after=_left_behind(operation),
        seen_at=operation.submitted_at,
        actor=operation.actor,
        kind=operation.kind,
        operation=operation.id,
    )


def _left_behind(operation: Operation) -> Shares | None:
    """What served when the operation had ended, where that follows from how it ended."""
    if operation.status in SUCCESSFUL and operation.verb is Verb.DELETE:
        return {}
    if not operation.is_readable:
        return None
    if operation.status in SUCCESSFUL:
        return _resolved(operation.wanted, operation.revision or operation.seen.latest_ready_revision)
    failed_before_it_served = operation.status == Status.FAILED and operation.makes_revision
    if failed_before_it_served and not _splits(operation):
        return traffic.shares(operation.seen.status_traffic)
    return None


def _resolved(wanted: Service | None, latest: str | None) -> Shares | None:
    """The shares that the split means with this revision as the latest."""
    return traffic.shares(traffic.as_served(wanted.spec_traffic, latest)) if wanted and latest else None


def _outside(ref: ServiceRef, until: datetime) -> Iterable[Recorded]:
    about = Entry.objects.filter(cluster=ref.cluster, namespace=ref.namespace, service=ref.name, action__in=OUTSIDE)
    yield from islice(_told_of(about.filter(at__gte=until).order_by("sequence")), 1)
    yield from _told_of(about.filter(at__lt=until).order_by("-sequence"))


def _told_of(about: QuerySet[Entry]) -> Iterator[Recorded]:
    for entry in about[:MAX_CHANGES]:
        is_edit = entry.action in ("outside.change", "outside.unrecorded")
        if not is_edit or any(row["field"].startswith("spec") for row in entry.changes):
            yield _of_entry(entry)


def _of_entry(entry: Entry) -> Recorded:
    before, after = _told(entry)
    return Recorded(entry.at, before, after, actor=entry.actor, entry=entry.sequence)


def _told(entry: Entry) -> tuple[Shares | None, Shares | None]:
    """What an entry from outside says of the traffic before and after it."""
    if entry.action == "outside.create":
        return {}, None
    if entry.action in ("outside.delete", "outside.gone"):
        return None, {}
    split = next((row for row in entry.changes if row["field"] == _TRAFFIC), None)
    return (read(split["before"]), read(split["after"])) if split else (None, None)


def read(text: str | None) -> Shares | None:
    """Return the shares that the text of a difference names; None where it speaks of @latest or of nothing."""
    targets = traffic.read_text(text) if text else None
    found = traffic.shares(targets or ())
    return None if not found or traffic.LATEST in found else found
