"""With kubectl alone people find the person and the operation; a cluster that rejects the event harms nothing."""

from __future__ import annotations

import pytest

from console.access.actors import Actor
from console.audit.models import Entry
from console.cluster.errors import ClusterError, Forbidden
from console.cluster.gateway import Gateway
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations.models.statuses import Status
from tests.operations.factories import World
from tests.operations.steps import finish, submit

pytestmark = pytest.mark.django_db
CHANGE = SetEnv("app", (EnvEntry("TARGET", "never-in-an-event"),))


def test_an_event_on_the_service_names_the_person_and_the_operation(
    world: World, ref: ServiceRef, deployer: Actor
) -> None:
    operation = finish(submit(CHANGE, ref, deployer))
    events = world.box.get("/api/v1/namespaces/default/events")["items"]
    (event,) = [
        e for e in events if e["involvedObject"]["name"] == ref.name and e["source"].get("component") == "sluice"
    ]
    assert event["message"] == f"SetEnv by dora succeeded (operation {operation.id})"
    assert (event["type"], event["reason"]) == ("Normal", "OperationSucceeded")
    about = event["involvedObject"]
    assert (about["kind"], about["uid"]) == ("Service", world.get(ref.name)["metadata"]["uid"])
    assert "never-in-an-event" not in str(event)


@pytest.mark.parametrize("error", [Forbidden("events is forbidden", 403), ClusterError("", 500)])
def test_a_cluster_that_does_not_take_the_event_harms_nothing(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch, error: ClusterError
) -> None:
    def refuse(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(Gateway, "create_event", refuse)
    operation = finish(submit(CHANGE, ref, deployer))
    assert operation.status == Status.SUCCEEDED
    assert Entry.objects.filter(operation=operation.id, action="operation.succeeded").count() == 1
