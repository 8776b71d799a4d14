"""Whether workers consume: the sweep, which beat sends every few seconds, leaves a mark when a worker runs it."""

import time

import redis
import structlog
from celery import current_app
from django.conf import settings
from kombu.transport.redis import PRIORITY_STEPS, Channel

from console.redis_client import client, moment

KEY = "sluice:worker:heartbeat"

log = structlog.get_logger(__name__)


def mark() -> None:
    """Say that a worker consumes now."""
    try:
        client().set(KEY, f"{time.time():.3f}")
    except redis.RedisError as error:
        log.warning("heartbeat_lost", reason=type(error).__name__)


def age() -> float | None:
    """Return the seconds since a worker last ran a sweep, None when none ever did; raises redis.RedisError."""
    marked = moment(KEY)
    return max(0.0, time.time() - marked) if marked else None


def waiting() -> int:
    """Return the number of messages that no worker has taken yet; raises redis.RedisError.

    kombu keeps a list for each priority of a queue.
    """
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    queues = [f"{prefix}{name}" for name in (current_app.conf.task_default_queue, settings.BACKGROUND_QUEUE)]
    lists = [f"{queue}{Channel.sep}{number}" if number else queue for queue in queues for number in PRIORITY_STEPS]
    return sum(int(str(client().llen(name))) for name in lists)
