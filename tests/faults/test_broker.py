"""A Redis that is down, comes and goes, or has lost everything; messages that come more than once; a worker's stop."""

from __future__ import annotations

import itertools
import time

import pytest

from console.access.actors import Actor
from console.knative.changes import EnvEntry, SetEnv, SetImage
from console.knative.references import ServiceRef
from console.operations import worker_heartbeat
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.operations.tasks import perform
from tests.faults.checks import end_of, is_complete
from tests.faults.stage import Stage
from tests.operations.steps import submit
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)
_numbers = itertools.count(1)


def service(stage: Stage) -> ServiceRef:
    ref = ServiceRef("box", "default", f"broker-{next(_numbers)}")
    stage.world.create(ref.name)
    return ref


def change(value: str) -> SetEnv:
    return SetEnv("app", (EnvEntry("TARGET", value),))


def applied_once(stage: Stage, operation: Operation) -> bool:
    return stage.world.get(operation.name)["metadata"]["generation"] == 2


def test_redis_down_submit(fresh: Stage, deployer: Actor):
    """Submitting works without a broker, within a bounded time, and the sweep hands over when it is back."""
    fresh.worker()
    fresh.beat()
    ref = service(fresh)
    fresh.redis.kill()
    began = time.monotonic()
    operation = submit(change("later"), ref, deployer)
    print(f"submitting without a broker took {time.monotonic() - began:.2f} s")
    assert Operation.objects.get(id=operation.id).status == Status.QUEUED
    fresh.redis.start()
    assert end_of(operation).status == Status.SUCCEEDED


def test_redis_hangs_during_submit(fresh: Stage, deployer: Actor):
    """A broker that takes connections and never answers (a half-open link) does not hold up a submission."""
    fresh.worker()
    fresh.beat()
    ref = service(fresh)
    fresh.redis.freeze()
    try:
        began = time.monotonic()
        operation = submit(change("later"), ref, deployer)
        print(f"submitting to a broker that hangs took {time.monotonic() - began:.2f} s")
    finally:
        fresh.redis.thaw()
    ended = end_of(operation)
    assert ended.status == Status.SUCCEEDED
    assert applied_once(fresh, ended)


def test_redis_flush(fresh: Stage, deployer: Actor):
    """Everything in Redis is lost with operations running and queued; all of them end right."""
    fresh.worker(threads=3)
    fresh.beat()
    operations = [submit(change("flushed"), service(fresh), deployer) for _ in range(8)]
    eventually(lambda: Operation.objects.filter(id__in=[o.id for o in operations]).exclude(attempt=0).count() >= 1)
    fresh.redis.empty()
    for operation in operations:
        ended = end_of(operation)
        assert ended.status == Status.SUCCEEDED
        assert is_complete(ended)
        assert applied_once(fresh, ended)


def test_redis_flap(fresh: Stage, deployer: Actor):
    fresh.worker()
    fresh.beat()
    ref = service(fresh)
    for _ in range(3):
        fresh.redis.kill()
        fresh.redis.start()
    assert end_of(submit(change("flap"), ref, deployer)).status == Status.SUCCEEDED


def test_duplicate_delivery_and_two_workers(fresh: Stage, deployer: Actor):
    """The same message five times for two workers: one effect."""
    fresh.worker()
    fresh.worker()
    operation = submit(change("once"), service(fresh), deployer)
    for _ in range(4):
        perform.apply_async([str(operation.id), 0])
        perform.apply_async([str(operation.id)])
    ended = end_of(operation)
    assert ended.status == Status.SUCCEEDED
    assert is_complete(ended)
    assert applied_once(fresh, ended)


def test_soft_shutdown(fresh: Stage, deployer: Actor):
    """SIGTERM while an operation is followed: the worker ends in time, another one goes on."""
    fresh.box.post("/sandbox/speed", {"speed": 2})
    first = fresh.worker()
    operation = submit(SetImage("app", "example.com/shop/slow-pull:20s"), service(fresh), deployer)
    try:
        eventually(lambda: Operation.objects.get(id=operation.id).is_written)
        began = time.monotonic()
        fresh.stop(first)
        seconds = time.monotonic() - began
        print(f"the worker stopped within {seconds:.1f} s, exit code {first.returncode}")
        assert first.returncode == 0
        fresh.worker()
        fresh.beat()
    finally:
        fresh.box.post("/sandbox/speed", {"speed": 50})
    ended = end_of(operation)
    assert ended.status == Status.SUCCEEDED
    assert is_complete(ended)


def test_a_worker_that_consumes_leaves_a_heartbeat(fresh: Stage, deployer: Actor):
    assert worker_heartbeat.age() is None
    fresh.worker()
    fresh.beat()
    eventually(lambda: worker_heartbeat.age() is not None)
