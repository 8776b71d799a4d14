"""One small set of threads for everything synchronous in a web process, each call giving its connections back.

Django gives each request a thread of its own for as long as the request lasts. An event stream lasts for hours, so 600
streams would be 600 threads, each with a connection to the database that nobody uses.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler
from django.db import connections

THREADS = 32  # also for what waits for a cluster: previews, names that forms offer
ERROR_THREADS = 4


class BoundedThreads(ThreadPoolExecutor):
    """Runs calls in a limited number of threads; database connections of a call are returned when it ends."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(_run, fn, *args, **kwargs)


class BoundedHandler(ASGIHandler):
    """Django's ASGI handler, whose requests share the threads.

    A request is no longer bound to one thread. That is safe because each of its synchronous parts (the whole chain of
    middleware with the view is one) opens and gives back its own connections, and all else that Django keeps for a
    request is in context variables.
    """

    def __init__(self) -> None:
        super().__init__()
        self._threads = BoundedThreads(THREADS, thread_name_prefix="web")
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._loop is not asyncio.get_running_loop():
            self._loop = asyncio.get_running_loop()
            # Django makes the pages of errors in the loop's own threads. They are others than the first: what asks for
            # such a page may hold one of those, and wait for it.
            self._loop.set_default_executor(BoundedThreads(ERROR_THREADS, thread_name_prefix="web-errors"))
        async with ThreadSensitiveContext(executor=self._threads):
            await self.handle(scope, receive, send)


def _run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return function(*args, **kwargs)
    finally:
        # Not close_old_connections: that keeps one whose age is not over, and no later call may come to this thread.
        connections.close_all()
