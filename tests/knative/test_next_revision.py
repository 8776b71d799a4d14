"""What the next revision gets: the others keep the rest in proportion, and nothing moves before it is ready."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.knative.changes import (
    ChangeRefused,
    Combined,
    Deploy,
    KeepDigest,
    RouteNewRevision,
    SetImage,
    SetLabels,
    SetRevisionName,
    SetTimeout,
    dump,
    load,
    name_of,
    permissions,
)
from console.knative.next_revision import share_of_next, split_for_next
from console.knative.objects import Service
from console.knative.traffic import LATEST, TrafficTarget, as_served, problems, shares
from tests import factories

OLD, NOW = "shop-00003", "shop-00004"


def follows(percent: int | None, tag: str | None = None) -> TrafficTarget:
    return TrafficTarget(None, percent, tag, follows_latest=True)


def told(targets: tuple[TrafficTarget, ...]) -> list[tuple[str, int, str]]:
    return sorted((one.name, one.percent or 0, one.tag or "") for one in targets)


@pytest.mark.parametrize(
    ("spec", "percent", "tag", "wanted"),
    [
        ((follows(100),), 10, "", [(LATEST, 10, ""), (NOW, 90, "")]),
        ((follows(100),), 0, "candidate", [(LATEST, 0, "candidate"), (NOW, 100, "")]),
        ((TrafficTarget(OLD, 100),), 0, "candidate", [(LATEST, 0, "candidate"), (OLD, 100, "")]),
        ((TrafficTarget(OLD, 100),), 100, "", [(LATEST, 100, "")]),
        ((TrafficTarget(OLD, 100, "stable"),), 100, "", [(LATEST, 100, ""), (OLD, 0, "stable")]),
        ((TrafficTarget(OLD, 50), follows(50)), 20, "", [(LATEST, 20, ""), (OLD, 40, ""), (NOW, 40, "")]),
        ((TrafficTarget(NOW, 90), follows(10)), 10, "", [(LATEST, 10, ""), (NOW, 90, "")]),
        ((TrafficTarget(NOW, 0, "now"), follows(100)), 25, "", [(LATEST, 25, ""), (NOW, 75, "now")]),
        ((follows(100, "live"),), 0, "try", [(LATEST, 0, "live"), (LATEST, 0, "try"), (NOW, 100, "")]),
        ((TrafficTarget(OLD, 100), TrafficTarget(NOW, 0, "try")), 0, "try", [(LATEST, 0, "try"), (OLD, 100, "")]),
        ((TrafficTarget(OLD, 100, "try"),), 0, "try", [(LATEST, 0, "try"), (OLD, 100, "")]),
        ((TrafficTarget(OLD, 100), follows(0, "try")), 30, "", [(LATEST, 30, "try"), (OLD, 70, "")]),
        ((TrafficTarget("a", 33), TrafficTarget("b", 33), TrafficTarget("c", 34)), 1, "",
         [(LATEST, 1, ""), ("a", 33, ""), ("b", 33, ""), ("c", 33, "")]),
    ],
)  # fmt: skip
def test_the_rest_stays_with_what_serves(spec, percent: int, tag: str, wanted: list[tuple[str, int, str]]) -> None:
    assert told(split_for_next(spec, NOW, percent, tag)) == sorted(wanted)


targets = st.builds(
    TrafficTarget, st.sampled_from(["a", "b", OLD, NOW]), st.integers(0, 100), st.none() | st.sampled_from("xyz")
) | st.builds(follows, st.integers(0, 100), st.none() | st.sampled_from("xyz"))
splits = st.lists(targets, min_size=1, max_size=5).filter(
    lambda found: sum(one.percent or 0 for one in found) == 100 and not problems(tuple(found))
) | st.sampled_from([[follows(100)], [TrafficTarget(OLD, 100)], [TrafficTarget(OLD, 60), follows(40, "x")]])


@given(splits, st.integers(0, 100), st.sampled_from(["", "x", "new"]))
def test_any_split_stays_one_that_the_webhook_takes(spec: list[TrafficTarget], percent: int, tag: str) -> None:
    after = split_for_next(tuple(spec), NOW, percent, tag)
    assert problems(after) == ()
    assert share_of_next(after) == percent
    assert [one.is_latest for one in after if tag and one.tag == tag] == ([True] if tag else [])
    others = {one.tag for one in spec if one.tag} - {tag}
    assert others <= {one.tag for one in after}, "no other tag is lost"


@given(splits, st.integers(0, 100))
def test_nothing_moves_before_the_new_revision_is_ready(spec: list[TrafficTarget], percent: int) -> None:
    """But to the one that serves as the latest, which stands in for it until then."""
    before, after = (shares(as_served(each, NOW)) for each in (spec, split_for_next(tuple(spec), NOW, percent)))
    if set(before) == {NOW}:
        assert after == before


@given(splits, st.integers(0, 100), st.sampled_from(["", "x"]))
def test_asking_twice_is_asking_once_while_nothing_new_is_ready(
    spec: list[TrafficTarget], percent: int, tag: str
) -> None:
    """A worker may apply a change for the second time."""
    if set(shares(as_served(spec, NOW))) == {NOW}:
        once = split_for_next(tuple(spec), NOW, percent, tag)
        assert told(split_for_next(once, NOW, percent, tag)) == told(once)


def service(**spec: Any) -> Service:
    raw = factories.service()
    raw["spec"] |= spec
    raw["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example.com/shop:1.4"
    return Service(raw)


def test_a_release_changes_the_template_and_the_split_at_once() -> None:
    change = Deploy((SetTimeout(9), RouteNewRevision(0, "try")))
    after = change.apply(service())
    assert after.template_spec["timeoutSeconds"] == 9
    assert ("@latest", "try") in [(one.name, one.tag) for one in after.spec_traffic]
    assert permissions(change) == {"deploy", "traffic"}


@pytest.mark.parametrize("parts", [(), (SetTimeout(120),), (SetLabels({"tier": "back"}),)], ids=str)
def test_a_share_without_a_new_revision_is_refused(parts: tuple[Any, ...]) -> None:
    with pytest.raises(ChangeRefused) as refused:
        Deploy((*parts, RouteNewRevision(10))).apply(service())
    assert (refused.value.problem.code, refused.value.problem.field) == ("no-new-revision", "share")


def test_where_nothing_is_ready_nothing_can_keep_the_rest() -> None:
    raw = copy.deepcopy(dict(service(traffic=[{"latestRevision": True, "percent": 100}]).raw))
    del raw["status"]["latestReadyRevisionName"]
    with pytest.raises(ChangeRefused) as refused:
        RouteNewRevision(10).apply(Service(raw))
    assert refused.value.problem.code == "no-ready-revision"
    assert RouteNewRevision(100).apply(Service(raw)).spec_traffic == Service(raw).spec_traffic


def test_what_serves_when_it_is_written_keeps_the_rest() -> None:
    """Not what served when it was reviewed: that would be a rollback that nobody asked for."""
    raw = copy.deepcopy(dict(service(traffic=[{"latestRevision": True, "percent": 100}]).raw))
    raw["status"]["latestReadyRevisionName"] = "shop-00005"
    assert told(RouteNewRevision(10).apply(Service(raw)).spec_traffic) == [(LATEST, 10, ""), ("shop-00005", 90, "")]


def test_a_pinned_build_does_not_take_the_new_revisions_name_away() -> None:
    keep, name = KeepDigest("app", "sha256:" + "a" * 64), SetRevisionName("shop-x")
    for kind in (Combined, Deploy):
        after = kind((SetTimeout(9), keep, name)).apply(service())
        assert after.template["metadata"]["name"] == "shop-x"
        assert after.containers[0].image.endswith("a" * 64)


def test_a_release_is_stored_under_its_own_kind_and_named_by_its_one_part() -> None:
    change = Deploy((SetTimeout(9), SetImage("app", "r.example.com/a:2"), RouteNewRevision(5, "x")))
    assert load(dump(change)) == change
    assert name_of(change) == "Deploy"
    assert name_of(Deploy((SetTimeout(9), RouteNewRevision(5)))) == "SetTimeout"


def test_operations_of_the_kinds_before_are_still_read() -> None:
    """What is in the queue at an upgrade."""
    parts = [{"kind": "SetTimeout", "seconds": 5}, {"kind": "KeepDigest", "container": "app", "digest": "sha256:1"}]
    stored = {"kind": "Combined", "changes": parts}
    assert load(stored) == Combined((SetTimeout(5), KeepDigest("app", "sha256:1")))
    assert name_of(load(stored)) == "SetTimeout"
