"""Where the time of an operation went: a bar for each phase, and below it the usual one. A table has the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.operations.queries import PhaseSpan, Usual
from console.web.charts.axes import Tick, ValueAxis, percent

MIN_WIDTH = 0.8  # percent: a phase that took no time is seen all the same


@dataclass(frozen=True, slots=True)
class Row:
    """One phase: its place, and that of the usual one; empty and None where nothing is known."""

    span: PhaseSpan
    x: str = ""
    width: str = ""
    usual: float | None = None
    usual_x: str = ""
    usual_width: str = ""


@dataclass(frozen=True, slots=True)
class Phases:
    """The rows, and the seconds below them."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]


def chart(spans: Sequence[PhaseSpan], usual: Usual | None) -> Phases:
    """Return the bars on one scale, which the usual shares: it does not jump while the operation runs."""
    known = usual.phases if usual else {}
    reached = max((span.reached_at or 0.0 for span in spans), default=0.0)
    scale = max(reached, sum(known.values()), 0.001)
    rows, before = [], 0.0
    for span in spans:
        rows.append(_row(span, scale, known.get(span.name), before))
        before += known.get(span.name, 0.0)
    return Phases(tuple(rows), _ticks(scale))


def _row(span: PhaseSpan, scale: float, usual: float | None, usual_start: float) -> Row:
    x, width = ("", "") if span.reached_at is None else _place(span.start, span.seconds, scale)
    usual_x, usual_width = ("", "") if usual is None else _place(usual_start, usual, scale)
    return Row(span, x, width, usual, usual_x, usual_width)


def _place(start: float, seconds: float, scale: float) -> tuple[str, str]:
    wide = max(100 * seconds / scale, MIN_WIDTH)
    return percent(min(100 * start / scale, 100 - wide)), percent(wide)


def _ticks(scale: float) -> tuple[Tick, ...]:
    """Whole seconds, or the end alone where it is below one."""
    if scale < 1:
        return (Tick("0%", "0 s", "start"), Tick("100%", f"{scale:.1f} s", "end"))
    step = ValueAxis.up_to(int(scale)).step
    shares = [(value, 100 * value / scale) for value in range(0, int(scale) + 1, step)]
    return tuple(Tick(percent(at), f"{value} s", _anchor(at)) for value, at in shares)


def _anchor(at: float) -> str:
    return "start" if at < 6 else "end" if at > 94 else "middle"
