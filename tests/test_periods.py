"""Days, times and zones of addresses: each reading, and the hours that clocks show twice or never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.periods import FIELDS, ZONES, moment, parts, period

BERLIN = {"zone": "Europe/Berlin"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "since", "until"),
    [
        ({}, None, None),
        ({"since": "2026-11-24"}, at("2026-11-24T00:00"), None),
        ({"until": "2026-11-24"}, None, at("2026-11-25T00:00")),
        ({"until": "2026-11-24", "until_time": "14:00"}, None, at("2026-11-24T14:00")),
        ({"since": "2026-11-24", "since_time": "14:00", **BERLIN}, at("2026-11-24T13:00"), None),
        ({"since": "2026-07-24", "until": "2026-07-24", **BERLIN}, at("2026-07-23T22:00"), at("2026-07-24T22:00")),
        ({"since": "2026-11-24T14:00", **BERLIN}, at("2026-11-24T13:00"), None),
        ({"since": "2026-11-24T14:00+05:00", **BERLIN}, at("2026-11-24T09:00"), None),
        # The clocks of 2026-10-25 show 02:30 twice: the period is the longer one.
        (
            {"since": "2026-10-25", "since_time": "02:30", "until": "2026-10-25", "until_time": "02:30", **BERLIN},
            at("2026-10-25T00:30"),
            at("2026-10-25T01:30"),
        ),
    ],
)
def test_a_period_is_read_on_the_clocks_of_its_zone(query: dict[str, str], since: datetime, until: datetime) -> None:
    found = period(query)
    assert (found.since, found.until, found.problems) == (since, until, frozenset())


@pytest.mark.parametrize(
    ("query", "problems"),
    [
        ({"since": "soon"}, {"since"}),
        ({"since_time": "14:00"}, {"since"}),
        ({"since": "2026-11-24", "since_time": "25:00"}, {"since"}),
        ({"until": "9999-12-31"}, {"until"}),
        ({"since": "0001-01-01", "zone": "Asia/Tokyo"}, {"since"}),
        ({"zone": "Europe/Berlim"}, {"zone"}),
        ({"zone": "../../etc/passwd"}, {"zone"}),
        ({"zone": "/etc/passwd"}, {"zone"}),
        ({"zone": "\0"}, {"zone"}),
        ({"since": "2026-11-25", "until": "2026-11-24"}, {"until"}),
    ],
)
def test_what_cannot_be_read_is_told_by_its_field(query: dict[str, str], problems: set[str]) -> None:
    assert period(query).problems == problems


@given(
    told=st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)), zone=st.sampled_from(ZONES), name=st.just("at")
)  # fmt: skip
def test_a_moment_that_is_shown_in_fields_is_read_back_as_it_was(told: datetime, zone: str, name: str) -> None:
    whole = told.replace(microsecond=0, tzinfo=UTC)
    day, clock = parts({name: whole.isoformat(), "zone": zone}, name)
    read_back, problems = moment({name: day, f"{name}_time": clock, "zone": zone}, name)
    assert not problems
    assert read_back is not None
    assert read_back.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == whole.astimezone(ZoneInfo(zone)).replace(
        tzinfo=None
    )
    assert whole - read_back in (timedelta(0), timedelta(hours=1), timedelta(minutes=30))


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=30)))
def test_no_address_makes_it_fail(query: dict[str, str]) -> None:
    found = period(query)
    assert found.problems <= {"since", "until", "zone"}
    for name in ("since", "until"):
        parts(query, name)


@pytest.mark.parametrize("day", ["0001-01-01T00:00Z", "1969-12-31", "9999-12-30", "9999-12-31T23:59Z", "9" * 5000])
def test_a_moment_that_some_clocks_cannot_show_is_refused(day: str) -> None:
    assert moment({"at": day}, "at") == (None, {"at"})


@pytest.mark.parametrize("zone", ["../../etc/passwd", "/etc/localtime", "Europe", "x" * 10_000, "\ud800", "UTC\0"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    assert moment({"at": "2026-11-24", "zone": zone}, "at")[1] == {"zone"}


def test_a_time_of_day_with_an_offset_is_refused_beside_a_zone() -> None:
    assert moment({"at": "2026-11-24", "at_time": "10:00+05:00", **BERLIN}, "at") == (None, {"at"})
