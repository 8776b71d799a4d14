"""The history of a service: what was requested, done and detected, for everybody who may see the service."""

from django.http import HttpResponse
from django.shortcuts import render

from console.access.auditing import entries_about
from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.audit import searching
from console.knative.references import ServiceRef
from console.operations import queries
from console.web import paging
from console.web.requests import ConsoleRequest
from console.web.views.audit import as_sequence
from console.web.views.services import find, frame

RECENT = 10


@require_permission(Permission.VIEW)
def history(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The latest operations, and every entry of the log about the service, newest first, in pages by cursor."""
    found = find(ref)
    asked = searching.search(entries_about(ref), {})
    below = as_sequence(request.GET.get("before", ""))
    page = searching.older(asked, below, paging.PAGE_SIZE)
    context = {
        **frame(request, ref, found),
        "here": "history",
        "operations": queries.of_service(ref)[:RECENT],
        "entries": page.entries,
        "older": page.entries[-1].sequence if page.has_older else None,
        "is_newest": below is None,
    }
    return render(request, "services/history.html", context)
