"""A console on a sandbox with thousands of services, people who are signed in to it, and changes at a steady rate."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.memory import cluster, is_whole
from tests.bench.runs import ROOT
from tests.bench.stream_backends import COOKIE, sign_in
from tests.console_process import RunningConsole, console
from tests.sandbox.api_client import SERVING, Client
from tests.sandbox_process import Sandbox, sandbox
from tests.waiting import eventually

START_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Bench:
    """A console, the sandbox that it shows, and sessions of people who may see everything there."""

    at: RunningConsole
    box: Sandbox
    sessions: list[str]


@contextmanager
def console_of(
    services: int, revisions: int = 5, people: int = 1, environment: Mapping[str, str] | None = None
) -> Iterator[Bench]:
    """Start them, wait until the mirror is whole, stop them at the end."""
    with tempfile.TemporaryDirectory() as folder, sandbox(seed=f"capacity:{services},{revisions}", speed=1) as box:
        variables = {"CONSOLE_CLUSTERS": cluster(box, Path(folder)), "CONSOLE_DEMO": "1", **(environment or {})}
        with console(environment=variables) as running:
            eventually(lambda: is_whole(running), timeout=START_SECONDS)
            yield Bench(running, box, sign_in(people, {"CONSOLE_STATE_DIR": str(running.state)}))


@contextmanager
def changing(box: Sandbox, rate: float, services: list[str]) -> Iterator[None]:
    """Let a process of its own change these services in turn, `rate` times a second; prints how many it managed."""
    command = [sys.executable, "-m", "tests.bench.changes", box.url, str(rate)]
    environment = {**os.environ, "TOKEN": box.token}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, text=True)
    try:
        assert process.stdin
        process.stdin.write("\n".join(services))
        process.stdin.close()
        yield
        assert process.poll() is None, "the changes ended early"
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def watched(bench: Bench, number: int) -> Iterator[None]:
    """Let so many people have the list open, in a process of their own; raises when one of them is cut off."""
    if not number:
        yield
        return
    command = [sys.executable, "-m", "tests.bench.viewers", bench.at.url, str(number)]
    environment = {**os.environ, "COOKIES": " ".join(bench.sessions)}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == f"{number} streams\n", "the streams did not begin"
        yield
        process.stdin.close()
        assert process.wait(30) == 0, process.stdout.read()
    finally:
        process.kill()
        process.wait()


def all_services(box: Sandbox) -> list[str]:
    """Return namespace/name of every service of the sandbox."""
    found = [one["metadata"] for one in Client(box.url, box.token).get(f"{SERVING}/services").body["items"]]
    return [f"{one['namespace']}/{one['name']}" for one in found]


def shown_services(bench: Bench) -> list[str]:
    """Return those on the first page of the list."""
    text = page(bench, "/")
    return list(dict.fromkeys(re.findall(r'href="/services/sandbox/([^/"]+/[^/"]+)/"', text)))


def page(bench: Bench, path: str) -> str:
    headers = {"Cookie": f"{COOKIE}={bench.sessions[0]}"}
    with urllib.request.urlopen(urllib.request.Request(bench.at.url + path, headers=headers), timeout=60) as answer:
        return answer.read().decode()


def requests_so_far(box: Sandbox) -> dict[str, int]:
    """Return how many requests the sandbox has had since its start, by verb and resource."""
    found: dict[str, int] = Client(box.url, box.token).get("/sandbox/facts").body["requests"]
    return found
