"""A failed operation is found by its request id in one search of the logs, whichever process wrote the line."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import structlog
from django.utils import timezone

from console.access.actors import Actor
from console.cluster.resources import SERVICES
from console.knative.changes import Change, EnvEntry, SetEnv, SetImage
from console.knative.references import ServiceRef
from console.mirror import keys, requests_of
from console.mirror.store import MirrorWriter
from console.operations.models import Operation
from console.operations.tasks import sweep
from console.redis_client import client
from tests.operations.factories import World
from tests.operations.steps import finish, submit

pytestmark = pytest.mark.django_db
MISSING = SetImage("app", "example.com/shop/missing:1")
SECOND = SetEnv("app", (EnvEntry("TARGET", "Second"),))


@pytest.fixture(autouse=True)
def no_fields_of_others():
    structlog.contextvars.clear_contextvars()


def events(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.msg for record in caplog.records if isinstance(record.msg, dict)]


def carried_out(change: Change, ref: ServiceRef, actor: Actor) -> Operation:
    """What web and worker do; the web's request id is bound by its middleware."""
    with structlog.contextvars.bound_contextvars(request_id=actor.request_id):
        operation = submit(change, ref, actor)
    return finish(operation)


def test_every_line_of_a_failed_operation_has_its_request_id_and_its_own(
    world: World, ref: ServiceRef, deployer: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "console")
    operation = carried_out(MISSING, ref, deployer)
    found = [event for event in events(caplog) if event["logger"].startswith("console.operations")]
    assert {event["event"] for event in found} >= {"operation_submitted", "operation_finished"}
    for event in found:
        assert (event["request_id"], event["operation"]) == ("request-1", str(operation.id)), event
    last = found[-1]
    assert (last["event"], last["level"], last["outcome"]) == ("operation_finished", "warning", "failed")
    assert (last["kind"], last["cause"], last["service"]) == ("SetImage", operation.cause["code"], str(ref))


def test_an_operation_that_succeeded_ends_without_a_warning(
    world: World, ref: ServiceRef, deployer: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "console")
    carried_out(SECOND, ref, deployer)
    (last,) = [event for event in events(caplog) if event["event"] == "operation_finished"]
    assert (last["level"], last["outcome"], last["cause"]) == ("info", "succeeded", "")


def test_a_worker_forgets_the_fields_of_an_operation_after_its_turn(
    world: World, ref: ServiceRef, deployer: Actor
) -> None:
    carried_out(SECOND, ref, deployer)
    assert structlog.contextvars.get_contextvars() == {}


def test_the_watcher_names_the_operation_that_wrote_a_service(
    world: World, ref: ServiceRef, deployer: Actor, mirror: MirrorWriter, caplog: pytest.LogCaptureFixture
) -> None:
    operation = carried_out(SECOND, ref, deployer)
    caplog.set_level(logging.INFO, "console")
    mirror.put(SERVICES, world.get(ref.name))
    (event,) = [event for event in events(caplog) if event["event"] == "service_changed"]
    assert (event["service"], event["operation"]) == (f"default/{ref.name}", str(operation.id))
    assert event["request_id"] == "request-1"


def test_a_request_that_somebody_else_put_into_redis_reaches_no_log(mirror: MirrorWriter) -> None:
    operation, forged = str(uuid4()), str(uuid4())
    requests_of.note(client(), operation, "request-1")
    client().set(keys.request_of(forged), client().get(keys.request_of(operation)))
    assert (requests_of.of(client(), operation), requests_of.of(client(), forged)) == ("request-1", "")


def test_what_the_sweep_says_of_an_operation_names_its_request(
    world: World, ref: ServiceRef, deployer: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    operation = submit(SECOND, ref, deployer)
    Operation.objects.update(submitted_at=timezone.now() - timedelta(minutes=1), handed_over_at=None)
    caplog.set_level(logging.INFO, "console")
    sweep()
    (event,) = [event for event in events(caplog) if event["event"] == "operation_found"]
    assert (event["operation"], event["request_id"]) == (str(operation.id), "request-1")
