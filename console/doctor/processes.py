"""Whether workers, watcher and beat do their work, judged by what they leave in Redis and in the database."""

from collections.abc import Iterator

import redis

from console.doctor.findings import Finding, ok, problem, warning
from console.mirror import keys, read
from console.operations import worker_heartbeat
from console.operations.queue import left_behind
from console.redis_client import client

MAX_SWEEP_AGE = 60.0  # seconds; beat sends a sweep every few


def workers() -> Iterator[Finding]:
    """Whether sweeps are run. Without them it is the queue that tells whether beat or the workers are missing."""
    part = "workers"
    try:
        age, waiting = worker_heartbeat.age(), worker_heartbeat.waiting()
    except redis.RedisError:
        return  # told of Redis
    if age is not None and age <= MAX_SWEEP_AGE:
        yield ok(part, f"ran a sweep {age:.0f} s ago, {waiting} messages are waiting")
        return
    since = "never" if age is None else f"{age:.0f} s ago for the last time"
    if waiting:
        text, missing = f"{waiting} messages are waiting, a sweep was run {since}", "worker"
    else:
        text, missing = f"nothing is waiting and a sweep was run {since}", "beat"
    yield problem(
        part, text, f"Start {missing}: docs/operations.md, “Liveness of processes”; its log says why it ended."
    )


def operations() -> Iterator[Finding]:
    part = "operations"
    if count := left_behind().count():
        yield warning(part, f"{count} are under way and no worker has them", "`manage.py reconcile` hands them over.")
    else:
        yield ok(part, "none is left behind")


def watcher() -> Iterator[Finding]:
    """Whether one leads, and how old the mirror of each cluster is."""
    part = "watcher"
    try:
        leads = client().exists(keys.LEADER)
        ages = {cluster: read.freshness(cluster) for cluster in read.clusters()}
    except (redis.RedisError, read.MirrorUnavailable):
        return
    if not leads:
        yield problem(part, "none is running: pages get older and older", "Start `manage.py watch`.")
        return
    yield ok(part, "one leads")
    for cluster, age in ages.items():
        if age.is_stale:
            since = "not whole yet" if age.seconds is None else f"{age.seconds:.0f} s old"
            text = f"its mirror is {since}{f': {age.error}' if age.error else ''}"
            yield problem(f"cluster {cluster}", text, "The finding on the cluster itself says what the obstacle is.")
