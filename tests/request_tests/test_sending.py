"""Requests through the ingress, and who answered."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from console.access.actors import Actor
from console.access.models import Grant, User
from console.audit.models import Entry
from console.knative.changes import Deploy, EnvEntry, RouteNewRevision, SetEnv, SplitTraffic
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.request_tests import sending
from console.request_tests.models import AccessTest
from console.request_tests.results import goodness, rows, statuses
from console.request_tests.sending import percentile
from tests.operations.factories import World
from tests.operations.steps import finish, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]


def test_a_split_is_answered_in_its_shares(world: World, ref: ServiceRef, deployer: Actor):
    finish(submit(SetEnv("app", (EnvEntry("TARGET", "Second"),)), ref, deployer))
    targets = (TrafficTarget(f"{ref.name}-00001", 50), TrafficTarget(f"{ref.name}-00002", 50))
    finish(submit(SplitTraffic(targets), ref, deployer))
    user = User.objects.get(pk=deployer.user_id)
    test = sending.start(ref, Service(world.get(ref.name)), count=100, user=user, actor=deployer)
    sending.send(test.id, threading.Event())
    test.refresh_from_db()
    assert (test.sent, test.failed, test.error) == (100, 0, "")
    assert 0 < test.median <= test.p95 <= test.slowest
    assert set(test.by_body) == {"Hello First!", "Hello Second!"}
    assert {row.revision: row.wanted for row in rows(test)} == {
        f"{ref.name}-00001": 50,
        f"{ref.name}-00002": 50,
    }
    fit = goodness(test)
    assert fit is not None
    assert fit.is_plausible


def test_requests_to_a_tag_are_answered_by_its_revision_alone_and_counted_by_status(
    world: World, ref: ServiceRef, deployer: Actor
):
    release = Deploy((SetEnv("app", (EnvEntry("TARGET", "Second"),)), RouteNewRevision(0, "candidate")))
    finish(submit(release, ref, deployer))
    user, service = User.objects.get(pk=deployer.user_id), Service(world.get(ref.name))
    test = sending.start(ref, service, count=5, user=user, actor=deployer, tag="candidate")
    sending.send(test.id, threading.Event())
    test.refresh_from_db()
    assert test.url.startswith("http://candidate-")
    assert [(row.revision, row.count, row.wanted) for row in rows(test)] == [(f"{ref.name}-00002", 5, 100)]
    assert statuses(test) == ((200, 5),)
    assert Entry.objects.get(action="view.AccessTest").text == "5 requests to the tag candidate"


@pytest.mark.parametrize("count", [0, 201, -1])
def test_only_1_to_200_requests(world: World, ref: ServiceRef, deployer: Actor, count: int):
    user = User.objects.get(pk=deployer.user_id)
    with pytest.raises(ValueError, match=str(count)):
        sending.start(ref, Service(world.get(ref.name)), count=count, user=user, actor=deployer)


def test_a_test_whose_worker_died_is_finished_by_the_sweep(world: World, ref: ServiceRef, deployer: Actor):
    user = User.objects.get(pk=deployer.user_id)
    test = sending.start(ref, Service(world.get(ref.name)), count=5, user=user, actor=deployer)
    AccessTest.objects.filter(id=test.id).update(started_at=timezone.now() - timedelta(hours=1))
    sending.end_interrupted()
    test.refresh_from_db()
    assert test.error == sending.CUT_SHORT


def test_the_log_says_once_how_a_test_ended(world: World, ref: ServiceRef, deployer: Actor):
    user, service = User.objects.get(pk=deployer.user_id), Service(world.get(ref.name))
    first = sending.start(ref, service, count=5, user=user, actor=deployer)
    sending.send(first.id, threading.Event())
    AccessTest.objects.filter(id=first.id).update(started_at=timezone.now() - timedelta(hours=1))
    sending.end_interrupted()
    second = sending.start(ref, service, count=5, user=user, actor=deployer)
    AccessTest.objects.filter(id=second.id).update(started_at=timezone.now() - timedelta(hours=1))
    sending.end_interrupted()
    sending.send(second.id, threading.Event())
    told = Entry.objects.filter(action="view.AccessTestEnd").order_by("sequence")
    assert [(one.actor, one.service, one.outcome, one.text) for one in told] == [
        (deployer.name, ref.name, "succeeded", "5 of 5 answered"),
        (deployer.name, ref.name, "failed", "0 of 5 answered"),
    ]


def test_nothing_is_sent_for_somebody_who_may_not_see_the_service_any_more(
    world: World, ref: ServiceRef, deployer: Actor
):
    user = User.objects.get(pk=deployer.user_id)
    test = sending.start(ref, Service(world.get(ref.name)), count=5, user=user, actor=deployer)
    Grant.objects.all().delete()
    sending.send(test.id, threading.Event())
    test.refresh_from_db()
    assert (test.sent, test.error) == (0, sending.NOT_ALLOWED)


def test_one_test_of_a_person_and_service_runs_at_a_time(world: World, ref: ServiceRef, deployer: Actor):
    user, service = User.objects.get(pk=deployer.user_id), Service(world.get(ref.name))
    first = sending.start(ref, service, count=5, user=user, actor=deployer)
    with pytest.raises(sending.TooMany) as refused:
        sending.start(ref, service, count=5, user=user, actor=deployer)
    assert refused.value.running == first
    assert AccessTest.objects.count() == 1
    sending.send(first.id, threading.Event())
    sending.start(ref, service, count=5, user=user, actor=deployer)


def test_a_person_of_small_rights_cannot_fill_the_worker(world: World, ref: ServiceRef, deployer: Actor, viewer: Actor):
    """Tests of many services, by one who may only look: beyond a few nobody begins another."""
    user, service = User.objects.get(pk=viewer.user_id), Service(world.get(ref.name))
    for number in range(sending.MAX_RUNNING):
        other = ServiceRef(ref.cluster, ref.namespace, f"other-{number}")
        sending.start(other, service, count=200, user=user, actor=viewer)
    with pytest.raises(sending.TooMany) as refused:
        sending.start(ref, service, count=1, user=user, actor=viewer)
    assert refused.value.running is None


def test_tests_of_long_ago_are_forgotten(world: World, ref: ServiceRef, deployer: Actor):
    user = User.objects.get(pk=deployer.user_id)
    test = sending.start(ref, Service(world.get(ref.name)), count=5, user=user, actor=deployer)
    assert sending.forget_old() == 0
    AccessTest.objects.filter(id=test.id).update(started_at=timezone.now() - timedelta(days=31))
    assert sending.forget_old() == 1


@pytest.mark.parametrize(("percent", "expected"), [(50, 2.0), (95, 4.0), (100, 4.0), (1, 1.0)])
def test_a_percentile_is_one_of_the_values_that_were_measured(percent: int, expected: float):
    assert percentile([4.0, 1.0, 3.0, 2.0], percent) == expected
