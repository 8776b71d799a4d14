"""A file that each process touches while it works, for the liveness probes of deploy/ and compose.

A probe must cost next to nothing, so it asks `find` for the file's age and starts no Python. The file stays untouched
when the process hangs, and when a worker no longer gets messages while other workers of its queue do. Without Redis
or beat nobody gets any: restarting the workers would not help, so that does not count against them.
"""

import time
from pathlib import Path
from typing import Any

import redis
import structlog
from celery import bootsteps
from celery.beat import PersistentScheduler
from celery.signals import task_prerun
from django.conf import settings

from console.redis_client import client, moment

TOUCH_SECONDS = 5.0
STARVED_SECONDS = 300.0  # without a message, while others take some; beat sends several a minute to each queue
OTHERS_SECONDS = 60.0
MARKED = ("worker", "background", "beat")

log = structlog.get_logger(__name__)


def touch(name: str) -> None:
    """Say that the process of this name is alive."""
    path = Path(settings.STATE_DIR) / "alive" / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        log.warning("heartbeat_lost", reason=str(error))


def ages() -> dict[str, float | None]:
    """Return the seconds since workers of each queue took a message and beat sent one, None: never, as Redis knows.

    Raises redis.RedisError.
    """
    moments = {name: moment(_mark(name)) for name in MARKED}
    return {name: None if at is None else max(0.0, time.time() - at) for name, at in moments.items()}


def _leave_mark(name: str) -> None:
    """Tell the other processes that this one worked just now."""
    try:
        client().set(_mark(name), f"{time.time():.3f}")
    except redis.RedisError as error:
        log.warning("worker_heartbeat_not_written", reason=type(error).__name__)


def _mark(name: str) -> str:
    return f"sluice:{name}:taken"


class Consumption:
    """When this worker, and any worker of its queue, last took a message."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.taken_at = self.told_at = time.monotonic()

    def note(self, **_kwargs: Any) -> None:
        """A task begins; tell the others at most every few seconds."""
        self.taken_at = time.monotonic()
        if self.taken_at - self.told_at >= TOUCH_SECONDS:
            self.told_at = self.taken_at
            _leave_mark(self.name)

    @property
    def is_starved(self) -> bool:
        """Whether others get messages and this worker has had none for long."""
        if time.monotonic() - self.taken_at < STARVED_SECONDS:
            return False
        try:
            others = moment(_mark(self.name))
        except redis.RedisError:
            return False
        return others is not None and time.time() - others < OTHERS_SECONDS


class WorkerHeartbeat(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Touches the worker's file from the event loop that takes its messages."""

    requires = ("celery.worker.components:Timer",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self.name = "background" if str(worker.hostname).startswith("background@") else "worker"
        self.consumption = Consumption(self.name)
        task_prerun.connect(self.consumption.note)

    def start(self, worker: Any) -> None:
        touch(self.name)
        worker.timer.call_repeatedly(TOUCH_SECONDS, self.beat)

    def beat(self) -> None:
        if self.consumption.is_starved:
            log.error("worker_starved", seconds=round(time.monotonic() - self.consumption.taken_at))
        else:
            touch(self.name)


class Scheduler(PersistentScheduler):  # type: ignore[misc]  # Celery has no types
    """Beat's schedule; each look at it touches beat's file, and what was sent is told in Redis now and then."""

    told_at = float("-inf")

    def tick(self, *args: Any, **kwargs: Any) -> float:
        touch("beat")
        pause = float(super().tick(*args, **kwargs))
        if time.monotonic() - self.told_at >= TOUCH_SECONDS:
            self.told_at = time.monotonic()
            _leave_mark("beat")
        return pause
