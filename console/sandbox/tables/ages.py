"""How long ago something was, as Kubernetes prints it: at most two units, the coarser the older."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf

UNKNOWN = "<unknown>"
MINUTE, HOUR, DAY, YEAR = 60, 3600, 86_400, 365 * 86_400
SECONDS = {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY, "y": YEAR}
STEPS: tuple[tuple[float, str, str], ...] = (  # below so many seconds: in this unit, with the rest in that one
    (2 * MINUTE, "s", ""),
    (10 * MINUTE, "m", "s"),
    (3 * HOUR, "m", ""),
    (8 * HOUR, "h", "m"),
    (2 * DAY, "h", ""),
    (8 * DAY, "d", "h"),
    (2 * YEAR, "d", ""),
    (8 * YEAR, "y", "d"),
    (inf, "y", ""),
)


def age(timestamp: str | None) -> str:
    """The time since an RFC 3339 timestamp; `<unknown>` without one."""
    if not timestamp:
        return UNKNOWN
    return human(int((datetime.now(UTC) - datetime.fromisoformat(timestamp)).total_seconds()))


def human(seconds: int) -> str:
    """A number of seconds as text (HumanDuration of apimachinery): 119s, 2m, 9m59s, 10m, 3h5m, 47h, 7d23h, 8d, 2y1d."""
    if seconds < 0:
        return "0s" if seconds == -1 else "<invalid>"
    unit, finer = next(units for below, *units in STEPS if seconds < below)
    rest = seconds % SECONDS[unit] // SECONDS[finer] if finer else 0
    return f"{seconds // SECONDS[unit]}{unit}" + (f"{rest}{finer}" if rest else "")
