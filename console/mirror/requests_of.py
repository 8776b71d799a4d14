"""Which request asked for an operation: for the log of the watcher, which reads no operations.

The worker notes it before it writes to a cluster; the watcher reads it when it sees the object that names the
operation.
"""

import redis

from console.mirror import keys
from console.signing import sign, verify

SECONDS = 3600  # the watcher sees a write within seconds, unless it is away


def note(client: redis.Redis, operation: str, request: str) -> None:
    """Keep for a while which request it was; raises RedisError."""
    key = keys.request_of(operation)
    client.set(key, sign(request.encode(), key), ex=SECONDS)


def of(client: redis.Redis, operation: str) -> str:
    """Return the request's id, empty where it is not known; raises RedisError."""
    key = keys.request_of(operation)
    record = client.get(key) if operation else None
    body = verify(record, key) if isinstance(record, str | bytes) else None
    return body.decode(errors="replace") if body else ""
