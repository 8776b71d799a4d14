"""Sending messages to workers. Tasks are named here, so that senders of messages need not import the tasks.

A message outlives the process that sent it, and a deployment: a task whose name changes answers to its former names
for one more release (`FORMER_NAMES`), so that what the version before has queued, or still sends, is run.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, ParamSpec, TypeVar

from celery import current_app, shared_task
from kombu import pools
from kombu.exceptions import LimitExceeded, OperationalError

P = ParamSpec("P")
R = TypeVar("R")

# Redis priorities of kombu: 0 first. Changes that wait to be written go before those that are only followed.
FIRST, LATER = 0, 6
NOT_SENT = (OperationalError, OSError, LimitExceeded)
PUBLISH_TIMEOUT = 1.5  # seconds
# One more try takes care of a connection that a restart of the broker left dead in the pool.
RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}


class TaskName(StrEnum):
    """What a message names. It does not follow the module: a task that moves keeps its name."""

    PERFORM = "operations.perform"
    SWEEP = "operations.sweep"
    DETECT_EXTERNAL = "operations.detect_external"
    TIDY = "operations.tidy"
    SEND_REQUESTS = "request_tests.send"
    SWEEP_REQUEST_TESTS = "request_tests.sweep"
    EXAMINE_CLUSTERS = "registry.examine_clusters"
    EXPORT_ENTRIES = "audit.export_entries"
    SWEEP_EXPORTS = "audit.sweep_exports"
    FORWARD_ENTRIES = "audit.forward"
    CHECK_RIGHTS = "access.check_rights"


# The names of version 0.1. To be removed in the version after the one that first has this line.
FORMER_NAMES = {
    TaskName.PERFORM: "console.operations.tasks.perform",
    TaskName.SWEEP: "console.operations.tasks.sweep",
    TaskName.DETECT_EXTERNAL: "console.operations.tasks.look_outside",
    TaskName.TIDY: "console.operations.tasks.tidy",
    TaskName.SEND_REQUESTS: "console.operations.tasks.send_requests",
    TaskName.EXAMINE_CLUSTERS: "console.operations.tasks.examine_clusters",
    TaskName.EXPORT_ENTRIES: "console.operations.tasks.export_entries",
    TaskName.FORWARD_ENTRIES: "console.audit.tasks.forward",
}


def task(name: TaskName) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let workers run the function for messages of this name, and of the name that it had a release ago."""

    def register(function: Callable[P, R]) -> Callable[P, R]:
        if former := FORMER_NAMES.get(name):
            shared_task(name=former)(function)
        made: Callable[P, R] = shared_task(name=name.value)(function)
        return made

    return register


def enqueue(name: TaskName, arguments: Sequence[Any], *, delay: float = 0.0, priority: int | None = None) -> None:
    """Send a message, to be taken after `delay` seconds, within about three PUBLISH_TIMEOUT; raises one of NOT_SENT.

    The settings' timeouts are those of a consumer, which may wait; a publisher has its own.
    """
    connection = current_app.connection_for_write()
    timeouts = {"socket_timeout": PUBLISH_TIMEOUT, "socket_connect_timeout": PUBLISH_TIMEOUT}
    connection.transport_options = {**connection.transport_options, **timeouts, "retry_on_timeout": False}
    with pools.producers[connection].acquire(block=True, timeout=PUBLISH_TIMEOUT) as producer:
        current_app.send_task(
            name.value,
            arguments,
            producer=producer,
            countdown=delay or None,
            priority=priority,
            retry=True,
            retry_policy=RETRY_POLICY,
        )
