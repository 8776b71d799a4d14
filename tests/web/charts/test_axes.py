"""Where moments and numbers are in a chart, and what its axes say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation

from console.web.charts.axes import MAX_TICKS, TimeAxis, ValueAxis, day_ticks, day_word

BEGIN = datetime(2026, 11, 6, 15, 30, tzinfo=UTC)


def axis(**length: float) -> TimeAxis:
    return TimeAxis(BEGIN, BEGIN + timedelta(**length))


def test_a_stretch_of_time_is_where_its_moments_are() -> None:
    assert axis(days=10).place(BEGIN + timedelta(days=1), BEGIN + timedelta(days=6)) == ("10.000%", "50.000%")


def test_what_is_outside_the_axis_is_cut_off_at_its_ends() -> None:
    assert axis(days=10).place(BEGIN - timedelta(days=9), BEGIN + timedelta(days=99)) == ("0.000%", "100.000%")


def test_an_axis_without_length_has_everything_at_its_beginning() -> None:
    assert axis(days=0).share(BEGIN) == 0.0


@pytest.mark.parametrize(
    ("length", "labels"),
    [
        ({"days": 14}, ["7 Nov", "10 Nov", "13 Nov", "16 Nov", "19 Nov"]),
        ({"days": 1}, ["18:00", "00:00", "06:00", "12:00"]),
        ({"minutes": 2}, ["15:30", "15:31", "15:32"]),
    ],
)
def test_ticks_are_at_round_moments(length, labels) -> None:
    assert [tick.label for tick in axis(**length).ticks] == labels


@pytest.mark.parametrize("hours", [1, 5, 24, 24 * 7, 24 * 14, 24 * 30, 24 * 400, 24 * 4000])
def test_there_are_few_enough_ticks_for_a_phone(hours) -> None:
    assert len(axis(hours=hours).ticks) <= MAX_TICKS + 1 or hours > 24 * 365 * MAX_TICKS


def test_the_last_word_stays_within_the_picture() -> None:
    found = TimeAxis(BEGIN.replace(hour=0, minute=0), BEGIN.replace(hour=0, minute=0) + timedelta(days=4)).ticks
    assert (found[0].anchor, found[1].anchor, found[-1].anchor) == ("middle", "middle", "end")


@pytest.mark.parametrize(
    ("highest", "ticks"), [(0, "0 1"), (1, "0 1"), (3, "0 1 2 3"), (13, "0 5 10 15"), (80, "0 20 40 60 80")]
)
def test_values_have_a_round_axis_that_nothing_exceeds(highest, ticks) -> None:
    found = ValueAxis.up_to(highest)
    assert " ".join(tick.label for tick in found.ticks) == ticks
    assert found.top >= highest


@pytest.mark.parametrize("highest", [7, 41, 99, 1_234, 56_789])
def test_a_value_axis_has_at_most_five_numbers(highest) -> None:
    assert len(ValueAxis.up_to(highest).ticks) <= 5


def test_days_are_named_in_the_readers_language_and_the_last_one_is_among_them() -> None:
    days = [date(2026, 11, 7) + timedelta(days=each) for each in range(14)]
    assert [tick.label for tick in day_ticks(days)] == ["8 Nov", "11 Nov", "14 Nov", "17 Nov", "20 Nov"]
    with translation.override("zh-hans"):
        assert day_word(days[0]) == "11月7日"
    assert day_ticks([]) == ()
