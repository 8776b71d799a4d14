"""What the API returns of who may do what, and of protection: every returned field is named here."""

from typing import Any

from django.utils import timezone
from msgspec import Struct

from console.access import roles, teams
from console.access.models import Grant, Membership
from console.access.models import Role as StoredRole
from console.access.permissions import Permission
from console.access.reviewing import Reviewed
from console.operations.models import FreezeWindow, ProtectionRule
from console.operations.models.protection import Scoped
from console.web.api.kinds import Moment, PersonSource, RuleEffect


class Rule(Struct, frozen=True):
    """A protection rule. `service` null: every service that the patterns and the selector match.

    `permissions` are the kinds of change that it is about. `valid_hours`: after so many a request for approval expires.
    """

    id: int
    cluster: str
    namespace: str
    service: str | None
    selector: dict[str, str]
    permissions: list[Permission]
    effect: RuleEffect
    requires_reason: bool
    valid_hours: int
    note: str


class RuleList(Struct, frozen=True):
    """Protection rules, a page at a time."""

    items: list[Rule]
    next: str | None
    total: int


class Freeze(Struct, frozen=True):
    """A freeze window. `begins` and `ends` are times on the clocks of `zone`, without one of their own.

    `frozen_until` is null unless the freeze is in force; `next_begins_at` is null where it never begins again.
    """

    id: int
    cluster: str
    namespace: str
    service: str | None
    selector: dict[str, str]
    permissions: list[Permission]
    begins: str
    ends: str
    zone: str
    is_weekly: bool
    frozen_until: Moment | None
    next_begins_at: Moment | None
    note: str


class FreezeList(Struct, frozen=True):
    """Freeze windows, a page at a time."""

    items: list[Freeze]
    next: str | None
    total: int


class TeamMembership(Struct, frozen=True):
    """A person's place in a team; `expires_at` null: for good."""

    team: str
    is_owner: bool
    from_identity_provider: bool
    expires_at: Moment | None


class Person(Struct, frozen=True):
    """Somebody with an account. `source`: how it came to be; `second_factors` are types of them."""

    user: str
    is_active: bool
    is_administrator: bool
    source: PersonSource
    second_factors: list[str]
    created_at: Moment
    last_sign_in_at: Moment | None
    teams: list[TeamMembership]


class PersonList(Struct, frozen=True):
    """People, by user name, a page at a time."""

    items: list[Person]
    next: str | None
    total: int


class GrantRow(Struct, frozen=True):
    """A role for a team where the patterns and the selector match."""

    id: int
    team: str
    role: str
    permissions: list[Permission]
    cluster: str
    namespace: str
    selector: dict[str, str]


class GrantList(Struct, frozen=True):
    """Grants, by team, a page at a time."""

    items: list[GrantRow]
    next: str | None
    total: int


class Role(Struct, frozen=True):
    """A named set of permissions."""

    name: str
    permissions: list[Permission]
    is_built_in: bool


class RoleList(Struct, frozen=True):
    """All roles, by name."""

    items: list[Role]


def rule(one: ProtectionRule) -> Rule:
    return Rule(
        **_scoped(one),
        effect=RuleEffect(one.owned) if one.owned else RuleEffect.APPROVAL,
        requires_reason=one.needs_reason,
        valid_hours=one.valid_hours,
    )


def freeze(one: FreezeWindow) -> Freeze:
    now, window = timezone.now(), one.window
    return Freeze(
        **_scoped(one),
        begins=one.begins,
        ends=one.ends,
        zone=one.zone,
        is_weekly=one.is_weekly,
        frozen_until=window.end_if_in_force(now),
        next_begins_at=window.next_begin(now),
    )


def _scoped(one: Scoped) -> dict[str, Any]:
    return {
        "id": one.pk,
        "cluster": one.cluster,
        "namespace": one.namespace,
        "service": one.service or None,
        "selector": dict(one.scope.selector),
        "permissions": _permissions(one.permissions),
        "note": one.note,
    }


def person(one: Reviewed, memberships: list[Membership]) -> Person:
    return Person(
        user=one.user.get_username(),
        is_active=one.user.is_active,
        is_administrator=one.user.is_active and one.user.is_superuser,
        source=PersonSource(one.source),
        second_factors=list(one.factors),
        created_at=one.user.date_joined,
        last_sign_in_at=one.user.last_login,
        teams=[TeamMembership(each.team.name, each.is_owner, each.from_oidc, each.expires_at) for each in memberships],
    )


def grant(one: Grant) -> GrantRow:
    scope = teams.scope_of(one)
    return GrantRow(
        id=one.pk,
        team=one.team.name,
        role=one.role.name,
        permissions=_permissions(one.role.permissions),
        cluster=scope.cluster,
        namespace=scope.namespace,
        selector=dict(scope.selector),
    )


def role(one: StoredRole) -> Role:
    return Role(one.name, _permissions(one.permissions), roles.is_built_in(one))


def _permissions(names: list[str]) -> list[Permission]:
    """In the order in which the pages have them; one of another version is left out."""
    return [permission for permission in Permission if permission.value in names]
