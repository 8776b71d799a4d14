"""Tables of the audit pages as files: CSV for spreadsheets, JSON for programs; each leaves an entry, as exports do."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from console.access import audit_exports
from console.access.actors import actor_from
from console.audit import export
from console.web.requests import ConsoleRequest

FORMS = {"csv": "text/csv; charset=utf-8", "json": "application/json; charset=utf-8"}
NOTHING_MORE: Mapping[str, Any] = {}
MAX_ROWS = 10_000  # of one file; `is_complete` says whether these were all


def file(
    request: ConsoleRequest,
    name: str,
    form: str,
    columns: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    query: str,
    more: Mapping[str, Any] = NOTHING_MORE,
) -> HttpResponse:
    """Return the rows as a file named after the report; records who took what. JSON has `more` beside its rows.

    A list is one cell of CSV, its parts separated by `; `.
    """
    audit_exports.tell(form, f"{name} {query}".strip(), actor_from(request))
    shown = rows[:MAX_ROWS]
    if form == "csv":
        text = "".join(export.table_lines(columns, ([_flat(row[column]) for column in columns] for row in shown)))
    else:
        facts = {
            "report": name,
            "made_at": timezone.now().isoformat(timespec="seconds"),
            "by": request.user.get_username(),
            "query": query,
            "is_complete": len(rows) <= MAX_ROWS,
            **more,
            "rows": [{column: row[column] for column in columns} for row in shown],
        }
        text = json.dumps(facts, ensure_ascii=False, indent=1) + "\n"
    response = HttpResponse(text, content_type=FORMS[form])
    response["Content-Disposition"] = f'attachment; filename="sluice-{name}.{form}"'
    return response


def _flat(value: Any) -> Any:
    return "; ".join(map(str, value)) if isinstance(value, list) else value
