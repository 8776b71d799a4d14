"""A program of its own, since threads need a database that no test's transaction holds: many streams, then pages.

    python -m tests.web.many_streams STREAMS

Prints as JSON what a web process holds while they are open and after they closed: threads, connections of PostgreSQL.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client

PAGES = 50
WAIT = 120  # seconds
LOOK_EVERY = 0.02  # seconds


class Browser:
    """One request to the ASGI application, held open until `close`."""

    def __init__(self, session: str, path: str) -> None:
        self.status, self.body = 0, b""
        self.is_answered = asyncio.Event()
        self._closed = asyncio.Event()
        self._was_asked = False
        cookie = f"{settings.SESSION_COOKIE_NAME}={session}".encode()
        path, _, query = path.partition("?")
        self._scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost"), (b"cookie", cookie)],
            "client": ("127.0.0.1", 40000),
            "server": ("127.0.0.1", 8000),
        }

    async def open(self, application: Any) -> int:
        await application(self._scope, self._receive, self._send)
        return self.status

    def close(self) -> None:
        self._closed.set()

    async def _receive(self) -> dict[str, Any]:
        if self._was_asked:
            await self._closed.wait()
            return {"type": "http.disconnect"}
        self._was_asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: dict[str, Any]) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")
        if b"event: hello" in self.body or not message.get("more_body", True):
            self.is_answered.set()


class Peaks:
    """The most that was held at any moment that was looked at."""

    def __init__(self) -> None:
        self.threads = self.backends = 0

    def look(self, cursor: Any) -> None:
        self.threads = max(self.threads, threading.active_count())
        if cursor is not None:
            self.backends = max(self.backends, backends(cursor))


def backends(cursor: Any) -> int:
    """The connections to this database but the asking one."""
    here = "datname = current_database() AND pid <> pg_backend_pid()"
    return int(cursor.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {here}").fetchone()[0])


@contextmanager
def cursor_beside_the_pool() -> Iterator[Any]:
    """A cursor of a connection that no request uses; None on SQLite."""
    if connection.vendor != "postgresql":
        yield None
        return
    import psycopg
    from django.db.backends.postgresql.psycopg_any import ClientCursor

    facts = {**connection.get_connection_params(), "cursor_factory": ClientCursor}
    facts.pop("context")
    with psycopg.connect(**facts, autocommit=True) as other, other.cursor() as cursor:
        yield cursor


def sessions(number: int) -> list[str]:
    """Sign people in, each with one session."""
    from console.access.models import User

    found = []
    for at in range(number):
        client = Client()
        client.force_login(User.objects.create_superuser(f"many-streams-{at}"))
        found.append(client.cookies[settings.SESSION_COOKIE_NAME].value)
    return found


async def play(application: Any, streams: int, cookies: list[str], cursor: Any) -> dict[str, Any]:
    """Hold the streams, ask for pages meanwhile, and close them."""
    from console.web import stream

    peaks, ended = Peaks(), threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_EVERY):
            peaks.look(cursor)

    watcher = threading.Thread(target=watch)
    watcher.start()
    browsers = [Browser(cookies[at % len(cookies)], "/stream/?topic=services") for at in range(streams)]
    tasks = [asyncio.create_task(browser.open(application)) for browser in browsers]
    async with asyncio.timeout(WAIT):
        await asyncio.gather(*(browser.is_answered.wait() for browser in browsers))
        held = stream.count()
        pages = [Browser(cookies[at % len(cookies)], "/operations/").open(application) for at in range(PAGES)]
        missing = Browser(cookies[-1], "/stream/?topic=nothing").open(application)
        statuses = sorted({*(await asyncio.gather(*pages)), await missing})
        for browser in browsers:
            browser.close()
        await asyncio.gather(*tasks)
    ended.set()
    watcher.join()
    found = {"streams": held, "statuses": statuses, "threads": peaks.threads, "backends": peaks.backends}
    return {**found, "streams_after": stream.count(), "backends_after": backends(cursor) if cursor else 0}


def main(streams: int) -> None:
    from console.asgi import application  # sets Django up, with the limits of web
    from console.web.stream import MAX_OF_SESSION

    call_command("migrate", verbosity=0)
    cookies = sessions(streams // MAX_OF_SESSION + 1)
    connections.close_all()
    with cursor_beside_the_pool() as cursor:
        print(json.dumps(asyncio.run(play(application, streams, cookies, cursor))))


if __name__ == "__main__":
    main(int(sys.argv[1]))
