"""The one place where a refusal (console.access.refusals) becomes a page: by its class, along its bases.

ErrorPageMiddleware asks `page`. What a view does with a refusal is to say where its reason is read: `request.back`.
"""

from functools import singledispatch

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from console.access.attempts import record_refusal
from console.access.decorators import refused_page
from console.access.refusals import LabelNotAllowed, NotAllowed, OfOperation, PreviewGone, Refusal
from console.web.refusals import text
from console.web.requests import ConsoleRequest
from console.web.views.stopped import gone


@singledispatch
def page(refusal: Refusal, request: ConsoleRequest) -> HttpResponse:
    """Show the reason on the page from which the person asked, or alone where the view names none."""
    if hasattr(request, "back"):
        return request.back(text(refusal))
    return TemplateResponse(request, "error.html", {"sentence": text(refusal), "raw": ""}, status=422)


@page.register
def _(refusal: NotAllowed, request: ConsoleRequest) -> HttpResponse:
    return _denied(request, refusal)


@page.register
def _(refusal: LabelNotAllowed, request: ConsoleRequest) -> HttpResponse:
    return _denied(request, refusal, why=text(refusal))


@page.register
def _(refusal: OfOperation, request: ConsoleRequest) -> HttpResponse:
    """Lead to what has become of the operation."""
    messages.warning(request, text(refusal))
    return redirect("operation", id=refusal.operation)


@page.register
def _(refusal: PreviewGone, request: ConsoleRequest) -> HttpResponse:
    return gone(request, refusal.previews)


def _denied(request: ConsoleRequest, refusal: NotAllowed, why: str = "") -> HttpResponse:
    """Name who may do it instead. Its entry is left here where the place that raised it knew of no actor."""
    if not refusal.is_audited:
        record_refusal(request, refusal.permission, refusal.ref)
        refusal.is_audited = True
    found = refused_page(request, refusal.permission, refusal.ref)
    found.context_data = {**(found.context_data or {}), "why": why}
    return found
