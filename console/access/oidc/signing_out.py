"""Signing out here ends the session at the identity provider too, and the other way round."""

import hashlib
from typing import Any
from urllib.parse import urlencode

from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from console import audit
from console.access.actors import CONSOLE, Actor, client_ip
from console.access.oidc.tokens import LOGOUT_SECONDS, UntrustedToken
from console.audit import Outcome
from console.sealing import InvalidToken, unseal

_HINT = "sluice_oidc_hint"  # in the session: the ID token, sealed
_LEAVING = "sluice_oidc_leaving"  # the same, in the session after the sign-out, for one page
SIGNED_OUT = "signed-out"  # what the provider hands back from its sign-out; no sign-in has such a state
MAX_HINT_LENGTH = 4000  # characters; the hint travels in an address, and servers take 8 KB of one


def remember(request: HttpRequest, sociallogin: Any) -> None:
    """Keep with the new session what its sign-out at either side needs."""
    request.session.pop(_LEAVING, None)
    request.session[_HINT] = sociallogin.token.token
    account = sociallogin.account
    origin = {"oidc_issuer": account.provider, "oidc_sid": str(account.extra_data["id_token"].get("sid", ""))}
    UserSession.objects.filter(session_key=request.session.session_key).update(data=origin)


def continues_at_provider(request: HttpRequest) -> bool:
    """Whether the sign-out of this session should be followed by one at the provider."""
    return settings.OIDC_LOGOUT and _HINT in request.session


def end(request: HttpRequest) -> None:
    """Sign out here; the session's ID token outlives it for the page that comes next."""
    hint = request.session.get(_HINT)
    logout(request)
    if hint:
        request.session[_LEAVING] = hint


def take_hint(request: HttpRequest) -> str | None:
    """Return the ID token of the session that has just ended, once; empty where no key opens it any more."""
    sealed = request.session.pop(_LEAVING, None)
    if sealed is None:
        return None
    try:
        return str(unseal(sealed.encode()))
    except InvalidToken:
        return ""


def address(request: HttpRequest, adapter: Any, hint: str) -> str:
    """Return where the provider ends its session and sends the person back from; empty where it offers none."""
    endpoint = adapter.end_session_endpoint
    if not endpoint:
        return ""
    parameters = {
        "client_id": adapter.get_provider().app.client_id,
        "post_logout_redirect_uri": request.build_absolute_uri(reverse("oidc_callback")),  # known to it already
        "state": SIGNED_OUT,
    }
    if hint and len(hint) <= MAX_HINT_LENGTH:
        parameters["id_token_hint"] = hint
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"


def end_sessions(request: HttpRequest, issuer: str, claims: dict[str, Any]) -> None:
    """End the sessions that began with this subject or this session of the provider; each token works once.

    Raises UntrustedToken for one that was used before.
    """
    used = hashlib.sha256(f"{issuer} {claims['jti']}".encode()).hexdigest()
    if not cache.add(f"logout-token:{used}", 1, 2 * LOGOUT_SECONDS):
        raise UntrustedToken("used before")
    sessions = UserSession.objects.filter(data__oidc_issuer=issuer).select_related("user")
    if sid := claims.get("sid"):
        sessions = sessions.filter(data__oidc_sid=str(sid))
    if subject := claims.get("sub"):
        people = SocialAccount.objects.filter(provider=issuer, uid=str(subject)).values("user")
        sessions = sessions.filter(user__in=people)
    with transaction.atomic():
        for session in sessions:
            session.end()
            text = f"a session of {session.user.get_username()}, by the identity provider"
            actor = Actor(None, CONSOLE.name, client_ip(request), getattr(request, "request_id", ""))
            audit.record("session.revoke", actor=actor, outcome=Outcome.SUCCEEDED, text=text)
