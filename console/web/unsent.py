"""A form that could not be sent because its session or its token is gone: what was typed stays on the page."""

from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.csrf import csrf_failure as django_csrf_failure

SAFE = {"GET", "HEAD"}


class SignedInMiddleware(LoginRequiredMiddleware):
    """Send people who are not signed in to the sign-in page: a browser at once, an open page by reloading itself.

    What a page fetches by itself must not be redirected: the sign-in page would be put into the page, and its CSRF
    cookie would spoil a sign-in form that is open in another tab.
    """

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        if "HX-Request" not in request.headers:
            return super().handle_no_permission(request, view_func)
        if request.method in SAFE:
            return HttpResponse(status=401, headers={"HX-Refresh": "true"})
        return _note(request, "_session_ended.html", status=401)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a post whose token does not fit; the page gets a fitting one, so that pressing again is enough.

    Another site can send such a post but cannot read the answer, so it does not learn the token. Who is not signed in,
    as after all cookies were removed, gets none: signing in makes another one.
    """
    if "HX-Request" not in request.headers:
        return django_csrf_failure(request, reason)
    if not request.user.is_authenticated:
        return _note(request, "_session_ended.html", status=401)
    response = _note(request, "_send_again.html", status=403)
    response["X-CSRFToken"] = get_token(request)
    return response


def _note(request: HttpRequest, template: str, status: int) -> HttpResponse:
    response = render(request, template, status=status)
    response["HX-Retarget"], response["HX-Reswap"] = "#toasts", "innerHTML"
    return response
