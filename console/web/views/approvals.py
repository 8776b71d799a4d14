"""Requests for a second person's approval: the list, and deciding on one."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console.access.actors import actor_from
from console.access.decorators import signed_in
from console.access.labels import labels_of
from console.access.permissions import Permission
from console.operations import queries
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.operations.protection import approvals as requests
from console.web.requests import ConsoleRequest
from console.web.views.operations import find_operation, page

MAX_REQUESTS = 200


@signed_in
def approvals(request: ConsoleRequest) -> HttpResponse:
    """What waits for this person's approval, and what else waits on services that the person may see."""
    for_me = requests.waiting_for(request.user, request.rights)
    waiting = queries.visible(request.rights, labels_of).filter(status=Status.WAITING)
    others = waiting.exclude(id__in=[operation.id for operation in for_me]).order_by("expires_at")[:MAX_REQUESTS]
    context = {"for_me": for_me, "others": others, "may_manage": request.rights.allows(Permission.MANAGE)}
    return render(request, "operations/approvals.html", context)


@require_POST
@signed_in
def approve(request: ConsoleRequest, id: UUID) -> HttpResponse:
    """Let a waiting change go to a worker, exactly as the page showed it."""
    found = find_operation(request, id)
    comment, seen_digest = request.POST.get("comment", "").strip(), request.POST.get("digest", "")
    return _decide(
        request,
        found,
        lambda: requests.approve(
            found, user=request.user, actor=actor_from(request), seen_digest=seen_digest, comment=comment
        ),
    )


@require_POST
@signed_in
def decline(request: ConsoleRequest, id: UUID) -> HttpResponse:
    """Decline a waiting change; its author sees why."""
    found = find_operation(request, id)
    comment = request.POST.get("comment", "").strip()
    if not comment and requests.may_decide(request.user, request.rights, found):
        return page(request, found, _("Enter a reason, so that the author knows what to change."))
    return _decide(
        request,
        found,
        lambda: requests.decline(found, user=request.user, actor=actor_from(request), comment=comment),
    )


@require_POST
@signed_in
def withdraw(request: ConsoleRequest, id: UUID) -> HttpResponse:
    """Take back one's own request."""
    found = find_operation(request, id)
    return _decide(request, found, lambda: requests.withdraw(found, user=request.user, actor=actor_from(request)))


def _decide(request: ConsoleRequest, found: Operation, act: Callable[[], None]) -> HttpResponse:
    """Act, and show what became of the operation."""
    request.back = partial(page, request, found)
    act()
    return redirect("operation", id=found.id)
