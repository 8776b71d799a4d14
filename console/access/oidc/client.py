"""The talk with the identity provider: its configuration, its keys, a code turned into a person."""

from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest
from django.urls import reverse

from console.access.oidc.adapter import PROVIDER
from console.access.oidc.failures import Cause, SignOnFailed, token_refusal, untrusted
from console.access.oidc.tokens import UntrustedToken, logout_claims, nonce_for, verified_claims
from console.sealing import seal
from console.texts import storable

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


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
        if str(config.get("issuer", "")).rstrip("/") != self.get_provider().sub_id:
            raise SignOnFailed(Cause.SETUP, "the provider calls itself by another name than CONSOLE_OIDC_ISSUER")
        for name in _ENDPOINTS:
            if not self._is_safe(str(config.get(name, ""))):
                raise SignOnFailed(Cause.SETUP, f"the provider's {name} is missing or not https")
        return config

    @property
    def end_session_endpoint(self) -> str:
        """Where the provider ends its session (OpenID Connect RP-Initiated Logout); empty where it cannot."""
        address = str(self.openid_config.get("end_session_endpoint", ""))
        return address if self._is_safe(address) else ""

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return request.build_absolute_uri(reverse("oidc_callback"))

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        self.nonce = nonce_for(pkce_code_verifier or "")
        try:
            answer: dict[str, Any] = super().get_access_token_data(request, app, client, pkce_code_verifier)
        except OAuth2Error as error:
            raise token_refusal(error) from error
        return answer

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        """Keep the ID token, sealed, for the sign-out; the keys to the provider's own API are used once and dropped."""
        return SocialToken(token=seal(str(data.get("id_token") or "")).decode())

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        answer = kwargs["response"]
        claims = self._claims(str(answer.get("id_token") or ""), app.client_id)
        has_more = "userinfo_endpoint" in self.openid_config
        told = self._fetch_user_info(answer["access_token"]) if has_more else {}
        if told and told.get("sub") != claims["sub"]:
            raise SignOnFailed(Cause.UNTRUSTED, "userinfo is about somebody else than the ID token")
        person = {**claims, **told}
        if storable(person) != person:  # replaced, it might be another person's claim
            raise SignOnFailed(Cause.UNTRUSTED, "a claim holds a character that no text may contain")
        return self.get_provider().sociallogin_from_response(request, {"userinfo": person, "id_token": claims})

    def logout_claims(self, token: str) -> dict[str, Any]:
        """Return what a logout token says. Raises UntrustedToken for one that proves nothing."""
        issuer, client_id = self.openid_config["issuer"], self.get_provider().app.client_id
        return logout_claims(token, keys=self._keys(), issuer=issuer, client_id=client_id)

    def _claims(self, id_token: str, client_id: str) -> dict[str, Any]:
        issuer = self.openid_config["issuer"]
        try:
            return verified_claims(id_token, keys=self._keys(), issuer=issuer, client_id=client_id, nonce=self.nonce)
        except UntrustedToken as error:
            raise untrusted(str(error)) from error

    def _keys(self) -> dict[str, Any]:
        """The provider's JSON Web Key Set as it is now, so that a new key counts and an old one does not."""
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            keys: dict[str, Any] = answer.json()
        return keys

    def _is_safe(self, address: str) -> bool:
        return urlsplit(address).scheme in ("https", urlsplit(self.get_provider().sub_id).scheme)
