"""Pages that are told of changes: each says until which change it shows what it is about."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http import HttpResponse

from console.mirror import feed
from console.mirror.read import MirrorUnavailable
from console.web.requests import ConsoleRequest

P = ParamSpec("P")


def live_page(
    view: Callable[Concatenate[ConsoleRequest, P], HttpResponse],
) -> Callable[Concatenate[ConsoleRequest, P], HttpResponse]:
    """Note in `request.position` where the feed ends before the view reads anything: what comes later is told.

    Empty where Redis is away; then the page is told to look at itself again once the stream begins.
    """

    @functools.wraps(view)
    def wrapped(request: ConsoleRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            request.position = str(feed.end())
        except MirrorUnavailable:
            request.position = ""
        return view(request, *args, **kwargs)

    return wrapped
