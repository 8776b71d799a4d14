"""The request as views get it: what middleware and decorators have put on it."""

from collections.abc import Callable

from django.http import HttpResponse
from django_htmx.middleware import HtmxDetails

from console.access.decorators import RequestWithRights
from console.operations.models import Draft


class ConsoleRequest(RequestWithRights):
    """A request of a signed-in person.

    `draft` is what the person typed earlier, where the address names it; `unapplied` what a fresh form may offer
    (console.web.typed). `back` shows the page on which a refusal of what the view does is read, with the reason
    (console.web.views.refused). `position`: until which change a live page shows it (console.web.live_page).
    `waiting_count`: how many changes wait for the person, once somebody asked (console.web.context).
    `is_answered` once a view gave a good answer (console.web.middleware).
    """

    htmx: HtmxDetails
    request_id: str
    position: str
    waiting_count: int
    back: Callable[[str], HttpResponse]
    is_answered: bool
    draft: Draft | None
    unapplied: Draft | None
