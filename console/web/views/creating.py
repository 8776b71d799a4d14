"""New services: from an image, or as a copy of an existing one."""

from django.http import HttpResponse
from django.shortcuts import render

from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.knative.references import ServiceRef
from console.mirror import read
from console.operations import ClusterError
from console.operations.lookups import form_choices
from console.operations.submitting import cloning
from console.web import outcomes
from console.web.form_choices import FormChoices, choices_for
from console.web.forms.create import CloneForm, CreateForm
from console.web.requests import ConsoleRequest
from console.web.typed import keeps_typed, typed, typed_field, unjudged, wants_preview
from console.web.unread import refuse_when_nothing_is_known, unread
from console.web.views.changes import show_preview
from console.web.views.services import find, frame


@require_permission(Permission.DEPLOY)
@keeps_typed
def create(request: ConsoleRequest) -> HttpResponse:
    """A new service in one of the namespaces in which the person may deploy."""
    places = _places(request)
    place = typed_field(request, "place") or request.GET.get("place", "")
    here = next((one for one in places if "/".join(one) == place), places[0] if places else None)
    form = CreateForm(places, typed(request), form_choices.defaults(here[0]) if here else None)

    def page(refused: str = "") -> HttpResponse:
        unjudged(request, form, form.settings)
        offered = choices_for(request, ServiceRef(*here, "")) if here else FormChoices()
        context = {"form": form, "refused": refused, "choices": offered, "unread": unread(request.rights, "namespaces")}
        has_problems = bool(refused or form.errors or form.settings.errors)
        return render(request, "changes/create.html", context, status=422 if has_problems else 200)

    if wants_preview(request) and form.is_valid():
        return show_preview(request, form.ref, form.change, page, form=form)
    return page()


@require_permission(Permission.REVEAL)
@keeps_typed
def clone(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """A copy under another name. It carries the values of variables along, so it needs the right to see them."""
    found = find(ref)
    initial = {"place": f"{ref.cluster}/{ref.namespace}", "name": f"{ref.name[:58]}-copy"}
    form = CloneForm(_places(request), typed(request), initial=initial)

    def page(refused: str = "") -> HttpResponse:
        unjudged(request, form)
        context = {**frame(request, ref, found), "here": "clone", "form": form, "refused": refused}
        context["left_behind"] = cloning.left_behind(found)
        return render(request, "changes/clone.html", context, status=422 if refused or form.errors else 200)

    if not (wants_preview(request) and form.is_valid()):
        return page()
    try:
        change = cloning.clone_of(ref, form.ref, user=request.user, image=form.cleaned_data["image"])
    except ClusterError as error:
        return page(" ".join(outcomes.answer_error(error)))
    return show_preview(request, form.ref, change, page, form=form, shows_values=False)


def _places(request: ConsoleRequest) -> list[tuple[str, str]]:
    refuse_when_nothing_is_known(request.rights, "namespaces")
    return [
        (cluster, namespace)
        for cluster in read.clusters()
        for namespace in request.rights.namespaces(cluster, read.namespaces(cluster), Permission.DEPLOY)
        if not namespace.startswith(("kube-", "knative-"))
    ]
