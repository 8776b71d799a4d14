"""Recent activity: changes that ended, by day, by person and by service, and how many of them failed.

A change counts on the day on which it ended, as in the audit log's summary: both tell the same number.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate

from console.audit.summary import days_of
from console.operations.models import Operation
from console.operations.models.statuses import BY_PEOPLE, OPEN, SUCCESSFUL

MAX_NAMES = 10  # people and services that are named

_GOOD = Q(status__in=SUCCESSFUL)
_STOPPED = Q(status__in=BY_PEOPLE)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many changes ended, and how. `stopped` are those that people, or a rule of theirs, ended."""

    total: int
    succeeded: int
    failed: int

    @property
    def stopped(self) -> int:
        return self.total - self.succeeded - self.failed


@dataclass(frozen=True, slots=True)
class Activity:
    """The days of a time, oldest first, each with its count; and who and what changed most."""

    days: tuple[tuple[date, Tally], ...]
    people: tuple[tuple[str, Tally], ...]
    services: tuple[tuple[tuple[str, str, str], Tally], ...]
    all: Tally
    in_progress: int  # that have not ended, whenever they began

    @property
    def failed_percent(self) -> float:
        return 100 * self.all.failed / self.all.total if self.all.total else 0.0


def activity(found: QuerySet[Operation], since: datetime, until: datetime, zone: tzinfo = UTC) -> Activity:
    """Return the summary of the operations in `found` that ended from `since` to before `until`, by the zone's days."""
    recent = found.filter(finished_at__gte=since, finished_at__lt=until).order_by()
    of_day = recent.annotate(day=TruncDate("finished_at", tzinfo=zone))
    by_day = {row["day"]: _count(row) for row in _counted(of_day, "day")}
    people = _counted(recent, "actor").order_by("-total", "actor")[:MAX_NAMES]
    services = _counted(recent, "cluster", "namespace", "name").order_by("-total", "namespace", "name")[:MAX_NAMES]
    whole = recent.aggregate(**_COLUMNS)
    return Activity(
        days=tuple((day, by_day.get(day, Tally(0, 0, 0))) for day in days_of(since, until, zone)),
        people=tuple((row["actor"], _count(row)) for row in people),
        services=tuple(((row["cluster"], row["namespace"], row["name"]), _count(row)) for row in services),
        all=_count(whole),
        in_progress=found.filter(status__in=OPEN).count(),
    )


_COLUMNS = {
    "total": Count("id"),
    "succeeded": Count("id", filter=_GOOD),
    "failed": Count("id", filter=~(_GOOD | _STOPPED)),
}


def _counted(found: QuerySet[Operation], *by: str) -> Any:  # the plugin cannot follow columns that a dictionary names
    return found.values(*by).annotate(**_COLUMNS)


def _count(row: dict[str, int]) -> Tally:
    return Tally(row["total"], row["succeeded"], row["failed"])
