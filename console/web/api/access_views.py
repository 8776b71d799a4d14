"""Who may do what, and what is protected: read with `audit`, for the places where the token and its person have it."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db.models import Prefetch, Q, QuerySet

from console.access import teams
from console.access.models import Grant, Membership, User
from console.access.models import Role as StoredRole
from console.operations.models import FreezeWindow, ProtectionRule
from console.operations.models.protection import Scoped
from console.web.api import access_records, cursors
from console.web.api.calls import Call
from console.web.api.kinds import PersonState
from console.web.api.scopes import reads, reads_all

T = TypeVar("T")
STATES = {
    PersonState.ACTIVE: Q(is_active=True),
    PersonState.INACTIVE: Q(is_active=False),
    PersonState.ADMINISTRATORS: Q(is_active=True, is_superuser=True),
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
    query, is_all = call.query, reads_all(call.rights)
    members = Membership.objects.select_related("team")
    found = User.objects.filter(username__icontains=query.q.strip()).filter(STATES.get(query.state, Q()))
    if not is_all:
        told = {grant.team_id for grant in _readable_grants(call)}
        members = members.filter(team_id__in=told)
        found = found.filter(memberships__team_id__in=told).distinct()
    everybody = list(found.prefetch_related(Prefetch("memberships", members, to_attr="told_memberships")))
    page, following = _page(call, everybody, lambda one: [one.get_username()], "people")
    rows = [access_records.person(one, getattr(one, "told_memberships", []), tells_sign_in=is_all) for one in page]
    return access_records.PersonList(rows, following, len(everybody))


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
    return cursors.page(rows, key, place, descending=False, cursor=call.query.cursor, limit=call.query.limit)
