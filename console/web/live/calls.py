"""Waiting between two steps of the hub, until there is a reason for the next."""

import asyncio
from collections.abc import Callable

from console.mirror.announcements import Announcement


async def next_call(
    calls: asyncio.Queue[Announcement], pause: float, at_most: float, is_awaited: Callable[[Announcement], bool]
) -> None:
    """Return after an announcement or a new viewer, and after so many seconds at most; then nothing waits in `calls`.

    What is announced within the seconds of `pause` comes together; news that somebody waits for ends the pause.
    """
    if not await _is_called(calls, pause, is_awaited):
        await _is_called(calls, at_most, lambda _call: True)
    while not calls.empty():
        calls.get_nowait()


async def _is_called(
    calls: asyncio.Queue[Announcement], seconds: float, is_enough: Callable[[Announcement], bool]
) -> bool:
    """Wait for a call that is enough; returns whether any came."""
    is_called = False
    try:
        # Not asyncio.wait_for: before Python 3.12 it answers in place of a cancellation (CPython issue 86296).
        async with asyncio.timeout(seconds):
            while not is_enough(await calls.get()):
                is_called = True
    except TimeoutError:
        return is_called
    return True
