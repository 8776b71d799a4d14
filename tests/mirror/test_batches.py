"""Lists are written with few calls of Redis, and never with one that holds up the others for long."""

from __future__ import annotations

from console.cluster.resources import REVISIONS, SERVICES
from console.knative.references import ServiceRef
from console.mirror import batches, read
from console.mirror.batches import Batch
from console.redis_client import client
from tests import factories

BOX = "box"


def calls_of(action) -> int:
    """How many scripts Redis ran for the action."""

    def ran() -> int:
        found = client().info("commandstats")
        return sum(found.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha"))

    before = ran()
    action()
    return ran() - before


def test_hundreds_of_objects_are_one_call_of_redis(mirror):
    replacement = mirror.replacing(REVISIONS)
    page = [factories.revision(f"s{number // 5}", number % 5 + 1) for number in range(300)]
    assert calls_of(lambda: replacement.add(page)) == 1
    replacement.finish()
    assert {one.name for one in read.revisions(ServiceRef(BOX, "default", "s3"))} == {
        f"s3-0000{number}" for number in (1, 2, 3, 4, 5)
    }


def test_objects_that_are_gone_are_forgotten_with_few_calls(mirror):
    mirror.replace_all(SERVICES, [factories.service(f"s{number}") for number in range(300)])
    replacement = mirror.replacing(SERVICES)
    assert calls_of(replacement.finish) <= 2
    assert read.services(BOX) == ()


def test_a_call_of_redis_holds_no_more_than_its_bound_and_one_object(mirror, monkeypatch):
    large = 300_000
    sent: list[int] = []
    run = mirror._run
    monkeypatch.setattr(mirror, "_run", lambda made: (sent.append(sum(len(w) for one in made for w in one)), run(made)))
    services = [factories.service(f"s{number}") for number in range(20)]
    for service in services:
        service["metadata"]["labels"]["note"] = "x" * large
    mirror.replace_all(SERVICES, services)
    assert len(read.services(BOX)) == 20
    assert max(sent) < batches.MAX_BYTES + 3 * large


def test_commands_of_one_place_become_one_and_keep_their_order():
    batch = Batch()
    batch.add([("HSET", "h", "a", b"1"), ("SADD", "s", "a"), ("touched", "version", "changes", "9", "a")])
    batch.add([("HSET", "h", "b", b"2"), ("SADD", "s", "b"), ("touched", "version", "changes", "9", "b")])
    batch.add([("HSET", "other", "a", b"3"), ("PUBLISH", "c", "x"), ("PUBLISH", "c", "y")])
    assert batch.take() == [
        ("HSET", "h", "a", b"1", "b", b"2"),
        ("SADD", "s", "a", "b"),
        ("touched", "version", "changes", "9", "a", "b"),
        ("HSET", "other", "a", b"3"),
        ("PUBLISH", "c", "x"),
        ("PUBLISH", "c", "y"),
    ]
    assert batch.take() == []
    assert not batch.is_full
