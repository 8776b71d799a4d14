"""The people of a team: joining, leaving, owning, for a time or for good. A team keeps an owner who stays."""

from datetime import datetime

from django.utils import timezone

from console.access import teams
from console.access.actors import Actor
from console.access.changing import Change, changing
from console.access.granting import ends_no_later
from console.access.models import Membership, Team, User
from console.access.permissions import Permission
from console.access.refusals import AlreadyMember, LastOwner, LongerThanYours, NotAllowed


def add(team: Team, person: User, *, is_owner: bool, expires_at: datetime | None, user: User, actor: Actor) -> None:
    """Make somebody a member; an expired membership of theirs is renewed."""
    with changing("manage.AddMember", user=user, actor=actor, about=_about(team, person)) as change:
        _refuse_strangers(change, team)
        _refuse_longer(change, team, expires_at)
        if teams.membership_of(person, team):
            raise AlreadyMember(name=person.get_username())
        Membership.objects.update_or_create(
            team=team,
            user=person,
            defaults={"is_owner": is_owner, "expires_at": expires_at, "from_oidc": False},
        )
        change.note("member", None, person)
        change.note("owner", None, _yes(is_owner))
        change.note("expires", None, _text(expires_at))


def edit(membership: Membership, *, is_owner: bool, expires_at: datetime | None, user: User, actor: Actor) -> None:
    """Make or unmake an owner, and let the membership end at a time, or never."""
    team, person = membership.team, membership.user
    with changing("manage.EditMember", user=user, actor=actor, about=_about(team, person)) as change:
        membership = _now(membership)
        _refuse_strangers(change, team)
        if expires_at != membership.expires_at or is_owner > membership.is_owner:
            _refuse_longer(change, team, expires_at)
        if not is_owner or expires_at:
            _refuse_last_owner(membership)
        change.note("owner", _yes(membership.is_owner), _yes(is_owner))
        change.note("expires", _text(membership.expires_at), _text(expires_at))
        if change.differences:  # an end within the same minute is none, and what is written has an entry
            membership.is_owner, membership.expires_at = is_owner, expires_at
            membership.save()


def remove(membership: Membership, *, user: User, actor: Actor) -> None:
    """End a membership; everybody may end their own."""
    team, person = membership.team, membership.user
    with changing("manage.RemoveMember", user=user, actor=actor, about=_about(team, person)) as change:
        membership = _now(membership)
        if person != change.user:
            _refuse_strangers(change, team)
        _refuse_last_owner(membership)
        change.note("member", person, None)
        change.note("owner", _yes(membership.is_owner), None)
        membership.delete()


def stays_as_owner(membership: Membership) -> bool:
    """Whether the team can count on this owner: active, and with no end in sight."""
    return membership.is_owner and membership.expires_at is None and membership.user.is_active


def _now(membership: Membership) -> Membership:
    """The membership as it is under the lock."""
    return Membership.objects.select_related("user", "team").get(pk=membership.pk)


def _refuse_strangers(change: Change, team: Team) -> None:
    if not teams.runs(change.user, change.rights, team):
        raise NotAllowed(Permission.MANAGE)


def _refuse_longer(change: Change, team: Team, expires_at: datetime | None) -> None:
    """An owner for a time lets nobody stay longer than that, themselves included."""
    own = teams.membership_of(change.user, team)
    if not change.rights.is_administrator and own and not ends_no_later(expires_at, own.expires_at):
        raise LongerThanYours(until=f"{own.expires_at:%Y-%m-%d %H:%M}")


def _refuse_last_owner(membership: Membership) -> None:
    """Called before this owner goes or gets an end: another one must stay."""
    if not stays_as_owner(membership):
        return
    others = Membership.objects.filter(team=membership.team, is_owner=True, expires_at=None, user__is_active=True)
    if not others.exclude(pk=membership.pk).exists():
        raise LastOwner(name=membership.user.get_username(), team=membership.team.name)


def _about(team: Team, person: User) -> str:
    return f"{person.get_username()} in {team.name}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _text(moment: datetime | None) -> str | None:
    return moment.astimezone(timezone.get_default_timezone()).isoformat(timespec="minutes") if moment else None
