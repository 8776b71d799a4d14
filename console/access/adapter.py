"""How people sign in: nobody signs up by themselves, demo users exist in the demo only, every attempt is audited."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Local accounts, made by an administrator."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

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
