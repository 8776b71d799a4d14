"""Totals of what has happened, for metrics: they only grow, also when entries and operations of long ago are removed.

Each is added to in the transaction of the entry that records the event, so that it is neither lost nor counted twice.
Labels are words of the code: kinds, statuses, limits of buckets; never names.
"""

import time
from collections import defaultdict
from collections.abc import Mapping

from django.db import connection, transaction

from console.audit.chain import hold
from console.audit.models import Total

VERIFIED_AT, FOUND_BROKEN_AT = "audit_verified_at", "audit_found_broken_at"
Labels = tuple[str, ...]

_ADD = """
INSERT INTO audit_total (name, labels, value) VALUES {rows}
ON CONFLICT (name, labels) DO UPDATE SET value = audit_total.value + excluded.value
"""


def add(amounts: Mapping[tuple[str, Labels], float]) -> None:
    """Add to totals, by name and labels, once the entry is recorded: the log's lock puts all who add in one order."""
    statement = _ADD.format(rows=", ".join(["(%s, %s, %s)"] * len(amounts)))
    values = [value for (name, labels), amount in amounts.items() for value in (name, ",".join(labels), amount)]
    with transaction.atomic():
        hold()
        with connection.cursor() as cursor:
            cursor.execute(statement, values)


def note_verification(*, is_intact: bool) -> None:
    """Keep when the whole chain was last proved, or found broken, in seconds since the epoch."""
    name = VERIFIED_AT if is_intact else FOUND_BROKEN_AT
    Total.objects.update_or_create(name=name, labels="", defaults={"value": time.time()})


def everything() -> Mapping[str, Mapping[Labels, float]]:
    """Return all totals by name and labels, in one query."""
    found: dict[str, dict[Labels, float]] = defaultdict(dict)
    for name, labels, value in Total.objects.values_list("name", "labels", "value"):
        found[name][tuple(filter(None, labels.split(",")))] = value
    return found
