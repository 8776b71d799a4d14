"""Traffic over time as stacked areas: a band a revision, a step a change. Unknown stretches are empty."""

from collections.abc import Callable, Sequence
from datetime import datetime

from console.operations.traffic_history import Step
from console.web.charts.axes import PERCENT_TICKS, SHARES, TimeAxis, pixels
from console.web.charts.marks import Chart, Key, Mark
from console.web.revision_colours import colour_of


def axis(steps: Sequence[Step], since: datetime, now: datetime) -> TimeAxis:
    """Return the axis of the time asked for; of a young service from when it is known what served.

    Else the hour of a service that was created just now is a hair's breadth at the end of two empty weeks.
    """
    return TimeAxis(next((step.begin for step in steps if step.shares), since), now)


def chart(
    steps: Sequence[Step],
    axis: TimeAxis,
    title: Callable[[Step], str],
    href: Callable[[Step], str],
    chosen: Step | None = None,
) -> Chart:
    """Return the bands, oldest revision lowest; each step has one title and one link for all of its bands."""
    order = sorted({name for step in steps for name in step.shares or ()}, key=lambda name: (len(name), name))
    marks = [mark for step in steps for mark in _bands(step, axis, order, title(step), href(step), step is chosen)]
    legend = tuple(Key(colour_of(name), name) for name in order)
    return Chart(tuple(marks), axis.ticks, PERCENT_TICKS, legend)


def _bands(step: Step, axis: TimeAxis, order: Sequence[str], title: str, href: str, is_chosen: bool) -> list[Mark]:
    x, width = axis.place(step.begin, step.end)
    found, below = [], 0
    for name in order:
        if share := (step.shares or {}).get(name, 0):
            below += share
            place = (x, pixels(SHARES.at(below)), width, pixels(SHARES.height(share)))
            found.append(
                Mark(*place, css=colour_of(name) + (" chart-chosen" if is_chosen else ""), title=title, href=href)
            )
    return found
