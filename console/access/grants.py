"""Giving a team a role somewhere, and taking it away."""

from console.access.actors import Actor
from console.access.changing import changing
from console.access.granting import shortfall
from console.access.models import Grant, Role, Team, User
from console.access.permissions import Permission
from console.access.refusals import GrantedAlready, MoreThanYouHave, NotAllowed
from console.access.scopes import Scope, selector_text
from console.access.teams import may_grant, scope_of, visible


def add(team: Team, role: Role, scope: Scope, *, user: User, actor: Actor) -> None:
    """Give the team the role on the scope, as far as the giver holds all of it there and may manage it."""
    with changing("manage.AddGrant", user=user, actor=actor, about=f"{team.name}: {role} {scope}") as change:
        if not may_grant(change.rights) or team.pk not in visible(change.user, change.rights):
            raise NotAllowed(Permission.MANAGE)
        role.refresh_from_db()  # as it is under the lock: an edit of the role may have come first
        if missing := shortfall(change.rights, role.permissions, scope):
            raise MoreThanYouHave(permissions=", ".join(sorted(missing)), scope=str(scope))
        if any(scope_of(grant) == scope for grant in team.grants.filter(role=role)):
            raise GrantedAlready
        labels = selector_text(scope.selector)
        Grant.objects.create(team=team, role=role, cluster=scope.cluster, namespace=scope.namespace, selector=labels)
        change.note("role", None, role)
        change.note("scope", None, scope)


def remove(grant: Grant, *, user: User, actor: Actor) -> None:
    """Remove the grant; everybody who could have made it may."""
    scope = scope_of(grant)
    about = f"{grant.team.name}: {grant.role} {scope}"
    with changing("manage.RemoveGrant", user=user, actor=actor, about=about) as change:
        if not may_grant(change.rights):
            raise NotAllowed(Permission.MANAGE)
        found = Grant.objects.select_related("role").get(pk=grant.pk)
        if missing := shortfall(change.rights, found.role.permissions, scope):
            raise MoreThanYouHave(permissions=", ".join(sorted(missing)), scope=str(scope))
        found.delete()
        change.note("role", found.role, None)
        change.note("scope", scope, None)
