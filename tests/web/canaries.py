"""Values that nothing else looks like: where each was put, where it was searched for, and where it was found."""

from __future__ import annotations

import base64
import contextlib
import secrets
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection

from console.redis_client import client as redis_client

PREFIX = "canary-"
HALF = 10  # characters of a value that give it away: messages are cut


@dataclass
class Canaries:
    """The values by what they were put into."""

    values: dict[str, str] = field(default_factory=dict)

    def new(self, where: str) -> str:
        return self.values.setdefault(where, PREFIX + secrets.token_hex(HALF))

    def said(self, *, but: tuple[str, ...] = ()) -> str:
        """All of them so far, as a program prints its settings."""
        return " ".join(value for where, value in self.values.items() if where not in but)

    def found_in(self, text: str) -> set[str]:
        """Where those were put that the text holds: as they are, a half of one, or in base64 at any position."""
        return {where for where, value in self.values.items() if any(one in text for one in _signs(value))}


def _signs(value: str) -> Iterator[str]:
    """What of a value would give it away."""
    token = value.removeprefix(PREFIX)
    yield from (token[:HALF], token[HALF:])
    for before in range(3):  # base64 writes three bytes as four: each position among them reads differently
        encoded = base64.b64encode(b"." * before + value.encode()).decode().rstrip("=")
        yield encoded[4:-2]


class Searched:
    """The texts of each place, with the page, row or key that each is from."""

    def __init__(self, places: tuple[str, ...]) -> None:
        self.texts: dict[str, list[tuple[str, str]]] = {place: [] for place in places}

    def add(self, place: str, source: str, text: str) -> None:
        self.texts[place].append((source, text))

    def found(self, canaries: Canaries) -> dict[str, dict[str, str]]:
        """What was found in each place: where it was put, and the first source that holds it."""
        found: dict[str, dict[str, str]] = {place: {} for place in self.texts}
        for place, texts in self.texts.items():
            for source, text in texts:
                for where in canaries.found_in(text):
                    found[place].setdefault(where, source)
        return found

    def holds(self, place: str, text: str) -> bool:
        return any(text in one for _, one in self.texts[place])

    def table(self, canaries: Canaries, found: dict[str, dict[str, str]]) -> str:
        width = max(map(len, canaries.values)) + 2
        lines = [f"{'put into':{width}}" + "".join(f"{place:>13}" for place in self.texts)]
        for where in canaries.values:
            cells = ("found" if where in found[place] else "-" for place in self.texts)
            lines.append(f"{where:{width}}" + "".join(f"{cell:>13}" for cell in cells))
        sizes = (sum(len(text) for _, text in texts) // 1024 for texts in self.texts.values())
        lines.append(f"{'texts searched':{width}}" + "".join(f"{len(texts):>13}" for texts in self.texts.values()))
        lines.append(f"{'KiB searched':{width}}" + "".join(f"{size:>13}" for size in sizes))
        return "\n".join(lines)


def everything_in_redis() -> Iterator[tuple[str, str]]:
    """Every key with its value, whatever its type; Django's cache lies there too."""
    reads = {"hash": "hgetall", "set": "smembers", "string": "get", "stream": "xrange", "list": "lrange"}
    for key in redis_client().scan_iter("*"):
        kind = str(redis_client().type(key))
        more = (0, -1) if kind in ("list", "zset") else ()
        value: Any = getattr(redis_client(), reads.get(kind, "zrange"))(key, *more)
        yield str(key), f"{key} {value}"
    yield "cache", str(getattr(cache, "_cache", ""))  # the tests' cache is in memory


def everything_in_the_database() -> Iterator[tuple[str, str]]:
    """Every row of every table as text; what is packed (objects, exports, sessions) is unpacked too."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                yield table, " ".join(part for value in row for part in _readable(value))
    for session in Session.objects.all():
        yield "sessions, decoded", str(session.get_decoded())


def _readable(value: Any) -> Iterator[str]:
    if not isinstance(value, bytes | memoryview):
        yield str(value)
        return
    raw = bytes(value)
    yield raw.decode("latin-1")
    for packing in (zlib.MAX_WBITS, zlib.MAX_WBITS | 16):
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj(wbits=packing).decompress(raw).decode("utf-8", "replace")
