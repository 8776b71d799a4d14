"""The story once more as docker-compose.yml runs the console: PostgreSQL, and Redis over TCP with a password."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests import postgres_server
from tests.browser.conftest import Visitor
from tests.browser.story import play
from tests.console_process import RunningConsole, console, free_port
from tests.redis_server import program
from tests.waiting import eventually

PASSWORD = "only-for-this-test"


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    folder: Path = tmp_path_factory.mktemp("redis")
    command = [program(), "--port", str(port), "--bind", "127.0.0.1", "--requirepass", PASSWORD, "--dir", str(folder)]
    server = subprocess.Popen([*command, "--appendonly", "yes"], stdout=subprocess.DEVNULL)
    url = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
    eventually(lambda: answers(url))
    yield url
    server.terminate()
    server.wait(60)
    shutil.rmtree(folder, ignore_errors=True)


def answers(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url).ping())
    except redis.RedisError:
        return False


@pytest.fixture(scope="module")
def running(redis_url: str) -> Iterator[RunningConsole]:
    with postgres_server.running() as database:
        servers = {"CONSOLE_DATABASE_URL": database.url, "CONSOLE_REDIS_URL": redis_url}
        with console(sandbox_speed=4, environment={**servers, "CONSOLE_SANDBOX_IDLE_SECONDS": "20"}) as started:
            yield started


def test_the_whole_story_on_the_servers_of_a_deployment(visitor: Visitor) -> None:
    play(visitor, "sandbox", is_sandbox=True)
