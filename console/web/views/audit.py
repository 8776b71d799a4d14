"""Reading the audit log: the list with its filters, one entry, the summary, and filters that are kept."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console import periods
from console.access.auditing import visible_entries
from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.audit import redactions, searching
from console.audit import summary as summing
from console.audit.models import Entry, SavedFilter
from console.audit.searching import NO_PAGE, Page, Search
from console.knative.references import ServiceRef
from console.operations import queries
from console.operations.models import Operation
from console.operations.protection.decisions import ACTIONS as DECISIONS
from console.web import author_words, paging, words
from console.web.charts import days as day_charts
from console.web.requests import ConsoleRequest
from console.web.spans import span_of

MAX_FILTERS = 50
RELATED = 20


@require_permission(Permission.AUDIT)
def entries(request: ConsoleRequest) -> HttpResponse:
    """The log as far as the person may read it, newest first, in pages by cursor: `before` or `after` an entry."""
    return show_list(request)


def show_list(request: ConsoleRequest, **more: Any) -> HttpResponse:
    """Render the list that the address asks for; `more` are problems of a form on it."""
    found = search(request)
    page = paged(request, found)
    context = {
        "page": page,
        "made": queries.made(one.operation for one in page.entries),
        "problems": found.problems,
        "outcomes": words.OUTCOMES,
        "groups": words.AUDIT_GROUPS,
        "actor_kinds": author_words.KINDS,
        "saved": SavedFilter.objects.filter(user=request.user),
        "query": query_of(request),
        **more,
    }
    return render(request, "audit/list.html", context, status=422 if found.problems or more else 200)


@require_permission(Permission.AUDIT)
def entry(request: ConsoleRequest, sequence: int) -> HttpResponse:
    """One entry, with the timeline of its operation and what else was recorded of that."""
    visible = visible_entries(request.rights)
    one = visible.filter(sequence=sequence).first()
    if one is None:
        raise Http404
    operation = _operation(request, one)
    related = (
        visible.filter(operation=one.operation).exclude(sequence=sequence) if one.operation else Entry.objects.none()
    )
    context = {
        "entry": one,
        "operation": operation,
        "lines": operation.lines.all() if operation else (),
        "related": related.order_by("sequence")[:RELATED],
        "made": queries.made([one.operation]),
        "redacted_by": redactions.told_of(sequence),
        "is_decision": one.action in DECISIONS,
        "redacts": redactions.subject_of(one),
        "may_redact": request.rights.is_administrator and bool(redactions.fields_of(one)),
    }
    return render(request, "audit/entry.html", context)


@require_permission(Permission.AUDIT)
def summary(request: ConsoleRequest) -> HttpResponse:
    """Changes of the last days, or of a period, by day and team, and how many of them failed."""
    now = timezone.now()
    span = span_of(request.GET.dict(), now, summing.last_days, summing.DAYS, summing.DAYS[1])
    found = summing.summarize(visible_entries(request.rights), span.since, span.until, span.zone)
    counts = [(day, (one.succeeded, one.stopped, one.failed, one.outside)) for day, one in found.days]
    context = {
        "summary": found,
        "chart": day_charts.changes(counts),
        "days": span.days,
        "choices": summing.DAYS,
        "now": now,
        "problems": span.problems,
        "max_days": summing.MAX_DAYS,
        "zone": request.GET.get(periods.ZONE, "") or periods.DEFAULT_ZONE,
    }
    return render(request, "audit/summary.html", context, status=422 if span.problems else 200)


@require_POST
@require_permission(Permission.AUDIT)
def save_filter(request: ConsoleRequest) -> HttpResponse:
    """Keep the filter that the address names, for this person; a second one of the same name replaces the first."""
    name, query = request.POST.get("name", "").strip(), query_of(request)
    mine = SavedFilter.objects.filter(user=request.user)
    if problem := _filter_problem(name, query, mine.exclude(name=name).count()):
        return show_list(request, name_problem=problem, name=name)
    SavedFilter.objects.update_or_create(user=request.user, name=name, defaults={"query": query})
    return redirect(f"{reverse('audit')}?{query}")


@require_POST
@require_permission(Permission.AUDIT)
def remove_filter(request: ConsoleRequest, id: int) -> HttpResponse:
    """Forget a filter of this person."""
    if not SavedFilter.objects.filter(id=id, user=request.user).delete()[0]:
        raise Http404
    return redirect("audit")


def search(request: ConsoleRequest) -> Search:
    """Return what the address asks for, of what the person may read."""
    return searching.search(visible_entries(request.rights), request.GET.dict())


def query_of(request: ConsoleRequest) -> str:
    """Return the filters of the address, without where in the list one is."""
    asked = {name: request.GET.get(name, "").strip() for name in searching.FIELDS}
    if asked[periods.ZONE] == periods.DEFAULT_ZONE or not (asked[periods.SINCE] or asked[periods.UNTIL]):
        asked[periods.ZONE] = ""  # the form always sends it
    return urlencode({name: value for name, value in asked.items() if value})


def paged(request: ConsoleRequest, found: Search) -> Page:
    """Return the page of the entries that the address asks for; none of an address that cannot be read."""
    if found.problems:
        return NO_PAGE
    above, below = as_sequence(request.GET.get("after", "")), as_sequence(request.GET.get("before", ""))
    if above is not None:
        return searching.newer(found, above, paging.PAGE_SIZE)
    return searching.older(found, below, paging.PAGE_SIZE)


def _operation(request: ConsoleRequest, one: Entry) -> Operation | None:
    """The entry's operation, if it is still kept. People who may read the entry may see what it is about."""
    found = Operation.objects.filter(id=one.operation).first() if one.operation else None
    is_same = found is not None and found.ref == ServiceRef(one.cluster, one.namespace, one.service)
    return found if is_same else None


def _filter_problem(name: str, query: str, others: int) -> str:
    if not name or len(name) > 60:
        return _("Enter a filter name of at most 60 characters.")
    if not query:
        return _("Filter the list first, then save the filter.")
    if len(query) > 1000:
        return _("This filter is too long to be saved.")
    if others >= MAX_FILTERS:
        return _("You have %(count)s saved filters. Remove one first.") % {"count": others}
    return ""


def as_sequence(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
