"""The newest lines of a revision's containers."""

from __future__ import annotations

from typing import Any

import pytest

from console.access.actors import Actor
from console.access.models import User
from console.cluster.errors import NotFound
from console.cluster.transport import Transport
from console.knative.changes import SetImage
from console.knative.references import ServiceRef
from console.operations.lookups import logs
from console.operations.lookups.logs import Wanted
from console.operations.lookups.looks import Looks
from console.operations.models import Operation
from tests.operations.conftest import person
from tests.operations.factories import World
from tests.operations.steps import finish, submit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_looks", Looks(logs.MAX_FOLLOWED))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that the cluster is asked for."""
    paths: list[str] = []
    exchange = Transport._exchange

    def counted(self: Transport, request: Any) -> bytes:
        paths.append(request.path)
        return exchange(self, request)

    monkeypatch.setattr(Transport, "_exchange", counted)
    return paths


@pytest.fixture
def vera(viewer: Actor) -> User:
    return User.objects.get(pk=viewer.user_id)


def test_the_container_that_takes_requests_is_read_first(world: World, ref: ServiceRef, vera: User) -> None:
    log = logs.tail(ref, f"{ref.name}-00001", user=vera, wanted=Wanted())
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
    assert logs.tail(ref, f"{ref.name}-00001", user=vera, wanted=Wanted()).text == "connecting with ••••\n"


def test_a_container_that_never_restarted_has_no_log_of_before(world: World, ref: ServiceRef, vera: User) -> None:
    log = logs.tail(ref, f"{ref.name}-00001", user=vera, wanted=Wanted(previous=True))
    assert log.text == ""
    assert "previous terminated container" in log.why_not


def test_a_crashed_revision_shows_why_while_its_pods_are_there(
    world: World, ref: ServiceRef, vera: User, deployer: Actor
) -> None:
    operation: Operation = finish(submit(SetImage("app", "example.com/shop/crash:1"), ref, deployer))
    log = logs.tail(ref, operation.revision, user=vera, wanted=Wanted())
    before = logs.tail(ref, operation.revision, user=vera, wanted=Wanted(previous=True))
    assert "panic: dial tcp" in log.text + before.text


def test_a_revision_of_another_service_is_not_shown(world: World, ref: ServiceRef, vera: User) -> None:
    other = ServiceRef(ref.cluster, ref.namespace, "something-else")
    with pytest.raises(NotFound):
        logs.tail(other, f"{ref.name}-00001", user=vera, wanted=Wanted())


def test_five_people_who_follow_a_log_cost_the_cluster_what_one_of_them_costs(
    world: World, ref: ServiceRef, vera: User, asked: list[str]
) -> None:
    revision = f"{ref.name}-00001"
    logs.followed(ref, revision, user=vera, wanted=Wanted())
    of_one = list(asked)
    people = [person(f"reader-{number}", "viewer") for number in range(5)]
    found = [logs.followed(ref, revision, user=one, wanted=Wanted()) for one in people]
    assert len(of_one) == 3, of_one
    assert asked == of_one
    assert {one.text for one in found} == {found[0].text}
    assert found[0].text


def test_who_follows_something_else_of_it_is_not_shown_that(
    world: World, ref: ServiceRef, vera: User, asked: list[str]
) -> None:
    revision = f"{ref.name}-00001"
    first = logs.followed(ref, revision, user=vera, wanted=Wanted())
    other = logs.followed(ref, revision, user=vera, wanted=Wanted(container="sidecar"))
    before = logs.followed(ref, revision, user=vera, wanted=Wanted(previous=True))
    assert (first.container, other.container, bool(before.why_not)) == ("app", "sidecar", True)
    assert len(asked) == 9


def test_what_a_followed_log_shows_is_masked_for_all(
    world: World, ref: ServiceRef, vera: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.cluster.gateway.Gateway.pod_log", lambda *_, **__: "canary-secret-first\n")
    for _ in range(2):
        assert logs.followed(ref, f"{ref.name}-00001", user=vera, wanted=Wanted()).text == "••••\n"
