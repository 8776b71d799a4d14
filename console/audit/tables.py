"""Answers to an auditor's questions as files: a table as CSV, or as JSON with what was asked beside its rows."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from console.audit.export import harmless

Record = Mapping[str, Any]


def csv_text(columns: Sequence[str], records: Iterable[Record]) -> str:
    """Return the records with a heading; lists become one cell, their parts separated by `; `."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(columns)
    for record in records:
        writer.writerow([harmless(_cell(record[name])) for name in columns])
    return sink.getvalue()


def json_text(facts: Mapping[str, Any], records: Sequence[Record]) -> str:
    """Return what was asked and when, how many rows there are, and the rows."""
    return json.dumps({**facts, "count": len(records), "rows": records}, ensure_ascii=False, indent=1) + "\n"


def digest(columns: Sequence[str], records: Iterable[Record]) -> str:
    """Return a SHA-256 of these columns of the records, in their order: of what somebody looked at."""
    lines = (json.dumps([record[name] for name in columns], ensure_ascii=False) for record in records)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)
