"""Hundreds of operations through random faults: each change applied once, every timeline complete, none stuck."""

from __future__ import annotations

import os
import random
import time
from collections import Counter, defaultdict

import pytest

from console.access.actors import Actor
from console.cluster.errors import ClusterError
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.statuses import Status
from tests.faults.chaos import Chaos
from tests.faults.checks import end_of, is_complete
from tests.faults.stage import Stage
from tests.operations.steps import submit
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(1500)

OPERATIONS = int(os.environ.get("SLUICE_CAMPAIGN", "300"))
SERVICES = 30
EVERY = 3  # operations between two faults


def test_random_faults(fresh: Stage, deployer: Actor):
    seed = int(os.environ.get("SLUICE_SEED", random.randrange(10**6)))
    chaos = Chaos(fresh, random.Random(seed))
    refs = [ServiceRef("box", "default", f"campaign-{number}") for number in range(SERVICES)]
    for ref in refs:
        fresh.world.create(ref.name)
    chaos.start()
    began = time.monotonic()
    submitted: list[Operation] = []
    for number in range(OPERATIONS):
        submitted.append(_submit(number, chaos.random.choice(refs), deployer))
        if number % EVERY == 0:
            chaos.strike()
    fresh.box._ask("DELETE", "/sandbox/faults", None, "admin")
    ended = [end_of(operation, timeout=240) for operation in submitted]
    print_figures(seed, chaos, ended, time.monotonic() - began)
    assert {operation.status for operation in ended} <= {Status.SUCCEEDED, Status.SUPERSEDED}, [
        (str(operation.id), operation.status, operation.cause)
        for operation in ended
        if operation.status not in (Status.SUCCEEDED, Status.SUPERSEDED)
    ]
    assert [str(operation.id) for operation in ended if not is_complete(operation)] == []
    assert_each_applied_once(fresh, ended)


def _submit(number: int, ref: ServiceRef, deployer: Actor) -> Operation:
    """Submit a change of its own variable; a preview that the bad day spoils is asked for again, as people do."""
    change = SetEnv("app", (EnvEntry(f"OPERATION_{number}", "applied"),))

    def try_it() -> Operation | None:
        try:
            return submit(change, ref, deployer)
        except ClusterError:
            return None

    return eventually(try_it, timeout=90)


def assert_each_applied_once(stage: Stage, ended: list[Operation]) -> None:
    """Each service's generations are used up by its operations, one each, and every variable is there."""
    by_service: dict[str, list[Operation]] = defaultdict(list)
    for operation in ended:
        by_service[operation.name].append(operation)
    for name, operations in by_service.items():
        assert sorted(o.generation or 0 for o in operations) == list(range(2, len(operations) + 2)), name
        assert stage.world.get(name)["metadata"]["generation"] == len(operations) + 1, name
        variables = stage.world.env(name)
        for operation in operations:
            entry = operation.change.set[0].name
            assert variables[entry] == "applied", (name, entry)


def print_figures(seed: int, chaos: Chaos, ended: list[Operation], seconds: float) -> None:
    times = sorted(operation.seconds or 0.0 for operation in ended)
    outcomes = Counter(operation.status for operation in ended)
    turns = sum(operation.attempt for operation in ended)
    services = len({operation.name for operation in ended})
    print(f"\ncampaign: seed {seed}, {len(ended)} operations on {services} services in {seconds:.0f} s")
    print(f"  outcomes: {dict(outcomes)}; stuck: {sum(o.is_active for o in ended)}; turns of workers: {turns}")
    print(f"  faults: {sum(chaos.done.values())}: {dict(chaos.done.most_common())}")
    print(f"  seconds an operation took: median {times[len(times) // 2]:.1f}, most {times[-1]:.1f}")
