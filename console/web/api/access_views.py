"""Who may do what, and what is protected: read with `audit`, for the places where the token and its person have it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from django.db.models import QuerySet

from console.access import reviewing, teams
from console.access.models import Grant, Membership, User
from console.access.models import Role as StoredRole
from console.access.rights_history.holders import Asked
from console.operations.models import FreezeWindow, ProtectionRule
from console.operations.models.protection import Scoped
from console.web.api import access_records, cursors
from console.web.api.calls import Call
from console.web.api.cursors import Part
from console.web.api.kinds import PersonState
from console.web.api.scopes import reads, reads_all

T = TypeVar("T")
STATES: Mapping[PersonState, Callable[[User], bool]] = {
    PersonState.ACTIVE: lambda user: user.is_active,
    PersonState.INACTIVE: lambda user: not user.is_active,
    PersonState.ADMINISTRATORS: lambda user: user.is_active and user.is_superuser,
}


def rules(call: Call) -> access_records.RuleList:
    found = _scoped(call, ProtectionRule.objects.all())
    page, following = _page(call, found, _place_of, "rules")
    return access_records.RuleList([access_records.rule(one) for one in page], following, len(found))


def freezes(call: Call) -> access_records.FreezeList:
    found = _scoped(call, FreezeWindow.objects.all())
    page, following = _page(call, found, _place_of, "freezes")
    return access_records.FreezeList([access_records.freeze(one) for one in page], following, len(found))


def grants(call: Call) -> access_records.GrantList:
    query = call.query
    found = [
        one
        for one in _readable_grants(call)
        if query.role in ("", one.role.name)
        and (not query.permission or query.permission in one.role.permissions)
        and query.q.strip().lower() in f"{one.team.name}\n{one.team.oidc_group}".lower()
    ]
    page, following = _page(call, found, lambda one: [one.team.name, one.cluster, one.namespace, one.pk], "grants")
    return access_records.GrantList([access_records.grant(one) for one in page], following, len(found))


def people(call: Call) -> access_records.PersonList:
    """Those of the access review: everybody, or who has rights where the token and its person have `audit`."""
    query, text = call.query, call.query.q.strip().lower()
    everybody = [
        one
        for one in reviewing.by_person(call.rights.whole, _place(call))
        if text in one.user.get_username().lower() and (not query.state or STATES[query.state](one.user))
    ]
    page, following = _page(call, everybody, lambda one: [one.user.get_username()], "people")
    teams_of = _teams(call, [one.user for one in page])
    rows = [access_records.person(one, teams_of[one.user.pk]) for one in page]
    return access_records.PersonList(rows, following, len(everybody))


def _place(call: Call) -> Asked:
    """The token's patterns, as a question; everything where it has no bounds."""
    scope = call.rights.scope
    return Asked() if scope.is_everywhere else Asked(scope.cluster, scope.namespace)


def _teams(call: Call, persons: list[User]) -> Mapping[int, list[Membership]]:
    """The memberships of each, as far as the caller may know of the team."""
    found: dict[int, list[Membership]] = defaultdict(list)
    memberships = Membership.objects.filter(user__in=persons).select_related("team").order_by("team__name")
    if not reads_all(call.rights):
        memberships = memberships.filter(team_id__in={grant.team_id for grant in _readable_grants(call)})
    for one in memberships:
        found[one.user_id].append(one)
    return found


def roles(_call: Call) -> access_records.RoleList:
    return access_records.RoleList([access_records.role(one) for one in StoredRole.objects.all()])


def _readable_grants(call: Call) -> list[Grant]:
    every = Grant.objects.select_related("team", "role")
    return [one for one in every if reads(call.rights, teams.scope_of(one))]


def _scoped(call: Call, found: QuerySet[Any]) -> list[Any]:
    """The rules or freezes that the caller may read, and that the text is in."""
    text = call.query.q.strip().lower()
    return [one for one in found if reads(call.rights, one.scope) and text in f"{one.place}\n{one.note}".lower()]


def _place_of(one: Scoped) -> cursors.Key:
    return [one.cluster, one.namespace, one.pk]


def _page(call: Call, rows: Iterable[T], key: Callable[[T], cursors.Key], place: str) -> tuple[list[T], str | None]:
    return cursors.page(rows, key, Part.asked(call.query, place))
