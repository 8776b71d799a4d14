"""What the log adds up to: changes by day and team, and how many of them failed."""

from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate

from console.audit.models import Entry
from console.audit.outcomes import Outcome
from console.audit.searching import SLACK, first_from

DAYS = (7, 14, 30)
OUTSIDE = ("outside.change", "outside.create", "outside.delete")

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


def summarize(entries: QuerySet[Entry], now: datetime, days: int) -> Summary:
    """Add up the entries of the last days; today is the last of them."""
    first = (now - timedelta(days=days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    low = (first_from(first) or 0) - SLACK  # the primary key finds the newest entries faster than the index of times
    recent = entries.filter(at__gte=first, sequence__gte=low).order_by().annotate(day=TruncDate("at"))
    by_day: dict[date, Tally] = defaultdict(Tally)
    by_team: dict[str, Tally] = defaultdict(Tally)
    rows: Any = recent.values("day", "team").annotate(**_COLUMNS)
    for row in rows:
        tally = Tally(**{name: row[name] for name in _COLUMNS})
        by_day[row["day"]] += tally
        by_team[row["team"]] += tally
    dates = [first.date() + timedelta(days=offset) for offset in range(days)]
    teams = sorted((team, tally) for team, tally in by_team.items() if tally != Tally())
    return Summary(tuple((day, by_day[day]) for day in dates), tuple(teams), sum(by_day.values(), Tally()))
