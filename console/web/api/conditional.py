"""ETag and 304 for GET and HEAD alike: Django's own decorator leaves the answers to HEAD without an ETag."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, set_response_etag


def conditional(request: HttpRequest, response: HttpResponse) -> HttpResponseBase:
    """Return the answer with its ETag, or 304 where If-None-Match names that."""
    set_response_etag(response)
    found: HttpResponseBase | None = get_conditional_response(request, etag=response["ETag"], response=response)
    return found or response
