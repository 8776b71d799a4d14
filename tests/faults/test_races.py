"""Changes of others beside operations, half of them with a worker that was killed: no claim contradicts the API.

SLUICE_RACES=60 says how many, SLUICE_SEED with which choices.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.error import HTTPError

import pytest
from django.db import connection, transaction

from console.access.actors import Actor
from console.access.refusals import NotNow
from console.knative.changes import EnvEntry, SetEnv, SetImage, SetResources, SplitTraffic
from console.knative.changes.base import Change
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.operations.faults import STEPS
from console.operations.models import Operation
from console.operations.submitting import submission
from tests.faults.checks import end_of, is_complete
from tests.faults.history import SERVICES, History
from tests.faults.stage import Stage, wait_for_death
from tests.operations.factories import RUST, World, manifest
from tests.operations.steps import submit
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(900)

RACES = int(os.environ.get("SLUICE_RACES", "60"))
TOGETHER = 6  # races that share a worker, and its death
LOCKED_SECONDS, FREE_SECONDS = 6.0, 1.0
CRASH = "example.com/shop/crash:1"
MISSING = "example.com/shop/missing:1"

Act = Callable[[World, str], object]


def container(service: dict) -> dict:
    return service["spec"]["template"]["spec"]["containers"][0]


def pin_away(world: World, name: str) -> None:
    pinned = [{"revisionName": f"{name}-00001", "percent": 100}]
    world.edit(name, lambda service: service["spec"].update(traffic=pinned))


def crash(world: World, name: str) -> None:
    world.edit(name, lambda service: container(service).update(image=CRASH))


def put_back(world: World, name: str) -> None:
    def back(service: dict) -> None:
        container(service)["env"][0]["value"] = "First"
        container(service)["image"] = manifest(name)["spec"]["template"]["spec"]["containers"][0]["image"]

    world.edit(name, back)


def label(world: World, name: str) -> None:
    world.edit(name, lambda service: service["metadata"].setdefault("labels", {}).update(seen="yes"))


def the_same(world: World, name: str) -> None:
    world.edit(name, lambda service: container(service)["env"][0].update(value="Second"))


def delete(world: World, name: str) -> None:
    world.delete(name)


def recreate(world: World, name: str) -> None:
    world.delete(name)
    world.box.post(SERVICES, manifest(name))


def nothing(_world: World, _name: str) -> None:
    return None


ACTS: tuple[Act, ...] = (pin_away, crash, put_back, label, the_same, delete, recreate, nothing)


def changes(name: str) -> tuple[Change, ...]:
    return (
        SetEnv("app", (EnvEntry("TARGET", "Second"),)),
        SetEnv("app", (EnvEntry("TARGET", "Second"),)),
        SetImage("app", RUST),
        SetImage("app", MISSING),
        SetResources("app", {"cpu": "1000m"}, {}),
        SplitTraffic((TrafficTarget(f"{name}-00001", 100, "stable"),)),
    )


def batches(races: int) -> Iterator[tuple[bool, list[int]]]:
    """Half of the races have a worker that dies."""
    for begin in range(0, races, TOGETHER):
        yield (begin // TOGETHER) % 2 == 1, list(range(begin, min(begin + TOGETHER, races)))


@contextmanager
def locked_now_and_then(stage: Stage) -> Iterator[None]:
    """Keep everybody from writing operations for some seconds, again and again, as a slow disk or a backup does."""
    over = threading.Event()

    def hold() -> None:
        while not over.wait(FREE_SECONDS):
            with transaction.atomic(), connection.cursor() as cursor:  # of SQLite that locks the whole database
                if stage.postgres:
                    cursor.execute(f"LOCK TABLE {Operation._meta.db_table} IN EXCLUSIVE MODE")
                over.wait(LOCKED_SECONDS)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        yield
    finally:
        over.set()
        holder.join()


def test_no_claim_contradicts_the_api(fresh: Stage, deployer: Actor):
    race(fresh, deployer, RACES)


def test_no_claim_contradicts_the_api_while_the_database_is_slow(fresh: Stage, deployer: Actor):
    with locked_now_and_then(fresh):
        race(fresh, deployer, max(TOGETHER, RACES // 4))


def race(fresh: Stage, deployer: Actor, races: int) -> None:
    seed = int(os.environ.get("SLUICE_SEED", random.randrange(10**6)))
    chance = random.Random(seed)
    history = History(fresh.box)
    history.start()
    fresh.beat()
    ended: list[Operation] = []
    for is_killed, numbers in batches(races):
        names = [f"race-{seed}-{number}" for number in numbers]
        for name in names:
            fresh.world.create(name)
        run = killed if is_killed else beside
        ended += [end_of(operation, timeout=90) for operation in run(fresh, deployer, chance, names)]
    outcomes = Counter(f"{operation.status} {operation.cause.get('code', '')}".strip() for operation in ended)
    print(f"\nraces: seed {seed}, {len(ended)} operations, outcomes {dict(outcomes.most_common())}")
    wrong = {str(operation): found for operation in ended if (found := history.contradictions(operation))}
    assert wrong == {}, seed
    assert [str(operation) for operation in ended if not is_complete(operation)] == [], seed


def beside(stage: Stage, deployer: Actor, chance: random.Random, names: list[str]) -> list[Operation]:
    """The worker lives; somebody acts before the write, after it, or when the service is ready."""
    stage.worker()
    made = [begin(name, deployer, chance) for name in names]
    for operation in made:
        moment = chance.choice((submitted, written, settled))
        with suppress(AssertionError):  # what failed or was cancelled never comes there
            eventually(lambda operation=operation, moment=moment: moment(stage, operation), timeout=3)
        act(stage, deployer, chance, operation)
    return made


def killed(stage: Stage, deployer: Actor, chance: random.Random, names: list[str]) -> list[Operation]:
    """The one worker dies at a step of one of them; what the cluster does and others do goes on without it."""
    stage.end_processes()
    marker = stage.folder / f"{names[0]}.died"
    step = chance.choice(STEPS)
    worker = stage.worker(environment={"CONSOLE_FAULT_STOP_AT": step, "CONSOLE_FAULT_MARKER": str(marker)})
    made = [begin(name, deployer, chance) for name in names]
    stage.beat()
    assert wait_for_death(worker) == -9, step
    for operation in made:
        if chance.random() < 0.7:
            with suppress(AssertionError):
                eventually(lambda operation=operation: settled(stage, operation), timeout=2)
        act(stage, deployer, chance, operation)
    stage.worker()
    return made


def begin(name: str, deployer: Actor, chance: random.Random) -> Operation:
    return submit(chance.choice(changes(name)), ServiceRef("box", "default", name), deployer)


def act(stage: Stage, deployer: Actor, chance: random.Random, operation: Operation) -> None:
    if chance.random() < 0.15:
        with suppress(NotNow):
            submission.cancel(operation, actor=deployer)
        return
    with suppress(HTTPError):  # somebody else's tool may be refused, too
        chance.choice(ACTS)(stage.world, operation.name)


def submitted(_stage: Stage, _operation: Operation) -> bool:
    return True


def written(_stage: Stage, operation: Operation) -> bool:
    return Operation.objects.get(id=operation.id).is_written


def settled(stage: Stage, operation: Operation) -> bool:
    return written(stage, operation) and stage.world.settled(operation.name) is not None
