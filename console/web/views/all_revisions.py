"""The revisions of all services, as `kn revision list -A` has them."""

from django.http import HttpResponse
from django.shortcuts import render

from console.access.decorators import signed_in
from console.web.live_page import live_page
from console.web.parts.all_revisions import shown
from console.web.requests import ConsoleRequest
from console.web.topics import topic_of_part


@signed_in
@live_page
def all_revisions(request: ConsoleRequest) -> HttpResponse:
    """Every revision of the services that the person may see, in all clusters, from the mirror."""
    context = {
        **shown(request.rights, request.GET),
        "topic": topic_of_part("all-revisions", "", request.GET),
    }
    return render(request, "revisions/list.html", context)
