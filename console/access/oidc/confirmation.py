"""A new sign-in at the identity provider, before a step that a stolen session must not take.

1. The page asks the provider with `prompt=login` and `max_age=0`, and keeps when it asked.
2. The answer counts when its subject is the same person and its `auth_time` is not before that moment.
3. It is recorded as allauth records a password typed again, and the requested step continues.
"""

import time
from typing import Any
from urllib.parse import urlencode

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.flows.reauthentication import resume_request
from allauth.socialaccount.models import SocialAccount
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, resolve_url

from console.access.oidc.tokens import LEEWAY_SECONDS

PROCESS = "confirm"


class NotConfirmed(Exception):
    """The provider's answer does not show that this person has just signed in: `other-person`, `no-time` or `old`."""


def is_from_provider(user: Any) -> bool:
    """Whether an account of the identity provider opens this one."""
    return bool(SocialAccount.objects.filter(user_id=user.pk).exists())


def begin(request: HttpRequest, provider: Any, next_url: str | None) -> HttpResponse:
    """Return the redirect to the provider, which must ask for the person's password or what it uses instead."""
    parameters = {**provider.get_auth_params(), "prompt": "login", "max_age": "0"}
    data = {"asked_at": int(time.time())}
    answer: HttpResponse = provider.redirect(request, PROCESS, next_url, data=data, auth_params=parameters)
    return answer


def complete(request: HttpRequest, sociallogin: Any) -> HttpResponse:
    """Record that the person has signed in again and continue with what they were about to do. Raises NotConfirmed."""
    asked_at = (sociallogin.state.get("data") or {}).get("asked_at")
    if not request.user.is_authenticated or sociallogin.user != request.user:
        raise NotConfirmed("other-person")
    _refuse_old(sociallogin.account.extra_data["id_token"].get("auth_time"), asked_at)
    account = sociallogin.account
    proof = {"provider": account.provider, "uid": account.uid, "reauthenticated": True}
    record_authentication(request, request.user, "socialaccount", **proof)
    return _continue(request, sociallogin.state.get("next"))


def was_confirmed(request: HttpRequest) -> bool:
    """Whether this session's person proved themselves within allauth's time for it (five minutes)."""
    records = get_authentication_records(request, request.user)
    proofs = [record["at"] for record in records if record.get("reauthenticated")]
    return bool(proofs) and time.time() - proofs[-1] < app_settings.REAUTHENTICATION_TIMEOUT


def _refuse_old(auth_time: Any, asked_at: Any) -> None:
    if not isinstance(auth_time, int) or not isinstance(asked_at, int):
        raise NotConfirmed("no-time")
    if auth_time < asked_at - LEEWAY_SECONDS:
        raise NotConfirmed("old")


def _continue(request: HttpRequest, next_url: str | None) -> HttpResponse:
    """Take up the request that was kept; allauth looks for its address where a form of its own would have it."""
    request.GET = QueryDict(urlencode({"next": next_url or ""}))
    answer: HttpResponse | None = resume_request(request)
    return answer or redirect(resolve_url("/"))
