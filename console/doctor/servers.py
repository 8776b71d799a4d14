"""The database, Redis, and whether their clocks and this machine's agree."""

from collections.abc import Iterator
from datetime import UTC, datetime

import redis
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from console.doctor.findings import Finding, ok, problem, warning
from console.redis_client import client_with_timeout

REDIS_SECONDS = 3.0
MAX_CLOCK_DIFFERENCE = 2.0  # seconds; leases run by the database's clock, sessions and freshness by the processes'
PROBE = "sluice:doctor"


def database() -> Iterator[Finding]:
    """Whether it answers and has every migration, and its clock."""
    part = "database"
    try:
        executor = MigrationExecutor(connection)
        missing = [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
        yield from _database_clock(part)
    except DatabaseError as error:
        yield problem(part, f"does not answer: {error}", "Check CONSOLE_DATABASE_URL, its server and the password.")
        return
    if missing:
        yield problem(part, f"{len(missing)} migrations are missing, {missing[0]} first", "Run `manage.py migrate`.")
    else:
        yield ok(part, f"{connection.display_name}, with all migrations")


def _database_clock(part: str) -> Iterator[Finding]:
    if connection.vendor != "postgresql":
        return  # SQLite has this machine's
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        yield from _clock(part, cursor.fetchone()[0])


def redis_server() -> Iterator[Finding]:
    """Whether it takes things in, drops none of them when it is full, and its clock."""
    part = "Redis"
    try:
        with client_with_timeout(REDIS_SECONDS) as client:
            client.set(PROBE, "1", ex=60)
            seconds, microseconds = client.time()
            memory = client.info("memory")
    except redis.RedisError as error:
        text = f"takes nothing in: {type(error).__name__}: {error}"
        yield problem(part, text, "Check CONSOLE_REDIS_URL, its server, its password and its free memory.")
        return
    yield from _clock(part, datetime.fromtimestamp(seconds + microseconds / 1e6, UTC))
    policy = memory.get("maxmemory_policy")
    if memory.get("maxmemory") and policy != "noeviction":
        text = f"drops records when it is full (maxmemory-policy {policy}): queued work and mirrored data can be lost"
        yield warning(part, text, "Set `maxmemory-policy noeviction`.")
    else:
        yield ok(part, f"takes things in, {memory.get('used_memory_human', 'an unknown amount')} in use")


def _clock(part: str, there: datetime) -> Iterator[Finding]:
    difference = (there - timezone.now()).total_seconds()
    if abs(difference) > MAX_CLOCK_DIFFERENCE:
        way = "ahead of" if difference > 0 else "behind"
        text = f"its clock is {abs(difference):.0f} s {way} this machine's"
        yield problem(
            part, text, "Synchronize the clocks (NTP): leases, sessions and times in the audit log rest on them."
        )
