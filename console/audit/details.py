"""The parts of an entry's text and fields by name, for tables: a column each, whose names never change.

docs/audit-format.md lists them. They are read from what the entry says; its hash covers that, not these.
"""

import re
from collections.abc import Iterable

from console.audit.models import Entry
from console.audit.searching import GROUPS

COLUMNS = (
    "time_utc",
    "actor_kind",
    "fields",
    "before",
    "after",
    "change",
    "revision",
    "cause",
    "digest",
    "method",
    "factor",
    "variables",
    "reads",
    "reads_from",
    "reads_to",
)
SIGN_IN = re.compile(r"^method (?P<method>\S+?)(?:, factor (?P<factor>[^:]+?))?(?:: .*)?$", re.DOTALL)
READS = re.compile(r"(?P<reads>\d+) more from (?P<reads_from>\S+) to (?P<reads_to>\S+)$")
_DECIDED = re.compile(r"^(?P<change>[A-Za-z]+) (?P<digest>[0-9a-f]{64}|[0-9a-f]{16})(?: |$)")
_ENDED = re.compile(r"^(?P<change>[A-Za-z]+)(?: (?P<revision>[a-z0-9.-]+-\d{5}))?(?: (?P<cause>[A-Za-z-]+))?$")
_PATTERNS = (
    ("session.sign-in", SIGN_IN),
    ("session.sign-out", SIGN_IN),
    ("read.", READS),
    ("protect.", _DECIDED),
    ("operation.", _ENDED),
)


def details(entry: Entry) -> dict[str, str]:
    """Return the value of each of COLUMNS; empty where the entry has none."""
    return {**dict.fromkeys(COLUMNS, ""), **_always(entry), **_told(entry)}


def _always(entry: Entry) -> dict[str, str]:
    rows = [row for row in entry.changes if isinstance(row, dict)]
    return {
        "time_utc": entry.at.strftime("%Y-%m-%d %H:%M:%S"),  # as spreadsheets read a time
        "actor_kind": entry.actor_kind.value,
        "fields": _lines(row.get("field") for row in rows),
        "before": _lines(row.get("before") for row in rows),
        "after": _lines(row.get("after") for row in rows),
    }


def _told(entry: Entry) -> dict[str, str]:
    family, _dot, what = entry.action.partition(".")
    if family in GROUPS["changes"] and what != "refused":
        return {"change": what}
    if family == "reveal":
        return {"variables": entry.text}
    for begins, pattern in _PATTERNS:
        if entry.action.startswith(begins) and (found := pattern.search(entry.text)):
            return {name: value for name, value in found.groupdict().items() if value}
    return {}


def _lines(values: Iterable[object]) -> str:
    """One line for each changed field, so that the lines of the three columns belong together."""
    return "\n".join("" if value is None else str(value).replace("\n", "\\n") for value in values)
