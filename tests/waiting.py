"""Waiting for a condition instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

INTERVAL_SECONDS = 0.02
PATIENCE_SECONDS = 60  # for what takes a moment on a machine with nothing else to do


def eventually(
    predicate: Callable[[], T],
    *,
    timeout: float = PATIENCE_SECONDS,
    message: str | Callable[[], str] = "",
    interval: float = INTERVAL_SECONDS,
) -> T:
    """Ask `predicate` until it returns something true, and return that.

    A failed assertion inside `predicate` counts as "not yet". Raises AssertionError after `timeout` seconds, with
    `message` or the last failed assertion. A message that tells how things are is a function: a text would tell how
    they were before the waiting began.
    """
    deadline = time.monotonic() + timeout
    last: AssertionError | None = None
    while True:
        try:
            value = predicate()
            last = None
        except AssertionError as error:
            value, last = None, error
        if value:
            return value
        if time.monotonic() > deadline:
            told = message if isinstance(message, str) else message()
            raise AssertionError(told or f"not within {timeout} s: {last or predicate}") from last
        time.sleep(interval)
