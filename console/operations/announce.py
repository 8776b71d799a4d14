"""Notifying browsers that an operation changed. A browser without notifications polls, so a silent Redis loses nothing.

Somebody waits wherever this is called: a request that submits, a worker with a lease. So the timeouts are short, and a
Redis that did not answer is left alone for a while.
"""

import time
from collections.abc import Callable
from functools import cache

import redis
import structlog
from django.conf import settings

from console.mirror import requests_of
from console.mirror.announcements import announce
from console.operations.models import OnService, Operation
from console.redis_client import new_client

TIMEOUT = 1.0  # seconds
BACKOFF = 3.0  # seconds

log = structlog.get_logger(__name__)
_silent_until: dict[str, float] = {}


def tell(kind: str, thing: OnService) -> None:
    """Announce an `operation` or `access-test`."""
    facts = {"kind": kind, "cluster": thing.cluster, "namespace": thing.namespace, "name": thing.name}
    _within_timeout(kind, lambda client: announce(client, {**facts, "id": str(thing.pk)}))


def tell_of_approvals() -> None:
    """Announce that a change begins or ends to wait for an approval; which one is read by who shows them."""
    _within_timeout("approval", lambda client: announce(client, {"kind": "approval"}))


def note_request(operation: Operation) -> None:
    """Let the watcher's log name the request that asked for the operation which is about to be written."""
    _within_timeout("request", lambda client: requests_of.note(client, str(operation.id), operation.request_id))


def _within_timeout(kind: str, send: Callable[[redis.Redis], None]) -> None:
    url = settings.REDIS_URL
    if time.monotonic() < _silent_until.get(url, 0.0):
        return
    try:
        send(_client(url))
    except redis.RedisError as error:
        _silent_until[url] = time.monotonic() + BACKOFF
        log.warning("announcement_lost", kind=kind, reason=type(error).__name__)


@cache
def _client(url: str) -> redis.Redis:
    """One more try takes care of a connection that a restart of Redis left dead in the pool."""
    return new_client(TIMEOUT, url=url, attempts=2, command_seconds=TIMEOUT)
