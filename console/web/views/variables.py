"""The variables of a container: the form, and their values for those who may see them."""

import contextlib

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from console.access.actors import actor_from
from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.access.refusals import NotRevealed
from console.knative.containers import is_sidecar
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.mirror import read
from console.operations.lookups import revealing
from console.web.actions import service_url
from console.web.form_choices import choices_for
from console.web.forms import image_pinning
from console.web.forms.env import EnvForm
from console.web.requests import ConsoleRequest
from console.web.typed import keeps_typed, typed, wants_preview
from console.web.views.changes import container_of, show_preview
from console.web.views.services import find, frame


@require_permission(Permission.DEPLOY)
@keeps_typed
def env(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """A line for each variable, with fields for those that are edited; values hidden until they are revealed."""
    found = find(ref)
    form = _form(request, ref, found)

    def page(refused: str = "") -> HttpResponse:
        return _page(request, ref, found, form, refused)

    if form.is_arranging:
        if "revealed" in request.POST and Permission.REVEAL in request.permissions:
            with contextlib.suppress(NotRevealed):  # it may have lost the label since: then without values
                _reveal(request, ref, form)
        return page()
    if wants_preview(request) and form.is_valid():
        change = form.change
        return show_preview(request, ref, change, page) if change else page(_("Nothing was changed."))
    return page()


@require_permission(Permission.REVEAL)
def reveal(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The same form with the values, read from the cluster now; leaves an audit entry."""
    if request.method != "POST":
        return redirect(service_url("env", ref))
    found = find(ref)
    form = _form(request, ref, found)
    _reveal(request, ref, form)
    return _page(request, ref, found, form)


def _form(request: ConsoleRequest, ref: ServiceRef, found: Service) -> EnvForm:
    container, data = container_of(request, found), typed(request)
    data = data if data and "rows" in data else None
    chosen = image_pinning.choice(found, container, read.revisions(ref), data)
    return EnvForm(container, data, chosen, is_sidecar=is_sidecar(container, found.containers))


def _reveal(request: ConsoleRequest, ref: ServiceRef, form: EnvForm) -> None:
    values = revealing.reveal_env(ref, user=request.user, actor=actor_from(request))
    form.reveal(values.get(form.container.name, {}))


def _page(request: ConsoleRequest, ref: ServiceRef, found: Service, form: EnvForm, refused: str = "") -> HttpResponse:
    context = {**frame(request, ref, found), "here": "env", "form": form, "refused": refused}
    context["choices"] = choices_for(request, ref)
    return render(request, "changes/env.html", context, status=422 if refused or form.has_problems else 200)
