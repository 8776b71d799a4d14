"""Lists that filter, sort and paginate, with their whole state in the URL."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.core.paginator import Page, Paginator

PAGE_SIZE = 50

T = TypeVar("T")


def sort(rows: Sequence[T], by: str, keys: Mapping[str, Callable[[T], Any]], default: str) -> tuple[list[T], str]:
    """Return the rows in the order that `by` names (`-age` is descending), and the order that was used."""
    by = order(by, keys, default)
    return sorted(rows, key=keys[by.removeprefix("-")], reverse=by.startswith("-")), by


def order(by: str, keys: Mapping[str, Any], default: str) -> str:
    """Return the order that is asked for, or the default where it is none."""
    return by if by.removeprefix("-") in keys else default


def page(rows: Any, number: str | None) -> Page[Any]:
    """Return the page; a number out of range becomes the nearest page."""
    return Paginator(rows, PAGE_SIZE).get_page(number)
