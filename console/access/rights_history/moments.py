"""The rights of a moment, and how much of them the log knows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from console.access.rights_history import tables
from console.access.rights_history.replay import SNAPSHOT, Replay, begins_snapshot, replay
from console.access.rights_history.state import State
from console.audit.models import Action, Entry

_FAMILY = "manage."  # begins the actions of which entries have rows


@dataclass(frozen=True, slots=True)
class Known:
    """From when on the log tells rights, in it now and ever; and the differences that were found without an entry."""

    since: datetime | None
    gaps: tuple["Gap", ...] = ()

    def covers(self, moment: datetime) -> bool:
        return self.since is not None and moment >= self.since

    def doubt(self, moment: datetime) -> "Gap | None":
        """Return the gap in which the moment is: the rights of then may have been changed without an entry."""
        return next((gap for gap in self.gaps if gap.after <= moment < gap.found), None)


@dataclass(frozen=True, slots=True)
class Gap:
    """Rights were found that the log did not have (entry `sequence`): changed after the last entry, before `found`."""

    after: datetime
    found: datetime
    sequence: int
    told: str


def current() -> State:
    """Return the rights as the tables have them now, with the entries that wrote them, as far as the log knows."""
    here, logged = tables.current(), state_at(timezone.now()).state
    here.entries = {key: entry for key, entry in logged.entries.items() if logged.rows.get(key) == here.rows.get(key)}
    return here


def state_at(moment: datetime) -> Replay:
    """Return the rights at the moment as the log has them; nobody's from before the first snapshot."""
    base = newest_snapshot(moment)
    if base is None:
        return Replay()
    entries = Entry.objects.filter(_is_of_rights(), sequence__gte=base.sequence, at__lte=moment)
    return replay(_with_rows(entries.order_by("sequence").iterator(chunk_size=500)))


def changes_between(since: datetime, until: datetime) -> Iterable[Entry]:
    """Return the entries of the time after `since` that change rights, snapshots included, oldest first."""
    entries = Entry.objects.filter(_is_of_rights(), at__gt=since, at__lt=until)
    return _with_rows(entries.order_by("sequence").iterator(chunk_size=500))


def newest_snapshot(moment: datetime) -> Entry | None:
    """Return the first part of the newest snapshot of then."""
    parts = Entry.objects.filter(action=SNAPSHOT, at__lte=moment).order_by("-sequence")
    return next((part for part in parts.iterator(chunk_size=20) if begins_snapshot(part)), None)


def known() -> Known:
    """Return what the log knows: since its first snapshot, but for the gaps."""
    first = Entry.objects.filter(action=SNAPSHOT).order_by("sequence").values_list("at", flat=True).first()
    return Known(first, tuple(map(_gap, Entry.objects.filter(action=SNAPSHOT, text__startswith="differs, part 1 "))))


def _gap(found: Entry) -> Gap:
    before = Entry.objects.filter(_is_of_rights(), sequence__lt=found.sequence).order_by("-sequence")
    after = before.values_list("at", flat=True).first() or found.at
    return Gap(after, found.at, found.sequence, found.text.partition(": ")[2])


def _is_of_rights() -> Q:
    """By exact names, which the index finds whatever the database's collation is."""
    names = Action.objects.values_list("name", flat=True)
    return Q(action__in=[name for name in names if name == SNAPSHOT or name.startswith(_FAMILY)])


def _with_rows(entries: Iterable[Entry]) -> Iterable[Entry]:
    return (entry for entry in entries if entry.changes)
