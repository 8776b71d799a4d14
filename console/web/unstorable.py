"""Requests with a character that no store takes (console.texts): refused in words before a view sees them.

One place for all that a request brings: the path, the query, the fields of forms and the names of files are refused;
a cookie counts as not sent, and headers are kept with the character replaced, since nobody typed those.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _

from console.texts import is_storable, storable, unstorable_in
from console.web import oversized
from console.web.api import problems
from console.web.api.middleware import ROOT
from console.web.api.problems import Refused

STATUS = 400


class UnstorableMiddleware:
    """Comes before sessions, and refuses before CSRF and the sign-in are checked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        for name, text in [*request.COOKIES.items()]:
            if not is_storable(name + text):
                del request.COOKIES[name]
        request.META.update({name: storable(text) for name, text in request.META.items() if name.startswith("HTTP_")})
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        for place, text in _texts(request):
            if character := unstorable_in(text):
                return _refused(request, storable(place)[:100], character)
        return None


def _refused(request: HttpRequest, place: str, character: str) -> HttpResponse:
    if request.path_info.startswith(ROOT):
        return problems.of(
            request, Refused("query-invalid", f"{place or 'path'}: contains {character}", parameter=place or None)
        )
    if place:
        sentence = _("“%(field)s” contains %(character)s, which no text may contain.")
    else:
        sentence = _("The address contains %(character)s, which no text may contain.")
    return oversized.note(request, sentence % {"field": place, "character": character}, STATUS)


def _texts(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """(name of the field, text) of all that was sent; the address has no name."""
    yield "", request.path_info
    yield from _pairs(request.GET.lists())
    if request.method == "POST" and not request.path_info.startswith(ROOT):
        try:
            yield from _pairs(request.POST.lists())
            for name, files in request.FILES.lists():
                yield from ((name, f"{name}{one.name}") for one in files)
        except UnreadablePostError:  # the client went away: CSRF's check answers that
            return


def _pairs(lists: Iterable[tuple[str, list[Any]]]) -> Iterator[tuple[str, str]]:
    for name, values in lists:
        yield name, name
        yield from ((name, text) for text in values if isinstance(text, str))
