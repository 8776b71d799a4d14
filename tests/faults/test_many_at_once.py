"""Two hundred operations at once on one worker: none starves; memory and threads are printed."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from django.utils import timezone

from console.access.actors import Actor
from console.knative.changes import EnvEntry, SetEnv, SetImage
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.statuses import Status
from tests.faults.checks import end_of, is_complete
from tests.faults.stage import Stage
from tests.operations.steps import submit
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

OPERATIONS = 200
THREADS = 32
SLOW = "example.com/shop/slow-pull:400s"  # 8 s at the stage's speed: more than the threads can follow at a time


def test_two_hundred_at_once(fresh: Stage, deployer: Actor):
    names = [f"many-{number}" for number in range(OPERATIONS)]
    for name in names:
        fresh.world.create(name)
    operations = []
    for number, name in enumerate(names):
        slow = number % 2 == 0
        change = SetImage("app", SLOW) if slow else SetEnv("app", (EnvEntry("TARGET", "many"),))
        operations.append(submit(change, ServiceRef("box", "default", name), deployer))
    worker = fresh.worker(threads=THREADS)
    fresh.beat()
    eventually(lambda: "VmHWM" in _status(worker))
    began, ready = time.monotonic(), timezone.now()
    ended = [end_of(operation, timeout=300) for operation in operations]
    facts = _status(worker)
    seconds = time.monotonic() - began
    waits = sorted((o.written_at - ready).total_seconds() for o in ended if o.written_at)
    print(f"\n{OPERATIONS} operations at once, {THREADS} threads: all ended after {seconds:.0f} s")
    print(f"  written after: median {waits[len(waits) // 2]:.1f} s, longest {waits[-1]:.1f} s")
    print(f"  worker: {facts['VmHWM']} at most, {facts['VmRSS']} at the end, {facts['Threads']} threads")
    assert {operation.status for operation in ended} == {Status.SUCCEEDED}
    assert all(is_complete(operation) for operation in ended)
    assert int(facts["Threads"]) < 2 * THREADS
    assert not Operation.objects.filter(id__in=[o.id for o in operations], lease_until__isnull=False).exists()


def _status(process: subprocess.Popen[bytes]) -> dict[str, str]:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
