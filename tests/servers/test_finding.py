"""A failed operation is found in the logs of real processes by the one command of docs/operations.md."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console_process import RunningConsole, console
from tests.servers.documented import Shell, commands
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)
SECONDS_OF_READY = 2  # docs/operations.md, "Health"
TRIES = 5
MISSING = "example.com/shop/missing:1"


class Person:
    """A browser with cookies."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def get(self, path: str) -> str:
        with self._opener.open(self._url + path, timeout=60) as answer:
            return answer.read().decode()

    def post(self, path: str, form: str, **fields: str) -> str:
        """Send a form of the page `form`; returns the page to which that leads."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
        assert token, "the page has no form"
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        with self._opener.open(self._url + path, data, timeout=60) as answer:
            return answer.read().decode()


@pytest.fixture(scope="module")
def running() -> Iterator[RunningConsole]:
    with console(sandbox_speed=50) as started:
        yield started


def failed_operation(person: Person) -> str:
    """Deploy an image that is missing; returns the operation's page when it has failed."""
    page = person.get("/accounts/login/")
    person.post("/accounts/login/", page, login="admin", password="admin-demo-1")
    path = "/services/sandbox/default/hello/image/"
    form = person.get(path)
    container = re.search(r'name="container" value="([^"]+)"', form)
    assert container, form
    preview = person.post(path, form, container=container[1], image=MISSING)
    button = re.search(r'action="(/previews/[0-9a-f-]+/submit/)"', preview)
    assert button, preview
    operation = re.search(r"/operations/[0-9a-f-]{36}/", person.post(button[1], preview))
    assert operation
    return eventually(lambda: page if 'data-status="failed"' in (page := person.get(operation[0])) else "")


def test_one_command_finds_what_each_process_said_of_it(running: RunningConsole, tmp_path: Path) -> None:
    page = failed_operation(Person(running.url))
    request = re.search(r'id="request-id">\s*([0-9a-f-]{36})', page)
    assert request, "the page shows the request to copy"
    shell = Shell(tmp_path, {"CONSOLE_STATE_DIR": str(running.state)})
    lines = eventually(lambda: found if "service_changed" in (found := search(shell, request[1])) else "").splitlines()
    events = [line.split("\t") for line in lines]
    assert {event[2] for event in events} >= {"operation_submitted", "service_changed", "operation_finished"}
    end = next(event for event in events if event[2] == "operation_finished")
    assert (end[1], end[4], end[5]) == ("warning", "failed", "image-missing")
    assert [event[0] for event in events] == sorted(event[0] for event in events)


def search(shell: Shell, request: str) -> str:
    return shell.run(
        commands("One search finds everything about a change, in the order in which it happened"), REQUEST=request
    )


def test_manage_py_beside_it_finds_its_key_and_its_database(running: RunningConsole, tmp_path: Path) -> None:
    shell = Shell(tmp_path, {"CONSOLE_STATE_DIR": str(running.state)})
    assert "the chain is intact" in shell.run("python manage.py audit verify")
    assert "all stored secrets can be decrypted" in shell.run("python manage.py doctor || true")


def test_ready_answers_within_two_seconds_while_redis_hangs(running: RunningConsole) -> None:
    """The fastest of some answers counts: the machine may be busy."""
    os.kill(running.pid("redis"), signal.SIGSTOP)
    try:
        answers = [ready(running) for _ in range(TRIES)]
    finally:
        os.kill(running.pid("redis"), signal.SIGCONT)
    assert 503 in answers
    eventually(lambda: ready(running) == 200)


def ready(running: RunningConsole) -> int:
    """The status; 0 where no answer came in time."""
    try:
        with urllib.request.urlopen(f"{running.url}/healthz/ready", timeout=SECONDS_OF_READY) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
