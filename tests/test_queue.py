"""Messages name their task; a name that was given up is answered for one more release."""

from __future__ import annotations

import pytest
from django.conf import settings

from console.access.actors import Actor
from console.celery import app
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.queue import FORMER_NAMES, TaskName, enqueue
from tests.broker import broker
from tests.operations.conftest import box, deployer, ref, world
from tests.operations.factories import World
from tests.operations.steps import MAX_TURNS, submit

__all__ = ["box", "deployer", "ref", "world"]

# What version 0.1 sent, by message and by beat: a list of its own, because it must not follow the code.
SENT_BY_0_1 = [
    "console.operations.tasks.perform",
    "console.operations.tasks.sweep",
    "console.operations.tasks.look_outside",
    "console.operations.tasks.export_entries",
    "console.operations.tasks.tidy",
    "console.operations.tasks.examine_clusters",
    "console.operations.tasks.send_requests",
    "console.audit.tasks.forward",
]


@pytest.fixture(autouse=True)
def tasks_of_a_worker() -> None:
    """Import the tasks as a worker does at its start, and not because a test imports them."""
    app.loader.import_default_modules()


@pytest.mark.parametrize("name", SENT_BY_0_1)
def test_a_worker_knows_every_name_of_the_version_before(name: str) -> None:
    assert name in app.tasks
    assert name in FORMER_NAMES.values()


@pytest.mark.django_db
def test_a_message_of_the_version_before_finishes_its_operation(world: World, ref: ServiceRef, deployer: Actor) -> None:
    operation = submit(SetEnv("app", (EnvEntry("TARGET", "Second"),)), ref, deployer)
    for _ in range(MAX_TURNS):
        app.tasks["console.operations.tasks.perform"].apply(args=[str(operation.id)]).get()
        operation = Operation.objects.get(pk=operation.pk)
        if not operation.is_active:
            break
    assert operation.status == Status.SUCCEEDED
    assert world.env(ref.name)["TARGET"] == "Second"


def test_a_message_carries_the_name_of_a_task_that_workers_have() -> None:
    with broker("memory://"):
        enqueue(TaskName.TIDY, [])
        with app.connection_for_read() as connection:
            queue = connection.SimpleQueue(settings.BACKGROUND_QUEUE)
            message = queue.get(block=False)
    assert message.headers["task"] == "operations.tidy"
    assert {name.value for name in TaskName} <= app.tasks.keys()


def test_beat_sends_only_names_that_workers_have() -> None:
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= app.tasks.keys()


def test_changes_wait_behind_nothing_that_takes_long() -> None:
    """They have a queue of their own, and a worker process that takes nothing else."""
    for name in TaskName:
        queue = app.amqp.router.route({}, name.value)["queue"].name
        is_prompt = name in (TaskName.PERFORM, TaskName.SWEEP, TaskName.DETECT_EXTERNAL)
        assert (queue == settings.BACKGROUND_QUEUE) == (not is_prompt), name


def test_no_two_tasks_answer_to_one_name() -> None:
    names = [*(name.value for name in TaskName), *FORMER_NAMES.values()]
    assert len(names) == len(set(names))
