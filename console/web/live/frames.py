"""Server-sent events as bytes."""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache

from console.mirror.feed import Position
from console.web import rows
from console.web.rows import Look, Row

RETRY = b"retry: 2000\n"  # milliseconds


def event(name: str, *lines: str) -> bytes:
    """Return an event of that name, its data in so many lines."""
    data = "".join(f"data: {line}\n" for line in lines)
    return f"event: {name}\n{data}\n".encode()


def position(at: Position) -> bytes:
    """Return what closes a piece: all until here was sent. The browser names it when it connects again."""
    return f"id: {at}\nevent: position\ndata: {at}\n\n".encode()


def of_rows(topic: str, at: Position, found: Iterable[tuple[Row, Look]]) -> bytes:
    """Return the event that brings rows of a list: its topic, the position, a JSON object of HTML by the row's id."""
    pairs = b",".join(_pair(row, look) for row, look in found)
    return b"event: rows\ndata: %s\ndata: %s\ndata: {%s}\n\n" % (topic.encode(), str(at).encode(), pairs)


def of_part(topic: str, at: Position, versions: Mapping[str, str], html: Mapping[str, str], *, is_over: bool) -> bytes:
    """Return the event that brings what changed of a live part: HTML by piece, and the versions of all of them."""
    found = {"versions": versions, "html": html, "over": is_over}
    return event("part", topic, str(at), json.dumps(found, ensure_ascii=False))


@lru_cache(maxsize=rows.MAX_ROWS)
def _pair(row: Row, look: Look) -> bytes:
    """`"row-…":"<tr …"`: rendered and encoded once for all who see it."""
    found = {f"row-{row.summary.uid}": rows.rendered(row, look)}
    return json.dumps(found, ensure_ascii=False)[1:-1].encode()
