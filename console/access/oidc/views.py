"""The addresses of single sign-on: there and back, once more before a step that needs it, and out again."""

from typing import Any

import structlog
from allauth.account.adapter import get_adapter
from allauth.account.utils import get_next_redirect_url
from allauth.core.internal import ratelimit
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from requests import RequestException

from console.access.oidc import confirmation, signing_out
from console.access.oidc.calls import in_time
from console.access.oidc.client import OidcAdapter
from console.access.oidc.tokens import UntrustedToken

log = structlog.get_logger(__name__)


@login_not_required
@in_time
def login(request: HttpRequest) -> HttpResponse:
    """Ask whether to go to the provider (GET), or go there (POST)."""
    return _leave(request, _answer(request, OAuth2LoginView))


@login_not_required
@in_time
def callback(request: HttpRequest) -> HttpResponse:
    """Where the provider sends people back to, from its sign-out too."""
    if request.GET.get("state") == signing_out.SIGNED_OUT:
        return redirect("account_login")
    return _answer(request, OAuth2CallbackView)


@in_time
def confirm(request: HttpRequest) -> HttpResponse:
    """Say why the person must sign in once more (GET), or go to the provider for it (POST)."""
    provider = _adapter(request).get_provider()
    if not confirmation.is_from_provider(request.user):
        raise Http404
    next_url = get_next_redirect_url(request)
    if request.method != "POST":
        ways = [way for way in get_adapter().get_reauthentication_methods(request.user) if way["url"] != request.path]
        context = {"provider": provider, "next": next_url or "", "ways": ways}
        return render(request, "socialaccount/confirm.html", context)
    try:
        answer = confirmation.begin(request, provider, next_url)
    except (OAuth2Error, RequestException) as error:
        return _failed(request, provider, error)
    return _leave(request, answer)


@login_not_required
@never_cache
@in_time
def leave(request: HttpRequest) -> HttpResponse:
    """After sign-out here: on to the provider's own sign-out, or say that the person is still signed in there."""
    hint = signing_out.take_hint(request)
    if hint is None:
        return redirect("account_login")
    adapter = _adapter(request)
    try:
        address = signing_out.address(request, adapter, hint)
    except (OAuth2Error, RequestException) as error:
        log.warning("sign_out_at_provider_failed", why=type(error).__name__)
        address = ""
    context = {"address": address, "provider": adapter.get_provider()}
    return render(request, "socialaccount/signed_out.html", context)


@csrf_exempt  # the provider has no session here; its signature says who asks
@require_POST
@login_not_required
@never_cache
@in_time
def back_channel_logout(request: HttpRequest) -> HttpResponse:
    """End the sessions that a logout token of the provider names (OpenID Connect Back-Channel Logout 1.0)."""
    adapter = _adapter(request)
    usage = ratelimit.consume(request=request, app="allauth.account", action="back_channel_logout")
    if not usage:
        return HttpResponse(status=429)
    try:
        claims = adapter.logout_claims(request.POST.get("logout_token", ""))
        signing_out.end_sessions(request, adapter.get_provider().sub_id, claims)
    except UntrustedToken as error:
        log.warning("logout_token_refused", why=str(error))
        return HttpResponse("invalid_request", status=400, content_type="text/plain")
    except (OAuth2Error, RequestException) as error:
        log.warning("logout_token_not_checked", why=type(error).__name__)
        return HttpResponse(status=503)
    usage.rollback()  # only wrong ones count against their address
    return HttpResponse(status=200)


def _leave(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Turn a redirect into a page that redirects.

    A form's redirects must stay with this console (CSP form-action), and providers redirect to yet other hosts.
    """
    if answer.status_code != 302:
        return answer
    context = {"address": answer["Location"], "provider": OidcAdapter(request).get_provider()}
    return render(request, "socialaccount/leaving.html", context)


def _adapter(request: HttpRequest) -> OidcAdapter:
    """Raises Http404 where no provider is configured."""
    adapter = OidcAdapter(request)
    try:
        adapter.get_provider()
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    return adapter


def _answer(request: HttpRequest, view: Any) -> HttpResponse:
    adapter = _adapter(request)
    try:
        answer: HttpResponse = view.adapter_view(adapter)(request)
    except (OAuth2Error, RequestException) as error:
        answer = _failed(request, adapter.get_provider(), error)
    return answer


def _failed(request: HttpRequest, provider: Any, error: Exception) -> HttpResponse:
    answer: HttpResponse = render_authentication_error(request, provider, exception=error)
    return answer
