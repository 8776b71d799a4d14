"""Every refusal in one shape: RFC 9457, application/problem+json."""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

CONTENT_TYPE = "application/problem+json"

# code -> (status, title, what to do). The codes are also on the page about the API.
CODES = {
    "token-missing": (401, "No token", _("Send a token in the “Authorization: Bearer” header.")),
    "token-unknown": (401, "Unknown token", _("Unknown token. Check that you copied all of it.")),
    "token-expired": (401, "Expired token", _("The token has expired. Create a new one.")),
    "token-revoked": (401, "Revoked token", _("The token was revoked. Create a new one.")),
    "person-inactive": (401, "Deactivated owner", _("The token's owner can no longer sign in.")),
    "sign-in-needed": (
        401,
        "Sign-in required",
        _(
            "The token's owner has not signed in with single sign-on recently enough. The token works again once "
            "they do."
        ),
    ),
    "too-many-wrong-tokens": (429, "Too many wrong tokens", _("Wait for the number of seconds in “Retry-After”.")),
    "not-allowed": (403, "Forbidden", _("The token or its owner lacks the permission named in “detail”.")),
    "query-invalid": (422, "Invalid query", _("“detail” names the parameter and its allowed values.")),
    "request-invalid": (400, "Bad request", _("The request cannot be read. Check its host and its headers.")),
    "precondition-failed": (412, "Precondition failed", _("“If-Match” names another ETag than the current one.")),
    "not-found": (
        404,
        "Not found",
        _("It does not exist, or the token has no access to it. The response is the same for both."),
    ),
    "method-not-allowed": (405, "Method not allowed", _("The API is read-only. Use GET or HEAD.")),
    "unavailable": (503, "Unavailable", _("The console's data store is not responding. Try again in a moment.")),
    "cluster-unread": (
        503,
        "Cluster not synced",
        _("The console has not finished reading this cluster. Try again soon."),
    ),
    "failed": (500, "Internal error", _("Internal error in the console. Search its log for the “request_id”.")),
}


class Problem(msgspec.Struct, frozen=True):
    """What went wrong. `type` is an address on the page about the API; `request_id` finds the console's log lines.

    Of an invalid query, `parameter` is the one that is wrong and `allowed` its values where they are few, or the names
    of the parameters that there are.
    """

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    parameter: str | None
    allowed: list[str]


class Refused(Exception):
    """A call that gets a problem for an answer; `code` is one of CODES."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        retry_after: int | None = None,
        parameter: str | None = None,
        allowed: Sequence[str] = (),
    ) -> None:
        super().__init__(code)
        self.code, self.detail, self.retry_after = code, detail, retry_after
        self.parameter, self.allowed = parameter, tuple(allowed)


def response(
    request: HttpRequest,
    code: str,
    detail: str = "",
    *,
    status: int | None = None,
    parameter: str | None = None,
    allowed: Sequence[str] = (),
) -> HttpResponse:
    """Return the problem as an answer; `status` when it is another than the code's own."""
    usual, title, advice = CODES[code]
    with override("en"):  # whatever the caller's browser or library says: the API has one language
        told = detail or str(advice)
    problem = Problem(
        type=f"/api/#{code}",
        title=title,
        status=status or usual,
        detail=told,
        request_id=getattr(request, "request_id", ""),
        parameter=parameter,
        allowed=list(allowed),
    )
    answer = HttpResponse(msgspec.json.encode(problem), status=problem.status, content_type=CONTENT_TYPE)
    answer["Cache-Control"] = "no-store"
    if problem.status == HTTPStatus.UNAUTHORIZED:
        answer["WWW-Authenticate"] = 'Bearer realm="sluice"'
    return answer


def of(request: HttpRequest, refusal: Refused) -> HttpResponse:
    answer = response(request, refusal.code, refusal.detail, parameter=refusal.parameter, allowed=refusal.allowed)
    if refusal.retry_after is not None:
        answer["Retry-After"] = str(refusal.retry_after)
    return answer


def for_status(request: HttpRequest, status: int) -> HttpResponse:
    """Return the problem for an answer that another part of the console gave."""
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return response(request, "unavailable")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return response(request, "failed", HTTPStatus(status).phrase, status=status)
    by_status = {404: "not-found", 405: "method-not-allowed", 403: "not-allowed", 412: "precondition-failed"}
    if code := by_status.get(status):
        return response(request, code)
    return response(request, "request-invalid", HTTPStatus(status).phrase, status=status)
