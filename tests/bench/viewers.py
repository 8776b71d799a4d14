"""People with the list open, as their browsers would be: a process that holds event streams and prints what it holds.

    COOKIES="..." python -m tests.bench.viewers URL NUMBER

It prints a line when all streams have begun, and ends when its stdin does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import cycle

from tests.bench.stream_backends import ask

MAX_OPENING = 10  # at once
OPENING_SECONDS = 120.0


async def hold(url: str, session: str, gate: asyncio.Semaphore, begun: asyncio.Event) -> None:
    """Open the page and its stream, and read the stream to its end."""
    async with gate:
        reader, writer, _ = await ask(url, "/", session)
        await reader.read()
        writer.close()
        reader, writer, status = await ask(url, "/stream/?topic=services", session)
        if status != 200:
            raise RuntimeError(f"a stream was answered {status}")
        await reader.readuntil(b"\n\n")
    begun.set()
    while await reader.read(65536):
        pass


async def main(url: str, number: int) -> None:
    """Hold the streams until stdin ends; raises when one of them ends before."""
    gate, begun = asyncio.Semaphore(MAX_OPENING), [asyncio.Event() for _ in range(number)]
    sessions = cycle(os.environ["COOKIES"].split())
    streams = [asyncio.create_task(hold(url, next(sessions), gate, event)) for event in begun]
    await asyncio.wait_for(asyncio.gather(*(event.wait() for event in begun)), OPENING_SECONDS)
    print(f"{number} streams", flush=True)
    leaving = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait([leaving, *streams], return_when=asyncio.FIRST_COMPLETED)
    ended = sum(stream.done() for stream in streams)
    if ended:
        print(f"{ended} of {number} streams ended early", flush=True)
    os._exit(1 if ended else 0)  # the thread that reads stdin may still wait


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
