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
from console.access.labels import labels_of_many
from console.access.permissions import Permission
from console.operations import queries
from console.operations.models import SEALED, Operation
from console.operations.models.statuses import Status
from console.operations.protection import approvals as requests
from console.web import windows
from console.web.paging import PAGE_SIZE
from console.web.requests import ConsoleRequest
from console.web.views.operations import find_operation, page
from console.web.windows import Take, Window

BY = "expires_at"  # what waits always has a moment


@signed_in
def approvals(request: ConsoleRequest) -> HttpResponse:
    """What waits for this person's approval, and what else waits on services that the person may see.

    Both in pages by cursor, those that expire first in front.
    """
    mine = requests.waiting_for(request.user, request.rights)
    waiting = queries.visible(request.rights, labels_of_many()).filter(status=Status.WAITING).defer(*SEALED)
    others = waiting.exclude(id__in=[operation.id for operation in mine]).exclude(expires_at=None)
    context = {
        "for_me": _window(request, windows.listed(mine, BY)),
        "count": len(mine),
        "others": _window(request, windows.stored(others, BY), "others-"),
        "may_manage": request.rights.allows(Permission.MANAGE),
    }
    return render(request, "operations/approvals.html", context)


def _window(request: ConsoleRequest, take: Take[Operation], prefix: str = "") -> Window[Operation]:
    return windows.window(take, BY, request.GET, size=PAGE_SIZE, newest_first=False, prefix=prefix)


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
