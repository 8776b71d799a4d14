"""The two addresses of single sign-on, and the talk with the provider behind them."""

from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from requests import RequestException

from console.access.oidc.tokens import UntrustedToken, nonce_for, verified_claims

PROVIDER = "oidc"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_DISCOVERY = "/.well-known/openid-configuration"


class OidcAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    """Reads the provider's configuration and turns an authorization code into a person.

    Raises OAuth2Error when the provider says what must not be believed, RequestException when it does not answer.
    """

    nonce = ""

    def __init__(self, request: HttpRequest, provider_id: str = PROVIDER) -> None:
        super().__init__(request, provider_id)

    @property
    def openid_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().openid_config
        issuer = self.get_provider().app.settings["server_url"].removesuffix(_DISCOVERY)
        if str(config.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
            raise OAuth2Error("the provider calls itself by another name than CONSOLE_OIDC_ISSUER")
        for name in _ENDPOINTS:
            if urlsplit(str(config.get(name, ""))).scheme not in ("https", urlsplit(issuer).scheme):
                raise OAuth2Error(f"the provider's {name} is missing or not https")
        return config

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return request.build_absolute_uri(reverse("oidc_callback"))

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        self.nonce = nonce_for(pkce_code_verifier or "")
        answer: dict[str, Any] = super().get_access_token_data(request, app, client, pkce_code_verifier)
        return answer

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        claims = self._claims(str(kwargs["response"].get("id_token") or ""), app.client_id)
        told = self._fetch_user_info(token.token) if "userinfo_endpoint" in self.openid_config else {}
        if told and told.get("sub") != claims["sub"]:
            raise OAuth2Error("userinfo is about somebody else than the ID token")
        person = {**claims, **told}
        return self.get_provider().sociallogin_from_response(request, {"userinfo": person, "id_token": claims})

    def _claims(self, id_token: str, client_id: str) -> dict[str, Any]:
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            keys = answer.json()
        issuer = self.openid_config["issuer"]
        try:
            return verified_claims(id_token, keys=keys, issuer=issuer, client_id=client_id, nonce=self.nonce)
        except UntrustedToken as error:
            raise OAuth2Error(f"the ID token was refused: {error}") from error


@login_not_required
def login(request: HttpRequest) -> HttpResponse:
    """Ask whether to go to the provider (GET), or go there (POST)."""
    answer = _answer(request, OAuth2LoginView)
    if answer.status_code != 302:
        return answer
    # A form's redirects must stay with this console (CSP form-action), and providers redirect to yet other hosts.
    provider = OidcAdapter(request).get_provider()
    return render(request, "socialaccount/leaving.html", {"address": answer["Location"], "provider": provider})


@login_not_required
def callback(request: HttpRequest) -> HttpResponse:
    """Where the provider sends people back to."""
    return _answer(request, OAuth2CallbackView)


def _answer(request: HttpRequest, view: Any) -> HttpResponse:
    try:
        adapter = OidcAdapter(request)
        provider = adapter.get_provider()
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    try:
        answer: HttpResponse = view.adapter_view(adapter)(request)
    except (OAuth2Error, RequestException) as error:
        answer = render_authentication_error(request, provider, exception=error)
    return answer
