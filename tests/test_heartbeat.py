"""A worker that gets nothing while others do is not alive; one that nobody sends anything is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from console import heartbeat
from console.heartbeat import STARVED_SECONDS, Consumption


@pytest.fixture
def worker(redis_server, monkeypatch: pytest.MonkeyPatch) -> Consumption:
    """A worker that took its last message long ago."""
    found = Consumption("worker")
    found.taken_at = time.monotonic() - STARVED_SECONDS - 1
    return found


def others_take_some() -> None:
    another = Consumption("worker")
    another.told_at -= 60
    another.note()


def test_a_worker_that_gets_nothing_while_others_do_is_starved(worker: Consumption) -> None:
    others_take_some()
    assert worker.is_starved
    worker.note()
    assert not worker.is_starved


def test_a_worker_is_not_to_blame_when_nobody_gets_anything(worker: Consumption) -> None:
    """Beat is gone: nobody sends. Or Redis is."""
    assert not worker.is_starved


def test_without_redis_nobody_is_starved(worker: Consumption, redis_server) -> None:
    others_take_some()
    redis_server.kill()
    assert not worker.is_starved
    redis_server.start()


def test_a_full_disk_does_not_end_a_process(settings, tmp_path: Path) -> None:
    settings.STATE_DIR = tmp_path / "file"
    settings.STATE_DIR.write_text("no folder")
    heartbeat.touch("worker")
