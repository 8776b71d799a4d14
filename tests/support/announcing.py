"""An announcement as processes publish it, from a test."""

from typing import Any

import msgspec

from console.redis_client import CHANNEL, client
from console.signing import sign


def announce(kind: str, **facts: Any) -> None:
    """Tell every browser that something changed; raises redis.RedisError when Redis is away."""
    client().publish(CHANNEL, sign(msgspec.json.encode({"kind": kind, **facts}), CHANNEL))
