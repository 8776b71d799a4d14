"""The sandbox's time: as long as on a real cluster, or divided by a factor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Durations are given in the seconds that a real cluster would take; they last `1 / speed` of that.

    Timestamps are the real time, whatever the speed. Raises ValueError for a speed that is not above zero.
    """

    def __init__(self, speed: float = 1.0, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        if speed <= 0:
            raise ValueError(f"The speed must be above zero, not {speed}")
        self.speed = speed
        self._now = now

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return self._now()

    def timestamp(self) -> str:
        """Now, as Kubernetes writes it: RFC 3339 in UTC with whole seconds."""
        return self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def scaled(self, seconds: float) -> float:
        """The real seconds that `seconds` last."""
        return seconds / self.speed

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        await asyncio.sleep(seconds / self.speed)
