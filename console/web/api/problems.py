"""Every refusal in one shape: RFC 9457, application/problem+json."""

from http import HTTPStatus

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

CONTENT_TYPE = "application/problem+json"

# code -> (status, title, what to do). The codes stand on the page about the API too.
CODES = {
    "token-missing": (401, "No token", _("Send a token in the header “Authorization: Bearer”.")),
    "token-unknown": (401, "Unknown token", _("The token is not one of this console's. Was it copied whole?")),
    "token-expired": (401, "Expired token", _("The token's time is over; make a new one.")),
    "token-revoked": (401, "Revoked token", _("Somebody has revoked the token; make a new one.")),
    "person-inactive": (401, "Deactivated person", _("The person whose token it is may not sign in any more.")),
    "sign-in-needed": (
        401,
        "Sign-in needed",
        _("The token's owner has not signed in with single sign-on for too long. The token works again after that."),
    ),
    "too-many-wrong-tokens": (429, "Too many wrong tokens", _("Wait for the seconds that “Retry-After” tells.")),
    "not-allowed": (403, "Not allowed", _("The token or its person lacks the permission that “detail” names.")),
    "query-invalid": (422, "Query not understood", _("“detail” tells which parameter, and what it may be.")),
    "not-found": (404, "Not found", _("It does not exist, or the token may not see it: both answer alike.")),
    "method-not-allowed": (405, "Only reading", _("The API only reads: GET and HEAD.")),
    "unavailable": (503, "Not available", _("The console's own store does not answer. Try again in a moment.")),
    "cluster-unread": (503, "Not read yet", _("The console has not read all of this cluster yet. Try again soon.")),
    "failed": (500, "Failed", _("The console itself failed; its log tells more under “request_id”.")),
}


class Problem(msgspec.Struct, frozen=True):
    """What went wrong. `type` is an address on the page about the API; `request_id` finds the console's log lines."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str


class Refused(Exception):
    """A call that gets a problem for an answer; `code` is one of CODES."""

    def __init__(self, code: str, detail: str = "", *, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.code, self.detail, self.retry_after = code, detail, retry_after


def response(request: HttpRequest, code: str, detail: str = "", *, status: int | None = None) -> HttpResponse:
    """Return the problem as an answer; `status` when it is another than the code's own."""
    usual, title, advice = CODES[code]
    with override("en"):  # whatever the caller's browser or library says: the API has one language
        told = detail or str(advice)
    problem = Problem(f"/api/#{code}", title, status or usual, told, getattr(request, "request_id", ""))
    answer = HttpResponse(msgspec.json.encode(problem), status=problem.status, content_type=CONTENT_TYPE)
    answer["Cache-Control"] = "no-store"
    if problem.status == HTTPStatus.UNAUTHORIZED:
        answer["WWW-Authenticate"] = 'Bearer realm="sluice"'
    return answer


def of(request: HttpRequest, refusal: Refused) -> HttpResponse:
    answer = response(request, refusal.code, refusal.detail)
    if refusal.retry_after is not None:
        answer["Retry-After"] = str(refusal.retry_after)
    return answer


def for_status(request: HttpRequest, status: int) -> HttpResponse:
    """Return the problem for an answer that another part of the house gave."""
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return response(request, "unavailable")
    by_status = {404: "not-found", 405: "method-not-allowed", 403: "not-allowed"}
    fallback = "query-invalid" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "failed"
    return response(request, by_status.get(status, fallback), HTTPStatus(status).phrase, status=status)
