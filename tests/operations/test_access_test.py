"""Requests through the ingress, and who answered."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone

from console.access.actors import Actor
from console.access.models import Grant, User
from console.audit.tasks import forward
from console.knative.changes import EnvEntry, SetEnv, SplitTraffic
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.operations import access_tests, tasks
from console.operations.models import AccessTest
from tests.operations.factories import World
from tests.operations.steps import finish, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]


def test_a_split_is_answered_in_its_shares(world: World, ref: ServiceRef, deployer: Actor):
    finish(submit(SetEnv("app", (EnvEntry("TARGET", "Second"),)), ref, deployer))
    targets = (TrafficTarget(f"{ref.name}-00001", 50), TrafficTarget(f"{ref.name}-00002", 50))
    finish(submit(SplitTraffic(targets), ref, deployer))
    user = User.objects.get(pk=deployer.user_id)
    test = access_tests.start(ref, Service(world.get(ref.name)), count=100, user=user, actor=deployer)
    access_tests.send(test.id, threading.Event())
    test.refresh_from_db()
    assert (test.sent, test.failed, test.error) == (100, 0, "")
    assert set(test.by_body) == {"Hello First!", "Hello Second!"}
    assert {row.revision: row.wanted for row in access_tests.rows(test)} == {
        f"{ref.name}-00001": 50,
        f"{ref.name}-00002": 50,
    }
    fit = access_tests.goodness(test)
    assert fit is not None
    assert fit.is_plausible


@pytest.mark.parametrize("count", [0, 201, -1])
def test_only_1_to_200_requests(world: World, ref: ServiceRef, deployer: Actor, count: int):
    user = User.objects.get(pk=deployer.user_id)
    with pytest.raises(ValueError, match=str(count)):
        access_tests.start(ref, Service(world.get(ref.name)), count=count, user=user, actor=deployer)


def test_a_test_whose_worker_died_is_finished_by_the_sweep(world: World, ref: ServiceRef, deployer: Actor):
    user = User.objects.get(pk=deployer.user_id)
    test = access_tests.start(ref, Service(world.get(ref.name)), count=5, user=user, actor=deployer)
    AccessTest.objects.filter(id=test.id).update(started_at=timezone.now() - timedelta(hours=1))
    access_tests.end_interrupted()
    test.refresh_from_db()
    assert test.error == access_tests.CUT_SHORT


def test_nothing_is_sent_for_somebody_who_may_not_see_the_service_any_more(
    world: World, ref: ServiceRef, deployer: Actor
):
    user = User.objects.get(pk=deployer.user_id)
    test = access_tests.start(ref, Service(world.get(ref.name)), count=5, user=user, actor=deployer)
    Grant.objects.all().delete()
    access_tests.send(test.id, threading.Event())
    test.refresh_from_db()
    assert (test.sent, test.error) == (0, access_tests.NOT_ALLOWED)


def test_one_test_of_a_person_and_service_runs_at_a_time(world: World, ref: ServiceRef, deployer: Actor):
    user, service = User.objects.get(pk=deployer.user_id), Service(world.get(ref.name))
    first = access_tests.start(ref, service, count=5, user=user, actor=deployer)
    with pytest.raises(access_tests.TooMany) as refused:
        access_tests.start(ref, service, count=5, user=user, actor=deployer)
    assert refused.value.running == first
    assert AccessTest.objects.count() == 1
    access_tests.send(first.id, threading.Event())
    access_tests.start(ref, service, count=5, user=user, actor=deployer)


def test_a_person_of_small_rights_cannot_fill_the_worker(world: World, ref: ServiceRef, deployer: Actor, viewer: Actor):
    """Tests of many services, by one who may only look: beyond a few nobody begins another."""
    user, service = User.objects.get(pk=viewer.user_id), Service(world.get(ref.name))
    for number in range(access_tests.MAX_RUNNING):
        other = ServiceRef(ref.cluster, ref.namespace, f"other-{number}")
        access_tests.start(other, service, count=200, user=user, actor=viewer)
    with pytest.raises(access_tests.TooMany) as refused:
        access_tests.start(ref, service, count=1, user=user, actor=viewer)
    assert refused.value.running is None


def test_changes_wait_behind_no_test_and_no_export(settings) -> None:
    """They have a queue of their own, and a worker process that takes nothing else."""
    apart = {tasks.send_requests, tasks.export_entries, tasks.tidy, tasks.examine_clusters, forward}
    for task in (tasks.perform, tasks.sweep, tasks.look_outside, *apart):
        queue = current_app.amqp.router.route({}, task.name)["queue"].name
        assert (queue == settings.BACKGROUND_QUEUE) == (task in apart), task.name


def test_tests_of_long_ago_are_forgotten(world: World, ref: ServiceRef, deployer: Actor):
    user = User.objects.get(pk=deployer.user_id)
    test = access_tests.start(ref, Service(world.get(ref.name)), count=5, user=user, actor=deployer)
    assert access_tests.forget_old() == 0
    AccessTest.objects.filter(id=test.id).update(started_at=timezone.now() - timedelta(days=31))
    assert access_tests.forget_old() == 1
