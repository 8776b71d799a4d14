"""What must hold of every operation, whatever happened to its workers."""

from __future__ import annotations

import itertools

from console.audit.models import Entry
from console.operations.models import Operation
from console.operations.models.statuses import TERMINAL, Status
from tests.waiting import eventually


def is_complete(operation: Operation) -> bool:
    """Whether the timeline has no gap and no double, and the audit log has the request and exactly one end."""
    lines = list(operation.lines.all())
    if [line.sequence for line in lines] != list(range(1, len(lines) + 1)):
        return False
    if [line.elapsed for line in lines] != sorted(line.elapsed for line in lines):
        return False
    levels = [line.level for line in lines if line.level != "notice"]
    progress = [line.text for line in lines if line.level == "progress"]
    if any(one == other for one, other in itertools.pairwise(progress)):
        return False
    if operation.is_written and (levels.count("header") != 1 or levels[0] != "header"):
        return False
    if operation.status in (Status.SUCCEEDED, Status.NOT_SERVING) and levels[-2:] != ["closing", "url"]:
        return False
    actions = list(Entry.objects.filter(operation=operation.id).values_list("action", flat=True))
    ends = [action for action in actions if action in {f"operation.{status.value}" for status in TERMINAL}]
    return len(ends) == 1 and len(actions) - len(ends) >= 1


def end_of(operation: Operation, *, timeout: float = 60) -> Operation:
    """Wait until the operation has ended and return it as it ended."""

    def ended() -> Operation | None:
        now = Operation.objects.get(id=operation.id)
        return None if now.is_active else now

    return eventually(ended, timeout=timeout, message=f"{operation} does not end")
