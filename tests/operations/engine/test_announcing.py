"""When browsers are told of an operation: at every step that shows something new, and once for the end."""

from __future__ import annotations

import threading

import pytest
import redis

from console.access.actors import Actor
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations import faults
from console.operations.engine.leases import lease
from console.operations.engine.turns import Turn
from console.operations.models.statuses import Status
from console.redis_client import CHANNEL
from tests.operations.factories import World
from tests.operations.steps import finish, submit
from tests.redis_server import RedisServer

pytestmark = pytest.mark.django_db

OURS = b"the test itself"
SECOND = SetEnv("app", (EnvEntry("TARGET", "Second"),))


class Listener:
    """Counts what was announced since the last look."""

    def __init__(self, server: RedisServer) -> None:
        self._redis = redis.Redis.from_url(server.url)
        self._subscription = self._redis.pubsub()
        self._subscription.subscribe(CHANNEL)
        self.count()

    def count(self) -> int:
        """What was published before has arrived when our own message has."""
        self._redis.publish(CHANNEL, OURS)
        found = 0
        while message := self._subscription.get_message(timeout=5.0):
            if message["data"] == OURS:
                return found
            found += message["type"] == "message"
        raise AssertionError("the subscription is silent")


@pytest.fixture
def listener(redis_server: RedisServer) -> Listener:
    return Listener(redis_server)


def test_a_page_that_waits_for_the_end_is_not_busy_with_the_line_before_it(
    world: World, ref: ServiceRef, deployer: Actor, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that fetches itself for the last line would see the end one fetch later."""
    operation = submit(SECOND, ref, deployer)
    seen: list[tuple[str, int]] = []
    monkeypatch.setattr(faults, "reach", lambda step: seen.append((step, listener.count())))
    assert finish(operation).status == Status.SUCCEEDED
    assert seen[-4:] == [("line-written", 0), ("outcome-known", 0), ("before-end", 0), ("after-end", 1)]
    assert next(count for step, count in seen if step == "line-written") == 1, "lines before the last are told at once"


def test_the_intent_to_write_which_no_page_shows_is_not_announced(
    world: World, ref: ServiceRef, deployer: Actor, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = submit(SECOND, ref, deployer)
    seen: dict[str, int] = {}
    monkeypatch.setattr(faults, "reach", lambda step: seen.setdefault(step, listener.count()))
    finish(operation)
    assert (seen["claimed"], seen["before-write"], seen["written"]) == (1, 0, 1)


def test_lines_that_were_held_back_for_an_end_that_did_not_come_are_announced(
    world: World, ref: ServiceRef, deployer: Actor, listener: Listener
) -> None:
    operation = submit(SECOND, ref, deployer)
    with lease(operation.id, "this-worker") as held:
        turn = Turn(held, threading.Event())
        turn.save(turn.line("Ready to serve."), announce=False)
        assert listener.count() == 0
        turn.announce_held_back()
        assert listener.count() == 1
        turn.announce_held_back()
        assert listener.count() == 0, "once"
