"""How people sign in: nobody signs up by themselves, demo users exist in the demo only, every attempt is audited."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from console import audit
from console.access.actors import actor_from, client_ip
from console.access.attempts import record_refused_sign_in
from console.access.models import User
from console.access.oidc import confirmation, signing_out
from console.access.sign_in_methods import method_of
from console.audit import Outcome
from console.counters import SignInMethod
from console.sealing import seal, unseal


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Local accounts, made by an administrator."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """Whether a person may be sent there: to this console only, whatever other host names it answers to."""
        here = context.request
        return url_has_allowed_host_and_scheme(url, {here.get_host()}, require_https=here.is_secure())

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that limits count: the one that the audit log names."""
        return client_ip(request) or "127.0.0.1"  # a server on a unix socket has none

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            name = str(credentials.get("username", ""))
            record_refused_sign_in(request, name, "too many attempts", method=SignInMethod.PASSWORD)
            raise

    def set_password(self, user: User, password: str) -> None:
        """Django ends the person's other sessions by it: they are bound to the password."""
        with transaction.atomic():
            super().set_password(user, password)
            audit.record("account.password", actor=actor_from(context.request), outcome=Outcome.SUCCEEDED)

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        """A demo user's password is known to everybody: outside the demo it opens nothing."""
        refuses = user.is_demo and not settings.DEMO
        answer: HttpResponse | None = (
            self.respond_user_inactive(request, user) if refuses else super().pre_login(request, user, **kwargs)
        )
        return answer

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().post_login(request, user, **kwargs)
        if sociallogin := (kwargs.get("signal_kwargs") or {}).get("sociallogin"):
            signing_out.remember(request, sociallogin)
        return answer

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        """Somebody authenticated as this person but was not signed in: the log has it, however they authenticated."""
        name = user.get_username()
        record_refused_sign_in(request, name, "the account is deactivated", method=method_of(request))
        answer: HttpResponse = super().respond_user_inactive(request, user)
        return answer

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """The provider first for people who have no password here, after the others for those who have one."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if not (user.is_authenticated and settings.SOCIALACCOUNT_PROVIDERS and confirmation.is_from_provider(user)):
            return methods
        text = _("Sign in again with single sign-on")
        there = {"id": "oidc_confirm", "description": text, "url": reverse("oidc_confirm")}
        return [*methods, there] if user.has_usable_password() else [there, *methods]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """allauth takes a person without password and second factor as proved; the provider can prove them."""
        request = context.request
        is_required: bool = super().is_reauthentication_required(app=app, **kwargs)
        if not is_required or not confirmation.is_from_provider(request.user):
            return is_required
        if not confirmation.was_confirmed(request):
            raise ReauthenticationRequired
        return False

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        address: str = super().get_logout_redirect_url(request)
        return reverse("oidc_leave") if signing_out.continues_at_provider(request) else address

    def logout(self, request: HttpRequest) -> None:
        signing_out.end(request)


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Second factors; what proves them (TOTP secrets, the seed of recovery codes) lies encrypted in the database."""

    def encrypt(self, text: str) -> str:
        return seal(text).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return str(unseal(encrypted_text.encode()))

    def _get_site_name(self) -> str:
        return "Sluice"


class UserSessionsAdapter(DefaultUserSessionsAdapter):  # type: ignore[misc]  # allauth has no types
    """Sessions that a person ends from the list of them."""

    def end_sessions(self, sessions: list[UserSession]) -> None:
        with transaction.atomic():
            super().end_sessions(sessions)
            text = f"sessions: {len(sessions)}"
            audit.record("session.revoke", actor=actor_from(context.request), outcome=Outcome.SUCCEEDED, text=text)
