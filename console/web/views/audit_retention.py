"""How long entries and operations are kept, and legal holds: auditors read it, administrators change it."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console.access.actors import actor_from
from console.access.auditing import reads_everything
from console.access.decorators import administrators_only, require_permission
from console.access.permissions import Permission
from console.audit import policy
from console.audit.models import LegalHold
from console.knative.references import ServiceRef
from console.operations.submitting.removal import removable_operations
from console.web.done import done
from console.web.forms.retention import MAX_REASON, HoldForm, RetentionForm
from console.web.requests import ConsoleRequest


@require_permission(Permission.AUDIT)
def retention(request: ConsoleRequest) -> HttpResponse:
    """What is set, and which holds are or were in force, as far as the person reads the log of what they cover."""
    return _page(request)


@require_POST
@administrators_only
def change(request: ConsoleRequest) -> HttpResponse:
    """Set the numbers of days. Where one is lowered, first show what would be removed; `confirm` then does it."""
    form = RetentionForm(request.POST)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    days = {name: form.cleaned_data[name] for name in policy.FIELDS}
    now = policy.policy()
    is_lower = any(days[name] < getattr(now, name) for name in policy.FIELDS)
    shown = " ".join(str(days[name]) for name in policy.FIELDS)
    if is_lower and request.POST.get("confirm") != shown:
        lowered = {
            "found": policy.removable(days["entries_days"], timezone.now()),
            "operations": removable_operations(days["operations_days"]).count(),
            "confirm": shown,
            "days": days,
        }
        return _page(request, form=form, lowered=lowered)
    policy.change(days, reason=form.cleaned_data["reason"], actor=actor_from(request))
    return done(request, _("Saved."), reverse("audit-retention"))


@require_POST
@administrators_only
def place(request: ConsoleRequest) -> HttpResponse:
    """Put a legal hold in force."""
    form = HoldForm(request.POST)
    if not form.is_valid():
        return _page(request, hold_form=form, status=422)
    policy.place(form.hold(), actor=actor_from(request))
    return done(request, _("The legal hold is in force."), reverse("audit-retention"))


@require_POST
@administrators_only
def lift(request: ConsoleRequest, id: int) -> HttpResponse:
    """End a legal hold, with a reason."""
    reason = request.POST.get("reason", "").strip()
    if not 0 < len(reason) <= MAX_REASON:
        return _page(request, lift_problem=id, status=422)
    if not policy.lift(id, reason=reason, actor=actor_from(request)):
        raise Http404
    return done(request, _("The legal hold was lifted."), reverse("audit-retention"))


def _page(request: ConsoleRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    now = policy.policy()
    is_administrator = request.rights.is_administrator
    initial = {name: getattr(now, name) for name in policy.FIELDS}
    context = {
        "policy": now,
        "minimum": (policy.MIN_ENTRIES_DAYS, policy.MIN_OPERATIONS_DAYS),
        "holds": [hold for hold in LegalHold.objects.all() if _is_readable(request, hold)],
        "form": RetentionForm(initial=initial) if is_administrator else None,
        "hold_form": HoldForm() if is_administrator else None,
        **more,
    }
    return render(request, "audit/retention.html", context, status=status)


def _is_readable(request: ConsoleRequest, hold: LegalHold) -> bool:
    """A hold on a place is read with its log; those on people and on everything with the whole log."""
    if reads_everything(request.rights):
        return True
    ref = ServiceRef(hold.cluster, hold.namespace, hold.service)
    return bool(hold.namespace) and request.rights.allows(Permission.AUDIT, ref)
