"""The access review: everybody by person and by place, its files, and recording that somebody has reviewed it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console.access import reviewing, reviews
from console.access.actors import actor_from
from console.access.auditing import reads_everything
from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.access.reviewing import Reviewed
from console.access.reviews import Looked
from console.access.rights_history import answers, holders
from console.access.rights_history.holders import Asked, Holding
from console.knative.references import ServiceRef
from console.mirror import read
from console.web import access_words, paging, reports
from console.web.requests import ConsoleRequest

PEOPLE, PLACES = "people", "places"
FILTERS = {
    PEOPLE: ("q", "person", "state", "source", "team", "cluster", "namespace"),
    PLACES: ("q", "cluster", "namespace", "service", "permission"),
}
STATES: Mapping[str, Callable[[Reviewed], bool]] = {
    reviewing.ACTIVE: lambda one: one.user.is_active,
    reviewing.INACTIVE: lambda one: not one.user.is_active,
    "administrator": lambda one: one.user.is_active and one.user.is_superuser,
    "robot": lambda one: one.is_robot,
    "no-factor": lambda one: not one.factors,
    "no-rights": lambda one: not one.holdings,
}
EVERYBODY: Callable[[Reviewed], bool] = bool
SORTS: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    PEOPLE: {
        "person": lambda one: one.user.username.lower(),
        "seen": lambda one: one.record()["last_sign_in"],
        "created": lambda one: one.user.date_joined,
    },
    PLACES: {
        "scope": lambda one: (str(one.scope), one.held.person.name.lower()),
        "person": lambda one: one.held.person.name.lower(),
        "role": lambda one: one.role,
        "team": lambda one: one.team,
    },
}
DEFAULT_SORT = {PEOPLE: "person", PLACES: "scope"}
COLUMNS = {PEOPLE: reviewing.COLUMNS, PLACES: holders.COLUMNS}
REVIEWED = {PEOPLE: reviewing.REVIEWED, PLACES: tuple(name for name in holders.COLUMNS if name != "entries")}


@dataclass(frozen=True, slots=True)
class Listed:
    """What the address asks for: one of the two lists, in its default order, with its filter."""

    view: str
    asked: Mapping[str, str]
    rows: Sequence[Reviewed] | Sequence[Holding]

    @property
    def query(self) -> str:
        """The filter as an address has it, without the list that is meant."""
        return urlencode({name: value for name, value in self.asked.items() if value})

    def records(self) -> list[dict[str, Any]]:
        return [row.record() for row in self.rows]

    def looked(self) -> Looked:
        """What somebody who reviews it looks at."""
        return Looked(self.view, self.query, len(self.rows), reviews.digest(REVIEWED[self.view], self.records()))


@require_permission(Permission.AUDIT)
def access(request: ConsoleRequest) -> HttpResponse:
    """Who has access: `view` is `people` or `places`."""
    return _show(request, _listed(request))


@require_POST
@require_permission(Permission.AUDIT)
def export(request: ConsoleRequest, form: str) -> HttpResponse:
    """All rows of the list as CSV or JSON; leaves an entry."""
    if form not in reports.FORMS:
        raise Http404
    listed = _listed(request)
    more = {"view": listed.view, "sha256": listed.looked().sha256, "reviewed_columns": list(REVIEWED[listed.view])}
    query = urlencode({"view": listed.view}) + (f"&{listed.query}" if listed.query else "")
    return reports.file(request, "access", form, COLUMNS[listed.view], listed.records(), query, more)


@require_POST
@require_permission(Permission.AUDIT)
def review(request: ConsoleRequest) -> HttpResponse:
    """Record what was decided of the rows that the page showed; of others by now, the page is shown again."""
    listed = _listed(request)
    looked, decision, note = listed.looked(), request.POST.get("decision", ""), request.POST.get("note", "").strip()
    if problem := _problem(request, listed, looked, decision, note):
        return _show(request, listed, problem=problem, decision=decision, note=note)
    place = (listed.asked.get("cluster", ""), listed.asked.get("namespace", ""))
    reviews.record(looked, decision, note, cluster=place[0], namespace=place[1], actor=actor_from(request))
    messages.success(request, _("Review recorded."))
    return redirect(f"{reverse('audit-access')}?{urlencode({'view': listed.view})}&{listed.query}".rstrip("&"))


def _problem(request: ConsoleRequest, listed: Listed, looked: Looked, decision: str, note: str) -> str:
    if request.POST.get("sha256") != looked.sha256:
        return _("The list has changed since you opened it. Look at it again.")
    if decision not in reviews.DECISIONS:
        return _("Choose a decision.")
    if decision != reviews.KEPT and not note:
        return _("Enter a note.")
    if len(note) > reviews.MAX_NOTE:
        return _("Enter a note of at most %(count)s characters.") % {"count": reviews.MAX_NOTE}
    if not reads_everything(request.rights) and not _is_of_place(request, listed):
        return _("Filter the list by a cluster and a namespace that you audit, then record the review.")
    return ""


def _is_of_place(request: ConsoleRequest, listed: Listed) -> bool:
    place = ServiceRef(listed.asked.get("cluster", ""), listed.asked.get("namespace", ""), "")
    return bool(place.cluster and place.namespace) and request.rights.allows(Permission.AUDIT, place)


def _show(request: ConsoleRequest, listed: Listed, **problem: str) -> HttpResponse:
    rows, order = paging.sort(listed.rows, request.GET.get("sort", ""), SORTS[listed.view], DEFAULT_SORT[listed.view])
    page, looked = paging.page(rows, request.GET.get("page")), listed.looked()
    if listed.view == PLACES:
        page.object_list = answers.with_entries(page.object_list)
    context = {
        "view": listed.view,
        "asked": listed.asked,
        "query": listed.query,
        "page": page,
        "order": order,
        "looked": looked,
        "reviews": [(one, one.is_of(looked)) for one in reviews.last_of(listed.view, listed.query, request.rights)],
        "decisions": access_words.DECISIONS,
        "states": access_words.STATES.items(),
        "sources": access_words.SOURCES.items(),
        "permissions": access_words.ASKED_PERMISSIONS.items(),
        "reads_entries": reads_everything(request.rights),
        **problem,
    }
    return render(request, "audit/access.html", context, status=422 if problem else 200)


def _listed(request: ConsoleRequest) -> Listed:
    view = request.GET.get("view", "")
    view = view if view in FILTERS else PEOPLE
    asked = {name: request.GET.get(name, "").strip() for name in FILTERS[view]}
    rows = _people(request, asked) if view == PEOPLE else _places(request, asked)
    return Listed(view, asked, rows)


def _people(request: ConsoleRequest, asked: Mapping[str, str]) -> list[Reviewed]:
    where = Asked(asked["cluster"], asked["namespace"])
    rows = reviewing.by_person(request.rights, where)
    keeps = STATES.get(asked["state"], EVERYBODY)
    return [
        row
        for row in rows
        if keeps(row)
        and asked["q"].lower() in row.user.username.lower()
        and asked["person"] in ("", row.user.username)
        and asked["source"] in ("", row.source)
        and (not asked["team"] or asked["team"] in {one.team for one in row.holdings})
    ]


def _places(request: ConsoleRequest, asked: Mapping[str, str]) -> list[Holding]:
    permission = asked["permission"] if asked["permission"] in access_words.ASKED_PERMISSIONS else ""
    labels = _labels(request, asked)
    where = Asked(asked["cluster"], asked["namespace"], labels, permission, asked["q"])
    rows = reviewing.by_place(request.rights, where)
    return sorted(rows, key=SORTS[PLACES]["scope"])


def _labels(request: ConsoleRequest, asked: Mapping[str, str]) -> Mapping[str, str] | None:
    """The labels of the service that is named, where it exists and the person may see it."""
    if not all(asked[name] for name in ("cluster", "namespace", "service")):
        return None
    ref = ServiceRef(asked["cluster"], asked["namespace"], asked["service"])
    try:
        found = read.summary(ref)
    except read.MirrorUnavailable:
        return None
    return found.labels if found and request.rights.allows(Permission.VIEW, ref, found.labels) else None
