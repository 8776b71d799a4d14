"""The log as text, an entry a line, for keeping elsewhere."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from console.audit.models import Entry

COLUMNS = [
    "sequence",
    "at",
    "actor",
    "ip",
    "roles",
    "cluster",
    "namespace",
    "service",
    "action",
    "outcome",
    "changes",
    "text",
    "operation",
    "request_id",
    "hash",
]


def row(entry: Entry) -> dict[str, Any]:
    """Return the entry as JSON-ready data."""
    facts = {name: getattr(entry, name) for name in COLUMNS}
    return {**facts, "at": entry.at.isoformat(), "operation": str(entry.operation or "")}


def json_lines(entries: Iterable[Entry]) -> Iterator[str]:
    for entry in entries:
        yield json.dumps(row(entry), ensure_ascii=False) + "\n"


def csv_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield CSV with a heading. Cells that a spreadsheet would run as a formula begin with an apostrophe."""
    yield _line(COLUMNS)
    for entry in entries:
        facts = row(entry)
        facts["changes"] = json.dumps(facts["changes"], ensure_ascii=False)
        yield _line([_harmless(str(facts[name])) for name in COLUMNS])


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _line(cells: Iterable[str]) -> str:
    sink = io.StringIO()
    csv.writer(sink).writerow(cells)
    return sink.getvalue()
