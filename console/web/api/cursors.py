"""Pages by cursor: where the next one begins, so that what comes or goes meanwhile shifts nothing.

A cursor is the sort key of the last row; it is opaque to clients and gives no permission to anything.
"""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from console.web.api.problems import Refused

T = TypeVar("T")
Key = list[str | int | float]


def encode(key: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode(text: str, kind: type[T]) -> T:
    """Return the key; raises Refused for what is none of that kind."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=kind)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Refused("query-invalid", "cursor: use the value of `next` from the previous page") from error


def page(
    rows: Iterable[T], key: Callable[[T], Key], *, descending: bool, cursor: str, limit: int
) -> tuple[list[T], str | None]:
    """Return up to `limit` rows in the key's order after the cursor, and the cursor of the next page or None.

    The key must be different for any two rows.
    """
    ordered = sorted(rows, key=key, reverse=descending)
    if cursor:
        last = decode(cursor, Key)
        try:
            ordered = [row for row in ordered if (key(row) < last if descending else key(row) > last)]
        except TypeError as error:  # a cursor of another order
            raise Refused("query-invalid", "cursor: it belongs to a different sort order") from error
    found = ordered[:limit]
    return found, encode(key(found[-1])) if len(ordered) > limit else None


def page_of_ordered(
    rows: Sequence[T], key: Callable[[T], tuple[Any, ...]], *, descending: bool, cursor: str, limit: int
) -> tuple[list[T], str | None]:
    """`page`, of rows that are in order already: looks at a few of them, however many there are."""
    start = _place_after(rows, key, _tuples(decode(cursor, list[Any])), descending=descending) if cursor else 0
    found = list(rows[start : start + limit])
    return found, encode(key(found[-1])) if start + limit < len(rows) else None


def _place_after(rows: Sequence[T], key: Callable[[T], Any], last: Any, *, descending: bool) -> int:
    """Where the rows begin that come after the key."""

    def is_after(row: T) -> bool:
        return bool(key(row) < last if descending else key(row) > last)

    try:
        return bisect_right(rows, False, key=is_after)
    except TypeError as error:  # a cursor of another order
        raise Refused("query-invalid", "cursor: it belongs to a different sort order") from error


def _tuples(value: Any) -> Any:
    """JSON has lists where a key has tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
