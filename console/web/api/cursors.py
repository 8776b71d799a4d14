"""Pages by cursor: where the next one begins, so that what comes or goes meanwhile shifts nothing.

A cursor is the sort key of the last row; it is opaque to clients and gives no permission to anything.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
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
