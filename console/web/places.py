"""Pages of a list that is sorted by some key: where the next one begins, so that what comes or goes shifts nothing.

An address names the key of the last row that was seen, `after=` or `before=` a place: JSON in base64, which gives no
permission to anything and holds nothing that the row did not show. `page=` jumps, by number.
"""

import base64
import json
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.http import QueryDict

from console.web.paging import PAGE_SIZE

NAMES = ("after", "before", "page")
MAX_LENGTH = 2_000  # characters of a place in an address

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows of a list, and the query strings of the pages before and after them; empty where there is nothing."""

    rows: Sequence[T]
    start: int  # how many are before them at the moment
    previous: str
    following: str

    @property
    def span(self) -> str:
        """`51–100`: which ones they are, counted from 1."""
        return f"{self.start + 1}–{self.start + len(self.rows)}"


def page(rows: Sequence[T], key: Callable[[T], Any], query: QueryDict, *, is_descending: bool) -> Page[T]:
    """Return the page that the address asks for, out of all rows in their order, or the first if it names no place."""
    start = _start(rows, key, query, is_descending=is_descending)
    shown = rows[start : start + PAGE_SIZE]

    def address(name: str, row: T) -> str:
        others = query.copy()
        for each in NAMES:
            others.pop(each, None)
        others[name] = _written(key(row))
        return f"?{others.urlencode()}"

    return Page(
        shown,
        start,
        address("before", shown[0]) if shown and start else "",
        address("after", shown[-1]) if start + PAGE_SIZE < len(rows) else "",
    )


def _start(rows: Sequence[T], key: Callable[[T], Any], query: QueryDict, *, is_descending: bool) -> int:
    """How many rows are before the page. One that would begin behind the last row is the last page."""
    number = query.get("page", "")
    start = (int(number) - 1) * PAGE_SIZE if number.isdecimal() and len(number) < 9 else 0
    for name, is_forth in (("after", True), ("before", False)):
        if (place := _read(query.get(name, ""))) is None:
            continue
        try:
            at = _count_until(rows, key, place, is_descending=is_descending, is_in=is_forth)
        except TypeError:  # a place in another order, or made up
            continue
        start = at if is_forth else at - PAGE_SIZE
    last = (len(rows) - 1) // PAGE_SIZE * PAGE_SIZE
    return max(0, start if start < len(rows) else last)


def _count_until(rows: Sequence[T], key: Callable[[T], Any], place: Any, *, is_descending: bool, is_in: bool) -> int:
    """How many rows come before the place; with the one that is there, where it is `is_in`."""

    def is_beyond(index: int) -> bool:
        here = key(rows[index])
        if here == place:
            return not is_in
        return bool(here < place) == is_descending

    return bisect_left(range(len(rows)), True, key=is_beyond)


def _written(place: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def _read(text: str) -> Any:
    """Return the place; None for any other text."""
    if not text or len(text) > MAX_LENGTH:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        return None
    return _with_tuples(found) if isinstance(found, list) else None


def _with_tuples(value: Any) -> Any:
    return tuple(map(_with_tuples, value)) if isinstance(value, list) else value
