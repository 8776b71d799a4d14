"""Elapsed time, whichever worker measures it and whatever happens to the wall clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from console.operations.stopwatch import Stopwatch, mark

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_on_one_machine_a_wall_clock_that_is_set_changes_nothing():
    for jump in (timedelta(hours=3), timedelta(hours=-3)):
        watch = Stopwatch(10, mark(100.0), NOON, clock=lambda: 104.5, now=lambda jump=jump: NOON + jump)
        assert watch.seconds == 14.5


def test_on_another_machine_the_wall_clock_counts_but_never_backwards():
    stamp = "another-boot 100.0"
    assert Stopwatch(10, stamp, NOON, clock=lambda: 5.0, now=lambda: NOON + timedelta(seconds=7)).seconds == 17
    assert Stopwatch(10, stamp, NOON, clock=lambda: 5.0, now=lambda: NOON - timedelta(seconds=7)).seconds == 10


def test_time_goes_on_between_two_readings():
    moments = iter([100.0, 100.0, 100.0, 102.0])
    watch = Stopwatch(1, mark(100.0), NOON, clock=lambda: next(moments), now=lambda: NOON)
    assert watch.seconds == 3
