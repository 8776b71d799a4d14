"""Reading the audit log."""

from datetime import UTC, datetime

from django.db.models import Q
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render

from console import audit
from console.access.actors import actor_from
from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.audit import export
from console.audit.models import Entry
from console.audit.outcomes import Outcome
from console.web import paging
from console.web.requests import ConsoleRequest

FILTERS = ("actor", "cluster", "namespace", "service", "action", "outcome")
EXPORT_MOST = 100_000


@require_permission(Permission.AUDIT)
def entries(request: ConsoleRequest) -> HttpResponse:
    """The log, newest first, in pages by cursor: `before` is the sequence number above the first entry shown."""
    found = _filtered(request)
    if before := _number(request.GET.get("before", "")):
        found = found.filter(sequence__lt=before)
    rows = list(found[: paging.PAGE_SIZE + 1])
    context = {
        "entries": rows[: paging.PAGE_SIZE],
        "next": rows[paging.PAGE_SIZE - 1].sequence if len(rows) > paging.PAGE_SIZE else None,
        "outcomes": list(Outcome),
        "filters": FILTERS,
    }
    return render(request, "audit/list.html", context)


@require_permission(Permission.AUDIT)
def entry(request: ConsoleRequest, sequence: int) -> HttpResponse:
    return render(request, "audit/entry.html", {"entry": get_object_or_404(Entry, sequence=sequence)})


@require_permission(Permission.AUDIT)
def download(request: ConsoleRequest, form: str) -> StreamingHttpResponse:
    """The filtered entries as CSV or JSON lines, oldest last; the export itself leaves an entry."""
    if form not in ("csv", "jsonl"):
        raise Http404
    write = export.csv_lines if form == "csv" else export.json_lines
    audit.record(
        "audit.export", actor=actor_from(request), outcome=Outcome.SUCCEEDED, text=request.GET.urlencode()[:500]
    )
    found = _filtered(request)[:EXPORT_MOST]
    response = StreamingHttpResponse(write(found.iterator(chunk_size=2000)), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="sluice-audit.{form}"'
    return response


def _filtered(request: ConsoleRequest):  # type: ignore[no-untyped-def]
    found = Entry.objects.all()
    for name in FILTERS:
        if value := request.GET.get(name, "").strip():
            found = found.filter(**{name: value})
    if text := request.GET.get("q", "").strip():
        found = found.filter(Q(text__icontains=text) | Q(action__icontains=text) | Q(service__icontains=text))
    for name, lookup in (("since", "at__gte"), ("until", "at__lt")):
        if moment := _moment(request.GET.get(name, "")):
            found = found.filter(**{lookup: moment})
    return found


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _moment(text: str) -> datetime | None:
    """A date or a time as a form sends it, UTC; what cannot be read filters nothing."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None
