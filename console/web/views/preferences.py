"""Language and colours, kept in cookies."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST

from console.access.decorators import public
from console.web.context import THEMES

YEAR = 365 * 24 * 3600


@public
@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Remember a theme or a language and go back to the page."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = HttpResponseRedirect(back)
    secure = settings.SESSION_COOKIE_SECURE
    if (theme := request.POST.get("theme", "")) in THEMES:
        response.set_cookie("sluice_theme", theme, max_age=YEAR, samesite="Lax", secure=secure, httponly=True)
    if (language := request.POST.get("language", "")) and check_for_language(language):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=YEAR, samesite="Lax", secure=secure, httponly=True
        )
    return response
