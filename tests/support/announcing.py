"""An announcement as processes make it, from a test."""

from console.mirror import announcements
from console.redis_client import client


def announce(kind: str, **facts: str) -> None:
    """Tell every browser that something changed; raises redis.RedisError when Redis is away."""
    announcements.announce(client(), {"kind": kind, **facts})
