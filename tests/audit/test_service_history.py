"""A service at a moment: whatever was changed, the answer at each moment is what the service was then."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.audit import service_history
from console.audit.models import LegalHold, ServiceFacts, ServiceMoment, WatchedCluster, WatchGap
from console.knative.objects import Service
from console.knative.portrait import differences, portrait, shown
from console.knative.redaction import seal_env
from console.knative.references import ServiceRef

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
LATER = BEGIN + timedelta(days=30)
KEY = b"a key of a test"


def service(image: str = "r/a:1", label: str = "x", value: str = "v", percent: int = 100, uid: str = "u1") -> Service:
    raw = {
        "metadata": {"name": "shop", "uid": uid, "generation": 2, "labels": {"tier": label}},
        "spec": {
            "template": {
                "metadata": {"annotations": {"autoscaling.knative.dev/min-scale": "1"}},
                "spec": {"containers": [{"name": "app", "image": image, "env": [{"name": "A", "value": value}]}]},
            },
            "traffic": [{"latestRevision": True, "percent": percent}, {"revisionName": "r1", "percent": 100 - percent}],
        },
        "status": {
            "observedGeneration": 2,
            "latestCreatedRevisionName": f"rev-{image[-1]}{value}",
            "traffic": [{"revisionName": "r1", "percent": 100}],
        },
    }
    return Service(seal_env(raw, KEY))


services = st.builds(
    service,
    image=st.sampled_from(["r/a:1", "r/a:2", "r/b:3"]),
    label=st.sampled_from(["x", "y"]),
    value=st.sampled_from(["v", "w", ""]),
    percent=st.sampled_from([0, 10, 100]),
    uid=st.sampled_from(["u1", "u2"]),
)
steps = st.lists(st.tuples(st.integers(0, 3600), st.none() | services), max_size=12)


def play(ref: ServiceRef, changes: list[tuple[int, Service | None]]) -> list[tuple[datetime, Service | None]]:
    """Keep each change as a watch would tell it; returns the model: what was from when on."""
    model: list[tuple[datetime, Service | None]] = []
    at, kept, exists = BEGIN, None, False
    for seconds, after in changes:
        at += timedelta(seconds=seconds)
        if after is None:
            if exists:
                service_history.note_gone(ref, at)
            kept, exists = None, False
        else:
            kept, exists = service_history.note(ref, after, at, kept, key="k"), True
        model.append((at, after))
    return model


def expected(model: list[tuple[datetime, Service | None]], moment: datetime) -> Any:
    found = None
    for at, after in model:
        if at <= moment:
            found = after
    return None if found is None else portrait(found, "k").facts


@settings(deadline=None, max_examples=20)
@given(changes=steps, moments=st.lists(st.integers(-10, 40_000), min_size=1, max_size=6))
def test_the_answer_at_each_moment_is_the_models(changes: list[tuple[int, Service | None]], moments: list[int]) -> None:
    ref = ServiceRef("box", "default", uuid.uuid4().hex)
    model = play(ref, changes)
    began = ServiceMoment.objects.filter(service=ref.name).order_by("at").first()
    edges = [at for at, _ in model] + [at - timedelta(microseconds=1) for at, _ in model]
    for moment in [BEGIN + timedelta(seconds=second) for second in moments] + edges:
        answer = service_history.at(ref, moment, LATER)
        assert answer.is_recorded == (began is not None and began.at <= moment)
        assert (answer.portrait.facts if answer.portrait else None) == expected(model, moment)


@settings(deadline=None, max_examples=12)
@given(changes=steps, cut=st.integers(0, 40_000))
def test_retention_forgets_what_was_before_and_changes_no_answer_after(
    changes: list[tuple[int, Service | None]], cut: int
) -> None:
    ref = ServiceRef("box", "default", uuid.uuid4().hex)
    model, limit = play(ref, changes), BEGIN + timedelta(seconds=cut)
    service_history.forget(limit)
    mine = ServiceMoment.objects.filter(service=ref.name, at__lt=limit)
    assert mine.count() <= 1
    for moment in [limit, *(at for at, _ in model if at >= limit), LATER]:
        answer = service_history.at(ref, moment, LATER)
        assert (answer.portrait.facts if answer.portrait else None) == expected(model, moment)
    used = {row for pair in ServiceMoment.objects.values_list("template", "routing") for row in pair if row}
    assert set(ServiceFacts.objects.values_list("digest", flat=True)) == used


REF = ServiceRef("box", "default", "shop")


def test_no_value_is_kept_or_shown_only_whether_it_is_another_one() -> None:
    kept = service_history.note(REF, service(value="kept-secret"), BEGIN, None, key="k")
    service_history.note(REF, service(value="another"), BEGIN + timedelta(hours=1), kept, key="k")
    facts = [service_history.at(REF, BEGIN + timedelta(hours=hour), LATER).portrait for hour in (0, 1)]
    (found,) = differences(facts[0].facts, facts[1].facts)
    assert (found.name, shown(found.before), shown(found.after)) == ("app/A", "value", "value")
    assert "kept-secret" not in str(facts[0].facts)


def test_digests_with_another_key_are_no_change() -> None:
    before, after = portrait(service(), "k1"), portrait(Service(seal_env(service().raw, b"other")), "k2")
    assert differences(before.facts, after.facts) == ()
    unsealed = portrait(Service({"spec": {"template": {"spec": {"containers": [{"name": "a", "env": [
        {"name": "A", "value": "in the clear"}]}]}}}}), "k")  # fmt: skip
    assert "in the clear" not in str(unsealed)


def test_going_back_and_forth_keeps_facts_once() -> None:
    kept = None
    for number in range(20):
        after = service(image=f"r/a:{number % 2}", percent=10 * (number % 3))
        kept = service_history.note(REF, after, BEGIN + timedelta(minutes=number), kept, key="k")
    assert ServiceMoment.objects.count() == 20
    assert ServiceFacts.objects.count() == 2 + 3


def test_what_happened_while_nobody_watched_is_told_as_one() -> None:
    WatchedCluster.objects.create(cluster="box", confirmed_at=BEGIN)
    kept = service_history.note(REF, service(), BEGIN, None, key="k")
    back = BEGIN + timedelta(hours=2)
    kept = service_history.note(REF, service(image="r/b:3"), back, kept, key="k")
    service_history.confirm("box", BEGIN, back, back)
    asked = service_history.at(REF, BEGIN + timedelta(hours=1), back)
    assert not asked.is_certain
    assert (asked.gap.begins, asked.gap.ends) == (BEGIN, back)
    assert asked.portrait.facts == portrait(service(), "k").facts
    assert asked.after_portrait.facts == portrait(service(image="r/b:3"), "k").facts
    assert service_history.at(REF, back, back).is_certain
    assert service_history.at(REF, BEGIN, back).is_certain


def test_a_silence_after_which_a_service_is_the_same_says_so() -> None:
    service_history.note(REF, service(), BEGIN, None, key="k")
    WatchGap.objects.create(cluster="box", begins=BEGIN, ends=BEGIN + timedelta(hours=2))
    asked = service_history.at(REF, BEGIN + timedelta(hours=1), LATER)
    assert asked.is_certain
    assert asked.gap is not None


def test_looks_that_follow_each_other_leave_no_gap() -> None:
    WatchedCluster.objects.create(cluster="box", confirmed_at=BEGIN)
    last = BEGIN
    for seconds in (5, 10, 60, 120):
        now = BEGIN + timedelta(seconds=seconds)
        service_history.confirm("box", last, now, now)
        last = now
    assert not WatchGap.objects.exists()
    assert WatchedCluster.objects.get().confirmed_at == last


def test_a_cluster_of_which_nothing_is_heard_leaves_the_present_unknown() -> None:
    WatchedCluster.objects.create(cluster="box", confirmed_at=BEGIN)
    service_history.note(REF, service(), BEGIN, None, key="k")
    asked = service_history.at(REF, BEGIN + timedelta(minutes=30), BEGIN + timedelta(hours=1))
    assert asked.silent_since == BEGIN
    assert not asked.is_certain


def test_the_image_of_a_revision_that_serves_is_that_of_its_own_template() -> None:
    kept = service_history.note(REF, service("r/a:1"), BEGIN, None, key="k")
    service_history.note(REF, service("r/b:3"), BEGIN + timedelta(hours=1), kept, key="k")
    first = ServiceMoment.objects.order_by("at").first()
    found = service_history.images_of(REF, "u1", [first.revision, "never-seen"])
    assert {name: [one.text for one in facts] for name, facts in found.items()} == {first.revision: ["r/a:1"]}


def test_clocks_that_differ_do_not_change_the_order() -> None:
    kept = service_history.note(REF, service(), BEGIN, None, key="k")
    service_history.note(REF, service("r/b:3"), BEGIN - timedelta(seconds=9), kept, key="k")
    assert service_history.at(REF, BEGIN, LATER).portrait.facts == portrait(service("r/b:3"), "k").facts


@pytest.mark.django_db
@pytest.mark.parametrize(("hold", "kept"), [({"namespace": "default"}, 4), ({"service": "other"}, 1), ({}, 4)])
def test_retention_keeps_what_a_service_under_a_legal_hold_was(hold: dict[str, str], kept: int) -> None:
    """The log may have no entry of it: what serves changes without one."""
    place = {"cluster": "box", "namespace": "default", **hold} if hold else {}
    LegalHold.objects.create(reason="case 12", placed_by="root", **place)
    for hour in range(4):
        service_history.note_gone(REF, BEGIN + timedelta(hours=hour))
    WatchGap.objects.create(cluster="box", begins=BEGIN, ends=BEGIN + timedelta(hours=1))
    service_history.note(REF, service(value="v"), BEGIN + timedelta(hours=5), None, key="k")
    service_history.forget(BEGIN + timedelta(hours=6))
    assert ServiceMoment.objects.count() == (kept + 1 if kept > 1 else 1)
    assert WatchGap.objects.exists()


@pytest.mark.django_db
def test_a_legal_hold_from_a_day_on_keeps_the_moment_that_its_time_begins_with() -> None:
    LegalHold.objects.create(reason="case 12", placed_by="root", cluster="box", since=BEGIN + timedelta(hours=3))
    state = None
    for hour in (0, 2, 4, 6):
        state = service_history.note(REF, service(value=f"v{hour}"), BEGIN + timedelta(hours=hour), state, key="k")
    service_history.forget(BEGIN + timedelta(hours=9))
    assert [moment.at for moment in ServiceMoment.objects.all()] == [BEGIN + timedelta(hours=at) for at in (2, 4, 6)]
