"""Accounts of the identity provider's people: found by issuer and subject, named by one claim, refused with words."""

from typing import Any, ClassVar

import structlog
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from requests import Session

from console.access.attempts import record_refused_sign_in
from console.access.changing import alone
from console.access.models import User
from console.access.oidc import calls, confirmation
from console.access.oidc.failures import cause_of
from console.access.oidc.names import NameRefused, name_from
from console.access.rights_history.recording import recording
from console.access.signals import record_by_provider
from console.counters import SignInMethod

PROVIDER = "oidc"
log = structlog.get_logger(__name__)


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Everybody whom the provider authenticates gets an account, and permissions only through grants."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultSocialAccountAdapter.error_messages,
        "no_password": _("You have no password here, so this is your only way to sign in. It stays connected."),
        "connected_other": _("This identity provider account is linked to another person here."),
    }

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        """There is one; accounts name it by its issuer, also those of an issuer that was replaced."""
        return super().get_provider(request, PROVIDER, client_id)

    def get_requests_session(self) -> Session:
        return calls.session()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        """Neither mail addresses nor first names are kept: they name nobody here."""
        user: User = sociallogin.user
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """A mail address proves nothing here and joins no accounts: the provider's subject alone says who it is."""
        sociallogin.email_addresses = []
        if sociallogin.state.get("process") == confirmation.PROCESS:
            raise ImmediateHttpResponse(_confirm(request, sociallogin))

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """Create the account with the name from the provider, or none and say why."""
        user: User = sociallogin.user
        try:
            with alone(), recording() as written:
                user.username = _free_name(sociallogin)
                user.set_unusable_password()
                sociallogin.save(request)
                record_by_provider("manage.CreatePerson", f"{user.username}, by the identity provider", written)
        except NameRefused as refusal:
            raise ImmediateHttpResponse(_refuse_name(request, refusal)) from refusal
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Leave an entry and a log line with the cause, and tell the page whose turn it is."""
        context = extra_context if extra_context is not None else {}
        cause, why = cause_of(exception, request.GET.get("error", ""), is_ours="state" in context)
        say = log.error if cause.is_for_the_operator else log.warning
        say("single_sign_on_failed", cause=cause.value, why=why, advice=cause.advice)
        _record_refused(request, "", f"{cause}, {why}")
        context["cause"] = cause.value


def _free_name(sociallogin: Any) -> str:
    """Return the name for a new account. Raises NameRefused, also where somebody has it in other letters."""
    account = sociallogin.account
    name = name_from(account.extra_data["userinfo"], claim=settings.OIDC_USERNAME_CLAIM, issuer=account.provider)
    if User.objects.filter(username__iexact=name).exists():
        raise NameRefused("taken", name)
    return name


def _refuse_name(request: HttpRequest, refusal: NameRefused) -> Any:
    claim = settings.OIDC_USERNAME_CLAIM
    _record_refused(request, refusal.name, f"no account, the claim {claim} is {refusal.code}")
    log.warning("account_not_created", claim=claim, why=refusal.code)
    context = {"why": refusal.code, "name": refusal.name[:150], "claim": claim}
    return render(request, "socialaccount/refused.html", context, status=403)


def _confirm(request: HttpRequest, sociallogin: Any) -> Any:
    try:
        return confirmation.complete(request, sociallogin)
    except confirmation.NotConfirmed as refusal:
        name = request.user.get_username()
        _record_refused(request, name, f"not confirmed, {refusal}")
        log.warning("sign_in_not_confirmed", why=str(refusal))
        return render(request, "socialaccount/refused.html", {"why": str(refusal)}, status=403)


def _record_refused(request: HttpRequest, name: str, why: str) -> None:
    record_refused_sign_in(request, name, f"single sign-on: {why}", method=SignInMethod.SINGLE_SIGN_ON)
