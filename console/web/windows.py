"""Pages of long lists by cursor: where the next one begins, so that what comes or goes meanwhile shifts nothing.

A cursor is the moment and the id of a row, `<microseconds since 1970>.<id>`; it gives no permission to anything. An
address names the last row that was seen: `before=<cursor>` for what is earlier, `after=<cursor>` for what is later.
"""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MAX_DIGITS = 18  # of the microseconds in an address: beyond year 9999 is refused below


T = TypeVar("T")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A row's place in a list that is sorted by a moment; the id decides between rows of the same moment."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // MICROSECOND}.{self.id}"

    @classmethod
    def parsed(cls, text: str) -> "Cursor | None":
        """Return the cursor that an address names; None for any other text."""
        microseconds, _, id = text.partition(".")
        if not (microseconds.isascii() and microseconds.isdigit() and len(microseconds) <= MAX_DIGITS):
            return None
        try:
            return cls(EPOCH + int(microseconds) * MICROSECOND, UUID(id))
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class Window(Generic[T]):
    """A page of a list, and the query strings of its neighbors; empty where there is nothing."""

    rows: list[T]
    previous: str
    following: str


# Returns at most so many rows that are later (True) or earlier than a cursor (None: than the end), the nearest first.
Take = Callable[[Cursor | None, bool, int], list[T]]


def stored(found: QuerySet[M], by: str) -> Callable[[Cursor | None, bool, int], list[M]]:
    """Take rows out of the database, in the order of the moment `by` and the id."""

    def take(than: Cursor | None, is_later: bool, count: int) -> list[M]:
        side, sign = ("gt", "") if is_later else ("lt", "-")
        if than is None:
            return list(found.order_by(f"{sign}{by}", f"{sign}id")[:count])
        beyond = Q(**{f"{by}__{side}": than.at}) | Q(**{f"id__{side}": than.id})
        # Of equal moments too, so that an index leads there; then those whose id has been shown are left out.
        return list(found.filter(beyond, **{f"{by}__{side}e": than.at}).order_by(f"{sign}{by}", f"{sign}id")[:count])

    return take


def listed(found: Iterable[T], by: str) -> Take[T]:
    """Take rows out of a list, in the same order."""

    def take(than: Cursor | None, is_later: bool, count: int) -> list[T]:
        ordered = sorted(found, key=lambda row: cursor_of(row, by), reverse=not is_later)
        beyond = operator.gt if is_later else operator.lt
        return [row for row in ordered if than is None or beyond(cursor_of(row, by), than)][:count]

    return take


def cursor_of(row: Any, by: str) -> Cursor:
    return Cursor(getattr(row, by), row.id)


def window(take: Take[T], by: str, query: QueryDict, *, size: int, newest_first: bool, prefix: str = "") -> Window[T]:
    """Return the page that the address asks for. `prefix` is before the names of its cursors: two lists on a page.

    Where there is less than a page on the way back to the list's begin, that is its first page.
    """
    names = {True: f"{prefix}after", False: f"{prefix}before"}
    back, forth = (Cursor.parsed(query.get(names[is_later], "")) for is_later in (newest_first, not newest_first))
    if back and len(rows := take(back, newest_first, size + 1)) > size:
        rows, has_previous, has_following = rows[:size][::-1], True, True
    else:
        start = None if back else forth
        rows = take(start, not newest_first, size + 1)
        rows, has_previous, has_following = rows[:size], start is not None, len(rows) > size

    def address(row: T, is_later: bool) -> str:
        others = query.copy()
        for name in names.values():
            others.pop(name, None)
        others[names[is_later]] = str(cursor_of(row, by))
        return f"?{others.urlencode()}"

    return Window(
        rows,
        address(rows[0], newest_first) if rows and has_previous else "",
        address(rows[-1], not newest_first) if rows and has_following else "",
    )
