"""Moments and periods as an address asks for them: a day, a time of day, a time zone, each a parameter of its own.

`since=2026-11-24&since_time=14:00&zone=Europe/Berlin`. A parameter may also be a whole moment of ISO 8601
(`since=2026-11-24T14:00`, with or without an offset), as links have it. Without a zone a time is UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SINCE, UNTIL, ZONE = "since", "until", "zone"
TIME = "_time"  # what follows a parameter's name in that of its time of day
FIELDS = (SINCE, f"{SINCE}{TIME}", UNTIL, f"{UNTIL}{TIME}", ZONE)
DEFAULT_ZONE = "UTC"
MAX_ZONE = 64  # characters
YEARS = range(1970, 9999)  # every moment of these can be shown on the clocks of every zone
# Offered beside the field, which takes any name of the IANA database.
ZONES = (
    *("UTC", "Europe/Berlin", "Europe/London", "Europe/Paris", "America/New_York", "America/Chicago"),
    *("America/Los_Angeles", "America/Sao_Paulo", "Asia/Shanghai", "Asia/Singapore", "Asia/Tokyo", "Asia/Kolkata"),
    "Australia/Sydney",
)


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` to before `until` (UTC; None: open), on the clocks of `zone`. `problems`: what cannot be read."""

    since: datetime | None = None
    until: datetime | None = None
    zone: tzinfo = UTC
    problems: frozenset[str] = field(default_factory=frozenset)


def period(query: Mapping[str, str]) -> Period:
    """Return the period that the address asks for.

    The end is not part of it. A day alone, as the end, is meant with all of its hours.
    """
    zone, problems = zone_of(query)
    found: dict[str, datetime] = {}
    for name in (SINCE, UNTIL):
        try:
            if (read := _read(query, name, zone, is_end=name == UNTIL)) is not None:
                found[name] = read
        except (ValueError, OverflowError):
            problems |= {name}
    since, until = found.get(SINCE), found.get(UNTIL)
    if since and until and since >= until:
        problems |= {UNTIL}
    return Period(since, until, zone, problems)


def moment(query: Mapping[str, str], name: str) -> tuple[datetime | None, frozenset[str]]:
    """Return one moment (UTC) that the address asks for, None where it asks for none, and what cannot be read."""
    zone, problems = zone_of(query)
    try:
        return _read(query, name, zone), problems
    except (ValueError, OverflowError):
        return None, problems | {name}


def zone_of(query: Mapping[str, str]) -> tuple[tzinfo, frozenset[str]]:
    """Return the zone that the address names, UTC where it names none or one that is not known."""
    name = query.get(ZONE, "").strip()
    if not name:
        return UTC, frozenset()
    try:
        return ZoneInfo(name[:MAX_ZONE]), frozenset()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC, frozenset({ZONE})


def parts(query: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return the day and the time of day as the fields of a page show them: those of a whole moment apart."""
    day, clock = query.get(name, "").strip(), query.get(f"{name}{TIME}", "").strip()
    if "T" not in day:
        return day, clock
    try:
        told = datetime.fromisoformat(day)
        told = told.astimezone(zone_of(query)[0]) if told.tzinfo else told
    except (ValueError, OverflowError):
        return day, clock
    return told.date().isoformat(), told.time().isoformat("minutes" if not told.second else "seconds")


def _read(query: Mapping[str, str], name: str, zone: tzinfo, *, is_end: bool = False) -> datetime | None:
    day, clock = query.get(name, "").strip(), query.get(f"{name}{TIME}", "").strip()
    if not day:
        if clock:
            raise ValueError(clock)  # of no day
        return None
    found = _moment(day, clock, zone, is_end=is_end)
    if found.year not in YEARS:
        raise ValueError(found.year)
    return found


def _moment(day: str, clock: str, zone: tzinfo, *, is_end: bool) -> datetime:
    if len(day) > len("2026-11-24"):
        told = datetime.fromisoformat(day)
        return (told if told.tzinfo else _on(told, zone, is_end=is_end)).astimezone(UTC)
    if clock:
        if (told_time := time.fromisoformat(clock)).tzinfo:
            raise ValueError(clock)  # the zone has a field of its own
        return _on(datetime.combine(date.fromisoformat(day), told_time), zone, is_end=is_end)
    days = timedelta(days=1 if is_end else 0)
    return _on(datetime.combine(date.fromisoformat(day) + days, time()), zone, is_end=is_end)


def _on(told: datetime, zone: tzinfo, *, is_end: bool) -> datetime:
    """The moment at which the clocks show the time; of two, the one that makes the period longer."""
    return told.replace(tzinfo=zone, fold=1 if is_end else 0).astimezone(UTC)
