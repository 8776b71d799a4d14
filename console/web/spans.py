"""The time that a page is about: some of the last days, or a period that the address names (console.periods)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from console import periods
from console.audit.summary import MAX_DAYS

LastDays = Callable[[int, datetime], tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` to before `until`, by the clocks of `zone`. `days`: so many of the last; None: a period.

    With `problems` it is the last days: what was asked for cannot be read, or is longer than MAX_DAYS.
    """

    since: datetime
    until: datetime
    zone: tzinfo
    days: int | None
    problems: frozenset[str]


def span_of(query: Mapping[str, str], now: datetime, last: LastDays, choices: Collection[int], default: int) -> Span:
    """Return what the address asks for; a period that names one end alone is `default` days long or ends now."""
    asked = periods.period(query)
    text = query.get("days", "")
    days = int(text) if text in map(str, choices) else default
    if not (asked.since or asked.until or asked.problems):
        return Span(*last(days, now), asked.zone, days, frozenset())
    problems, until = asked.problems, asked.until or now
    since = asked.since or until - timedelta(days=default)
    if not problems and not _is_span(since, until, asked.zone):
        problems = frozenset({periods.SINCE})
    if problems:
        return Span(*last(days, now), asked.zone, days, problems)
    return Span(since, until, asked.zone, None, problems)


def _is_span(since: datetime, until: datetime, zone: tzinfo) -> bool:
    """Whether it is MAX_DAYS at most by the zone's clocks: a day that puts them back has an hour more."""
    begin, end = (moment.astimezone(zone).replace(tzinfo=None) for moment in (since, until))
    return since < until and end - begin <= timedelta(days=MAX_DAYS)


def query_of(query: Mapping[str, str], span: Span) -> dict[str, str]:
    """Return the parameters by which an address asks for this time again."""
    if span.days is not None:
        return {"days": str(span.days)}
    return {name: value for name in periods.FIELDS if (value := query.get(name, "").strip())}
