"""The same change on many services: one form, one preview of all, as many operations."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console.access.actors import actor_from
from console.access.attempts import record_not_allowed
from console.access.decorators import signed_in
from console.access.refusals import NotAllowed
from console.knative.changes import ChangeRefused
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef
from console.knative.split_effect import SplitEffect, split_effect
from console.mirror import read
from console.mirror.overview import ClusterNow, overview
from console.mirror.summaries import ServiceSummary
from console.operations import ClusterError
from console.operations.protection import gate
from console.operations.submitting import previewing, submission
from console.operations.submitting.proposal import Proposal
from console.web import change_words, outcomes, refusals, visible, words
from console.web.forms.bulk import BulkForm
from console.web.forms.limits import LimitsForm
from console.web.last_step import LastStep, last_step_of_many
from console.web.parts.operations import as_uuid
from console.web.requests import ConsoleRequest
from console.web.service_list import Filter, matches
from console.web.typed import applied, form_address, keeps_typed, to_preview, typed, unjudged, wants_preview
from console.web.unread import refuse_when_nothing_is_known, unread
from console.web.views.changes import beside_button, visible_rows
from console.web.views.stopped import gone, stopped

MAX_OTHERS = 100  # services that are shown beside the chosen ones: a page of ten thousand lines would be 8 MB
ORDER = "namespace"


@dataclass(frozen=True, slots=True)
class Line:
    """What the change would do to one service, or why it cannot be made there."""

    ref: ServiceRef
    proposal: Proposal | None = None
    why_not: str = ""
    rows: Sequence[FieldChange] = ()

    @property
    def lines(self) -> Sequence[change_words.Line]:
        """What changes, in words."""
        return change_words.lines(self.rows, self.proposal.before) if self.proposal else ()

    @property
    def split(self) -> SplitEffect | None:
        """What the change does to the shares of the revisions."""
        if self.proposal is None:
            return None
        return split_effect(self.proposal.before, self.proposal.after, makes_revision=self.proposal.makes_revision)

    @property
    def policy_status(self) -> gate.PolicyStatus:
        return self.proposal.policy_status if self.proposal else gate.PolicyStatus()


@signed_in
@keeps_typed
def bulk(request: ConsoleRequest) -> HttpResponse:
    """Choose services and a change; the preview then shows the changes of each."""
    refuse_when_nothing_is_known(request.rights, "services")
    data = typed(request)
    chosen = set((data or request.GET).getlist("services"))
    clusters = {name: at for name, at in overview().clusters.items() if request.rights.reaches(name)}
    rows = visible.in_order(request.rights, clusters, Filter(), ORDER)
    form = BulkForm(_chosen_of(rows, chosen), data)
    is_search = _is_search(request.POST)
    if wants_preview(request) and not is_search and form.is_valid():
        if request.method == "POST":
            return to_preview(request)
        lines = [_preview(request, form, ref) for ref in form.cleaned_data["services"]]
        possible = [line for line in lines if line.proposal]
        context = {
            "form": form,
            "lines": lines,
            "form_address": form_address(request),
            **beside_button(request),
            "possible": possible,
            "previews": [line.proposal.preview for line in possible if line.proposal],
            "policy_status": gate.together([line.policy_status for line in possible]),
            "protected_count": sum(1 for line in possible if line.policy_status.rules),
            "apply_url": reverse("bulk-submit"),
            "last_step": _last_step(possible),
        }
        return render(request, "changes/bulk_preview.html", context)
    query = _query(request, data)
    picked = _chosen_of(rows, chosen)
    others = _others(_found(request, clusters, query), picked)
    unjudged(request, form, is_arranged=is_search)
    context = {
        "form": form,
        "query": query.get("q", ""),
        "rows": [*picked, *others[:MAX_OTHERS]],
        "found": len(picked) + len(others),
        "chosen": chosen,
        "unread": unread(request.rights, "services"),
    }
    return render(request, "changes/bulk.html", context, status=422 if form.errors else 200)


def _is_search(sent: QueryDict) -> bool:
    """The button that finds others was pressed, or Enter after another text was typed beside it."""
    return "search" in sent or ("review" not in sent and sent.get("q", "") != sent.get("found", ""))


def _query(request: ConsoleRequest, data: QueryDict | None) -> QueryDict:
    """The filter of the address, with what was searched for by the form, whose fields no address may hold."""
    query = request.GET.copy()
    if data and "q" in data:
        query["q"] = data.get("q") or ""
    return query


def _found(request: ConsoleRequest, clusters: Mapping[str, ClusterNow], query: QueryDict) -> Sequence[ServiceSummary]:
    """The services that the filter asks for."""
    now, rows = timezone.now(), visible.in_order(request.rights, clusters, Filter.of(query), ORDER)
    return [row for row in rows if matches(row, query, now)] if query.get("attention") else rows


def _chosen_of(rows: Iterable[ServiceSummary], chosen: Iterable[str]) -> list[ServiceSummary]:
    """Those of the rows that are chosen; compared without making a text of each of thousands."""
    wanted = {tuple(text.split("/")) for text in chosen}
    return [row for row in rows if (row.cluster, row.namespace, row.name) in wanted] if wanted else []


def _others(found: Sequence[ServiceSummary], picked: Iterable[ServiceSummary]) -> Sequence[ServiceSummary]:
    """What was found beside the chosen, which are listed whatever the filter says."""
    ids = {row.uid for row in picked}
    return [row for row in found if row.uid not in ids] if ids else found


def _last_step(possible: Sequence[Line]) -> LastStep | None:
    proposals = [line.proposal for line in possible if line.proposal]
    if not proposals:
        return None
    makes_revisions = any(proposal.makes_revision for proposal in proposals)
    return last_step_of_many(
        [proposal.change for proposal in proposals],
        makes_revisions=makes_revisions,
        waiting=sum(bool(proposal.policy_status.rules) for proposal in proposals),
    )


def _preview(request: ConsoleRequest, form: BulkForm, ref: ServiceRef) -> Line:
    found = read.service(ref)
    try:
        change = form.change_of(found, read.revisions(ref)) if found else None
    except ChangeRefused as refusal:
        return Line(ref, why_not=words.problem(refusal.problem))
    if change is None:
        return Line(ref, why_not=_("The service was deleted in the meantime."))
    try:
        proposal = previewing.preview(change, user=request.user, ref=ref)
    except NotAllowed as refusal:
        record_not_allowed(refusal, actor_from(request))
        why_not = refusals.text(refusal)
    except ChangeRefused as refusal:
        why_not = words.problem(refusal.problem)
    except ClusterError as error:
        why_not = outcomes.answer_error(error)[0]
    else:
        why_not = _why_not(proposal)
        return Line(ref, why_not=why_not) if why_not else Line(ref, proposal, rows=visible_rows(request, ref, proposal))
    return Line(ref, why_not=why_not)


def _why_not(proposal: Proposal) -> str:
    if proposal.is_empty:
        return _("Nothing would change: the service is already like that.")
    if proposal.policy_status.freeze:
        return words.frozen(proposal.policy_status.freeze)
    if proposal.policy_status.lock:
        return words.locked(proposal.policy_status)
    return " ".join(outcomes.answer_error(proposal.refusal)) if proposal.refusal else ""


@require_POST
@signed_in
def submit(request: ConsoleRequest) -> HttpResponse:
    """Make an operation of each preview, all or none."""
    previews = [text for text in request.POST.getlist("preview") if as_uuid(text)]
    asked = LimitsForm(request.POST)
    if not asked.is_valid():
        return stopped(request, previews, asked)
    if len(previews) < len(request.POST.getlist("preview")):
        return gone(request, previews)
    request.back = partial(stopped, request, previews, asked)
    batch, _made = submission.submit_all(
        previews,
        user=request.user,
        actor=actor_from(request),
        reason=request.POST.get("reason", ""),
        limits=asked.limits,
        acknowledged=request.POST.getlist("acknowledged"),
    )
    applied(request)
    return redirect(f"{reverse('operations')}?batch={batch}")
