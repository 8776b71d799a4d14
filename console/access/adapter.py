"""How people sign in: nobody signs up by themselves, demo users exist in the demo only, every attempt is audited."""

from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from requests import RequestException

from console import audit
from console.access.actors import Actor, actor_from, client_ip
from console.access.models import User
from console.audit import Outcome
from console.sealing import seal, unseal

log = structlog.get_logger(__name__)


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
        return client_ip(request) or "127.0.0.1"  # a server on a unix socket tells none

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            record_refused(request, str(credentials.get("username", "")), "too many attempts")
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


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Accounts of the identity provider: whoever it lets in gets an account, and rights only through grants."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """A mail address proves nothing here and joins no accounts: the provider's subject alone says who it is."""
        sociallogin.email_addresses = []

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Leave an entry and a log line, and tell the page whether the provider was away."""
        why = type(exception).__name__ if isinstance(exception, RequestException) else str(exception or error)
        log.warning("single_sign_on_failed", why=why)
        record_refused(request, "", f"single sign-on: {why}")
        if extra_context is not None:
            extra_context["is_away"] = isinstance(exception, RequestException)


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors; what proves them (TOTP secrets, the seed of recovery codes) lies encrypted in the database."""

    def encrypt(self, text: str) -> str:
        return seal(text).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return str(unseal(encrypted_text.encode()))

    def _get_site_name(self) -> str:
        return "Sluice"


class UserSessionsAdapter(DefaultUserSessionsAdapter):  # type: ignore[misc]
    """Sessions that a person ends from the list of them."""

    def end_sessions(self, sessions: list[UserSession]) -> None:
        with transaction.atomic():
            super().end_sessions(sessions)
            text = f"sessions: {len(sessions)}"
            audit.record("session.revoke", actor=actor_from(context.request), outcome=Outcome.SUCCEEDED, text=text)


def record_refused(request: HttpRequest | None, name: str, text: str = "") -> None:
    """Leave an entry of a sign-in that was refused: the name that was tried, never the password."""
    ip = client_ip(request) if request else ""
    actor = Actor(None, name[:150], ip, getattr(request, "request_id", ""))
    audit.record("session.sign-in", actor=actor, outcome=Outcome.REFUSED, text=text)
