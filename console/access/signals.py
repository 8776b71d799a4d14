"""What happens to accounts, in the audit log; members of an identity provider's groups, in their teams."""

from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.signals import social_account_added, social_account_removed, social_account_updated
from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from console import audit, counters
from console.access.actors import CONSOLE, Actor, actor_from, client_ip
from console.access.attempts import record_refused_sign_in
from console.access.models import Membership, Team, User
from console.access.rights_history.recording import Written, recording
from console.access.sessions import end_sessions_of
from console.access.sign_in_methods import method_of, told
from console.audit import Outcome
from console.counters import SignInMethod


@receiver(user_logged_in)
def _signed_in(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    counters.SIGN_INS.labels(method_of(request).value, "succeeded").inc()
    audit.record("session.sign-in", actor=_actor(request, user), outcome=Outcome.SUCCEEDED, text=told(request))
    join_teams_of_groups(user)


@receiver(user_logged_out)
def _signed_out(request: HttpRequest, user: User | None, **_kwargs: Any) -> None:
    if user is not None:
        audit.record("session.sign-out", actor=_actor(request, user), outcome=Outcome.SUCCEEDED, text=told(request))


@receiver(user_login_failed)
def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_kwargs: Any) -> None:
    name = str(credentials.get("username") or credentials.get("email") or "")
    record_refused_sign_in(request, name, method=SignInMethod.PASSWORD)


@receiver(authentication_failed)
def _second_factor_failed(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    record_refused_sign_in(request, user.get_username(), "second factor", method=SignInMethod.SECOND_FACTOR)


@receiver(post_save, sender=Authenticator)
def _second_factor_added(instance: Authenticator, created: bool, **_kwargs: Any) -> None:
    """By the model's signals, which come in the transaction of the change; allauth's come after it."""
    if created:
        _record_second_factor("add", instance)


@receiver(post_delete, sender=Authenticator)
def _second_factor_removed(instance: Authenticator, **_kwargs: Any) -> None:
    _record_second_factor("remove", instance)


def _record_second_factor(done: str, authenticator: Authenticator) -> None:
    actor = actor_from(context.request) if context.request else CONSOLE
    text = f"{authenticator.type} of {authenticator.user.get_username()}"
    audit.record(f"second-factor.{done}", actor=actor, outcome=Outcome.SUCCEEDED, text=text)


@receiver(social_account_added)
def _connected(request: HttpRequest, sociallogin: Any, **_kwargs: Any) -> None:
    audit.record("account.connect", actor=_actor(request, sociallogin.user), outcome=Outcome.SUCCEEDED)


@receiver(social_account_removed)
def _disconnected(request: HttpRequest, socialaccount: SocialAccount, **_kwargs: Any) -> None:
    audit.record("account.disconnect", actor=_actor(request, socialaccount.user), outcome=Outcome.SUCCEEDED)


@receiver(post_save, sender=User)
def _deactivated(instance: User, **_kwargs: Any) -> None:
    """Sessions would come back to life if the person were let in again."""
    if not instance.is_active:
        end_sessions_of(instance)


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
    wanted = set(Team.objects.filter(oidc_group__in=names).exclude(oidc_group=""))
    with transaction.atomic():
        for membership in Membership.objects.filter(user=user, from_oidc=True).exclude(team__in=wanted):
            with recording() as written:
                membership.delete()
            _record_group("manage.RemoveMember", user, membership.team, written)
        for team in wanted - _teams_of(user):
            lasting = {"from_oidc": True, "is_owner": False, "expires_at": None}
            with recording() as written:
                Membership.objects.update_or_create(user=user, team=team, defaults=lasting)  # perhaps one that ended
            _record_group("manage.AddMember", user, team, written)


def _teams_of(user: User) -> set[Team]:
    """The teams that the person is in now; a membership that has ended is none."""
    valid = Q(memberships__expires_at=None) | Q(memberships__expires_at__gt=timezone.now())
    return set(Team.objects.filter(valid, memberships__user=user))


def _record_group(action: str, user: User, team: Team, written: Written) -> None:
    text = f"{user.get_username()}: {team.name}, by the group {team.oidc_group} of the identity provider"
    record_by_provider(action, text, written)


def record_by_provider(action: str, text: str, written: Written) -> None:
    """By the console, for nobody here decided it: the identity provider did."""
    actor = Actor(None, CONSOLE.name, *_origin())
    audit.record(action, actor=actor, outcome=Outcome.SUCCEEDED, changes=written.changes(), text=text)


def _origin() -> tuple[str, str]:
    """The address and the id of the request that signs the person in."""
    request = context.request
    return (client_ip(request), getattr(request, "request_id", "")) if request else ("", "")


def _actor(request: HttpRequest, user: User) -> Actor:
    return Actor(user.pk, user.get_username(), client_ip(request), getattr(request, "request_id", ""))
