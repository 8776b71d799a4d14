"""When a freeze holds: on the clocks of its zone, across their changes, never shorter than what was written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.operations.models.windows import WEEK, Window

BERLIN = "Europe/Berlin"
# Friday 16:00 to Monday 08:00; the clocks go back on 25 October 2026 and forward on 28 March 2027.
WEEKEND = Window(datetime(2026, 10, 16, 16), datetime(2026, 10, 19, 8), BERLIN, is_weekly=True)
ZONES = (BERLIN, "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "Africa/Casablanca")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-10-16T15:59:59+02:00", None),
        ("2026-10-16T16:00:00+02:00", "2026-10-19T08:00:00+02:00"),
        ("2026-10-19T07:59:59+02:00", "2026-10-19T08:00:00+02:00"),
        ("2026-10-19T08:00:00+02:00", None),
        ("2026-10-09T18:00:00+02:00", None),  # before the first
        ("2026-10-23T16:00:00+02:00", "2026-10-26T08:00:00+01:00"),  # a weekend that is an hour longer
        ("2026-10-26T06:30:00+00:00", "2026-10-26T08:00:00+01:00"),
        ("2026-10-26T07:00:00+00:00", None),
        ("2026-10-30T15:30:00+01:00", None),  # still 16:00 on the wall, now an hour later in UTC
        ("2026-10-30T16:00:00+01:00", "2026-11-02T08:00:00+01:00"),
        ("2027-03-29T05:59:00+00:00", "2027-03-29T08:00:00+02:00"),
        ("2027-03-29T06:00:00+00:00", None),
    ],
)
def test_a_weekend_keeps_its_hours_on_the_wall(moment: str, end: str | None) -> None:
    assert WEEKEND.end_if_in_force(at(moment)) == (at(end) if end else None)


def test_an_hour_that_comes_twice_is_frozen_both_times() -> None:
    night = Window(datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 2, 45), BERLIN)
    assert night.end_if_in_force(at("2026-10-25T00:30:00+00:00"))
    assert night.end_if_in_force(at("2026-10-25T01:40:00+00:00"))
    assert not night.end_if_in_force(at("2026-10-25T01:45:00+00:00"))


def test_an_hour_that_is_skipped_leaves_no_hole() -> None:
    """02:30 does not exist on that night; a window from there on must hold at 03:00, the next moment that does."""
    night = Window(datetime(2027, 3, 28, 2, 30), datetime(2027, 3, 28, 5), BERLIN)
    assert night.end_if_in_force(at("2027-03-28T03:00:00+02:00")) == at("2027-03-28T05:00:00+02:00")
    ending = Window(datetime(2027, 3, 28, 0), datetime(2027, 3, 28, 2, 30), BERLIN)
    assert ending.end_if_in_force(at("2027-03-28T03:29:00+02:00"))


def test_a_single_window_does_not_come_again() -> None:
    holidays = Window(datetime(2026, 12, 24, 18), datetime(2026, 12, 27), BERLIN)
    assert holidays.end_if_in_force(at("2026-12-25T12:00:00+01:00")) == at("2026-12-27T00:00:00+01:00")
    assert holidays.end_if_in_force(at("2027-01-01T12:00:00+01:00")) is None
    assert holidays.next_begin(at("2026-12-01T00:00:00+01:00")) == at("2026-12-24T18:00:00+01:00")
    assert holidays.next_begin(at("2026-12-28T00:00:00+01:00")) is None


starts = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda moment: moment.replace(microsecond=0))
lengths = st.timedeltas(timedelta(minutes=1), WEEK - timedelta(hours=3))
windows = st.builds(
    lambda begins, length, zone, is_weekly: Window(begins, begins + length, zone, is_weekly),
    starts, lengths, st.sampled_from(ZONES), st.booleans(),
)  # fmt: skip
moments = st.datetimes(datetime(2025, 12, 1), datetime(2028, 3, 1), timezones=st.just(UTC))


@given(windows, moments)
def test_it_holds_exactly_when_some_weeks_window_contains_the_moment(window: Window, now: datetime) -> None:
    spans = [window.occurrence(week) for week in range(120 if window.is_weekly else 1)]
    assert window.end_if_in_force(now) == next((ends for begins, ends in spans if begins <= now < ends), None)


@given(windows, st.integers(0, 60), st.floats(0, 0.999))
def test_the_wall_clock_says_that_it_is_frozen(window: Window, week: int, part: float) -> None:
    """Any moment whose wall-clock time lies between the two that were written is frozen, whatever the clocks do."""
    shift = week * WEEK if window.is_weekly else timedelta()
    wall = (window.begins + shift + part * (window.ends - window.begins)).replace(tzinfo=ZoneInfo(window.zone))
    for fold in (0, 1):
        instant = wall.replace(fold=fold).astimezone(UTC)
        shown = instant.astimezone(ZoneInfo(window.zone)).replace(tzinfo=None, fold=0)
        if shown == wall.replace(tzinfo=None, fold=0):  # a time that this clock does show
            assert window.end_if_in_force(instant) is not None


@given(windows, moments)
def test_the_next_begin_is_the_first_after_now(window: Window, now: datetime) -> None:
    begins = [window.occurrence(week)[0] for week in range(130 if window.is_weekly else 1)]
    assert window.next_begin(now) == min((each for each in begins if each > now), default=None)
