"""A legal hold and a removal at the same time, on two connections: what a hold in force covers is never removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.audit import Outcome, chain, policy, retention, service_history
from console.audit.models import Entry, LegalHold, ServiceMoment, WatchGap
from console.audit.verification import verify
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.submitting.removal import forget_old_operations
from console.sealing import seal
from tests.faults.stage import fresh_database
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)
SHOP, ALICE = ServiceRef("box", "default", "shop"), Actor(None, "alice", "192.0.2.1")
AGO = timedelta(days=500)  # longer than anything is kept
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = %s AND NOT granted"


@pytest.fixture
def threads(tmp_path: Path, django_db_blocker) -> Iterator[ThreadPoolExecutor]:
    """Threads with their own connections to a PostgreSQL of this test alone: what they commit cannot be undone."""
    with django_db_blocker.unblock(), fresh_database(tmp_path, "postgresql"), ThreadPoolExecutor(2) as pool:
        yield pool
        for one in [pool.submit(connections.close_all) for _thread in range(2)]:
            one.result()


@pytest.fixture
def old(threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry, an operation, a moment and a gap that are kept no longer, and an entry of today."""
    now = timezone.now()
    monkeypatch.setattr(chain.timezone, "now", lambda: now - AGO)
    audit.record("deploy.SetEnv", actor=ALICE, ref=SHOP, outcome=Outcome.REQUESTED)
    monkeypatch.undo()
    audit.record("session.sign-in", actor=ALICE, outcome=Outcome.SUCCEEDED)
    Operation.objects.create(
        cluster="box", namespace="default", name="shop", kind="SetEnv", actor="dora", status="succeeded",
        sealed_change=seal({}), sealed_seen=seal({}), finished_at=now - AGO,
    )  # fmt: skip
    service_history.note_gone(SHOP, now - AGO)
    WatchGap.objects.create(cluster="box", begins=now - AGO, ends=now - AGO + timedelta(hours=1))


def place() -> LegalHold:
    return policy.place(LegalHold(reason="case 12"), actor=ALICE)


def remove_entries(folder: Path) -> None:
    with pytest.raises(retention.Held):
        retention.retain(timezone.now() - timedelta(days=400), folder / "archive", actor=ALICE)


def remove_operations(_folder: Path) -> None:
    assert forget_old_operations() == 0


def remove_moments(_folder: Path) -> None:
    assert service_history.forget(timezone.now() - timedelta(days=400)) == 0


def remove_gaps(_folder: Path) -> None:
    """Of a cluster of which no moment is left, so that nothing before has waited for the hold."""
    service_history.forget(timezone.now() - timedelta(days=400))


def wait_until_it_waits(thread: Future[object], kind: str) -> None:
    """Return once the thread waits for a lock of this kind; fails where it ends without having waited."""
    eventually(lambda: thread.done() or _someone_waits(kind))
    assert not thread.done(), f"it waited for no lock: {thread}"


def _someone_waits(kind: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [kind])
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize("remove", [remove_entries, remove_operations, remove_moments, remove_gaps])
def test_a_removal_that_begins_while_a_hold_is_placed_removes_nothing(
    threads: ThreadPoolExecutor, old: None, tmp_path: Path, remove: Callable[[Path], None]
) -> None:
    if remove is remove_gaps:
        ServiceMoment.objects.all().delete()
    kept = [model.objects.count() for model in (Operation, ServiceMoment, WatchGap)]
    with transaction.atomic():
        place()
        removal = threads.submit(remove, tmp_path)
        wait_until_it_waits(removal, "advisory")
    removal.result()
    assert [model.objects.count() for model in (Operation, ServiceMoment, WatchGap)] == kept
    assert verify() == 3
    assert Entry.objects.filter(action="deploy.SetEnv").exists()


def test_a_hold_that_is_placed_during_a_removal_comes_into_force_after_it(threads, old) -> None:
    """The removal has found the operation and is held up before it deletes it."""
    with transaction.atomic():
        Operation.objects.select_for_update().get()
        removal = threads.submit(forget_old_operations)
        wait_until_it_waits(removal, "transactionid")
        placing = threads.submit(place)
        wait_until_it_waits(placing, "advisory")
        assert not policy.active_holds()
    assert removal.result() == 1
    placed = placing.result()
    assert policy.active_holds() == [placed]
