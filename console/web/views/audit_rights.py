"""Who could do what at a moment, from the audit log alone: the page and its files."""

from datetime import datetime

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from console import periods
from console.access.auditing import reads_everything
from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.access.rights_history import answers, holders
from console.access.rights_history.holders import Asked
from console.access.scopes import parse_selector
from console.web import access_words, paging, reports
from console.web.requests import ConsoleRequest

SORTS = {
    "person": lambda one: one.held.person.name.lower(),
    "role": lambda one: one.role,
    "team": lambda one: one.team,
    "scope": lambda one: str(one.scope),
}


@require_permission(Permission.AUDIT)
def rights(request: ConsoleRequest) -> HttpResponse:
    """Ask for a moment and a place; without a moment the answer is of now."""
    return show(request)


@require_POST
@require_permission(Permission.AUDIT)
def export(request: ConsoleRequest, form: str) -> HttpResponse:
    """All rows of the answer as CSV or JSON; leaves an entry."""
    moment, asked, problems = _read(request)
    if form not in reports.FORMS:
        raise Http404
    if problems:
        return show(request)
    answer = answers.ask(request.rights, moment, asked)
    records, query = [one.record() for one in answer.rows], request.GET.urlencode()
    return reports.file(request, "rights", form, holders.COLUMNS, records, query, answer.facts())


def show(request: ConsoleRequest) -> HttpResponse:
    """Render what the address asks for, or what is wrong with it."""
    moment, asked, problems = _read(request)
    answer = answers.ask(request.rights, moment, asked) if not problems else None
    rows, order = paging.sort(answer.rows if answer else (), request.GET.get("sort", ""), SORTS, "person")
    page = paging.page(rows, request.GET.get("page"))
    page.object_list = answers.with_entries(page.object_list)
    context = {
        "answer": answer,
        "moment": moment,
        "clock": f"{moment.astimezone(periods.zone_of(_query(request))[0]):%Y-%m-%d %H:%M}",
        "problems": problems,
        "page": page,
        "order": order,
        "permissions": access_words.ASKED_PERMISSIONS.items(),
        "reads_entries": reads_everything(request.rights),
    }
    return render(request, "audit/rights.html", context, status=422 if problems else 200)


def _read(request: ConsoleRequest) -> tuple[datetime, Asked, frozenset[str]]:
    """The moment (now where none is asked for), what is asked, and the names of the fields that cannot be read."""
    query = _query(request)
    moment, problems = periods.moment(query, "at")
    labels = None
    try:
        labels = parse_selector(query["labels"]) if query.get("labels") else None
    except ValueError:
        problems |= {"labels"}
    permission = query.get("permission", "")
    if permission and permission not in access_words.ASKED_PERMISSIONS:
        problems |= {"permission"}
    asked = Asked(query.get("cluster", ""), query.get("namespace", ""), labels, permission, query.get("q", ""))
    return moment or timezone.now(), asked, problems


def _query(request: ConsoleRequest) -> dict[str, str]:
    return {name: str(value).strip() for name, value in request.GET.items()}
