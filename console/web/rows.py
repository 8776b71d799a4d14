"""The rows of the services list, each rendered once for what it shows and used again until that changes.

Rendering was four fifths of the time of the list. A row shows its service's summary, which the mirror keeps as the same
object until the service changes, and a few facts besides; people differ in nothing else.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.template import Context
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from console.knative import kn
from console.mirror.summaries import ServiceSummary
from console.web.service_list import Column

MAX_ROWS = 2000  # in a process, some 3 kB each
Key = tuple[Any, ...]
_rows: dict[Key, tuple[ServiceSummary, SafeString]] = {}


def service_row(context: Context, row: ServiceSummary) -> SafeString:
    """`{% service_row row %}`: a service in a table of services. Uses what templates/services/_row.html takes."""
    key = (row.ref, *_facts(context, row, timezone.now()))
    known = _rows.get(key)
    if known and known[0] is row:
        return known[1]
    template = context.template.engine.get_template("services/_row.html")  # type: ignore[union-attr]  # a page is being rendered
    with context.push(row=row):
        html = template.render(context)
    if len(_rows) >= MAX_ROWS:
        _rows.clear()
    _rows[key] = (row, html)
    return html


def _facts(context: Mapping[str, Any] | Context, row: ServiceSummary, now: datetime) -> Key:
    """What a row shows besides its summary."""
    shown, one = context["shown"], context["under_way"].get(row.uid)
    return (
        get_language(),
        shown,
        context["may_bulk"],
        len(context["clusters"]) > 1,
        row.cluster in context["stale"],
        row.uid in context["protected"],
        context["replicas"].get(row.uid),
        context["images"].get(row.uid),
        (one.id, one.status) if one else None,
        kn.age(row.created_at, now) if Column.AGE in shown else "",
        kn.age(row.changed_at, now) if Column.CHANGED in shown else "",
    )
