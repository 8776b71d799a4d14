"""Pages by cursor: where the next one begins, so that what comes or goes meanwhile shifts nothing.

A cursor is the sort key of the last row, signed for the list and the order that it belongs to. It is opaque to clients
and gives no permission to anything; one that the console did not make for that list and order is refused.
"""

import base64
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from django.core.signing import BadSignature, Signer

from console.web.api.problems import Refused

T = TypeVar("T")
Key = list[str | int | float]


def encode(key: Any, place: str) -> str:
    """Return the cursor after the row with this key, in the list and order that `place` names."""
    return _signer(place).sign(base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("="))


def decode(text: str, kind: type[T], place: str) -> T:
    """Return the key; raises Refused for a cursor that was not made for the place."""
    try:
        raw = _signer(place).unsign(text)
    except BadSignature as error:
        told = "use the value of `next` from the previous page, with the same address and `sort`"
        raise Refused("query-invalid", f"cursor: {told}", parameter="cursor") from error
    return msgspec.json.decode(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)), type=kind)


def page(
    rows: Iterable[T], key: Callable[[T], Key], place: str, *, descending: bool, cursor: str, limit: int
) -> tuple[list[T], str | None]:
    """Return up to `limit` rows in the key's order after the cursor, and the cursor of the next page or None.

    The key must be different for any two rows.
    """
    ordered = sorted(rows, key=key, reverse=descending)
    if cursor:
        last = decode(cursor, Key, place)
        ordered = [row for row in ordered if (key(row) < last if descending else key(row) > last)]
    found = ordered[:limit]
    return found, encode(key(found[-1]), place) if len(ordered) > limit else None


def page_of_ordered(
    rows: Sequence[T], key: Callable[[T], tuple[Any, ...]], place: str, *, descending: bool, cursor: str, limit: int
) -> tuple[list[T], str | None]:
    """`page`, of rows that are in order already: looks at a few of them, however many there are."""
    last = _tuples(decode(cursor, list[Any], place)) if cursor else None
    start = _place_after(rows, key, last, descending=descending) if cursor else 0
    found = list(rows[start : start + limit])
    return found, encode(key(found[-1]), place) if start + limit < len(rows) else None


def _signer(place: str) -> Signer:
    return Signer(salt=f"console.web.api.cursors:{place}")


def _place_after(rows: Sequence[T], key: Callable[[T], Any], last: Any, *, descending: bool) -> int:
    """Where the rows begin that come after the key."""

    def is_after(row: T) -> bool:
        return bool(key(row) < last if descending else key(row) > last)

    return bisect_right(rows, False, key=is_after)


def _tuples(value: Any) -> Any:
    """JSON has lists where a key has tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
