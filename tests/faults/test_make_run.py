"""`make run` under faults that once ended it for good: it keeps trying, leaves the pages up, and comes back."""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests.console_process import RunningConsole, console
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)
ENDS_THAT_ONCE_WERE_TOO_MANY = 7


@pytest.fixture(scope="module")
def running() -> Iterator[RunningConsole]:
    with console(sandbox_speed=20, environment={"CONSOLE_WEB_PROCESSES": "2"}) as started:
        yield started


def readiness(running: RunningConsole) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"{running.url}/healthz/ready", timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def is_ready(running: RunningConsole) -> bool:
    status, facts = readiness(running)
    age = facts.get("worker_age_seconds")
    return status == 200 and age is not None and age < 10 and facts["mirror_age_seconds"] is not None


def is_answering(running: RunningConsole) -> bool:
    try:
        return is_ready(running)
    except OSError:  # nobody listens yet
        return False


def kill(running: RunningConsole, name: str) -> None:
    os.kill(running.pid(name), signal.SIGKILL)


def ends(running: RunningConsole, name: str) -> int:
    return running.welcome().count(f"{name} ended (")


def test_a_worker_that_cannot_start_for_want_of_redis_memory_is_tried_until_it_can(running: RunningConsole) -> None:
    eventually(lambda: is_ready(running))
    web, before = running.pid("web"), ends(running, "worker")
    with redis.Redis(unix_socket_path=str(running.state / "redis.sock")) as client:
        client.config_set("maxmemory", "1")
        kill(running, "worker")
        eventually(lambda: ends(running, "worker") - before >= ENDS_THAT_ONCE_WERE_TOO_MANY, timeout=200)
        assert running.supervisor.poll() is None
        status, facts = readiness(running)
        assert (status, facts["redis"], facts["database"]) == (503, "OutOfMemoryError", "ok")
        with urllib.request.urlopen(f"{running.url}/accounts/login/", timeout=60) as page:
            assert page.status == 200
        client.config_set("maxmemory", "0")
    eventually(lambda: is_ready(running), timeout=90)
    assert running.pid("web") == web


def test_a_redis_whose_file_was_cut_off_starts_afresh_and_everything_comes_back(running: RunningConsole) -> None:
    eventually(lambda: is_ready(running))
    web = running.pid("web")
    kill(running, "redis")
    [log] = (running.state / "redis").glob("appendonlydir/*.incr.aof")
    log.write_bytes(b"\0" * 64 + b"*2\r\n$3\r\n")
    eventually(lambda: "starts empty" in running.welcome())
    eventually(lambda: is_ready(running))
    assert len(list(running.state.glob("redis.set-aside-*"))) == 1
    assert running.pid("web") == web


def test_a_sandbox_that_died_is_asked_again(running: RunningConsole) -> None:
    eventually(lambda: is_ready(running))
    kill(running, "sandbox")
    eventually(lambda: ends(running, "sandbox") == 1)
    eventually(lambda: is_ready(running) and readiness(running)[1]["mirror_age_seconds"] < 5, timeout=90)


def test_a_web_process_that_is_killed_is_replaced_while_the_others_answer(running: RunningConsole) -> None:
    eventually(lambda: is_ready(running))
    web, before = running.pid("web"), running.web_pids()
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    for _ in range(20):
        with urllib.request.urlopen(f"{running.url}/healthz/live", timeout=10) as answer:
            assert answer.status == 200
    eventually(lambda: len(running.web_pids()) == 2 and before[0] not in running.web_pids())
    assert running.pid("web") == web


def test_a_web_server_whose_parent_is_killed_gives_its_port_to_the_next(running: RunningConsole) -> None:
    eventually(lambda: is_ready(running))
    before = running.web_pids()
    kill(running, "web")
    eventually(lambda: not any(_is_alive(pid) for pid in before))
    eventually(lambda: len(running.web_pids()) == 2 and is_answering(running), timeout=60)


def test_sigterm_ends_everything_also_while_redis_hangs() -> None:
    with console(sandbox_speed=20) as started:
        names = ("web", "worker", "watcher", "beat", "redis", "sandbox")
        pids = {name: started.pid(name) for name in names}
        os.kill(pids["redis"], signal.SIGSTOP)
        started.supervisor.send_signal(signal.SIGTERM)
        started.supervisor.wait(40)
        assert started.supervisor.returncode == 0
        assert [name for name, pid in pids.items() if _is_alive(pid)] == []


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
