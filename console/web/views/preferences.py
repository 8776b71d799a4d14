"""Language, colours and shortcuts, kept in cookies."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST

from console.access.decorators import public, signed_in
from console.web.context import THEMES
from console.web.requests import ConsoleRequest
from console.web.typed import fields_of, keep_for

_OWN_FIELDS = ("theme", "keys", "language", "next")
YEAR = 365 * 24 * 3600


@public
@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Remember a choice of the reader's and go back to the page, with what is typed there."""
    back = request.GET.get("next") or request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = "/"
    back = _with_typed(request, back)
    response = HttpResponseRedirect(back)
    secure = settings.SESSION_COOKIE_SECURE
    if (theme := request.POST.get("theme", "")) in THEMES:
        response.set_cookie("sluice_theme", theme, max_age=YEAR, samesite="Lax", secure=secure, httponly=True)
    if (keys := request.POST.get("keys", "")) in ("on", "off"):
        response.set_cookie("sluice_keys", keys, max_age=YEAR, samesite="Lax", secure=secure, httponly=True)
    if (language := request.POST.get("language", "")) and check_for_language(language):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=YEAR, samesite="Lax", secure=secure, httponly=True
        )
    return response


@require_POST
@signed_in
def close_tour(request: ConsoleRequest) -> HttpResponse:
    """Show the person no tour any more, in whichever browser."""
    request.user.tour_closed_at = timezone.now()
    request.user.save(update_fields=["tour_closed_at"])
    return redirect("services")


def _with_typed(request: HttpRequest, back: str) -> str:
    """Keep the fields that came along; return the address at which the page shows them again."""
    if not request.user.is_authenticated:
        return back
    fields = {name: values for name, values in fields_of(request.POST).items() if name not in _OWN_FIELDS}
    if not fields:
        return back
    return keep_for(cast("ConsoleRequest", request), back, fields)
