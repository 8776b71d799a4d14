"""What waits for approval is announced as it begins and ends to wait: pages that show it look at nothing in between."""

from __future__ import annotations

import pytest

from console.access.actors import Actor
from console.knative.references import ServiceRef
from console.mirror import feed
from console.mirror.announcements import Announcement
from console.mirror.feed import Position
from console.operations.models import Operation
from console.operations.protection import approvals
from tests.operations.conftest import person
from tests.operations.factories import World
from tests.operations.protection.test_protection import SECOND, approve, now_is, protect, user_of
from tests.operations.steps import submit

pytestmark = pytest.mark.django_db


def announced_since(begin: Position) -> list[Announcement]:
    found = feed.after(begin)
    assert found is not None
    return [announced for _, announced in found.entries]


def decide(how: str, operation: Operation, author: Actor) -> None:
    second = person("ruth", "releaser")
    actor = Actor(second.pk, second.username)
    if how == "approve":
        approve(operation, actor)
    elif how == "decline":
        approvals.decline(operation, user=second, actor=actor, comment="not today")
    else:
        approvals.withdraw(operation, user=user_of(author), actor=author)


@pytest.mark.parametrize("how", ["approve", "decline", "withdraw"])
def test_a_request_is_announced_when_it_begins_and_when_it_ends_to_wait(
    how: str, world: World, ref: ServiceRef, deployer: Actor, redis_server, django_capture_on_commit_callbacks
) -> None:
    protect()
    begin = feed.end()
    with django_capture_on_commit_callbacks(execute=True):
        operation = submit(SECOND, ref, deployer)
    assert Announcement("approval") in announced_since(begin)
    begin = feed.end()
    with django_capture_on_commit_callbacks(execute=True):
        decide(how, now_is(operation), deployer)
    assert Announcement("approval") in announced_since(begin)
