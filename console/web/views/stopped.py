"""A preview that could not be submitted: the same button again, beside it the reason why not, nothing lost."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from console.knative.diff import FieldChange
from console.operations.models import Preview
from console.operations.protection import gate
from console.operations.rights.needs import needs_of_kept
from console.operations.submitting import submission
from console.web import change_words
from console.web.forms.limits import LimitsForm
from console.web.last_step import LastStep, last_step, last_step_of_many
from console.web.requests import ConsoleRequest
from console.web.typed import address_left


def stopped(request: ConsoleRequest, preview_ids: Sequence[str], limits: LimitsForm, why: str = "") -> HttpResponse:
    """Show what was to be submitted and why it was not: what is wrong with its limits, or what stopped it."""
    previews = list(submission.mine(preview_ids, request.user).values())
    if not previews:
        return gone(request, preview_ids)
    statuses, may_break = [], len(previews) == 1  # one service at a time
    for preview in previews:
        needs = needs_of_kept(preview)
        policy_status = gate.policy_status_of(preview.ref, needs)
        statuses.append(policy_status)
        may_break = may_break and gate.may_break_glass(request.rights, preview.ref, needs, policy_status)
    rows = [FieldChange(tuple(row["path"]), row["before"], row["after"]) for row in previews[0].changes]
    context = {
        "previews": previews,
        "rows": rows if len(previews) == 1 else [],
        "lines": change_words.lines(rows, previews[0].seen) if len(previews) == 1 else [],
        "last_step": _last_step(previews, waiting=sum(bool(status.rules) for status in statuses)),
        "policy_status": gate.together(statuses),
        "acknowledged": request.POST.getlist("acknowledged"),
        "may_break_glass": may_break,
        "problem": why or _("Nothing was submitted yet: one of the timeouts is not valid."),
        "limits": limits,
        "apply_url": reverse("submit", kwargs={"id": previews[0].id}) if len(previews) == 1 else request.path,
        "reason": request.POST.get("reason", ""),
        "draft_id": request.POST.get("draft", ""),
    }
    return render(request, "changes/stopped.html", context, status=422)


def _last_step(previews: Sequence[Preview], *, waiting: int) -> LastStep:
    first = previews[0]
    if len(previews) > 1:
        makes_revisions = any(preview.makes_revision for preview in previews)
        changes = [preview.change for preview in previews]
        return last_step_of_many(changes, makes_revisions=makes_revisions, waiting=waiting)
    service = first.seen if first.seen.raw else first.applied.after
    return last_step(first.change, service, makes_revision=first.makes_revision, needs_approval=bool(waiting))


def gone(request: ConsoleRequest, preview_ids: Sequence[str] = ()) -> HttpResponse:
    """Show what was made of the previews already, or say that there is nothing left to submit."""
    made = submission.made_of(preview_ids, request.user)
    if len(made) == 1:
        return redirect("operation", id=made[0].id)
    if made and made[0].batch:
        return redirect(f"{reverse('operations')}?batch={made[0].batch}")
    if address := address_left(request):
        expired = _("This preview has expired, so nothing was changed. Here is what you typed: review it again.")
        messages.warning(request, expired)
        return redirect(address)
    messages.warning(
        request, _("This preview was already submitted or has expired. Check the operations, or start again.")
    )
    return redirect("operations")
