"""Sign-ins, sign-outs and failures, in the audit log; members of an identity provider's groups, in their teams."""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.signals import social_account_updated
from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from console import audit
from console.access.actors import Actor, client_ip
from console.access.models import Membership, Team, User
from console.audit import Outcome


@receiver(user_logged_in)
def _signed_in(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    audit.record("session.sign-in", actor=_actor(request, user), outcome=Outcome.SUCCEEDED)
    join_teams_of_groups(user)


@receiver(user_logged_out)
def _signed_out(request: HttpRequest, user: User | None, **_kwargs: Any) -> None:
    if user is not None:
        audit.record("session.sign-out", actor=_actor(request, user), outcome=Outcome.SUCCEEDED)


@receiver(user_login_failed)
def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_kwargs: Any) -> None:
    """The name that was tried, never the password."""
    name = str(credentials.get("username") or credentials.get("email") or "")[:150]
    ip = client_ip(request) if request else ""
    actor = Actor(None, name, ip, getattr(request, "request_id", ""))
    audit.record("session.sign-in", actor=actor, outcome=Outcome.REFUSED)


@receiver(social_account_updated)
def _groups_changed(sociallogin: Any, **_kwargs: Any) -> None:
    join_teams_of_groups(sociallogin.user)


def join_teams_of_groups(user: User) -> None:
    """Make the memberships that come from the identity provider equal to the groups of its newest token."""
    account = SocialAccount.objects.filter(user=user).order_by("-last_login").first()
    if account is None:
        return
    claims = account.extra_data.get("userinfo") or account.extra_data.get("id_token") or account.extra_data
    groups = claims.get(settings.OIDC_GROUPS_CLAIM) or []
    names = [str(group) for group in groups] if isinstance(groups, list) else []
    teams = Team.objects.filter(oidc_group__in=names).exclude(oidc_group="")
    Membership.objects.filter(user=user, from_oidc=True).exclude(team__in=teams).delete()
    for team in teams:
        Membership.objects.get_or_create(user=user, team=team, defaults={"from_oidc": True})


def _actor(request: HttpRequest, user: User) -> Actor:
    return Actor(user.pk, user.get_username(), client_ip(request), getattr(request, "request_id", ""))
