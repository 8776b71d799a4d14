"""Moving traffic: the split's form, all to one revision, and back to what served before an operation."""

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from console.access.decorators import refuse, require_permission, signed_in
from console.access.labels import labels_of
from console.access.permissions import Permission
from console.knative.changes import ChangeRefused
from console.knative.objects import Service
from console.knative.presets import presets
from console.knative.references import ServiceRef
from console.knative.traffic import LATEST, TrafficTarget, all_to, without
from console.mirror import read
from console.operations.models import Operation
from console.operations.submitting import rescue, rollback
from console.operations.submitting.rescue import Rescue
from console.web import traffic_words, words
from console.web.actions import service_url
from console.web.forms.traffic import TrafficForm
from console.web.requests import ConsoleRequest
from console.web.typed import keeps_typed, typed, typed_field, wants_preview
from console.web.views.changes import show_preview
from console.web.views.operations import as_uuid, find_operation
from console.web.views.services import find, frame


@require_permission(Permission.TRAFFIC)
@keeps_typed
def traffic(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The split over all revisions and @latest."""
    found = find(ref)
    read.require_whole(ref.cluster, "revisions")
    revisions = read.revisions(ref)
    owner_of = partial(read.owner_of, ref.cluster, ref.namespace)
    form = TrafficForm(found, revisions, typed(request), owner_of)
    offered = presets(found, revisions)

    def page(refused: str = "") -> HttpResponse:
        context = {
            **frame(request, ref, found),
            "here": "traffic",
            "form": form,
            "refused": refused,
            "presets": [
                (
                    one.name,
                    traffic_words.PRESETS[one.name],
                    traffic_words.preset_shares(one, found.latest_ready_revision),
                )
                for one in offered
            ],
        }
        return render(request, "changes/traffic.html", context, status=422 if refused or form.has_problems else 200)

    if preset := next((one for one in offered if one.name == typed_field(request, "preset")), None):
        form.use(preset)
        return page()
    if typed(request) is None and (wished := _wished(request, ref, found)):
        form.show(without(wished, {row.name for row in form.rows if row.is_gone}))
    is_going_on = "add" in request.POST  # a form always ends with an empty row
    if wants_preview(request) and not is_going_on and form.is_valid():
        return show_preview(request, ref, form.change, page)
    return page()


def _wished(request: ConsoleRequest, ref: ServiceRef, found: Service) -> tuple[TrafficTarget, ...]:
    """The split that the address wants the form to begin with; empty for the present one."""
    if everything := request.GET.get("all", ""):
        return all_to(None if everything == LATEST else everything, found.spec_traffic)
    if id := as_uuid(request.GET.get("rollback", "")):
        operation = Operation.objects.filter(id=id).first()
        if operation is None or operation.ref != ref:
            raise Http404
        return rollback.change_of(operation).targets
    return ()


@require_permission(Permission.TRAFFIC)
@keeps_typed
def serve(request: ConsoleRequest, ref: ServiceRef, revision: str) -> HttpResponse:
    """Give one revision, or @latest, all the traffic."""
    form = f"{service_url('traffic', ref)}?all={revision}"
    if not wants_preview(request):
        return redirect(form)
    try:
        found = rescue.all_to(None if revision == LATEST else revision, ref=ref, user=request.user)
    except ChangeRefused as refusal:
        return _back(request, words.problem(refusal.problem), service_url("traffic", ref))
    return _preview(request, ref, found, form)


@signed_in
@keeps_typed
def roll_back(request: ConsoleRequest, id: UUID) -> HttpResponse:
    """Show what would bring the traffic back to where it was before an operation."""
    found = find_operation(request, id)
    ref = found.ref
    if not request.rights.allows(Permission.TRAFFIC, ref, labels_of(ref)):
        return refuse(request, Permission.TRAFFIC, ref)
    if read.service(ref) is None or not rollback.is_possible(found):
        return redirect("operation", id=id)
    form = f"{service_url('traffic', ref)}?rollback={id}"
    if not wants_preview(request):
        return redirect(form)
    request.permissions = request.rights.on(ref, labels_of(ref))
    try:
        split = rescue.before(found, user=request.user)
    except ChangeRefused as refusal:
        return _back(request, words.problem(refusal.problem), service_url("traffic", ref))
    return _preview(request, ref, split, form)


def _preview(request: ConsoleRequest, ref: ServiceRef, found: Rescue, form: str) -> HttpResponse:
    """The preview of a split that nobody typed; what is wrong with it is said on the editor's page."""
    notes = [traffic_words.left_out(target, is_gone=True) for target in found.gone]
    notes += [traffic_words.left_out(target, is_gone=False) for target in found.foreign]
    return show_preview(request, ref, found.change, lambda why: _back(request, why, form), notes, is_typed=False)


def _back(request: ConsoleRequest, refused: str, form: str) -> HttpResponse:
    messages.warning(request, refused)
    return redirect(form)
