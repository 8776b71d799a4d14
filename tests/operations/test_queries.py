"""What the page of an operation tells beyond its timeline: what is usual, whom it has to do with, both sides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.knative import changes
from console.knative.changes import Change, Combined, ReplaceManifest, SetAnnotations, SetLabels, SplitTraffic
from console.knative.traffic import TrafficTarget
from console.operations import queries
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.operations.submitting import rollback
from console.sealing import seal
from tests import factories

pytestmark = pytest.mark.django_db


def operation(**more) -> Operation:
    at = more.pop("at", timezone.now())
    took = more.pop("took", None)
    base = {
        "cluster": "box", "namespace": "default", "name": "shop", "kind": "SetEnv", "actor": "dora",
        "sealed_change": seal({"kind": "SplitTraffic", "targets": []}), "sealed_seen": seal(factories.service()),
        "status": Status.SUCCEEDED, "submitted_at": at, "finished_at": at + timedelta(seconds=took) if took else None,
    }  # fmt: skip
    return Operation.objects.create(**base | more)


def test_what_is_usual_is_of_the_same_kind_on_the_same_service() -> None:
    early = timezone.now() - timedelta(days=1)
    for took in (2, 3, 10):
        operation(at=early, took=took, phases={"accepted": 0, "ready": took - 1})
    for took in (100, 100, 100):
        operation(at=early, took=took, kind="SetImage")
        operation(at=early, took=took, name="other")
        operation(at=early, took=took, status=Status.FAILED)
    found = queries.usual(operation(status=Status.FOLLOWING))
    assert found is not None
    assert found.seconds == 3
    assert found.phases == {"accepted": 0, "ready": 2}


def test_two_earlier_ones_are_too_few_to_be_usual() -> None:
    for took in (2, 3):
        operation(at=timezone.now() - timedelta(days=1), took=took)
    assert queries.usual(operation(status=Status.FOLLOWING)) is None


def test_relatives_are_found_from_both_ends() -> None:
    first = operation(status=Status.FAILED)
    again = operation(retry_of=first)
    gave_way = operation(status=Status.SUPERSEDED, cause={"code": "superseded", "facts": {"operation": str(again.id)}})
    operation(status=Status.SUPERSEDED, name="other", cause={"facts": {"operation": str(again.id)}})
    assert queries.relatives(first).retries == (again,)
    assert queries.relatives(again).superseded == (gave_way,)
    assert queries.relatives(gave_way) == queries.Relatives((), (), "")


def test_who_cancelled_is_told() -> None:
    one = operation(status=Status.CANCELLED)
    audit.record("operation.cancel", actor=Actor(None, "olga"), ref=one.ref, outcome=audit.Outcome.REQUESTED,
                 operation=one.id)  # fmt: skip
    assert queries.relatives(one).cancelled_by == "olga"


def test_a_conflict_shows_what_each_side_wanted() -> None:
    path = ["spec", "template", "spec", "containers", "app", "image"]
    field = "spec.template.spec.containers[app].image"
    one = operation(
        status=Status.CONFLICTED,
        changes=[{"path": path, "before": "a:1", "after": "a:2", "secret": False}],
        cause={"code": "conflict", "conflicts": [{"field": field, "was": "a:1", "theirs": "a:3"}]},
    )
    assert queries.both_sides(one) == (queries.Side(field, "a:1", "a:3", "a:2"),)


SPLIT = SplitTraffic((TrafficTarget(None, 100),))


def of(change: Change) -> dict:
    return {"kind": changes.name_of(change), "sealed_change": seal(changes.dump(change))}


@pytest.mark.parametrize(
    ("more", "possible"),
    [
        ({"makes_revision": True, "is_written": True}, True),
        ({**of(SPLIT), "is_written": True}, True),
        ({**of(SetLabels({"tier": "back"})), "is_written": True}, False),
        ({**of(Combined((SetLabels({"tier": "back"}), SPLIT))), "is_written": True}, True),
        ({**of(Combined((SetLabels({"tier": "back"}), SetAnnotations({"a": "b"})))), "is_written": True}, False),
        ({**of(ReplaceManifest(factories.service())), "is_written": True}, True),
        ({"makes_revision": True, "is_written": False}, False),
        ({"makes_revision": True, "is_written": True, "status": Status.FOLLOWING}, False),
        ({"kind": "CreateService", "makes_revision": True, "is_written": True, "sealed_seen": seal({})}, False),
    ],
)
def test_a_rollback_is_offered_where_there_is_something_to_go_back_to(more: dict, possible: bool) -> None:
    assert rollback.is_possible(operation(**more)) is possible


def test_after_a_new_revision_a_rollback_names_the_one_that_was_latest() -> None:
    raw = factories.service()
    raw["spec"]["traffic"] = [{"latestRevision": True, "percent": 100, "tag": "live"}]
    made = operation(makes_revision=True, is_written=True, sealed_seen=seal(raw))
    assert [(t.revision, t.percent, t.tag) for t in rollback.change_of(made).targets] == [("shop-00004", 100, "live")]
    split = operation(kind="SplitTraffic", is_written=True, sealed_seen=seal(raw))
    assert rollback.change_of(split).targets[0].is_latest, "a split is taken back as it was"


def test_the_time_that_was_waited_in_vain_is_in_the_picture() -> None:
    failed = operation(
        status=Status.FAILED, makes_revision=True, phases={"accepted": 0, "revision-created": 1}, elapsed=6
    )
    last = queries.phase_spans(failed)[-1]
    assert (last.name, last.start, last.seconds, last.reached_at) == (queries.ENDED, 1, 5, 6)
    done = operation(makes_revision=True, phases={"accepted": 0, "load-balancer": 2}, elapsed=2)
    assert queries.phase_spans(done)[-1].name == "load-balancer"
