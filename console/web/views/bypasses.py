"""What went round an approval, by period and place: the page and its files."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from console import periods
from console.access.auditing import reads_everything, visible_entries
from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.operations import queries
from console.operations.protection import bypasses as finding
from console.operations.protection.bypasses import Asked, Bypass, Found, Kind
from console.web import bypass_words, paging, reports
from console.web.requests import ConsoleRequest

DEFAULT_DAYS = 30
FILTERS = ("cluster", "namespace", "kind", *periods.FIELDS)
COLUMNS = (
    *("entry", "at", "kind", "who", "who_kind", "ip", "roles", "team", "cluster", "namespace", "service", "about"),
    *("went_round", "before", "after", "is_sure", "action", "operation"),
)


@require_permission(Permission.AUDIT)
def bypasses(request: ConsoleRequest) -> HttpResponse:
    """The rows of the period, newest first, with the number of each kind."""
    asked, problems = _asked(request)
    found = _find(request, asked) if asked else Found((), is_complete=True)
    page = paging.page(_of_kind(request, found), request.GET.get("page"))
    context = {
        "asked": asked,
        "found": found,
        "counts": [(kind, bypass_words.KINDS[kind], found.counts.get(kind, 0)) for kind in Kind],
        "page": page,
        "made": queries.made(row.entry.operation for row in page),
        "kinds": [(kind.value, word) for kind, word in bypass_words.KINDS.items()],
        "problems": problems,
        "max_entries": finding.MAX_ENTRIES,
        "reads_everything": reads_everything(request.rights),
        "query": _query_of(request),
    }
    return render(request, "audit/bypasses.html", context, status=422 if problems else 200)


@require_POST
@require_permission(Permission.AUDIT)
def export(request: ConsoleRequest, form: str) -> HttpResponseBase:
    """All rows of the period as a file; JSON has the period and the counts beside them."""
    if form not in reports.FORMS:
        raise Http404
    asked, _problems = _asked(request)
    if asked is None:
        return bypasses(request)
    found = _find(request, asked)
    more = {
        "since": asked.since.isoformat(),
        "until": asked.until.isoformat(),
        "counts": {kind.value: found.counts[kind] for kind in Kind},
        "all_entries_looked_through": found.is_complete,
        "rights_known_since": found.rights_known_since.isoformat() if found.rights_known_since else None,
        "reads_everything": reads_everything(request.rights),
    }
    rows = [_row(one) for one in _of_kind(request, found)]
    return reports.file(request, "bypasses", form, COLUMNS, rows, _query_of(request), more)


def _asked(request: ConsoleRequest) -> tuple[Asked | None, frozenset[str]]:
    """The period, by default the last 30 days; None where it cannot be read."""
    query = request.GET.dict()
    found, now = periods.period(query), timezone.now()
    if found.problems:
        return None, found.problems
    until = found.until or now + timedelta(minutes=1)
    since = found.since or until - timedelta(days=DEFAULT_DAYS)
    place = [query.get(name, "").strip() for name in ("cluster", "namespace")]
    return Asked(since, until, *place), frozenset()


def _find(request: ConsoleRequest, asked: Asked) -> Found:
    return finding.find(visible_entries(request.rights), asked)


def _of_kind(request: ConsoleRequest, found: Found) -> list[Bypass]:
    kind = request.GET.get("kind", "")
    return [row for row in found.rows if kind in ("", row.kind.value)]


def _query_of(request: ConsoleRequest) -> str:
    asked = {name: request.GET.get(name, "").strip() for name in FILTERS}
    return urlencode({name: value for name, value in asked.items() if value})


def _row(one: Bypass) -> dict[str, Any]:
    entry = one.entry
    return {
        "entry": entry.sequence,
        "at": entry.at.isoformat(),
        "kind": one.kind.value,
        "who": entry.actor,
        "who_kind": entry.actor_kind.value,
        "ip": entry.ip,
        "roles": entry.roles,
        "team": entry.team,
        "cluster": entry.cluster,
        "namespace": entry.namespace,
        "service": entry.service,
        "about": one.about,
        "went_round": list(one.rules),
        "before": one.before,
        "after": one.after,
        "is_sure": "yes" if one.is_sure else "no",
        "action": entry.action,
        "operation": str(entry.operation or ""),
    }
