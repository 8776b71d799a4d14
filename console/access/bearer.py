"""Who sends a request with `Authorization: Bearer`: the one way into the API, and no way into a page."""

import contextlib
from datetime import timedelta
from enum import StrEnum

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.encoding import escape_uri_path

from console import audit, counters
from console.access import tokens
from console.access.actors import Actor, client_ip
from console.access.models import ApiToken
from console.audit import Outcome
from console.counters import Refused

MAX_WRONG, FORGOTTEN_AFTER = 20, 300  # different wrong tokens of an address, and seconds until they are forgotten
NOTE_USE_EVERY = timedelta(minutes=1)
TELL_EVERY = 3600  # seconds: a script that keeps using a dead token must not fill the log


class Why(StrEnum):
    """Why a request is not accepted."""

    MISSING = "token-missing"
    UNKNOWN = "token-unknown"
    EXPIRED = "token-expired"
    REVOKED = "token-revoked"
    INACTIVE = "person-inactive"
    SIGN_IN = "sign-in-needed"
    TOO_MANY = "too-many-wrong-tokens"


class NotAccepted(Exception):
    """The request carries no token that counts."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


def token_of(request: HttpRequest) -> ApiToken:
    """Return the token that the request carries and note its use; raises NotAccepted.

    An address that sent too many different wrong ones is refused unread for a while, with a right one too.
    """
    ip = client_ip(request)
    if cache.get(_wrong_key(ip), 0) >= MAX_WRONG:
        raise NotAccepted(Why.TOO_MANY)
    scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise NotAccepted(Why.MISSING)
    token = _find(text.strip())
    why = Why.UNKNOWN if token is None else _why_not(token)
    if token is None or why:
        if token:
            tell_refusal(token, request, why or Why.UNKNOWN)
        else:
            counters.REFUSALS.labels(Refused.TOKEN.value).inc()
            _count_wrong(ip, text.strip())  # one of our own tokens that has ended is not a guess
        raise NotAccepted(why or Why.UNKNOWN)
    _note_use(token, ip)
    return token


def actor_with(token: ApiToken, request: HttpRequest) -> Actor:
    """Return the token's person as the audit log names who acts."""
    return Actor(token.user_id, token.user.get_username(), client_ip(request), getattr(request, "request_id", ""))


def tell_refusal(token: ApiToken, request: HttpRequest, why: str) -> None:
    """Leave an audit entry of a refused call, once an hour for each token and reason."""
    counters.REFUSALS.labels(Refused.TOKEN.value).inc()
    if cache.add(f"token-refused:{token.id}:{why}", 1, TELL_EVERY):
        text = f"{token.name} ({token.prefix}…): {why}, {request.method} {escape_uri_path(request.path)}"
        audit.record("token.refused", actor=actor_with(token, request), outcome=Outcome.REFUSED, text=text)


def _find(text: str) -> ApiToken | None:
    if not tokens.is_well_formed(text):
        return None
    return ApiToken.objects.select_related("user").filter(digest=tokens.digest(text)).first()


def _why_not(token: ApiToken) -> Why | None:
    """Why the token does not count any more; read for each request."""
    user = token.user
    if token.state != "active":
        return Why.REVOKED if token.state == "revoked" else Why.EXPIRED
    if not user.is_active or (user.is_demo and not settings.DEMO):
        return Why.INACTIVE
    return Why.SIGN_IN if tokens.needs_sign_in(user) else None


def _note_use(token: ApiToken, ip: str) -> None:
    """Remember when and from where, at most once a minute: reading must not become writing."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > NOTE_USE_EVERY:
        due = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTE_USE_EVERY)
        ApiToken.objects.filter(due, id=token.id).update(last_used_at=now, last_used_ip=ip)


def _count_wrong(ip: str, text: str) -> None:
    """Count a guess: a token that comes again, as from a forgotten script, is the same one."""
    if not cache.add(f"wrong-token:{ip}:{tokens.digest(text)}", 1, FORGOTTEN_AFTER):
        return
    if not cache.add(_wrong_key(ip), 1, FORGOTTEN_AFTER):
        with contextlib.suppress(ValueError):  # it was forgotten between the two
            cache.incr(_wrong_key(ip))


def _wrong_key(ip: str) -> str:
    return f"wrong-tokens:{ip}"
