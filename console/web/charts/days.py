"""Numbers by day, as columns: what went well below, other things above it, what failed on top."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.utils.translation import gettext_lazy

from console.web.charts.axes import ValueAxis, day_ticks, day_word, percent, pixels
from console.web.charts.marks import Chart, Key, Mark

GAP = 0.2  # of a day's width
CHANGES = {
    "chart-good": gettext_lazy("Succeeded"),
    "chart-rest": gettext_lazy("Stopped by people or rules"),
    "chart-failed": gettext_lazy("Failed"),
    "chart-outside": gettext_lazy("External"),
}


def changes(days: Sequence[tuple[date, Sequence[int]]]) -> Chart:
    """Return the columns of changes: each day's numbers in the order of CHANGES, external ones where they are known."""
    known = len(days[0][1]) if days else len(CHANGES)
    names = {css: str(name) for css, name in list(CHANGES.items())[:known]}
    return chart([(day, dict(zip(names, counts, strict=True))) for day, counts in days], names)


def chart(days: Sequence[tuple[date, Mapping[str, int]]], names: Mapping[str, str]) -> Chart:
    """Return the columns. Each day has its counts by CSS class, from below; `names` are the words for the classes."""
    axis = ValueAxis.up_to(max((sum(counts.values()) for _day, counts in days), default=0))
    marks = [
        mark for index, (day, counts) in enumerate(days) for mark in _column(axis, index, len(days), day, counts, names)
    ]
    legend = tuple(Key(css, name) for css, name in names.items())
    return Chart(tuple(marks), day_ticks([day for day, _counts in days]), axis.ticks, legend)


def _column(
    axis: ValueAxis, index: int, of: int, day: date, counts: Mapping[str, int], names: Mapping[str, str]
) -> list[Mark]:
    """One day. A day on which nothing happened has no column: the axis says so."""
    width, found, below = 100 / of, [], 0
    for css, count in counts.items():
        if count:
            below += count
            x, wide = percent((index + GAP / 2) * width), percent((1 - GAP) * width)
            title = f"{day_word(day)} · {names[css]}: {count}"
            found.append(Mark(x, pixels(axis.at(below)), wide, pixels(axis.height(count)), css, title))
    return found
