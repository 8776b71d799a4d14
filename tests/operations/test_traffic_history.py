"""Who served when: what operations and the audit log say, and nothing where they do not agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console import audit
from console.access.actors import Actor
from console.audit import Outcome
from console.knative import changes
from console.knative.changes import EnvEntry, SetEnv, SplitTraffic
from console.knative.diff import FieldChange, diff
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.operations.models import Operation
from console.operations.traffic_history import Recorded, history, read, steps
from console.sealing import seal
from tests.operations.factories import manifest

DAY = timedelta(days=1)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
REF = ServiceRef("box", "default", "hello")
OLD, NEW = {"hello-00001": 100}, {"hello-00002": 100}


def at(days_ago: float) -> datetime:
    return NOW - days_ago * DAY


def said(found) -> list[tuple[float, Any]]:
    """Each step by how many days ago it began, and its shares."""
    return [((NOW - step.begin) / DAY, step.shares) for step in found]


def test_what_one_change_left_serves_until_the_next_one() -> None:
    recorded = [Recorded(at(9), OLD, NEW), Recorded(at(3), NEW, OLD)]
    assert said(steps(recorded, None, NOW, OLD)) == [(9, NEW), (3, OLD)]


def test_where_two_changes_disagree_nobody_is_said_to_have_served() -> None:
    recorded = [Recorded(at(9), OLD, NEW), Recorded(at(3), OLD, NEW)]
    assert said(steps(recorded, None, NOW, OLD)) == [(9, None), (3, None)]


def test_a_change_that_does_not_say_what_it_left_is_told_by_what_the_next_one_found() -> None:
    recorded = [Recorded(at(9), OLD, None), Recorded(at(3), NEW, None)]
    assert said(steps(recorded, None, NOW, OLD)) == [(9, NEW), (3, OLD)]
    assert said(steps([Recorded(at(9), None, None)], None, NOW, None)) == [(9, None)]


def test_what_a_change_saw_before_another_one_came_in_between_says_nothing() -> None:
    waited = Recorded(at(3), OLD, OLD, seen_at=at(10))
    assert said(steps([Recorded(at(9), OLD, NEW), waited], None, NOW, OLD)) == [(9, NEW), (3, OLD)]


def test_before_the_first_change_the_record_begins_when_outside_changes_were_watched() -> None:
    recorded = [Recorded(at(3), OLD, NEW)]
    assert said(steps(recorded, at(5), NOW, NEW)) == [(5, OLD), (3, NEW)]
    assert said(steps(recorded, at(1), NOW, NEW)) == [(3, NEW)]
    assert said(steps([], at(5), NOW, NEW)) == [(5, NEW)]
    assert steps([], None, NOW, NEW) == []


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("90% hello-00001, 10% hello-00002 #candidate", {"hello-00001": 90, "hello-00002": 10}),
        ("50% a #one, 50% a", {"a": 100}),
        ("0% a, 100% b", {"b": 100}),
        ("100% @latest", None),
        ("", None),
        (None, None),
    ],
)
def test_a_split_is_read_from_a_difference_unless_it_depends_on_the_latest_revision(text, shares) -> None:
    assert read(text) == shares


def service(serving: dict[str, int], spec: list[dict[str, Any]] | None = None) -> Service:
    raw = manifest("hello", generation=3)
    raw["spec"]["traffic"] = spec or [{"latestRevision": True, "percent": 100}]
    raw["status"] = {
        "latestReadyRevisionName": max(serving),
        "traffic": [{"revisionName": name, "percent": percent} for name, percent in serving.items()],
    }
    return Service(raw)


def make(change: changes.Change, seen: Service, *, days_ago: float, **more: Any) -> Operation:
    rows = diff(seen.raw, change.apply(seen).raw)
    facts = {"status": "succeeded", "is_written": True, "actor": "dora", **more}
    return Operation.objects.create(
        cluster="box", namespace="default", name="hello", kind=changes.name_of(change),
        sealed_change=seal(changes.dump(change)), sealed_seen=seal(dict(seen.raw)),
        changes=[{"path": row.path, "before": row.before, "after": row.after} for row in rows],
        submitted_at=at(days_ago), finished_at=at(days_ago) + timedelta(seconds=3), **facts,
    )  # fmt: skip


DEPLOY = SetEnv("app", (EnvEntry("TARGET", "Second"),))
HALVES = SplitTraffic((TrafficTarget("hello-00001", 50), TrafficTarget("hello-00002", 50)))


def shares_of(found) -> list[Any]:
    return [step.shares for step in found]


@pytest.mark.django_db
def test_a_deployment_and_a_split_are_steps_with_their_author() -> None:
    deployed = make(DEPLOY, service(OLD), days_ago=5, makes_revision=True, revision="hello-00002")
    split = make(HALVES, service(NEW), days_ago=2)
    found = history(REF, NOW, {"hello-00001": 50, "hello-00002": 50}, at(14))
    assert shares_of(found) == [NEW, {"hello-00001": 50, "hello-00002": 50}]
    assert [step.by.operation for step in found] == [deployed.id, split.id]
    assert found[-1].end == NOW


@pytest.mark.django_db
def test_a_failed_deployment_left_the_traffic_where_it_was() -> None:
    make(DEPLOY, service(OLD), days_ago=5, makes_revision=True, revision="hello-00002", status="failed")
    assert shares_of(history(REF, NOW, OLD, at(14))) == [OLD]


@pytest.mark.django_db
def test_a_change_that_moves_no_traffic_is_no_step_and_neither_is_one_that_was_not_written() -> None:
    make(changes.SetLabels({"tier": "back"}), service(OLD), days_ago=5)
    make(HALVES, service(OLD), days_ago=4, is_written=False, status="conflicted")
    assert history(REF, NOW, OLD, at(14)) == ()


@pytest.mark.django_db
def test_a_change_of_traffic_from_outside_is_a_step_of_its_own() -> None:
    make(DEPLOY, service(OLD), days_ago=5, makes_revision=True, revision="hello-00002")
    rows = [FieldChange(("spec", "traffic"), "100% @latest", "100% hello-00001")]
    entry = audit.record(
        "outside.change", actor=Actor(None, "bob"), ref=REF, outcome=Outcome.SUCCEEDED, changes=rows, text="kubectl"
    )
    now = entry.at + DAY
    found = history(REF, now, OLD, at(14))
    assert shares_of(found) == [NEW, OLD]
    assert (found[-1].by.actor, found[-1].by.entry, found[-1].by.operation) == ("bob", entry.sequence, None)


@pytest.mark.django_db
def test_labels_that_somebody_changed_outside_are_no_step() -> None:
    rows = [FieldChange(("metadata", "labels", "team"), None, "front")]
    audit.record("outside.change", actor=Actor(None, ""), ref=REF, outcome=Outcome.SUCCEEDED, changes=rows)
    assert history(REF, NOW, OLD, at(14)) == ()


@pytest.mark.django_db
def test_what_began_before_the_time_shown_is_cut_and_counts() -> None:
    make(DEPLOY, service(OLD), days_ago=20, makes_revision=True, revision="hello-00002")
    assert said(history(REF, NOW, NEW, at(14))) == [(14, NEW)]


@pytest.mark.django_db
def test_of_what_came_before_the_time_shown_only_the_last_change_is_read() -> None:
    for days_ago in (40, 30, 20):
        make(DEPLOY, service(OLD), days_ago=days_ago, makes_revision=True, revision="hello-00002")
    Operation.objects.exclude(submitted_at=at(20)).update(sealed_seen=b"nobody decrypts this")
    assert said(history(REF, NOW, NEW, at(14))) == [(14, NEW)]
