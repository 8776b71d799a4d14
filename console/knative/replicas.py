"""How many replicas of a revision run, and how many are wanted."""

from collections.abc import Mapping
from typing import Any


def count(status: Any, field: str) -> int | None:
    """Return `actualReplicas` or `desiredReplicas`; None where the controller has not told it.

    A status may hold anything: only some fields of it have a schema.
    """
    found = status.get(field) if isinstance(status, Mapping) else None
    return found if isinstance(found, int) and found >= 0 else None


def text(ready: int | None, wanted: int | None) -> str:
    """Return `1` where as many run as are wanted, `1/2` where not; empty where it is not known how many run.

    A revision that was never asked for tells what runs, and not how many are wanted.
    """
    if ready is None:
        return ""
    return str(ready) if wanted in (None, ready) else f"{ready}/{wanted}"
