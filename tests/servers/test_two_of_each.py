"""Two of each process on PostgreSQL and Redis through random faults: no doubled effect; who takes over, and when."""

from __future__ import annotations

import http.client
import os
import random
import re
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from console.access.actors import Actor
from console.access.models import User
from console.audit.models import Entry
from console.audit.verification import verify
from console.cluster.errors import ClusterError
from console.knative.changes import EnvEntry, SetEnv, SetImage
from console.knative.references import ServiceRef
from console.mirror import read
from console.mirror.read import MirrorUnavailable
from console.operations import worker_heartbeat
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.operations.submitting import previewing
from tests.console_process import free_port
from tests.faults.chaos import Chaos
from tests.faults.checks import end_of, is_complete
from tests.faults.stage import ROOT, Stage, kill
from tests.faults.test_campaign import assert_each_applied_once, print_figures
from tests.operations.steps import submit
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(400)
OPERATIONS = int(os.environ.get("SLUICE_SERVERS_CAMPAIGN", "60"))
SERVICES = 10
EVERY = 3  # operations between two faults
TOKEN = "a" * 32  # of the cookie and the form, as any that are equal
TIMEOUT = 10.0  # seconds for one answer of web


@dataclass
class Browser:
    """Somebody who is signed in, and asks the next of the web servers where one does not answer."""

    ports: list[int]
    user: User
    unanswered: int = 0
    _cookies: str = ""

    def press(self, preview: Any) -> Operation:
        """Press the last button of the preview until some server has answered; a second press changes nothing."""
        path = f"/previews/{preview.id}/submit/"
        return eventually(lambda: self._pressed(path), timeout=90, message=f"{path} is never answered")

    def is_answered(self, port: int) -> bool:
        return self._ask(port, "GET", "/healthz/live")[0] == 200

    def _pressed(self, path: str) -> Operation | None:
        for port in random.sample(self.ports, len(self.ports)):
            status, address = self._ask(port, "POST", path)
            if status == 302 and (found := re.fullmatch(r"/operations/([0-9a-f-]{36})/", address)):
                return Operation.objects.get(id=found[1])
            self.unanswered += 1
        return None

    def _ask(self, port: int, method: str, path: str) -> tuple[int, str]:
        """The status and where it leads; 0 where nothing answers."""
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": TOKEN}) if method == "POST" else None
        headers = {"Cookie": self._cookies, "Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers.get("Location", "")
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def sign_in(self) -> None:
        """The session is in the database, so every server knows it."""
        client = Client()
        client.force_login(self.user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self._cookies = f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={TOKEN}"


@dataclass
class TwoOfEach(Chaos):
    """The campaign's faults, and the death of web servers, watchers and beats, of which there are two."""

    ports: list[int] = field(default_factory=lambda: [free_port(), free_port()])
    seed: int = 0

    def start(self) -> None:
        super().start()
        self.pairs = {
            "web": [self.stage.web(port) for port in self.ports],
            "watcher": [self.stage.watcher(), self.stage.watcher()],
            "beat": [self._beat, self.stage.beat()],
            "background": [self.stage.background(), self.stage.background()],
        }

    def deeds(self) -> tuple[tuple[int, Callable[[], None]], ...]:
        further = ((4, self.kill_a_web_server), (3, self.kill_a_watcher), (2, self.kill_beat))
        return (*(one for one in super().deeds() if one[1].__name__ != "kill_beat"), *further)

    def kill_a_web_server(self) -> None:
        index = self.random.randrange(2)
        self.replace("web", index)

    def kill_a_watcher(self) -> None:
        self.replace("watcher", self.random.randrange(2))

    def kill_beat(self) -> None:
        self.replace("beat", self.random.randrange(2))

    def replace(self, name: str, index: int) -> None:
        """Kill one and start another in its place, as a supervisor does."""
        kill(self.pairs[name][index])
        again = {
            "web": lambda: self.stage.web(self.ports[index]),
            "watcher": self.stage.watcher,
            "beat": self.stage.beat,
        }
        self.pairs[name][index] = again[name]()


@pytest.fixture
def chaos(running: Stage) -> Iterator[TwoOfEach]:
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"]
    subprocess.run(command, cwd=ROOT, env=running.environment, check=True, timeout=120)
    seed = int(os.environ.get("SLUICE_SEED", random.randrange(10**6)))
    made = TwoOfEach(running, random.Random(seed), seed=seed)
    made.start()
    yield made
    running.end_processes()


def test_nothing_is_done_twice_whoever_dies(running: Stage, chaos: TwoOfEach, dora: Actor) -> None:
    refs = [ServiceRef("box", "default", f"campaign-{number}") for number in range(SERVICES)]
    for ref in refs:
        running.world.create(ref.name)
    browser = Browser(chaos.ports, User.objects.get(id=dora.user_id))
    browser.sign_in()
    eventually(lambda: all(map(browser.is_answered, chaos.ports)), message="web does not start")
    eventually(lambda: Entry.objects.filter(action="outside.begin").exists(), message="nothing watches")
    print_failover(running, chaos, browser, dora)
    began, submitted = time.monotonic(), []
    for number in range(OPERATIONS):
        submitted.append(browser.press(preview(number, chaos.random.choice(refs), browser.user)))
        if number % EVERY == 0:
            chaos.strike()
    running.box._ask("DELETE", "/sandbox/faults", None, "admin")
    ended = [end_of(operation, timeout=120) for operation in submitted]
    print_figures(chaos.seed, chaos, ended, time.monotonic() - began)
    print(f"  presses that got no answer at first: {browser.unanswered}")
    assert {operation.status for operation in ended} <= {Status.SUCCEEDED, Status.SUPERSEDED}, ended
    assert [str(operation.id) for operation in ended if not is_complete(operation)] == []
    assert_each_applied_once(running, ended)
    assert len(set(submitted)) == OPERATIONS == Operation.objects.filter(kind="SetEnv").count()
    told = Entry.objects.filter(action__startswith="outside.", service__startswith="campaign-")
    assert set(told.values_list("action", flat=True)) <= {"outside.create"}, (
        "the console's own change is told as others'"
    )
    assert verify() == Entry.objects.count()


def preview(number: int, ref: ServiceRef, user: User) -> Any:
    """A change of a variable of its own; a preview that a fault spoils is asked for again, as people do."""
    change = SetEnv("app", (EnvEntry(f"OPERATION_{number}", "applied"),))

    def asked() -> Any:
        try:
            return previewing.preview(change, user=user, ref=ref).preview
        except ClusterError:
            return None

    return eventually(asked, timeout=90)


def print_failover(running: Stage, chaos: TwoOfEach, browser: Browser, dora: Actor) -> None:
    """Kill one of each, and print after how many seconds the other had taken over."""
    figures = {
        "web": web_takes_over(chaos, browser),
        "worker": worker_takes_over(running, chaos, dora),
        "watcher": watcher_takes_over(running, chaos),
        "beat": beat_takes_over(chaos),
    }
    print("\nfailover, seconds from kill -9 until the other has taken over:")
    print("  " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in figures.items()))


def web_takes_over(chaos: TwoOfEach, browser: Browser) -> float:
    with replaced_after(chaos, "web", 0) as killed_at:
        eventually(lambda: browser.is_answered(chaos.ports[1]))
        return time.monotonic() - killed_at


def worker_takes_over(running: Stage, chaos: TwoOfEach, dora: Actor) -> float:
    """The one that follows a slow operation dies: another has the lease."""
    running.world.create("slow")
    operation = submit(SetImage("app", "example.com/shop/slow-pull:550s"), ServiceRef("box", "default", "slow"), dora)

    def held_by(owners: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes] | None:
        owner = Operation.objects.values_list("lease_owner", flat=True).get(id=operation.id)
        return next((one for one in owners if f"/{one.pid}/" in owner), None)

    holder = eventually(lambda: held_by(chaos._workers))
    index = chaos._workers.index(holder)
    kill(holder)
    killed_at = time.monotonic()
    eventually(lambda: held_by([chaos._workers[1 - index]]))
    seconds = time.monotonic() - killed_at
    chaos._workers[index] = running.worker(threads=8)
    assert end_of(operation, timeout=90).status == Status.SUCCEEDED
    return seconds


def watcher_takes_over(running: Stage, chaos: TwoOfEach) -> float:
    """The leader dies: what changes in the cluster is on pages again."""
    leader = eventually(
        lambda: next((one for one in (0, 1) if leads(running, chaos.pairs["watcher"][one])), None) is not None
    )
    assert leader
    index = 0 if leads(running, chaos.pairs["watcher"][0]) else 1
    with replaced_after(chaos, "watcher", index) as killed_at:
        running.world.create("seen-by-the-next")
        eventually(lambda: is_mirrored(ServiceRef("box", "default", "seen-by-the-next")))
        return time.monotonic() - killed_at


def leads(running: Stage, process: subprocess.Popen[bytes]) -> bool:
    number = running.processes.index(process)
    log = (running.folder / f"watcher-{number:03d}.log").read_text()
    return log.rfind("leadership_taken") > log.rfind("leadership_lost")


def is_mirrored(ref: ServiceRef) -> bool:
    try:
        return read.service(ref) is not None
    except MirrorUnavailable:
        return False


def beat_takes_over(chaos: TwoOfEach) -> float:
    """A worker has swept again."""
    with replaced_after(chaos, "beat", 0) as killed_at:
        eventually(lambda: (age := worker_heartbeat.age()) is not None and age < time.monotonic() - killed_at)
        return time.monotonic() - killed_at


@contextmanager
def replaced_after(chaos: TwoOfEach, name: str, index: int) -> Iterator[float]:
    """Kill one; the block measures; only then another one is started in its place."""
    kill(chaos.pairs[name][index])
    yield time.monotonic()
    chaos.replace(name, index)
