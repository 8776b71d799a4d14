"""Restart, scale, roll back: what operators and releasers do in a moment. Each shows its preview first."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console.access.decorators import refuse, require_permission, signed_in
from console.access.labels import labels_of
from console.access.permissions import Permission
from console.knative.changes import Redeploy, Restart, SplitTraffic
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.knative.traffic import LATEST, all_to, problems
from console.mirror import read
from console.operations import rollback, surroundings
from console.web import words
from console.web.actions import service_url
from console.web.forms import digest
from console.web.forms.scale import OperateForm
from console.web.requests import ConsoleRequest
from console.web.views.changes import is_editing, is_sent, show_preview
from console.web.views.operations import find_operation
from console.web.views.services import find, frame

RESTART, SCALE = "restart", "scale"


@require_permission(Permission.OPERATE)
def operate(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """Restart what runs, or change how much of it runs."""
    found = find(ref)
    what = request.POST.get("what", "")
    container = found.user_container
    chosen = digest.choice(found, container, read.revisions(ref), request.POST or None) if container else None
    form = OperateForm(found, request.POST if what == SCALE else None, surroundings.defaults(ref.cluster))

    def page(refused: str = "") -> HttpResponse:
        context = {**frame(request, ref, found), "here": "operate", "form": form, "digest": chosen, "refused": refused}
        return render(request, "changes/operate.html", context, status=422 if refused or form.errors else 200)

    if not is_sent(request) or is_editing(request) or chosen is None:
        return page()
    if what == RESTART:
        at = timezone.now().isoformat()
        change = Restart(at, dict(chosen.running)) if chosen.keep else Redeploy(at)
        return show_preview(request, ref, change, page)
    if not form.is_valid():
        return page()
    if form.change is None:
        return page(_("Nothing was changed."))
    return show_preview(request, ref, chosen.with_(form.change), page)


@require_permission(Permission.TRAFFIC)
def serve(request: ConsoleRequest, ref: ServiceRef, revision: str) -> HttpResponse:
    """Give one revision, or @latest, all the traffic."""
    found = find(ref)
    if not is_sent(request) or is_editing(request):
        return redirect(f"{service_url('traffic', ref)}?all={revision}")
    targets = all_to(None if revision == LATEST else revision, found.spec_traffic)
    return _split(request, ref, found, SplitTraffic(targets))


@require_POST
@signed_in
def roll_back(request: ConsoleRequest, id: UUID) -> HttpResponse:
    """Show what would bring the traffic back to where it was before an operation."""
    found = find_operation(request, id)
    if not request.rights.allows(Permission.TRAFFIC, found.ref, labels_of(found.ref)):
        return refuse(request, Permission.TRAFFIC, found.ref)
    service = read.service(found.ref)
    if is_editing(request) or service is None or not rollback.is_possible(found):
        return redirect("operation", id=id)
    request.permissions = request.rights.on(found.ref, labels_of(found.ref))
    return _split(request, found.ref, service, rollback.change_of(found))


def _split(request: ConsoleRequest, ref: ServiceRef, service: Service, change: SplitTraffic) -> HttpResponse:
    """The preview of a split that nobody typed; what is wrong with it is said on the editor's page."""

    def back(refused: str) -> HttpResponse:
        messages.warning(request, refused)
        return redirect(service_url("traffic", ref))

    read.require_whole(ref.cluster, "revisions")
    found = problems(change.targets, [one.name for one in read.revisions(ref)])
    return back(words.problem(found[0])) if found else show_preview(request, ref, change, back)
