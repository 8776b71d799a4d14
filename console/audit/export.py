"""The log as text, an entry a line, for keeping elsewhere. JSON lines hold all that the hash covers."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from console.audit import details
from console.audit.manifest import Account, Origin
from console.audit.models import Entry

COLUMNS = [
    "sequence",
    "at",
    "actor",
    "actor_id",
    "ip",
    "roles",
    "team",
    "cluster",
    "namespace",
    "service",
    "action",
    "outcome",
    "changes",
    "text",
    "operation",
    "request_id",
    "previous_hash",
    "hash",
]
CSV_COLUMNS = [*COLUMNS, *details.COLUMNS]  # the hash covers the first ones
BOM = "\ufeff"  # tells spreadsheets that a CSV is UTF-8


class NotAnEntry(Exception):
    """A line is not an exported entry."""


def row(entry: Entry) -> dict[str, Any]:
    """Return the entry as JSON-ready data."""
    facts = {name: getattr(entry, name) for name in COLUMNS}
    return {**facts, "at": entry.at.isoformat(), "operation": str(entry.operation or "")}


def json_line(entry: Entry) -> str:
    return json.dumps(row(entry), ensure_ascii=False) + "\n"


def json_lines(entries: Iterable[Entry]) -> Iterator[str]:
    return map(json_line, entries)


def signed_lines(entries: Iterable[Entry], origin: Origin) -> Iterator[str]:
    """Yield the entries and, as the last line, the signed manifest of all of them."""
    account = Account()
    for line in json_lines(entries):
        account.take(line.encode())
        yield line
    yield account.line(origin)


def entries_from(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield the entries that `json_lines` wrote; raises NotAnEntry. They are not saved. A manifest is passed over."""
    for number, line in enumerate(lines, start=1):
        try:
            facts = json.loads(line)
            if "manifest" in facts:
                continue
            at, operation = datetime.fromisoformat(facts["at"]), facts["operation"]
            yield Entry(**{**facts, "at": at, "operation": UUID(operation) if operation else None})
        except (ValueError, TypeError, KeyError) as error:
            raise NotAnEntry(f"line {number}") from error


def csv_lines(entries: Iterable[Entry], *, heading: bool = True) -> Iterator[str]:
    """Yield CSV with a heading. Cells that a spreadsheet would run as a formula begin with an apostrophe.

    So do those that begin with one already: without the first apostrophe each cell is what the entry says.
    """
    if heading:
        yield _line(CSV_COLUMNS)
    for entry in entries:
        facts = {**row(entry), **details.details(entry)}
        facts["changes"] = json.dumps(facts["changes"], ensure_ascii=False)
        yield _line([_harmless(_cell(facts[name])) for name in CSV_COLUMNS])


def table_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield any table as CSV with a heading, its cells as harmless as those of the log."""
    yield _line(columns)
    for cells in rows:
        yield _line([_harmless(_cell(cell)) for cell in cells])


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


# What spreadsheets read as the beginning of a formula; the full-width signs too, where the language is an Asian one.
_FORMULA = tuple("'=+-@\t\r\n＝＋－＠")


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _line(cells: Iterable[str]) -> str:
    sink = io.StringIO()
    csv.writer(sink).writerow(cells)
    return sink.getvalue()
