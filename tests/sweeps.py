"""Sweeps try one thing with very many cases. `make test` takes a sample, the same for all; SWEEPS=whole takes all.

`make test-sweeps` runs every sweep whole (and .ci/run runs that): what is marked `sweep`, and all that hypothesis makes
up. A test becomes a sweep when its cases repeat one statement and cost more than a second together.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeVar

import pytest

IS_WHOLE = os.environ.get("SWEEPS") == "whole"
FEWER = 6  # so many times fewer cases of hypothesis in the sample
MIN_EXAMPLES = 10

sweep = pytest.mark.sweep
T = TypeVar("T")


def sample(cases: Iterable[T], *, one_in: int) -> list[T]:
    """Return all cases of a whole sweep, else the first and each `one_in`-th after it."""
    found = list(cases)
    return found if IS_WHOLE else found[::one_in]


def examples(count: int) -> int:
    """Return how many cases hypothesis tries where a whole sweep has `count`."""
    return count if IS_WHOLE else max(MIN_EXAMPLES, count // FEWER)
