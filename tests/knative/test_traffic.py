"""Traffic: truth, shares, and splits that cannot be wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.knative import traffic
from console.knative.objects import Service
from console.knative.traffic import Kind, Problem, TrafficTarget
from tests import factories, recording

KNOWN = {"shop-00001", "shop-00002", "shop-00003"}


def at(revision: str | None, percent: int | None, tag: str | None = None) -> TrafficTarget:
    return TrafficTarget(revision, percent, tag)


def codes(*targets: TrafficTarget) -> list[str]:
    return [problem.code for problem in traffic.problems(targets, KNOWN)]


def test_the_sum_is_refused_with_kns_own_words() -> None:
    (problem,) = traffic.problems([at("shop-00001", 50), at("shop-00002", 60)], KNOWN)
    assert str(problem) == "given traffic percents sum to 110, want 100"


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([at("shop-00001", 100)], []),
        ([at(None, 100)], []),
        ([at("shop-00009", 100)], ["revision-unknown"]),
        ([at("shop-00001", 150), at(None, -50)], ["percent-range", "percent-range"]),
        ([at("shop-00001", 50, "blue"), at("shop-00002", 50, "blue")], ["tag-duplicate"]),
        ([at("shop-00001", 100, "Blue")], ["tag-invalid"]),
        ([at("shop-00001", 100, "a" * 64)], ["tag-invalid"]),
        ([at("shop-00001", 50), at("shop-00001", 50)], ["target-duplicate"]),
        ([at("shop-00001", 50, "a"), at("shop-00001", 50, "b")], []),
        ([], ["no-targets"]),
    ],
)
def test_every_way_to_be_wrong_has_its_own_code(targets: list[TrafficTarget], expected: list[str]) -> None:
    assert codes(*targets) == expected


@pytest.mark.parametrize("text", ["-1", "101", "33.3", "abc", "1e2", "٣", "9999999999"])
def test_a_percent_that_is_no_whole_number_from_0_to_100_is_a_problem(text: str) -> None:
    assert isinstance(traffic.parse_percent(text, 0), Problem)


@pytest.mark.parametrize(("text", "value"), [("", 0), (" 50 ", 50), ("25%", 25), ("100", 100), ("0", 0)])
def test_a_percent_may_be_typed_in_several_ways(text: str, value: int) -> None:
    assert traffic.parse_percent(text, 0) == value


@given(st.integers(1, 100))
def test_an_even_split_always_sums_to_one_hundred(count: int) -> None:
    percents = traffic.even(count)
    assert sum(percents) == 100
    assert max(percents) - min(percents) <= 1


@given(st.lists(st.integers(0, 100), min_size=1, max_size=6), st.data())
def test_balancing_fills_the_one_gap_to_one_hundred_or_says_why_not(percents: list[int], data: st.DataObject) -> None:
    gap = data.draw(st.integers(0, len(percents) - 1))
    holed: list[int | None] = [None if index == gap else percent for index, percent in enumerate(percents)]
    given_sum = sum(percent or 0 for percent in holed)
    balanced = traffic.balance(holed)
    if given_sum > 100:
        assert balanced == Problem("sum", {"sum": given_sum})
    else:
        assert isinstance(balanced, tuple)
        assert sum(balanced) == 100


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(KNOWN)), st.integers(0, 100), st.sampled_from([None, "a", "b"])), max_size=5
    )
)
def test_compacting_loses_no_tag_and_no_traffic(rows: list[tuple[str, int, str | None]]) -> None:
    targets = [at(*row) for row in rows]
    kept = traffic.compact(targets)
    assert [t.tag for t in kept if t.tag] == [t.tag for t in targets if t.tag]
    assert traffic.shares(kept) == traffic.shares(targets)


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


@pytest.mark.parametrize("name", traffic.PRESETS)
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_preset_that_fits_sums_to_one_hundred_and_keeps_every_tag(name: str, count: int) -> None:
    targets = [at(f"shop-{index:05}", None, f"t{index}") for index in range(count)]
    split = traffic.preset(name, targets)
    assert [(t.revision, t.tag) for t in split] == [(t.revision, t.tag) for t in targets]
    if count >= len(traffic.PRESETS[name]):
        assert sum(t.percent or 0 for t in split) == 100


split_rows = st.lists(
    st.tuples(st.sampled_from([None, *sorted(KNOWN)]), st.integers(0, 100), st.none() | st.sampled_from("abc")),
    min_size=1,
    max_size=5,
)


@given(split_rows)
def test_what_passes_is_what_the_webhook_would_take(rows: list[tuple[str | None, int, str | None]]) -> None:
    """Its rules: percents from 0 to 100 that sum to 100, tags that stand once (route_validation.go)."""
    targets = [at(*row) for row in rows]
    tags = [t.tag for t in targets if t.tag]
    if not traffic.problems(targets, KNOWN):
        assert sum(t.percent or 0 for t in targets) == 100
        assert len(set(tags)) == len(tags)
    elif sum(t.percent or 0 for t in targets) == 100 and len(set(tags)) == len(tags):
        assert {p.code for p in traffic.problems(targets, KNOWN)} == {"target-duplicate"}, "kn's own rule"


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
    assert traffic.problems(traffic.all_to(None, spec), ["a", "b"]) == ()
