"""The services list, where people begin, and the views of it that they keep."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console.access.decorators import signed_in
from console.access.models import SavedView
from console.access.permissions import Permission
from console.knative.references import ServiceRef
from console.mirror import read
from console.mirror.overview import overview
from console.operations import queries
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.operations.protection.gate import Protection
from console.web import attention, paging, palette, validators, visible, words
from console.web.requests import ConsoleRequest
from console.web.rows import Look, may_pick, rendered, rows_of
from console.web.service_list import COLUMNS, FILTERS, SORTS, Filter, columns_of, view_of
from console.web.topics import topic_of_list

MAX_CONCERNS = 5  # that are told in a sentence, above the list
MAX_VIEWS = 50
MAX_NAME = 60


@signed_in
def services(request: ConsoleRequest) -> HttpResponse:
    """Every service that the person may see, in all clusters, from the mirror; first what needs attention."""
    return show_list(request)


def show_list(request: ConsoleRequest, **more: Any) -> HttpResponse:
    """Render the list that the address asks for; `more` are problems of a form on it."""
    seen = overview()  # before anything else is read: what comes later is told
    request.position = str(seen.position or "")
    now, clusters = timezone.now(), {name: at for name, at in seen.clusters.items() if request.rights.reaches(name)}
    under_way = queries.open_by_service()
    found = visible.listing(
        request.rights,
        clusters,
        Filter.of(request.GET),
        order := paging.order(request.GET.get("sort", ""), SORTS, "name"),
        now=now,
        waiting=_waiting(under_way),
        only_concerns=bool(request.GET.get("attention")),
    )
    page = paging.page(found.rows, request.GET.get("page"))
    ages = {cluster: read.freshness_of(at.states) for cluster, at in clusters.items()}
    stale = {cluster: age for cluster, age in ages.items() if age.is_stale}
    look = Look(
        get_language() or "",
        columns_of(request.GET.getlist("columns")),
        may_pick=may_pick(request.rights),
        names_cluster=len(clusters) > 1,
    )
    context = {
        "page": page,
        "order": order,
        "topic": topic_of_list(request.GET, (row.uid for row in page)),
        "total": found.total,
        "found": len(found.rows),
        "attention": len(found.concerns),
        "concerns": attention.first_concerns(found.concerns, MAX_CONCERNS, under_way) if page.number == 1 else [],
        "look": look,
        "rows": [rendered(row, look) for row in rows_of(page, under_way, stale, Protection(), clusters)],
        "clusters": list(clusters),
        "namespaces": found.namespaces,
        "healths": words.HEALTH,
        "columns": COLUMNS,
        "is_filtered": any(request.GET.get(name) for name in FILTERS),
        "views": SavedView.objects.filter(user=request.user),
        "view": view_of(request.GET),
        "stale": stale,
        "unread": {
            cluster: ages[cluster] for cluster, at in clusters.items() if not read.has_whole(at.states, "services")
        },
        "may_create": request.rights.allows(Permission.DEPLOY),
        **more,
    }
    if more:
        return render(request, "services/list.html", context, status=422)
    views: QuerySet[SavedView] = context["views"]
    return validators.answer(
        request,
        "services/list.html",
        context,
        part=_facts(context),
        around=lambda: [(one.id, one.name, one.query) for one in views],
    )


@require_POST
@signed_in
def save_view(request: ConsoleRequest) -> HttpResponse:
    """Keep the view that the address names, for this person; a second one of the same name replaces the first."""
    name, query = request.POST.get("name", "").strip(), view_of(request.GET)
    mine = SavedView.objects.filter(user=request.user)
    if problem := _view_problem(name, query, mine.exclude(name=name).count()):
        return show_list(request, name_problem=problem, name=name)
    SavedView.objects.update_or_create(user=request.user, name=name, defaults={"query": query})
    return redirect(f"{reverse('services')}?{query}")


@require_POST
@signed_in
def remove_view(request: ConsoleRequest, id: int) -> HttpResponse:
    """Forget a view of this person."""
    if not SavedView.objects.filter(id=id, user=request.user).delete()[0]:
        raise Http404
    return redirect("services")


@signed_in
def find(request: ConsoleRequest) -> HttpResponse:
    """What has the text in its name and may be opened: the palette's answers, or a page of its own without scripts."""
    answers = palette.search(request.GET.get("q", ""), request.rights)
    return render(request, "palette/answers.html" if request.htmx else "palette/page.html", {"answers": answers})


def _waiting(under_way: dict[ServiceRef, Operation]) -> set[ServiceRef]:
    return {ref for ref, one in under_way.items() if one.status == Status.WAITING}


def _facts(context: Mapping[str, Any]) -> list[object]:
    """All that the live part of the list shows. Of concerns what is written: the browser keeps an age right."""
    concerns = [(one.row.uid, one.reason, one.sentence, one.who, one.at) for one in context["concerns"]]
    apart = ("page", "concerns", "views", "columns", "healths", "rows")
    others = sorted((name, value) for name, value in context.items() if name not in apart)
    return [context["page"].number, concerns, [row.digest for row in context["rows"]], *others]


def _view_problem(name: str, query: str, others: int) -> str:
    if not name or len(name) > MAX_NAME:
        return _("Enter a view name of at most %(count)s characters.") % {"count": MAX_NAME}
    if not query:
        return _("Filter or sort the list first, then save the view.")
    if len(query) > 1000:
        return _("This view is too long to be saved.")
    if others >= MAX_VIEWS:
        return _("You have %(count)s saved views. Remove one first.") % {"count": others}
    return ""
