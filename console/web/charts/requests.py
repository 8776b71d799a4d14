"""Tests of a service over time: a column for each test, its responses by revision, and on top what failed."""

from collections.abc import Callable, Sequence

from console.request_tests.models import AccessTest
from console.request_tests.results import FAILED, UNNAMED
from console.web.charts.axes import PERCENT_TICKS, SHARES, Tick, day_word, percent, pixels
from console.web.charts.marks import Chart, Key, Mark
from console.web.revision_colours import colour_of

GAP = 0.2  # of a test's width
WIDEST = 16  # in percent: few tests are columns at the left, rather than one block


def chart(tests: Sequence[AccessTest], words: Callable[[str], str], href: Callable[[AccessTest], str]) -> Chart:
    """Return the columns of the finished tests, oldest first. `words` names a revision, or FAILED."""
    sent = [test for test in tests if test.sent]
    names = sorted({name for test in sent for name in test.by_revision}, key=lambda name: (len(name), name))
    marks = [mark for index, test in enumerate(sent) for mark in _column(test, index, len(sent), names, words, href)]
    shown = [*names, *([FAILED] if any(test.failed for test in sent) else [])]
    return Chart(tuple(marks), _ticks(sent), PERCENT_TICKS, tuple(Key(css_of(name), words(name)) for name in shown))


def css_of(name: str) -> str:
    if name == FAILED:
        return "chart-failed"
    return "chart-rest" if name == UNNAMED else colour_of(name)


def _column(
    test: AccessTest,
    index: int,
    of: int,
    names: Sequence[str],
    words: Callable[[str], str],
    href: Callable[[AccessTest], str],
) -> list[Mark]:
    """One test. Its whole height is all requests that were sent."""
    width, found, below = _width(of), [], 0.0
    counts = [(name, test.by_revision.get(name, 0)) for name in names]
    for name, count in [*counts, (FAILED, test.failed)]:
        if share := 100 * count / test.sent:
            below += share
            x, wide = percent((index + GAP / 2) * width), percent((1 - GAP) * width)
            title = f"{day_word(test.started_at.date())} {test.started_at:%H:%M} · {words(name)}: {count}/{test.sent}"
            place = (x, pixels(SHARES.at(below)), wide, pixels(SHARES.height(share)))
            found.append(Mark(*place, css=css_of(name), title=title, href=href(test)))
    return found


def _width(of: int) -> float:
    return min(100 / of, WIDEST) if of else 0


def _ticks(tests: Sequence[AccessTest]) -> tuple[Tick, ...]:
    """The day under the first test of each, as long as words do not overlap."""
    width = _width(len(tests))
    days = [test.started_at.date() for test in tests]
    firsts = [index for index, day in enumerate(days) if index == 0 or day != days[index - 1]]
    shown = [index for index in firsts if index == 0]
    for index in firsts:
        if shown and (index - shown[-1]) * width >= 16:
            shown.append(index)
    return tuple(Tick(percent((index + 0.5) * width), day_word(days[index])) for index in shown)
