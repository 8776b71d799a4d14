"""How long an operation has taken, across workers and in spite of clocks that are set.

Every save keeps the seconds so far and a stamp of this machine's monotonic clock. Another process on the same machine
(same boot id) continues from the stamp; elsewhere the wall clock measures the gap, and never runs backwards here.
"""

import time
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

from django.utils import timezone

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Stopwatch:
    """Seconds since the submission. `stamp` says where another process continues."""

    def __init__(
        self,
        seconds: float,
        stamp: str,
        saved_at: datetime,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = timezone.now,
    ) -> None:
        self._clock = clock
        machine, _, then = stamp.partition(" ")
        if machine and machine == boot_id() and float(then) <= clock():
            gap = clock() - float(then)
        else:
            gap = max(0.0, (now() - saved_at).total_seconds())
        self._offset = seconds + gap - clock()

    @property
    def seconds(self) -> float:
        return self._clock() + self._offset

    @property
    def stamp(self) -> str:
        return mark(self._clock())


def mark(clock: float | None = None) -> str:
    """Return a stamp of this moment: which machine since which boot, and its monotonic clock."""
    return f"{boot_id()} {time.monotonic() if clock is None else clock:.3f}"


@cache
def boot_id() -> str:
    """Return what names this machine since it was started, empty where the system has no such name (not Linux)."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
