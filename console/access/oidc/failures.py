"""Why a sign-in at the identity provider failed, and who can do something about it.

People are told to try again only where that helps; the rest is for the console's operators, with the setting at fault.
"""

import re
from enum import StrEnum
from typing import Any

from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from requests import HTTPError, RequestException

_CLOCK = ("ExpiredSignatureError", "ImmatureSignatureError")
_CODE = re.compile(r'"error"\s*:\s*"([a-z_]{1,40})"')
_PASSING = ("temporarily_unavailable", "server_error")


class Cause(StrEnum):
    """What went wrong, as far as it matters for what to do."""

    AWAY = "away"  # the provider does not answer, or says that it cannot now
    STALE = "stale"  # begun in another window, too long ago, or the code was used before
    CLIENT = "client-refused"  # the provider does not know this console by its id and secret
    CLOCK = "clocks-differ"
    SETUP = "setup"  # the provider refuses what is asked, or its configuration is not one
    UNTRUSTED = "untrusted"  # its answer proves nothing

    @property
    def is_for_the_operator(self) -> bool:
        return self not in (Cause.AWAY, Cause.STALE)

    @property
    def advice(self) -> str:
        """What the operator should look at, for the log."""
        return _ADVICE.get(self, "")


_ADVICE = {
    Cause.AWAY: "is CONSOLE_OIDC_ISSUER reachable from the console?",
    Cause.CLIENT: "check CONSOLE_OIDC_CLIENT_ID and CONSOLE_OIDC_CLIENT_SECRET against the provider",
    Cause.CLOCK: "compare the clocks of the console's machine and of the provider",
    Cause.SETUP: "check the client at the provider (redirect addresses, scopes, PKCE) and CONSOLE_OIDC_ISSUER",
    Cause.UNTRUSTED: "check CONSOLE_OIDC_ISSUER and the provider's keys; somebody may be forging answers",
}


class SignOnFailed(OAuth2Error):  # type: ignore[misc]  # allauth has no types
    """A sign-in that failed for a known cause; the message says how, without a secret or a token."""

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause


def token_refusal(error: OAuth2Error) -> SignOnFailed:
    """What the provider's token endpoint meant. Of its answer the error code alone is kept: the rest is free text."""
    found = _CODE.search(str(error))
    code = found[1] if found else ""
    if code == "invalid_grant":
        return SignOnFailed(Cause.STALE, code)
    if code in ("invalid_client", "unauthorized_client"):
        return SignOnFailed(Cause.CLIENT, code)
    cause = Cause.AWAY if code in ("", *_PASSING) else Cause.SETUP
    return SignOnFailed(cause, code or "the token endpoint gave no token")


def untrusted(why: str) -> SignOnFailed:
    """An ID token that was refused, by the name of the check that failed."""
    cause = Cause.CLOCK if why in _CLOCK else Cause.UNTRUSTED
    return SignOnFailed(cause, f"the ID token was refused: {why}")


def cause_of(exception: Exception | None, code: str, *, is_ours: bool) -> tuple[Cause, str]:
    """Return the cause of a failure and how the log names it.

    `code` is the error that the browser brought back; `is_ours` says that it belongs to a sign-in that began here.
    """
    if isinstance(exception, SignOnFailed):
        return exception.cause, str(exception)
    if isinstance(exception, HTTPError):
        return (Cause.SETUP if _status(exception) < 500 else Cause.AWAY), f"HTTP {_status(exception)}"
    if isinstance(exception, RequestException):
        return Cause.AWAY, type(exception).__name__
    if exception is not None:
        return Cause.UNTRUSTED, type(exception).__name__
    if not is_ours or not code:
        return Cause.STALE, "no sign-in of this browser"
    known = code if re.fullmatch(r"[a-z_]{1,40}", code) else "another error"
    return (Cause.AWAY if code in _PASSING else Cause.SETUP), known


def _status(exception: HTTPError) -> int:
    response: Any = exception.response
    return int(response.status_code) if response is not None else 500
