"""What people read while the console's own database or Redis does not work: 503, and whether anything was saved.

Views raise what the database and Redis raise; ErrorPageMiddleware asks `page` for what a view raised, and Django asks
`server_error` and `bad_request` for what was raised around the views (signing in, sessions).
"""

import sys

import structlog
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import DataError, Error, IntegrityError, NotSupportedError, ProgrammingError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.defaults import bad_request as django_bad_request
from django.views.defaults import server_error as django_server_error
from redis import ConnectionError as RedisConnectionError
from redis import RedisError
from redis import TimeoutError as RedisTimeoutError

from console.mirror.read import MirrorIncomplete, MirrorUnavailable
from console.web import oversized
from console.web.context import theme_of

RETRY_AFTER = 5  # seconds
OUR_FAULT = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
SAFE = {"GET", "HEAD", "OPTIONS"}

log = structlog.get_logger(__name__)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500, called while the exception is handled: 503 when a store is unavailable, else 500."""
    error = sys.exc_info()[1]
    return (page(request, error) if error else None) or django_server_error(request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400. What is too large, and a session that a database could not save, have separate pages."""
    if too_large := oversized.page(request, exception):
        return too_large
    cause: BaseException | None = exception
    while isinstance(exception, SessionInterrupted) and cause and not is_database_unavailable(cause):
        cause = cause.__context__
    return (page(request, cause) if cause else None) or django_bad_request(request, exception)


def page(request: HttpRequest, error: BaseException) -> HttpResponse | None:
    """Return the 503 page for an error of the database or Redis; None for any other error."""
    sentence = _sentence(error)
    if not sentence:
        return None
    log.warning("store_unavailable", reason=type(error).__name__, detail=str(error)[:200], path=request.path)
    is_htmx = "HX-Request" in request.headers
    facts = {
        "sentence": sentence,
        "consequence": _consequence(request, error),
        "theme": theme_of(request),
        "again": request.get_full_path() if request.method in SAFE else "",
    }
    # Without a request: the frame of the pages asks the database who is signed in.
    text = render_to_string("_unavailable.html" if is_htmx else "503.html", facts)
    response = HttpResponse(text, status=503, headers={"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"})
    if is_htmx:  # the page stays as it is, and what was typed with it
        response["HX-Retarget"], response["HX-Reselect"] = "#toasts", ".note"
        response["HX-Reswap"] = "innerHTML" if request.method in SAFE else "innerHTML show:top"
    return response


def is_database_unavailable(error: BaseException) -> bool:
    """Whether the database is unavailable, locked, full, read-only or damaged; not an error caused by a bug."""
    return isinstance(error, Error) and not isinstance(error, OUR_FAULT)


def _sentence(error: BaseException) -> str:
    if is_database_unavailable(error):
        return _("The console's database is not responding, is locked or does not accept writes.")
    if isinstance(error, MirrorIncomplete):
        return ""
    if isinstance(error, MirrorUnavailable | RedisConnectionError | RedisTimeoutError):
        return _("The console's data store (Redis) is not responding. Try again in a moment.")
    if isinstance(error, RedisError):
        return _("The console's data store (Redis) does not accept writes: it is full or read-only.")
    return ""


def _consequence(request: HttpRequest, error: BaseException) -> str:
    if request.method in SAFE:
        return _("Nothing was changed. Earlier submissions continue once it works again.")
    if getattr(request, "is_answered", False):
        return _("Your submission was saved; only the response page could not be created.")
    if is_database_unavailable(error):
        return _("Nothing was saved. You can submit it again: the same submission is never applied twice.")
    return _("You can submit it again: the same submission is never applied twice.")
