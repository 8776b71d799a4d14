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
from console.operations.models import Operation
from console.operations.protection import approvals as requests
from console.web.live_page import live_page
from console.web.parts import approvals as parts
from console.web.requests import ConsoleRequest
from console.web.topics import topic_of_part
from console.web.views.operations import find_operation, page


@signed_in
@live_page
def approvals(request: ConsoleRequest) -> HttpResponse:
    """What waits for this person's approval, and what else waits on services that the person may see."""
    found = requests.Waiting()
    sight = parts.sight(found, request.user.pk, request.rights)
    request.waiting_count = len(sight.mine)  # for the frame of the page
    context = {
        **parts.listing(found, request.rights, sight, request.GET),
        "topic": topic_of_part("approvals", "", request.GET),
    }
    return render(request, "operations/approvals.html", context)


@signed_in
def waiting(request: ConsoleRequest) -> HttpResponse:
    """The number in the navigation alone, for a page that cannot know whether it missed one."""
    count = len(requests.waiting_for(request.user, request.rights))
    return render(request, "operations/_waiting.html", {"count": count})


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
