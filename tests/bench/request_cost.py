"""What does a request cost before and after its view: which middleware, how many switches between threads?

    python -m tests.bench.request_cost

Drives the ASGI application in one process, without a server. CPU is that of the whole process; the cost of a
middleware is its own, without what is inside it.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tests.bench import figures
from tests.bench.figures import Figure, Options, at_most, median
from tests.bench.pages import fill
from tests.redis_server import running

REQUESTS = 100  # of one round
SERVICES = 1000
HOST = (b"host", b"localhost")
taken: dict[int, list[float]] = defaultdict(list)  # position in MIDDLEWARE: seconds of it with all that is inside


def measure(options: Options) -> Iterator[Figure]:
    import django
    from django.conf import settings

    settings.MIDDLEWARE = [name for at, one in enumerate(settings.MIDDLEWARE) for name in (_timer(at), one)]
    settings.MIDDLEWARE.append(_timer(len(settings.MIDDLEWARE) // 2))
    settings.DATABASES["default"]["TEST"] = {"NAME": str(settings.STATE_DIR / "bench.sqlite3")}  # for other threads
    django.setup()
    from django.test.utils import setup_databases

    # Without setup_test_environment: tests copy the context of every template, which was 6% of a page.
    setup_databases(verbosity=0, interactive=False)
    with running() as server:
        settings.REDIS_URL = server.url
        fill(SERVICES)
        cookie = _signed_in()
        empty = asyncio.run(_cpu("/healthz/live", [HOST], options.rounds()))
        yield median("request that does nothing, CPU of the application", empty, "ms", at_most(2))
        full = asyncio.run(_cpu("/", [HOST, (b"cookie", cookie.encode())], options.rounds()))
        yield median("list of 50 rows, CPU of the application", full, "ms")


def _timer(at: int) -> str:
    """Make a middleware that measures what is inside it, at this position; returns its dotted name."""

    def factory(get_response: Any) -> Any:
        def middleware(request: Any) -> Any:
            began = time.thread_time()
            try:
                return get_response(request)
            finally:
                taken[at].append(time.thread_time() - began)

        return middleware

    setattr(sys.modules[__name__], f"timer_{at}", factory)
    return f"{__name__}.timer_{at}"


def _signed_in() -> str:
    from django.test import Client

    from console.access.models import User

    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


async def _cpu(path: str, headers: list[tuple[bytes, bytes]], rounds: int) -> list[float]:
    """The CPU of one request in each round, in milliseconds."""
    from console.asgi import application

    for _ in range(REQUESTS):  # fills caches
        await _ask(application, path, headers)
    taken.clear()
    cpu = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(REQUESTS):
            await _ask(application, path, headers)
        cpu.append((time.process_time() - began) / REQUESTS * 1000)
    _print(path, statistics.median(cpu))
    return cpu


async def _ask(application: Any, path: str, headers: list[tuple[bytes, bytes]]) -> None:
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"headers": headers, "scheme": "http", "http_version": "1.1", "server": ("localhost", 80)}
    scope |= {"client": ("127.0.0.1", 1), "asgi": {"version": "3.0"}}
    is_asked = False

    async def receive() -> dict[str, Any]:
        nonlocal is_asked
        if is_asked:
            await asyncio.sleep(3600)
        is_asked = True
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        assert message.get("status", 200) == 200, message

    await application(scope, receive, send)


def _print(path: str, cpu: float) -> None:
    from django.conf import settings

    names = [name.rpartition(".")[2] for name in settings.MIDDLEWARE if not name.startswith(__name__)]
    inside = [statistics.median(taken[at]) for at in sorted(taken)]
    print(f"{path}: {cpu:.2f} ms of CPU, {inside[0] * 1000:.2f} of it from the first middleware on")
    own = [*map(float.__sub__, inside, inside[1:]), inside[-1]]
    for name, seconds in sorted(zip([*names, "view"], own, strict=True), key=lambda cost: -cost[1]):
        print(f"    {seconds * 1e6:7.0f} µs  {name}")


if __name__ == "__main__":
    figures.main(measure)
