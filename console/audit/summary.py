"""What the log adds up to: changes by day and team, and how many of them failed."""

from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate

from console.audit.models import Entry
from console.audit.outcomes import Outcome
from console.audit.searching import SLACK, first_from

DAYS = (7, 14, 30)
MAX_DAYS = 92  # of one summary: a quarter
OUTSIDE = ("outside.change", "outside.create", "outside.delete", "outside.gone", "outside.unrecorded")

_ENDED = Q(action__startswith="operation.") & ~Q(outcome=Outcome.REQUESTED.value)
# Ended by people or by the rules that they made, not by a failure (console.operations.models.statuses.BY_PEOPLE).
BY_PEOPLE = ("cancelled", "superseded", "declined", "expired", "stopped")
_BY_PEOPLE = Q(action__in=[f"operation.{how}" for how in BY_PEOPLE])
_FAILED = Q(outcome__in=(Outcome.FAILED.value, Outcome.REFUSED.value))
_COLUMNS = {
    "changes": Count("sequence", filter=_ENDED),
    "failed": Count("sequence", filter=_ENDED & _FAILED & ~_BY_PEOPLE),
    "stopped": Count("sequence", filter=_ENDED & _BY_PEOPLE),
    "outside": Count("sequence", filter=Q(action__in=OUTSIDE)),
    "refused": Count("sequence", filter=Q(outcome=Outcome.REFUSED.value) & ~_ENDED),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """Changes made with the console that came to an end, those of them that failed, and those that people stopped.

    And changes from outside, and attempts refused.
    """

    changes: int = 0
    failed: int = 0
    stopped: int = 0
    outside: int = 0
    refused: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def succeeded(self) -> int:
        return self.changes - self.failed - self.stopped

    @property
    def failed_percent(self) -> float:
        return 100 * self.failed / self.changes if self.changes else 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """Days oldest first, each with its tally; teams by name (empty: none); and all together."""

    days: tuple[tuple[date, Tally], ...]
    teams: tuple[tuple[str, Tally], ...]
    all: Tally


def summarize(entries: QuerySet[Entry], since: datetime, until: datetime, zone: tzinfo = UTC) -> Summary:
    """Add up the entries from `since` to before `until`, by the days of the zone."""
    low = (first_from(since) or 0) - SLACK  # the primary key finds the newest entries faster than the index of times
    found = entries.filter(at__gte=since, at__lt=until, sequence__gte=low).order_by()
    recent = found.annotate(day=TruncDate("at", tzinfo=zone))
    by_day: dict[date, Tally] = defaultdict(Tally)
    by_team: dict[str, Tally] = defaultdict(Tally)
    rows: Any = recent.values("day", "team").annotate(**_COLUMNS)
    for row in rows:
        tally = Tally(**{name: row[name] for name in _COLUMNS})
        by_day[row["day"]] += tally
        by_team[row["team"]] += tally
    teams = sorted((team, tally) for team, tally in by_team.items() if tally != Tally())
    days = tuple((day, by_day[day]) for day in days_of(since, until, zone))
    return Summary(days, tuple(teams), sum(by_day.values(), Tally()))


def last_days(days: int, now: datetime) -> tuple[datetime, datetime]:
    """Return the last days (UTC), of which today is the last, up to now and what is written at this moment."""
    first = (now - timedelta(days=days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return first, now + timedelta(minutes=1)


def days_of(since: datetime, until: datetime, zone: tzinfo) -> list[date]:
    """The days of the zone that the period touches, at most MAX_DAYS of them."""
    first, last = (one.astimezone(zone).date() for one in (since, until - timedelta(microseconds=1)))
    return [first + timedelta(days=offset) for offset in range(min((last - first).days + 1, MAX_DAYS + 1))]
