"""What becomes of a service while somebody reads a preview of a change to it."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from console.access.decorators import signed_in
from console.access.permissions import Permission
from console.mirror import read
from console.operations import queries
from console.operations.submitting import submission
from console.web.requests import ConsoleRequest


@signed_in
def meanwhile(request: ConsoleRequest, id: UUID) -> HttpResponse:
    """A note for the open preview once somebody changed or deleted the service; 204, which leaves the page, until then.

    So it is for a preview that is gone, or another person's, and while the mirror cannot tell: the button of the page
    says that when it is pressed.
    """
    preview = submission.mine([id], request.user).get(str(id))
    if preview is None:
        return HttpResponse(status=204)
    try:
        now = read.service(preview.ref)
    except read.MirrorUnavailable:
        return HttpResponse(status=204)
    if not request.rights.allows(Permission.VIEW, preview.ref, (now or preview.seen).labels):
        return HttpResponse(status=204)
    if now and not submission.is_outdated(preview, now):
        return HttpResponse(status=204)
    deletion = None if now else queries.deletion_of(preview.ref, preview.seen.uid)
    return render(request, "changes/_meanwhile.html", {"changed": now, "deletion": deletion})
