"""The newest lines of a revision's containers."""

from __future__ import annotations

import pytest

from console.access.actors import Actor
from console.access.models import User
from console.cluster.errors import NotFound
from console.knative.changes import SetImage
from console.knative.references import ServiceRef
from console.operations.lookups import logs
from console.operations.models import Operation
from tests.operations.factories import World
from tests.operations.steps import finish, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def vera(viewer: Actor) -> User:
    return User.objects.get(pk=viewer.user_id)


def test_the_container_that_takes_requests_is_read_first(world: World, ref: ServiceRef, vera: User) -> None:
    log = logs.tail(ref, f"{ref.name}-00001", user=vera, lines=100)
    assert log.container == "app"
    assert set(log.containers) == {"app", "sidecar", "queue-proxy"}
    assert log.pod in [pod.name for pod in log.pods]
    assert log.text


def test_values_of_variables_are_masked_in_what_it_printed(
    world: World, ref: ServiceRef, vera: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leaky(*_args: object, **_options: object) -> str:
        return "connecting with canary-secret-first\n"

    monkeypatch.setattr("console.cluster.gateway.Gateway.pod_log", leaky)
    assert logs.tail(ref, f"{ref.name}-00001", user=vera, lines=100).text == "connecting with ••••\n"


def test_a_container_that_never_restarted_has_no_log_of_before(world: World, ref: ServiceRef, vera: User) -> None:
    log = logs.tail(ref, f"{ref.name}-00001", user=vera, previous=True, lines=100)
    assert log.text == ""
    assert "previous terminated container" in log.why_not


def test_a_crashed_revision_shows_why_while_its_pods_are_there(
    world: World, ref: ServiceRef, vera: User, deployer: Actor
) -> None:
    operation: Operation = finish(submit(SetImage("app", "example.com/shop/crash:1"), ref, deployer))
    log = logs.tail(ref, operation.revision, user=vera, lines=100)
    before = logs.tail(ref, operation.revision, user=vera, previous=True, lines=100)
    assert "panic: dial tcp" in log.text + before.text


def test_a_revision_of_another_service_is_not_shown(world: World, ref: ServiceRef, vera: User) -> None:
    other = ServiceRef(ref.cluster, ref.namespace, "something-else")
    with pytest.raises(NotFound):
        logs.tail(other, f"{ref.name}-00001", user=vera, lines=100)
