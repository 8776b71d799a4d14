"""After a change: a message on the page that shows what became of it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect

from console.web.requests import ConsoleRequest


def done(request: ConsoleRequest, message: str, url: str) -> HttpResponse:
    """Go to the page and say there what was done; htmx loads it whole, because the message is in the frame."""
    messages.success(request, message)
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)
