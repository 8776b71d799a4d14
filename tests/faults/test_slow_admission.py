"""A webhook that takes as long as the API server lets it: the write succeeds, once, and by one worker."""

from __future__ import annotations

import pytest

from console.access.actors import Actor
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.statuses import Status
from tests.faults.checks import end_of, is_complete
from tests.faults.stage import Stage
from tests.operations.steps import submit
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(200)


def test_an_admission_of_29_seconds_is_waited_for(fresh: Stage, deployer: Actor):
    ref = ServiceRef("box", "default", "slow-admission")
    fresh.world.create(ref.name)
    operation = submit(SetEnv("app", (EnvEntry("TARGET", "Second"),)), ref, deployer)
    fresh.box.fault(verb="update", resource="services", name=ref.name, delay_ms=29_000)
    fresh.worker()
    fresh.worker()
    fresh.beat()
    eventually(lambda: Operation.objects.get(id=operation.id).is_written)
    assert Operation.objects.get(id=operation.id).attempt <= 2, "nobody took it over while it waited"
    ended = end_of(operation)
    assert (ended.status, is_complete(ended)) == (Status.SUCCEEDED, True)
    assert not ended.lines.filter(level="notice")
    assert fresh.world.get(ref.name)["metadata"]["generation"] == 2


def test_an_admission_beyond_every_limit_is_told_and_written_once(fresh: Stage, deployer: Actor):
    ref = ServiceRef("box", "default", "slower-admission")
    fresh.world.create(ref.name)
    operation = submit(SetEnv("app", (EnvEntry("TARGET", "Second"),)), ref, deployer)
    fresh.box.fault(verb="update", resource="services", name=ref.name, delay_ms=45_000)
    fresh.worker()
    fresh.beat()
    ended = end_of(operation, timeout=120)
    assert (ended.status, is_complete(ended)) == (Status.SUCCEEDED, True)
    assert [line.text for line in ended.lines.filter(level="notice")] == ["write-uncertain"]
    assert fresh.world.get(ref.name)["metadata"]["generation"] == 2
