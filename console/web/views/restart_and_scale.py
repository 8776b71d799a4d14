"""Restart and scale: what operators do in a moment. Each shows its preview first."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.knative.changes import Redeploy, Restart
from console.knative.references import ServiceRef
from console.mirror import read
from console.operations.lookups import form_choices
from console.web.forms import image_pinning
from console.web.forms.scale import OperateForm
from console.web.requests import ConsoleRequest
from console.web.typed import keeps_typed, typed, typed_field, unjudged, wants_preview
from console.web.views.changes import show_preview
from console.web.views.services import find, frame

RESTART, SCALE = "restart", "scale"


@require_permission(Permission.OPERATE)
@keeps_typed
def operate(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """Restart what runs, or change how much of it runs."""
    found = find(ref)
    what = typed_field(request, "what")
    container = found.user_container
    chosen = image_pinning.choice(found, container, read.revisions(ref), typed(request)) if container else None
    form = OperateForm(found, typed(request) if what == SCALE else None, form_choices.defaults(ref.cluster))

    def page(refused: str = "") -> HttpResponse:
        unjudged(request, form)
        context = {**frame(request, ref, found), "here": "operate", "form": form, "digest": chosen, "refused": refused}
        return render(request, "changes/operate.html", context, status=422 if refused or form.errors else 200)

    if not wants_preview(request) or chosen is None:
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
