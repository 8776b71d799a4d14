"""What becomes of a service while somebody reads a preview of a change to it."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from console.access.decorators import signed_in
from console.access.labels import labels_of
from console.access.permissions import Permission
from console.mirror import read
from console.operations.submitting import submission
from console.web.requests import ConsoleRequest


@signed_in
def meanwhile(request: ConsoleRequest, id: UUID) -> HttpResponse:
    """A note for the open preview once somebody changed the service; 204, which leaves the page as it is, until then.

    So it is for a preview that is gone, or another person's: the button of the page says that when it is pressed.
    """
    preview = submission.mine([id], request.user).get(str(id))
    if preview is None or not request.rights.allows(Permission.VIEW, preview.ref, labels_of(preview.ref)):
        return HttpResponse(status=204)
    now = read.service(preview.ref)
    if now is None or not submission.is_outdated(preview, now):
        return HttpResponse(status=204)
    return render(request, "changes/_meanwhile.html", {"changed": now})
