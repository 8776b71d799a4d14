"""When a freeze window is in force. Wall-clock times of a named zone, across changes of its clocks.

Where a clock shows a time twice, a window begins at the first and ends at the second; where it skips a time, the window
begins as if the clock had been changed already and ends as if it had not: never shorter than what was written.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

WEEK = timedelta(days=7)


def on_clock(moment: datetime, zone: str) -> str:
    """Return the moment as the clocks of the zone show it: `2026-11-30 08:00 Europe/Berlin`."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"


@dataclass(frozen=True, slots=True)
class Window:
    """From `begins` to `ends` on the clocks of the zone (naive times), once or every week from then on."""

    begins: datetime
    ends: datetime
    zone: str
    is_weekly: bool = False

    def end_if_in_force(self, now: datetime) -> datetime | None:
        """Return when the freeze that holds at `now` ends (UTC), or None when none holds. The end itself is free."""
        local = now.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        passed = (local - self.begins) // WEEK if self.is_weekly else 0
        for week in range(max(passed - 1, 0), max(passed + 2, 1)) if self.is_weekly else (0,):
            begins, ends = self.occurrence(week)
            if begins <= now < ends:
                return ends
        return None

    def next_begin(self, now: datetime) -> datetime | None:
        """Return when the window begins next (UTC), or None for one that never will again."""
        local = now.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        passed = max((local - self.begins) // WEEK, 0) if self.is_weekly else 0
        coming = (self.occurrence(week)[0] for week in ((passed, passed + 1, passed + 2) if self.is_weekly else (0,)))
        return next((begins for begins in coming if begins > now), None)

    def occurrence(self, week: int) -> tuple[datetime, datetime]:
        """Return the instants (UTC) at which the window of that week begins and ends; week 0 is the first."""
        begins, ends = self.begins + week * WEEK, self.ends + week * WEEK
        return min(self._instants(begins)), max(self._instants(ends))

    def _instants(self, local: datetime) -> tuple[datetime, datetime]:
        """Both readings of a wall-clock time; they differ only where the clock jumps."""
        zone = ZoneInfo(self.zone)
        first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return first, second
