"""Moving traffic: the split's form, all to one revision, and back to what served before an operation."""

import re
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from console.access.decorators import refuse, require_permission, signed_in
from console.access.labels import labels_of
from console.access.permissions import Permission
from console.knative.changes import ChangeRefused
from console.knative.objects import Service
from console.knative.presets import Preset, presets
from console.knative.references import ServiceRef
from console.knative.traffic import LATEST, TrafficTarget, all_to, pinned, to_shares, without
from console.mirror import read
from console.operations.models import Operation
from console.operations.submitting import rescue, rollback
from console.operations.submitting.rescue import Rescue
from console.web import traffic_words, words
from console.web.actions import service_url
from console.web.forms.traffic import TrafficForm
from console.web.parts.operations import as_uuid
from console.web.requests import ConsoleRequest
from console.web.typed import keeps_typed, typed_field, wants_preview
from console.web.views.changes import ChangeView, show_preview
from console.web.views.operations import find_operation

MAX_SHARES = 50  # that a link names; no split has as many


# Buttons that lead on within the form: an empty row (it always ends with one), a further tag, the remainder.
GOING_ON = frozenset({"add", "tag_to", "fill"})
MAX_DIGITS = 7


class TrafficPage(ChangeView[TrafficForm]):
    """The split over all revisions and @latest."""

    page = "traffic"
    permission = Permission.TRAFFIC

    def make_form(self) -> TrafficForm:
        read.require_whole(self.ref.cluster, "revisions")
        owner_of = partial(read.owner_of, self.ref.cluster, self.ref.namespace)
        return TrafficForm(self.service, read.revisions(self.ref), self.typed, owner_of)

    @cached_property
    def presets(self) -> Sequence[Preset]:
        return presets(self.service, read.revisions(self.ref))

    def context(self) -> dict[str, Any]:
        latest = self.service.latest_ready_revision
        return {
            "presets": [
                (one, traffic_words.PRESETS[one.name], traffic_words.preset_shares(one, latest)) for one in self.presets
            ]
        }

    @property
    def is_sent(self) -> bool:
        is_going_on = not GOING_ON.isdisjoint(self.request.POST)
        return not is_going_on and super().is_sent

    def answer(self) -> HttpResponseBase:
        wanted = typed_field(self.request, "preset")
        if preset := next((one for one in self.presets if one.name == wanted), None):
            if preset.served_by:  # since the page was made
                return self.show(traffic_words.preset_shares(preset, None))
            self.form.use(preset)
            return self.show()
        if revision := self.request.POST.get("tag_to", ""):
            self.form.add_tag(revision)
        elif (number := self.request.POST.get("fill", "")).isdecimal() and len(number) < MAX_DIGITS:
            self.form.fill(int(number), typed_field(self.request, f"name-{number}"))
        if self.typed is None and (wished := _wished(self.request, self.ref, self.service)):
            self.form.show(without(wished, {row.name for row in self.form.rows if row.is_gone}))
        return super().answer()


traffic = TrafficPage.as_page()


def _wished(request: ConsoleRequest, ref: ServiceRef, found: Service) -> tuple[TrafficTarget, ...]:
    """The split that the address wants the form to begin with; empty for the present one."""
    if everything := request.GET.get("all", ""):
        revision = None if everything == LATEST else everything
        return all_to(revision, pinned(found.spec_traffic, revision, found.latest_ready_revision))
    if id := as_uuid(request.GET.get("rollback", "")):
        operation = Operation.objects.filter(id=id).first()
        if operation is None or operation.ref != ref or not operation.is_readable:
            raise Http404
        return rollback.change_of(operation).targets
    if shares := read_shares(request.GET.getlist("share")):
        return to_shares(shares, found.spec_traffic)
    return ()


def read_shares(texts: Sequence[str]) -> dict[str, int]:
    """The split of a moment of the history, as its link says it: `hello-00002:50`. What cannot be read is left out."""
    pairs = [text.rpartition(":") for text in texts[:MAX_SHARES]]
    return {name: int(percent) for name, _, percent in pairs if name and re.fullmatch(r"[0-9]{1,3}", percent)}


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
