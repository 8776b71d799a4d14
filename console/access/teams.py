"""Teams: who may see which, who runs them, and making, renaming and deleting them."""

from collections.abc import Collection, Iterable

from django.db.models import Q
from django.utils import timezone

from console.access.actors import Actor
from console.access.authorization import Rights
from console.access.changing import changing
from console.access.granting import manages_in, shortfall
from console.access.models import Grant, Membership, Team, User
from console.access.permissions import Permission
from console.access.refusals import GrantOfOthers, LongerThanYours, NameTaken, NotAllowed
from console.access.scopes import Scope, parse_selector


def scope_of(grant: Grant) -> Scope:
    """Return where the grant holds."""
    return Scope(grant.cluster, grant.namespace, parse_selector(grant.selector))


def membership_of(user: User, team: Team) -> Membership | None:
    """Return the person's membership of the team unless it has expired."""
    return Membership.objects.filter(_lasting_now(), user=user, team=team).first()


def visible(user: User, rights: Rights) -> Collection[int]:
    """Return the ids of the teams that the person may see: their own, and those with rights where they manage."""
    if rights.is_administrator:
        return set(Team.objects.values_list("pk", flat=True))
    own = set(Membership.objects.filter(_lasting_now(), user=user).values_list("team_id", flat=True))
    if not rights.allows(Permission.MANAGE):
        return own
    return own | {grant.team_id for grant in Grant.objects.all() if manages_in(rights, scope_of(grant))}


def visible_grants(rights: Rights, grants: Iterable[Grant], *, is_member: bool) -> list[Grant]:
    """Return which of a team's grants the person may see: all of an own team, of another those where they manage."""
    return [grant for grant in grants if is_member or manages_in(rights, scope_of(grant))]


def runs(user: User, rights: Rights, team: Team) -> bool:
    """Whether the person may change the team and its members: an owner of it, or an administrator."""
    membership = membership_of(user, team)
    return rights.is_administrator or (membership is not None and membership.is_owner)


def may_grant(rights: Rights) -> bool:
    """Whether the person may grant anything anywhere; `shortfall` says what exactly."""
    return rights.allows(Permission.MANAGE)


def create(name: str, owner: User, *, user: User, actor: Actor) -> Team:
    """Make a team with its first owner: oneself, unless an administrator makes it for somebody."""
    with changing("manage.CreateTeam", user=user, actor=actor, about=name) as change:
        if not may_grant(change.rights) or (owner != change.user and not change.rights.is_administrator):
            raise NotAllowed(Permission.MANAGE)
        _refuse_taken(name)
        team = Team.objects.create(name=name)
        Membership.objects.create(team=team, user=owner, is_owner=True)
        change.note("name", None, name)
        change.note("owner", None, owner)
    return team


def edit(team: Team, name: str, oidc_group: str, *, user: User, actor: Actor) -> None:
    """Rename the team and say whose group of the identity provider joins it at sign-in.

    An owner whose own membership ends cannot let a group in: its members would stay longer.
    """
    with changing("manage.EditTeam", user=user, actor=actor, about=team.name) as change:
        team.refresh_from_db()
        if not runs(change.user, change.rights, team):
            raise NotAllowed(Permission.MANAGE)
        own = membership_of(change.user, team)
        if oidc_group != team.oidc_group and not change.rights.is_administrator and own and own.expires_at:
            raise LongerThanYours(until=f"{own.expires_at:%Y-%m-%d %H:%M}")
        _refuse_taken(name, team)
        change.note("name", team.name, name)
        change.note("group", team.oidc_group or None, oidc_group or None)
        team.name, team.oidc_group = name, oidc_group
        team.save()


def delete(team: Team, *, user: User, actor: Actor) -> None:
    """Delete the team with its memberships and grants; for an owner, only grants that they could have made."""
    with changing("manage.DeleteTeam", user=user, actor=actor, about=team.name) as change:
        if not runs(change.user, change.rights, team):
            raise NotAllowed(Permission.MANAGE)
        for grant in team.grants.select_related("role"):
            if missing := shortfall(change.rights, grant.role.permissions, scope_of(grant)):
                raise GrantOfOthers(grant=str(grant), permissions=", ".join(sorted(missing)))
            change.note("grant", f"{grant.role} {scope_of(grant)}", None)
        change.note("name", team.name, None)
        members = team.memberships.order_by("user__username").values_list("user__username", flat=True)
        change.note("members", ", ".join(members) or None, None)
        team.delete()


def _refuse_taken(name: str, but: Team | None = None) -> None:
    """People have to distinguish the names of teams, so capitals alone are not enough."""
    if any(one != but for one in Team.objects.filter(name__iexact=name)):
        raise NameTaken(name=name)


def _lasting_now() -> Q:
    return Q(expires_at=None) | Q(expires_at__gt=timezone.now())
