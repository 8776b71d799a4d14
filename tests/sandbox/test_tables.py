"""Ages as kubectl prints them, at the moments where their form changes."""

from __future__ import annotations

import pytest

from console.sandbox.tables.ages import DAY, HOUR, MINUTE, UNKNOWN, YEAR, age, human


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (2 * MINUTE, "2m"),
        (9 * MINUTE + 59, "9m59s"),
        (10 * MINUTE + 59, "10m"),
        (179 * MINUTE, "179m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + 5 * MINUTE, "3h5m"),
        (8 * HOUR - 1, "7h59m"),
        (8 * HOUR + 59 * MINUTE, "8h"),
        (47 * HOUR, "47h"),
        (2 * DAY, "2d"),
        (7 * DAY + 23 * HOUR, "7d23h"),
        (8 * DAY + 23 * HOUR, "8d"),
        (2 * YEAR - 1, "729d"),
        (2 * YEAR + DAY, "2y1d"),
        (8 * YEAR + 40 * DAY, "8y"),
    ],
)
def test_an_age_has_at_most_two_units(seconds: int, expected: str) -> None:
    assert human(seconds) == expected


def test_what_has_no_time_has_no_age() -> None:
    assert age(None) == UNKNOWN
