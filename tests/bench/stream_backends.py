"""How many PostgreSQL connections, threads and files do many event streams and a steady flow of pages hold?

    python -m tests.bench.stream_backends [streams] [pages a second] [seconds]

Starts the whole console on a PostgreSQL of its own (needs PostgreSQL's programs), holds the streams over real HTTP
connections, and prints the most that was held: with streams and pages, and after the streams were closed.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.console_process import ROOT, RunningConsole, console
from tests.postgres_server import PostgresServer, running

LOOK_EVERY = 0.2  # seconds
STREAMS_OF_SESSION = 5  # a session may hold 12, half of them in each of two processes, wherever the socket leads
COOKIE = "sluice_session"
PAGES = ("/", "/operations/", "/services/sandbox/default/hello/")
SIGN_IN = """
import json
from django.test import Client
from console.access.models import User
found = []
for at in range({number}):
    client = Client(headers={{"host": "localhost"}})
    client.force_login(User.objects.create_superuser(f"bench-{{at}}"))
    found.append(client.cookies["{cookie}"].value)
print(json.dumps(found))
"""


class Figures:
    """The most that was held since the last `take`."""

    def __init__(self, server: PostgresServer, web: list[int]) -> None:
        self._database = psycopg.connect(host=str(server.folder), user="sluice", dbname="postgres", autocommit=True)
        self._web = [Path(f"/proc/{pid}") for pid in web]
        self._most: Counter[str] = Counter()

    async def watch(self) -> None:
        while True:
            now = {
                "backends": self._backends(),
                "threads of web": self._count("task"),
                "files of web": self._count("fd"),
            }
            for name, value in now.items():
                self._most[name] = max(self._most[name], value)
            await asyncio.sleep(LOOK_EVERY)

    def take(self) -> str:
        text = ", ".join(f"{value} {name}" for name, value in self._most.items())
        self._most.clear()
        return text

    def _backends(self) -> int:
        """Those of clients, of all processes of the console; this connection left out."""
        wanted = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
        row = self._database.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {wanted}").fetchone()
        return int(row[0]) if row else 0

    def _count(self, folder: str) -> int:
        return sum(len(list((web / folder).iterdir())) for web in self._web)


def sign_in(number: int, environment: dict[str, str]) -> list[str]:
    """Sessions of so many new people."""
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", SIGN_IN.format(number=number, cookie=COOKIE)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True, capture_output=True)
    return json.loads(done.stdout)


async def ask(url: str, path: str, session: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, int]:
    """Send one GET; returns the connection after the status line."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {COOKIE}={session}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    status = int((await reader.readline()).split()[1])
    return reader, writer, status


async def hold(url: str, session: str) -> asyncio.StreamWriter:
    reader, writer, status = await ask(url, "/stream/?topic=services", session)
    if status != 200:
        raise RuntimeError(f"a stream was answered {status}")
    await reader.readuntil(b"event: hello")
    return writer


async def page(url: str, path: str, session: str, seen: list[tuple[int, float]]) -> None:
    began = time.monotonic()
    reader, writer, status = await ask(url, path, session)
    await reader.read()
    writer.close()
    seen.append((status, time.monotonic() - began))


async def pages(url: str, sessions: list[str], rate: int, seconds: int) -> list[tuple[int, float]]:
    """Ask for so many pages a second, whether or not those before were answered."""
    seen: list[tuple[int, float]] = []
    tasks = []
    for number in range(rate * seconds):
        tasks.append(asyncio.create_task(page(url, PAGES[number % len(PAGES)], sessions[number % len(sessions)], seen)))
        await asyncio.sleep(1 / rate)
    await asyncio.gather(*tasks)
    return seen


async def measure(
    at: RunningConsole, figures: Figures, sessions: list[str], rate: int, seconds: int, number: int
) -> None:
    watching = asyncio.create_task(figures.watch())
    await asyncio.sleep(5)
    print(f"at rest: {figures.take()}")
    streams = [await hold(at.url, sessions[one % len(sessions)]) for one in range(number)]
    print(f"{len(streams)} streams: {figures.take()}")
    seen = await pages(at.url, sessions, rate, seconds)
    times = sorted(took for _, took in seen)
    print(f"{len(streams)} streams and {rate} pages a second: {figures.take()}")
    print(f"pages: {dict(Counter(status for status, _ in seen))}, median {times[len(times) // 2]:.2f} s, ", end="")
    print(f"p99 {times[len(times) * 99 // 100]:.2f} s")
    for writer in streams:
        writer.close()
    await asyncio.sleep(3)
    figures.take()
    await asyncio.sleep(2)
    print(f"after they closed: {figures.take()}")
    watching.cancel()


def main(streams: int = 1000, rate: int = 50, seconds: int = 30) -> None:
    key = "only-for-this-measurement-" + "x" * 40
    with running() as server:
        environment = {"CONSOLE_DATABASE_URL": server.url, "CONSOLE_SECRET_KEY": key}
        with console(environment=environment) as at:
            sessions = sign_in(streams // STREAMS_OF_SESSION + 1, environment)
            asyncio.run(measure(at, Figures(server, at.web_pids()), sessions, rate, seconds, streams))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
