"""Viewers of the list for tests.bench.live: hold streams, and note when each change comes.

    COOKIES="..." python -m tests.bench.listeners URL NUMBER push|fetch CHANGES

Prints `begun`, and JSON with what was seen once every viewer has the last change, or nothing came for a while.
`fetch`: each viewer fetches its page at each event, one fetch at a time, as browsers did before rows were pushed.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from collections import Counter
from html import unescape
from itertools import cycle
from urllib.parse import quote

from tests.bench.stream_backends import ask

MAX_OPENING = 10  # at once
SILENT_SECONDS = 15.0
STAMP = re.compile(r"n(\d+)-(\d+\.\d+)@bench")


class Viewer:
    """A browser on the first page of the list."""

    def __init__(self, url: str, session: str) -> None:
        self._url, self._session = url, session
        self.seen: Counter[int] = Counter()
        self.seconds: list[float] = []

    async def open(self, mode: str) -> asyncio.StreamReader:
        text = await self._page()
        self._note_only(text)
        topic, position = (re.search(rf'data-{name}="([^"]*)"', text) for name in ("topic", "position"))
        assert topic
        assert position
        about = "services" if mode == "fetch" else quote(unescape(topic[1]))
        reader, writer, status = await ask(self._url, f"/stream/?topic={about}&since={position[1]}", self._session)
        assert status == 200, status
        self._writer = writer
        await reader.readuntil(b"event: hello")
        return reader

    async def listen(self, reader: asyncio.StreamReader, mode: str) -> None:
        while line := await reader.readline():
            if mode == "push":
                self._note(line.decode(), fresh=line.startswith(b"data: {"))
            elif line.startswith(b"event: changed"):
                self._note(await self._page(), fresh=True, once=True)

    async def _page(self) -> str:
        reader, writer, status = await ask(self._url, "/", self._session)
        assert status == 200, status
        text = (await reader.read()).decode(errors="replace")
        writer.close()
        return text

    def _note_only(self, text: str) -> None:
        """What the page shows from an earlier run is not counted."""
        self._old = {found[0] for found in STAMP.finditer(text)}

    def _note(self, text: str, *, fresh: bool, once: bool = False) -> None:
        now = time.time()
        if not fresh:
            return
        for found in {found[0]: found for found in STAMP.finditer(text)}.values():
            number = int(found[1])
            if found[0] in self._old or (once and self.seen[number]):
                continue
            self.seen[number] += 1
            self.seconds.append(now - float(found[2]))


async def main(url: str, number: int, mode: str, changes: int) -> None:
    sessions = cycle(os.environ["COOKIES"].split())
    viewers = [Viewer(url, next(sessions)) for _ in range(number)]
    readers = []
    for start in range(0, number, MAX_OPENING):
        readers += await asyncio.gather(*(viewer.open(mode) for viewer in viewers[start : start + MAX_OPENING]))
    print("begun", flush=True)
    pairs = zip(viewers, readers, strict=True)
    listening = [asyncio.create_task(viewer.listen(reader, mode)) for viewer, reader in pairs]
    count, quiet_since = 0, time.monotonic()
    while time.monotonic() - quiet_since < SILENT_SECONDS and not all(one.seen[changes - 1] for one in viewers):
        await asyncio.sleep(0.2)
        if (now := sum(len(one.seconds) for one in viewers)) != count:
            count, quiet_since = now, time.monotonic()
    await asyncio.sleep(0.5)
    for task in listening:
        task.cancel()
    lost = sum(changes - len(one.seen) for one in viewers)
    twice = sum(times - 1 for one in viewers for times in one.seen.values())
    seconds = [taken for one in viewers for taken in one.seconds]
    print(json.dumps({"lost": lost, "twice": twice, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
