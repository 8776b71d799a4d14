"""A form that is too large to be read: said in words, and the page with what was typed stays."""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _


def page(request: HttpRequest, error: BaseException) -> HttpResponse | None:
    """Return the 413 page for a form with too many fields or too much text; None for any other error.

    Nothing of the form was read, not even whether it came from this site: so nothing of it can be kept here.
    """
    sentence = _sentence(error)
    if not sentence:
        return None
    advice = _("Nothing was saved. Your input is still in the form: submit less at a time.")
    return _answer(request, "413.html", {"sentence": sentence, "consequence": advice}, 413)


def note(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    """Return the page for a form that cannot be taken as it is; where htmx sent it, the form stays as it was typed."""
    advice = _("Nothing was saved. Your input is still in the form: correct it there.")
    return _answer(request, "400.html", {"sentence": sentence, "consequence": advice}, status)


def _answer(request: HttpRequest, template: str, facts: dict[str, str], status: int) -> HttpResponse:
    is_htmx = "HX-Request" in request.headers
    text = render_to_string("_unavailable.html" if is_htmx else template, facts)
    response = HttpResponse(text, status=status, headers={"Cache-Control": "no-store"})
    if is_htmx:
        response["HX-Retarget"], response["HX-Reselect"] = "#toasts", ".note"
        response["HX-Reswap"] = "innerHTML show:top"
    return response


def _sentence(error: BaseException) -> str:
    if isinstance(error, TooManyFieldsSent):
        limit = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        return _("The form has too many fields: at most %(limit)s can be submitted at a time.") % {"limit": limit}
    if isinstance(error, RequestDataTooBig):
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024**2
        return _("The form is too large: at most %(limit)s MiB can be submitted at a time.") % {"limit": limit}
    return ""
