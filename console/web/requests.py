"""The request as views get it: what middleware and decorators have put on it."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from console.access.authorization import Rights
from console.access.models import User
from console.access.permissions import Permission
from console.operations.models import Draft


class ConsoleRequest(HttpRequest):
    """A request of a signed-in person. `permissions` are those on the service that the address names.

    `draft` is what the person typed earlier, where the address names it; `unapplied` what a fresh form may offer
    (console.web.typed).
    """

    user: User
    htmx: HtmxDetails
    request_id: str
    rights: Rights
    permissions: frozenset[Permission]
    draft: Draft | None
    unapplied: Draft | None
