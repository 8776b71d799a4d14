"""Pages by cursor: where the next one begins, so that what comes or goes meanwhile shifts nothing.

A cursor is the sort key of the last row, signed for the list and the order that it belongs to. It is opaque to clients
and gives no permission to anything; one that the console did not make for that list and order is refused.
"""

import base64
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from django.core.signing import BadSignature, Signer

from console.web.api.problems import Refused

T = TypeVar("T")
Key = list[str | int | float]


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a list is asked for. `place` names the list and its order: a cursor holds for these alone."""

    place: str
    cursor: str  # of the page before; empty: from the beginning
    limit: int  # rows
    is_descending: bool = False

    @classmethod
    def asked(cls, query: Any, place: str) -> "Part":
        """Return the part that the parameters ask for, in the order of `sort` where they have one."""
        order = getattr(query, "sort", "")
        return cls(f"{place} {order}".rstrip(), query.cursor, query.limit, order.startswith("-"))


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


def page(rows: Iterable[T], key: Callable[[T], Key], part: Part) -> tuple[list[T], str | None]:
    """Return the rows of the part in the key's order, and the cursor of the next page or None.

    The key must be different for any two rows. Raises Refused for a cursor of another list or order.
    """
    ordered = sorted(rows, key=key, reverse=part.is_descending)
    if part.cursor:
        last = decode(part.cursor, Key, part.place)
        ordered = [row for row in ordered if (key(row) < last if part.is_descending else key(row) > last)]
    found = ordered[: part.limit]
    return found, encode(key(found[-1]), part.place) if len(ordered) > part.limit else None


def page_of_ordered(rows: Sequence[T], key: Callable[[T], tuple[Any, ...]], part: Part) -> tuple[list[T], str | None]:
    """`page`, of rows that are in order already: looks at a few of them, however many there are."""
    start = _place_after(rows, key, part) if part.cursor else 0
    found = list(rows[start : start + part.limit])
    return found, encode(key(found[-1]), part.place) if start + part.limit < len(rows) else None


def _signer(place: str) -> Signer:
    return Signer(salt=f"console.web.api.cursors:{place}")


def _place_after(rows: Sequence[T], key: Callable[[T], Any], part: Part) -> int:
    """Where the rows begin that come after the cursor."""
    last = _tuples(decode(part.cursor, list[Any], part.place))

    def is_after(row: T) -> bool:
        return bool(key(row) < last if part.is_descending else key(row) > last)

    return bisect_right(rows, False, key=is_after)


def _tuples(value: Any) -> Any:
    """JSON has lists where a key has tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
