"""Traffic: truth, shares, and splits that cannot be wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.knative import traffic
from console.knative.objects import Service
from console.knative.problems import Problem
from console.knative.traffic import Kind, TrafficTarget
from console.sandbox.knative.validation.traffic import traffic_problems
from tests import factories, recording

KNOWN = {"shop-00001", "shop-00002", "shop-00003"}


def at(revision: str | None, percent: int | None, tag: str | None = None) -> TrafficTarget:
    return TrafficTarget(revision, percent, tag)


def codes(*targets: TrafficTarget) -> list[str]:
    return [problem.code for problem in traffic.problems(targets)]


def test_the_sum_is_refused_with_kns_own_words() -> None:
    (problem,) = traffic.problems([at("shop-00001", 50), at("shop-00002", 60)])
    assert str(problem) == "given traffic percents sum to 110, want 100"


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([at("shop-00001", 100)], []),
        ([at(None, 100)], []),
        ([at("shop-00001", 150), at(None, -50)], ["percent-range", "percent-range"]),
        ([at("shop-00001", 50, "blue"), at("shop-00002", 50, "blue")], ["tag-duplicate"]),
        ([at("shop-00001", 100, "Blue")], ["tag-invalid"]),
        ([at("shop-00001", 100, "a" * 64)], ["tag-invalid"]),
        ([at("shop-00001", 50), at("shop-00001", 50)], []),
        ([at("shop-00001", 50, "a"), at("shop-00001", 50, "b")], []),
        ([], ["sum"]),
    ],
)
def test_every_way_to_be_wrong_has_its_own_code(targets: list[TrafficTarget], expected: list[str]) -> None:
    assert codes(*targets) == expected


@pytest.mark.parametrize("text", ["-1", "101", "33.3", "abc", "1e2", "٣", "9999999999"])
def test_a_percent_that_is_no_whole_number_from_0_to_100_is_a_problem(text: str) -> None:
    assert isinstance(traffic.parse_percent(text, 0), Problem)


@pytest.mark.parametrize(("text", "value"), [("", None), (" 50 ", 50), ("25%", 25), ("100", 100), ("0", 0)])
def test_a_percent_may_be_typed_in_several_ways(text: str, value: int) -> None:
    assert traffic.parse_percent(text, 0) == value


def test_an_empty_split_follows_the_latest() -> None:
    truth = Service({"spec": {}, "status": {}}).truth
    assert (truth.kind, truth.new_revision_percent) == (Kind.FOLLOWS_LATEST, 100)


def test_a_split_among_named_revisions_gives_a_new_one_nothing_and_flags_the_newest_that_serves_nothing() -> None:
    raw = factories.service()
    assert Service(raw).truth.kind is Kind.PINNED
    assert not Service(raw).truth.newer_not_serving, "it gets 10%"
    raw["status"]["traffic"] = [{"revisionName": "shop-00003", "percent": 100}]
    assert Service(raw).truth.newer_not_serving


def test_a_share_for_latest_is_what_a_new_revision_will_get() -> None:
    service = Service(next(recording.services("split-latest-plus-named"))[1])
    truth = service.truth
    assert truth.kind is Kind.SPLIT
    assert truth.new_revision_percent == sum(t.percent or 0 for t in service.spec_traffic if t.is_latest)


def test_a_target_keeps_fields_that_this_console_does_not_know() -> None:
    target = TrafficTarget.read({"revisionName": "shop-00001", "percent": 100, "future": {"keep": 1}})
    assert target.to_spec()["future"] == {"keep": 1}


split_rows = st.lists(
    st.tuples(st.sampled_from([None, *sorted(KNOWN)]), st.integers(0, 100), st.none() | st.sampled_from("abc")),
    min_size=1,
    max_size=5,
)


@given(split_rows)
def test_a_split_is_refused_exactly_when_the_webhook_refuses_it(rows: list[tuple[str | None, int, str | None]]) -> None:
    targets = [at(*row) for row in rows]
    refused = traffic_problems([target.to_spec() for target in targets], has_configuration=True)
    assert bool(traffic.problems(targets)) == bool(refused)


@given(split_rows)
def test_the_truth_promises_what_the_targets_of_latest_get(rows: list[tuple[str | None, int, str | None]]) -> None:
    targets = [at(*row) for row in rows]
    truth = traffic.truth(targets, [], None)
    promised = sum(t.percent or 0 for t in targets if t.revision is None)
    assert truth.new_revision_percent == promised
    assert (truth.kind is Kind.PINNED) == (promised == 0)
    assert not truth.newer_not_serving, "there is no newer one"


def test_a_rollback_names_the_revision_that_followed_latest_meant() -> None:
    spec = (
        TrafficTarget(None, 60, follows_latest=True),
        TrafficTarget("shop-00003", 30),
        TrafficTarget("shop-00002", 10),
    )
    assert [(t.revision, t.percent) for t in traffic.as_served(spec, "shop-00003")] == [
        ("shop-00003", 90),
        ("shop-00002", 10),
    ]


def test_a_rollback_keeps_tags_on_entries_of_their_own() -> None:
    spec = (TrafficTarget(None, 100, follows_latest=True), TrafficTarget(None, 0, "next", follows_latest=True))
    assert [(t.revision, t.percent, t.tag) for t in traffic.as_served(spec, "a")] == [
        ("a", 100, None),
        ("a", 0, "next"),
    ]


def test_all_to_one_revision_keeps_every_tag() -> None:
    spec = (TrafficTarget("a", 90, "stable"), TrafficTarget("b", 10), TrafficTarget("b", 0, "next"))
    assert [(t.revision, t.percent, t.tag) for t in traffic.all_to("a", spec)] == [
        ("a", 100, "stable"),
        ("b", 0, "next"),
    ]
    assert [(t.revision, t.percent, t.tag) for t in traffic.all_to("c", spec)] == [
        ("c", 100, None),
        ("a", 0, "stable"),
        ("b", 0, "next"),
    ]
    assert traffic.problems(traffic.all_to(None, spec)) == ()


def test_all_to_one_revision_leaves_entries_without_a_share_as_they_are() -> None:
    spec = (TrafficTarget("a", 100), TrafficTarget("b", None, "old"), TrafficTarget("c", 0))
    assert [(t.revision, t.percent, t.tag) for t in traffic.all_to("c", spec)] == [
        ("b", None, "old"),
        ("c", 100, None),
    ]


def test_what_left_out_targets_had_goes_to_the_others_in_proportion() -> None:
    spec = (TrafficTarget("a", 50), TrafficTarget("b", 34), TrafficTarget("c", 16), TrafficTarget("d", 0, "old"))
    assert [(t.revision, t.percent) for t in traffic.without(spec, {"a"})] == [("b", 68), ("c", 32), ("d", 0)]
    assert [(t.revision, t.percent) for t in traffic.without(spec, {"b"})] == [("a", 76), ("c", 24), ("d", 0)]
    assert traffic.without(spec, {"d"}) == spec[:3]
    assert traffic.without(spec, {"a", "b", "c"}) == spec[3:], "nothing is left that could get it"


@given(split_rows, st.sets(st.sampled_from(sorted(KNOWN))))
def test_leaving_targets_out_keeps_the_total_wherever_anything_is_left(
    rows: list[tuple[str | None, int, str | None]], gone: set[str]
) -> None:
    targets = [at(*row) for row in rows]
    left = traffic.without(targets, gone)
    total = sum(t.percent or 0 for t in left)
    assert total in (0, sum(t.percent or 0 for t in targets))
    assert [(t.revision, t.tag) for t in left] == [(t.revision, t.tag) for t in targets if t.revision not in gone]
