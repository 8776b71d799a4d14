"""Why somebody can or can't: each permission with the grants that give it, and those that nearly would."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from console.access.authorization import roles_with
from console.access.models import Grant, Membership, Team, User
from console.access.permissions import Permission
from console.access.scopes import Scope
from console.access.teams import scope_of


@dataclass(frozen=True, slots=True)
class Path:
    """One way to a permission: through a membership to a grant. `misses` says why it does not hold; empty: it does."""

    team: Team
    role: str
    scope: Scope
    until: datetime | None
    misses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a permission holds, by which paths, which nearly lead there, and the roles that have it."""

    permission: Permission
    allowed: bool
    paths: tuple[Path, ...]
    near: tuple[Path, ...]
    roles: tuple[str, ...]


def explain(person: User, scope: Scope | None, teams: Collection[int] | None = None) -> list[Answer]:
    """Return an answer for each permission on all of the scope (None: anywhere).

    `teams` limits the result to paths through these teams, for a reader who may not see all of the person's.
    """
    now = timezone.now()
    memberships = Membership.objects.filter(user=person).select_related("team").prefetch_related("team__grants__role")
    found = [
        (grant, _path(membership, grant, scope, now))
        for membership in memberships
        for grant in membership.team.grants.all()
    ]
    return [_answer(person, permission, found, teams) for permission in Permission]


def _path(membership: Membership, grant: Grant, scope: Scope | None, now: datetime) -> Path:
    where = scope_of(grant)
    misses = where.misses(scope) if scope else ()
    if membership.expires_at and membership.expires_at <= now:
        misses = (*misses, "expired")
    if not membership.user.is_active:
        misses = (*misses, "inactive")
    return Path(membership.team, grant.role.name, where, membership.expires_at, misses)


def _answer(
    person: User, permission: Permission, found: list[tuple[Grant, Path]], teams: Collection[int] | None
) -> Answer:
    leading = [path for grant, path in found if permission in grant.role.permissions]
    allowed = (person.is_active and person.is_superuser) or any(not path.misses for path in leading)
    shown = [path for path in leading if teams is None or path.team.pk in teams]
    paths = tuple(path for path in shown if not path.misses)
    near = tuple(sorted((path for path in shown if path.misses), key=lambda path: len(path.misses)))
    return Answer(permission, allowed, paths, near, roles_with(permission))
