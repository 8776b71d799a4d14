"""What the charts draw of their facts, and that they draw nothing where nothing is known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from console.operations.traffic_history import Step
from console.request_tests.models import AccessTest
from console.web.charts import days, requests, traffic
from console.web.charts.axes import BASE, TOP, TimeAxis

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def drawn(chart) -> list[tuple[str, str, str]]:
    return [(mark.css, mark.x, mark.width) for mark in chart.marks]


def test_days_are_stacked_from_the_axis_up_and_an_empty_day_has_no_column() -> None:
    found = days.changes([(date(2026, 11, 1), (2, 0, 2)), (date(2026, 11, 2), (0, 0, 0))])
    assert [(mark.css, mark.y, mark.height) for mark in found.marks] == [
        ("chart-good", "78.00", "70.00"),
        ("chart-failed", f"{TOP:.2f}", "70.00"),
    ]
    assert [mark.title for mark in found.marks] == ["1 Nov · Succeeded: 2", "1 Nov · Failed: 2"]
    assert [key.label for key in found.legend] == ["Succeeded", "Stopped by people or rules", "Failed"]


def test_changes_from_outside_are_named_where_they_are_counted() -> None:
    found = days.changes([(date(2026, 11, 1), (1, 0, 0, 3))])
    assert found.legend[-1].label == "External"
    assert float(found.marks[-1].y) + float(found.marks[-1].height) < BASE


def step(begin: int, end: int, shares) -> Step:
    return Step(NOW - timedelta(days=begin), NOW - timedelta(days=end), shares)


def test_traffic_is_one_band_a_revision_and_a_stretch_that_nobody_knows_is_empty() -> None:
    steps = [step(10, 6, {"a-00001": 100}), step(6, 2, None), step(2, 0, {"a-00001": 25, "a-00002": 75})]
    axis = TimeAxis(NOW - timedelta(days=10), NOW)
    found = traffic.chart(steps, axis, lambda _: "title", lambda one: f"?{one.begin:%d}")
    assert drawn(found) == [
        ("rev-1", "0.000%", "40.000%"),
        ("rev-1", "80.000%", "20.000%"),
        ("rev-2", "80.000%", "20.000%"),
    ]
    assert [key.label for key in found.legend] == ["a-00001", "a-00002"]
    assert {mark.href for mark in found.marks} == {"?10", "?18"}


def test_the_oldest_revision_is_lowest_and_all_shares_fill_the_height() -> None:
    found = traffic.chart([step(1, 0, {"b": 10, "a": 90})], TimeAxis(NOW - timedelta(days=1), NOW), str, str)
    assert [float(mark.y) for mark in found.marks] == [TOP + 14, TOP]
    assert sum(float(mark.height) for mark in found.marks) == BASE - TOP


def test_a_test_is_a_column_of_who_answered_and_what_failed() -> None:
    test = AccessTest(sent=10, failed=1, by_revision={"a-00001": 6, "?": 3}, started_at=NOW)
    unsent = AccessTest(sent=0, started_at=NOW)
    found = requests.chart([test, unsent], str.upper, lambda one: str(one.id))
    assert [(mark.css, round(float(mark.height) / 1.4)) for mark in found.marks] == [
        ("chart-rest", 30),
        ("rev-1", 60),
        ("chart-failed", 10),
    ]
    assert found.marks[0].title == "20 Nov 00:00 · ?: 3/10"
    assert [tick.label for tick in found.x_ticks] == ["20 Nov"]


def test_few_tests_stand_as_columns_and_many_fill_the_chart() -> None:
    def widest(count: int) -> float:
        tests = [AccessTest(sent=1, by_revision={"a": 1}, started_at=NOW) for _ in range(count)]
        marks = requests.chart(tests, str, str).marks
        return max(float(mark.x.rstrip("%")) + float(mark.width.rstrip("%")) for mark in marks)

    assert widest(1) < 20
    assert widest(20) > 95


def test_dates_below_tests_do_not_overlap() -> None:
    tests = [AccessTest(sent=1, by_revision={"a": 1}, started_at=NOW + timedelta(days=each)) for each in range(30)]
    assert len(requests.chart(tests, str, str).x_ticks) <= 7
