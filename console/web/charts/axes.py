"""Axes: where a moment or a number is in a chart, and where its ticks are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

HEIGHT = 176  # pixels of a whole chart, with the words under it
TOP, BASE = 8, 148  # pixels: where the highest value and zero are
MAX_TICKS = 5  # more of them overlap on a phone
_DAY = timedelta(days=1)
_STEPS = (
    *(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 3, 6, 12)),
    *(timedelta(days=days) for days in (1, 2, 3, 7, 14, 30, 90, 365)),
)


@dataclass(frozen=True, slots=True)
class Tick:
    """A word at an axis. `anchor` keeps the last within the picture."""

    at: str
    label: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """From one moment to a later one, over the whole width."""

    begin: datetime
    end: datetime

    def share(self, moment: datetime) -> float:
        """Return where the moment is, from 0 to 100."""
        whole = (self.end - self.begin) / timedelta(seconds=1)
        return min(100.0, max(0.0, 100 * ((moment - self.begin) / timedelta(seconds=1)) / whole)) if whole > 0 else 0.0

    def place(self, begin: datetime, end: datetime) -> tuple[str, str]:
        """Return where a stretch of time begins and how wide it is."""
        left, right = self.share(begin), self.share(end)
        return percent(left), percent(right - left)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Midnights, or full hours where the axis is shorter."""
        step = next((one for one in _STEPS if (self.end - self.begin) / one <= MAX_TICKS), _STEPS[-1])
        found, moment = [], self._first(step)
        while moment <= self.end:
            share = self.share(moment)
            found.append(Tick(percent(share), _word(moment, step), _anchor(share)))
            moment += step
        return tuple(found)

    def _first(self, step: timedelta) -> datetime:
        midnight = self.begin.replace(hour=0, minute=0, second=0, microsecond=0)
        if step >= _DAY:
            return midnight if midnight == self.begin else midnight + _DAY
        return midnight + -((midnight - self.begin) // step) * step


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """From zero up to a round number that nothing exceeds."""

    top: int
    step: int

    @classmethod
    def up_to(cls, highest: int) -> "ValueAxis":
        """Return an axis of at most four steps of 1, 2 or 5 times a power of ten."""
        step = 1
        while step * 4 < highest:
            step = _next_step(step)
        return cls(max(1, -(-highest // step)) * step, step)

    def height(self, value: float) -> float:
        return (BASE - TOP) * value / self.top

    def at(self, value: float) -> float:
        """Return where the value is, in pixels from above."""
        return BASE - self.height(value)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        return tuple(Tick(pixels(self.at(value)), str(value)) for value in range(0, self.top + 1, self.step))


def percent(value: float) -> str:
    """Return a length for an attribute, as SVG reads it whatever the person's language is."""
    return f"{value:.3f}%"


def pixels(value: float) -> str:
    return f"{value:.2f}"


def day_word(day: date) -> str:
    """Return a day without its year: 24 Nov."""
    # Translators: a date without the year in Django's format letters, for an axis: "24 Nov".
    return date_format(day, _("j M"), use_l10n=False)


def day_ticks(days: Sequence[date]) -> tuple[Tick, ...]:
    """Return ticks under the middles of columns of equal width, one a day, at most MAX_TICKS and the last one."""
    step = -(-len(days) // MAX_TICKS) or 1
    width = 100 / len(days) if days else 0
    chosen = sorted(range(len(days) - 1, -1, -step))
    return tuple(Tick(percent((index + 0.5) * width), day_word(days[index])) for index in chosen)


def _next_step(step: int) -> int:
    first = int(str(step)[0])
    return step * 2 if first in (1, 5) else step // 2 * 5


def _word(moment: datetime, step: timedelta) -> str:
    return day_word(moment.date()) if step >= _DAY else f"{moment:%H:%M}"


def _anchor(share: float) -> str:
    """The words of the values are at the left, with space around them; at the right is the edge."""
    return "end" if share > 97 else "middle"


SHARES = ValueAxis(100, 50)
PERCENT_TICKS = tuple(Tick(tick.at, f"{tick.label}%") for tick in SHARES.ticks)
