"""Recent activity: changes by day, by person and by service, and how many of them did not succeed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate

from console.operations.models import Operation
from console.operations.models.statuses import OPEN, SUCCESSFUL, Status

DAYS = 14
MAX_NAMES = 10  # people and services that are named

_GOOD = Q(status__in=SUCCESSFUL)
_OPEN = Q(status__in=OPEN)
_NEUTRAL = Q(
    status__in=(Status.CANCELLED, Status.SUPERSEDED, Status.DECLINED, Status.EXPIRED)
)  # ended by people, not by a failure


@dataclass(frozen=True, slots=True)
class Tally:
    """How many changes, and how they came out. `rest` are those in progress, and those that people stopped."""

    total: int
    succeeded: int
    failed: int

    @property
    def rest(self) -> int:
        return self.total - self.succeeded - self.failed


@dataclass(frozen=True, slots=True)
class Activity:
    """The last days, oldest first, each with its count; and who and what changed most."""

    days: tuple[tuple[date, Tally], ...]
    people: tuple[tuple[str, Tally], ...]
    services: tuple[tuple[tuple[str, str, str], Tally], ...]
    all: Tally

    @property
    def busiest(self) -> int:
        """The largest number of changes in a day: the height of the picture."""
        return max((count.total for _day, count in self.days), default=0)

    @property
    def failed_percent(self) -> float:
        """Of those that ended without being stopped."""
        ended = self.all.succeeded + self.all.failed
        return 100 * self.all.failed / ended if ended else 0.0


def activity(found: QuerySet[Operation], now: datetime, days: int = DAYS) -> Activity:
    """Return the summary of the operations in `found` that began in the last days."""
    first = (now - timedelta(days=days - 1)).date()
    recent = found.filter(submitted_at__date__gte=first).order_by()
    by_day = {row["day"]: _count(row) for row in _counted(recent.annotate(day=TruncDate("submitted_at")), "day")}
    dates = [first + timedelta(days=offset) for offset in range(days)]
    people = _counted(recent, "actor").order_by("-total", "actor")[:MAX_NAMES]
    services = _counted(recent, "cluster", "namespace", "name").order_by("-total", "namespace", "name")[:MAX_NAMES]
    whole = recent.aggregate(**_COLUMNS)
    return Activity(
        days=tuple((day, by_day.get(day, Tally(0, 0, 0))) for day in dates),
        people=tuple((row["actor"], _count(row)) for row in people),
        services=tuple(((row["cluster"], row["namespace"], row["name"]), _count(row)) for row in services),
        all=_count(whole),
    )


_COLUMNS = {
    "total": Count("id"),
    "succeeded": Count("id", filter=_GOOD),
    "failed": Count("id", filter=~(_GOOD | _OPEN | _NEUTRAL)),
}


def _counted(found: QuerySet[Operation], *by: str) -> Any:  # the plugin cannot follow columns that a dictionary names
    return found.values(*by).annotate(**_COLUMNS)


def _count(row: dict[str, int]) -> Tally:
    return Tally(row["total"], row["succeeded"], row["failed"])
