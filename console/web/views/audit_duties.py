"""Separation of duties: who may both change and approve, and who approved whom how often; the pages and their files."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from console import periods
from console.access.auditing import visible_entries
from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.operations.protection import duties
from console.operations.protection.duties import Both, Pair
from console.web import paging, reports
from console.web.requests import ConsoleRequest

RIGHTS, DECISIONS = "rights", "decisions"
COLUMNS = {RIGHTS: duties.RIGHTS_COLUMNS, DECISIONS: duties.DECISIONS_COLUMNS}
SORTS: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    RIGHTS: {
        "person": lambda one: one.person.lower(),
        "scope": lambda one: str(one.change.scope),
    },
    DECISIONS: {
        "approved": lambda one: (one.approved, one.declined),
        "approver": lambda one: one.approver.lower(),
        "author": lambda one: one.author.lower(),
        "last": lambda one: one.last_at,
    },
}
DEFAULT_SORT = {RIGHTS: "person", DECISIONS: "-approved"}


@require_permission(Permission.AUDIT)
def duties_page(request: ConsoleRequest) -> HttpResponse:
    """The rights of now, or the decisions of a period: `view` is `rights` or `decisions`."""
    return _show(request)


@require_POST
@require_permission(Permission.AUDIT)
def export(request: ConsoleRequest, form: str) -> HttpResponse:
    """All rows of the list as CSV or JSON; leaves an entry."""
    if form not in reports.FORMS:
        raise Http404
    if periods.period(_query(request)).problems:
        return _show(request)
    view = _view(request)
    records, query = [row.record() for row in _rows(request, view)], request.GET.urlencode()
    return reports.file(request, "duties", form, COLUMNS[view], records, query, {"view": view})


def _show(request: ConsoleRequest) -> HttpResponse:
    view, problems = _view(request), periods.period(_query(request)).problems
    found = [] if problems else _rows(request, view)
    rows, order = paging.sort(found, request.GET.get("sort", ""), SORTS[view], DEFAULT_SORT[view])
    context = {
        "view": view,
        "page": paging.page(rows, request.GET.get("page")),
        "order": order,
        "problems": problems,
    }
    return render(request, "audit/duties.html", context, status=422 if problems else 200)


def _view(request: ConsoleRequest) -> str:
    return DECISIONS if request.GET.get("view") == DECISIONS else RIGHTS


def _rows(request: ConsoleRequest, view: str) -> Sequence[Both] | Sequence[Pair]:
    query = _query(request)
    cluster, namespace, name = (query.get(field, "") for field in ("cluster", "namespace", "q"))
    if view == RIGHTS:
        return duties.who_may_both(request.rights, cluster, namespace, name)
    entries = visible_entries(request.rights)
    entries = entries.filter(cluster=cluster) if cluster else entries
    entries = entries.filter(namespace=namespace) if namespace else entries
    period = periods.period(query)
    return duties.who_decided(entries, period.since, period.until, name)


def _query(request: ConsoleRequest) -> dict[str, str]:
    return {name: str(value).strip() for name, value in request.GET.items()}
