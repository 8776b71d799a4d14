"""How long requests take, by what they ask for: counted by each web process (console.counters)."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from console.counters import API_SECONDS, PAGE_SECONDS
from console.web.api.middleware import ROOT

METHODS = frozenset(("GET", "HEAD", "POST"))  # a client may send any word as a method
NO_ROUTE, OTHER_METHOD = "none", "other"
NOT_PAGES = ("/metrics", "/healthz/")


class MeasuringMiddleware:
    """Count the request once it is answered: one to the API under its route, a page without its address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        _count(request, response.status_code, time.perf_counter() - began)
        return response


def _count(request: HttpRequest, status: int, seconds: float) -> None:
    method = request.method if request.method in METHODS else OTHER_METHOD
    status_class = f"{status // 100}xx"
    if request.path_info.startswith(ROOT):
        route = request.resolver_match.route if request.resolver_match else NO_ROUTE
        API_SECONDS.labels(route, method, status_class).observe(seconds)
    elif not request.path_info.startswith((settings.STATIC_URL, *NOT_PAGES)):
        PAGE_SECONDS.labels(method, status_class).observe(seconds)
