"""The provider as allauth finds it: what is asked of the identity provider."""

from typing import Any

from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from django.http import HttpRequest
from django.urls import reverse

from console.access.oidc.client import OidcAdapter
from console.access.oidc.tokens import nonce_for

_DISCOVERY = "/.well-known/openid-configuration"


class OidcProvider(OpenIDConnectProvider):  # type: ignore[misc]  # allauth has no types
    """One identity provider, configured by CONSOLE_OIDC_*; always with PKCE and a nonce."""

    id = "oidc"
    oauth2_adapter_class = OidcAdapter
    supports_token_authentication = False

    @property
    def sub_id(self) -> str:
        """Under what accounts are kept: a subject says who somebody is at this issuer and at no other."""
        server: str = self.app.settings["server_url"]
        return server.removesuffix(_DISCOVERY).rstrip("/")

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """Only what is begun here: to sign in, or to connect an account."""
        asked: dict[str, Any] = super().get_redirect_from_request_kwargs(request)
        if asked["process"] not in (AuthProcess.LOGIN, AuthProcess.CONNECT):
            asked["process"] = AuthProcess.LOGIN
        return asked

    def get_login_url(self, request: HttpRequest, **kwargs: Any) -> str:
        return reverse("oidc_login", query=kwargs)

    def get_callback_url(self) -> str:
        return reverse("oidc_callback")

    def get_pkce_params(self) -> dict[str, str]:
        parameters: dict[str, str] = generate_code_challenge()
        return {**parameters, "nonce": nonce_for(parameters["code_verifier"])}

    def get_auth_params_from_request(self, request: HttpRequest, action: str) -> dict[str, str]:
        """The configured parameters: a link that someone was sent must not change the request."""
        parameters: dict[str, str] = self.get_auth_params()
        return parameters

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        scopes: list[str] = self.get_scope()
        return scopes


provider_classes = [OidcProvider]
