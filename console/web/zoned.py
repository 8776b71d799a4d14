"""A date, a time and a zone, as somebody asks for a moment; always answered in UTC beside it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment in UTC; `note` is `twice` or `never` where the zone's clocks showed that time so often."""

    at: datetime
    zone: str
    note: str = ""

    @property
    def clock(self) -> str:
        """The same moment on the clocks of the zone: `2026-11-24 14:00 Europe/Berlin`."""
        return f"{self.at.astimezone(ZoneInfo(self.zone)):%Y-%m-%d %H:%M} {self.zone}"


def read(text: str, zone: str, now: datetime) -> Moment:
    """Return the moment of `2026-11-24T14:00` on the clocks of the zone, `now` of an empty text; raises ValueError.

    A time with an offset of its own (`...+01:00`, `...Z`) needs no zone. What the clocks showed twice is the first of
    the two; what they skipped is as long after midnight as if they had not.
    """
    name = zone or "UTC"
    if name not in available_timezones():
        raise ValueError(zone)
    if not text:
        return Moment(now, name)
    found = datetime.fromisoformat(text)
    try:
        if found.tzinfo:
            return Moment(found.astimezone(UTC), name)
        first, second = (found.replace(tzinfo=ZoneInfo(name), fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError as error:
        raise ValueError(text) from error
    skipped = first - second > timedelta()
    return Moment(first, name, "never" if skipped else "twice" if first != second else "")
