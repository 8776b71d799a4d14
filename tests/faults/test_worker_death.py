"""kill -9 of a worker at every step of an operation, by a hook in the engine that ends its own process there."""

from __future__ import annotations

import itertools

import pytest

from console.access.actors import Actor
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations.faults import STEPS
from console.operations.models import Operation
from console.operations.models.statuses import Status
from tests.faults.checks import end_of, is_complete
from tests.faults.stage import Stage, wait_for_death
from tests.operations.steps import submit

pytestmark = pytest.mark.timeout(400)
_numbers = itertools.count(1)


def test_child_kill_resumes_at_every_step(fresh: Stage, deployer: Actor):
    """Each worker dies at its step; one healthy worker then finds and finishes all of them."""
    killed: dict[str, Operation] = {}
    for step in STEPS:
        ref = ServiceRef("box", "default", f"dies-{next(_numbers)}")
        fresh.world.create(ref.name)
        environment = {"CONSOLE_FAULT_STOP_AT": step, "CONSOLE_FAULT_MARKER": str(fresh.folder / f"{ref.name}.died")}
        worker = fresh.worker(environment=environment)
        killed[step] = submit(SetEnv("app", (EnvEntry("TARGET", step),)), ref, deployer)
        assert wait_for_death(worker) == -9, step
        print(f"killed at {step}: {Operation.objects.get(id=killed[step].id).status}")
    fresh.worker()
    fresh.beat()
    for step, operation in killed.items():
        ended = end_of(operation)
        assert ended.status == Status.SUCCEEDED, (step, ended.cause)
        assert is_complete(ended), step
        service = fresh.world.get(ended.name)
        assert service["metadata"]["generation"] == 2, step
        assert fresh.world.env(ended.name)["TARGET"] == step
