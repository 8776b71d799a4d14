"""One small set of threads for everything synchronous in a web process, each call giving its connections back.

Django gives each request a thread of its own for as long as the request lasts. An event stream lasts for hours, so 600
streams would be 600 threads, each with a connection to the database that nobody uses.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_started
from django.db import close_old_connections, connections, reset_queries
from django.http import HttpRequest
from django.http.response import HttpResponseBase

THREADS = 32  # also for what waits for a cluster: previews, names that forms offer


class BoundedThreads(ThreadPoolExecutor):
    """Runs calls in a limited number of threads; connections to PostgreSQL are returned when a call ends."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(_run, fn, *args, **kwargs)


class BoundedHandler(ASGIHandler):
    """Django's ASGI handler, whose requests share the threads.

    A request goes to a thread twice: for the whole chain of middleware with its view, and to be closed. Django would go
    there and back six times, around each asynchronous layer; a view that is asynchronous is called from the thread.
    A request is not bound to one thread. That is safe because each of the two opens and gives back its own connections,
    and all else that Django keeps for a request is in context variables.
    """

    def __init__(self) -> None:
        super().__init__()
        self._threads = BoundedThreads(THREADS, thread_name_prefix="web")
        if not settings.DEBUG:  # they look at connections, and no connection outlives its call
            request_started.disconnect(close_old_connections)
            request_started.disconnect(reset_queries)

    def load_middleware(self, is_async: bool = False) -> None:
        """Make the chain of middleware synchronous, whatever the base class asks for."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Return the response that the synchronous chain makes in one of the threads."""
        return await sync_to_async(self.get_response)(request)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async with ThreadSensitiveContext(executor=self._threads):
            await self.handle(scope, receive, send)


def _run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return function(*args, **kwargs)
    finally:
        for connection in connections.all(initialized_only=True):
            # To PostgreSQL it goes back to the pool. A file that is open costs others nothing, and opening it again
            # costs as much as all middleware.
            if connection.vendor != "sqlite" or connection.in_atomic_block:
                connection.close()
