"""Why somebody can or can't: the explanation says what the check does, and what stands in between."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from console.access.authorization import rights_of
from console.access.explaining import Answer, explain
from console.access.models import Grant, Membership, Role, Team, User
from console.access.permissions import Permission
from console.access.scopes import Scope, of_service
from console.knative.references import ServiceRef

pytestmark = pytest.mark.django_db
SHOP, LABELS = ServiceRef("box", "default", "shop"), {"app": "shop", "tier": "front"}
HERE = of_service(SHOP, LABELS)


@pytest.fixture
def person(db) -> User:
    return User.objects.create_user("person")


def team(person: User, role: str, *, ended: bool = False, **where: str) -> Team:
    made = Team.objects.create(name=f"{role} {where}")
    at = timezone.now() - timedelta(minutes=1) if ended else None
    Membership.objects.create(user=person, team=made, expires_at=at)
    Membership.objects.create(user=User.objects.create_user(made.name), team=made)
    Grant.objects.create(team=made, role=Role.objects.get(name=role), **where)
    return made


def answer(person: User, permission: Permission, scope: Scope | None = HERE, **more) -> Answer:
    return next(one for one in explain(person, scope, **more) if one.permission == permission)


def test_a_yes_names_the_team_the_role_and_where_it_holds(person: User) -> None:
    made = team(person, "deployer", namespace="def*")
    found = answer(person, Permission.DEPLOY)
    assert (found.allowed, found.near) == (True, ())
    assert [(path.team, path.role, path.scope) for path in found.paths] == [(made, "deployer", Scope("*", "def*"))]


@pytest.mark.parametrize(
    ("where", "ended", "misses"),
    [
        ({"cluster": "other"}, False, ("cluster",)),
        ({"namespace": "team-*"}, False, ("namespace",)),
        ({"selector": "app=cart"}, False, ("selector",)),
        ({}, True, ("expired",)),
        ({"cluster": "other", "selector": "app=cart"}, True, ("cluster", "selector", "expired")),
    ],
)
def test_a_no_says_why_the_grants_that_have_it_miss(person: User, where, ended: bool, misses) -> None:
    team(person, "deployer", ended=ended, **where)
    found = answer(person, Permission.DEPLOY)
    assert (found.allowed, found.paths, found.roles) == (False, (), ("deployer", "owner"))
    assert [path.misses for path in found.near] == [misses]
    assert answer(person, Permission.DELETE).near == ()  # the role does not have it


def test_the_nearest_miss_comes_first(person: User) -> None:
    team(person, "viewer", cluster="other", namespace="other")
    team(person, "owner", namespace="other")
    assert [len(path.misses) for path in answer(person, Permission.VIEW).near] == [1, 2]


def test_a_namespace_or_cluster_is_allowed_only_as_a_whole(person: User) -> None:
    team(person, "viewer", namespace="default", selector="app=shop")
    assert answer(person, Permission.VIEW).allowed
    assert answer(person, Permission.VIEW, Scope("box", "default")).near[0].misses == ("selector",)
    assert answer(person, Permission.VIEW, Scope("box", "*")).near[0].misses == ("namespace", "selector")
    assert answer(person, Permission.VIEW, None).allowed


def test_a_deactivated_person_can_nothing_and_an_administrator_all(person: User) -> None:
    team(person, "owner")
    person.is_active = False
    person.save()
    assert [path.misses for path in answer(person, Permission.VIEW).near] == [("inactive",)]
    person.is_active = person.is_superuser = True
    person.save()
    Membership.objects.all().delete()
    assert all(one.allowed and not one.paths for one in explain(person, HERE))


def test_the_explanation_agrees_with_the_check(person: User) -> None:
    for role, where, ended in (
        ("viewer", {"namespace": "def*"}, False),
        ("releaser", {"cluster": "other"}, False),
        ("deployer", {"selector": "app=shop"}, True),
        ("operator", {"selector": "tier=front"}, False),
        ("auditor", {"selector": "tier=back"}, False),
    ):
        team(person, role, ended=ended, **where)
    rights = rights_of(person)
    for scope, ref, labels in ((HERE, SHOP, LABELS), (of_service(SHOP, {}), SHOP, {}), (None, None, None)):
        said = {one.permission: one.allowed for one in explain(person, scope)}
        assert said == {permission: rights.allows(permission, ref, labels) for permission in Permission}
        assert {True, False} == set(said.values())


def test_a_reader_who_may_not_see_a_team_does_not_hear_of_it(person: User) -> None:
    seen, hidden = team(person, "viewer"), team(person, "owner", namespace="secret")
    found = answer(person, Permission.VIEW, teams={seen.pk})
    assert [path.team for path in (*found.paths, *found.near)] == [seen]
    assert [path.team for path in answer(person, Permission.VIEW).near] == [hidden]
