"""Who may do what: grants by cluster, namespace pattern, labels and time."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from console.access.actors import client_ip
from console.access.authorization import Right, rights_of, roles_with
from console.access.models import Grant, Membership, Role, Team, User
from console.access.permissions import BUILT_IN_ROLES, Permission
from console.access.scopes import parse_selector
from console.knative.references import ServiceRef

SHOP = ServiceRef("box", "default", "shop")


@pytest.fixture
def person(db) -> User:
    return User.objects.create_user("person")


def grant(person: User, role: str, **where: str) -> Grant:
    team = Team.objects.create(name=f"team {Team.objects.count()}")
    Membership.objects.create(user=person, team=team)
    return Grant.objects.create(team=team, role=Role.objects.get(name=role), **where)


def test_without_a_grant_nothing_is_allowed(person: User) -> None:
    for permission in Permission:
        assert not rights_of(person).allows(permission, SHOP)
        assert not rights_of(person).allows(permission)


@pytest.mark.parametrize("role", BUILT_IN_ROLES)
def test_a_role_allows_exactly_its_permissions(person: User, role: str) -> None:
    grant(person, role)
    allowed = {permission for permission in Permission if rights_of(person).allows(permission, SHOP)}
    assert allowed == BUILT_IN_ROLES[role]


@pytest.mark.parametrize(
    ("where", "allowed"),
    [
        ({"cluster": "box", "namespace": "default"}, True),
        ({"cluster": "b*", "namespace": "def*"}, True),
        ({"cluster": "other"}, False),
        ({"namespace": "team-*"}, False),
        ({"selector": "app=shop"}, True),
        ({"selector": "app=shop,tier=back"}, False),
    ],
)
def test_a_grant_holds_where_its_patterns_and_labels_match(person: User, where: dict[str, str], allowed: bool) -> None:
    grant(person, "viewer", **where)
    assert rights_of(person).allows(Permission.VIEW, SHOP, {"app": "shop", "tier": "front"}) is allowed


def test_a_permission_is_asked_for_by_the_names_of_the_roles_that_hold_it(db: None) -> None:
    assert roles_with(Permission.DELETE) == ("owner",)


def test_rights_of_two_teams_add_up(person: User) -> None:
    grant(person, "viewer")
    grant(person, "releaser", namespace="default")
    assert rights_of(person).allows(Permission.TRAFFIC, SHOP)
    assert not rights_of(person).allows(Permission.TRAFFIC, ServiceRef("box", "other", "x"))


def test_an_expired_membership_gives_nothing(person: User) -> None:
    made = grant(person, "owner")
    Membership.objects.filter(team=made.team).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not rights_of(person).allows(Permission.VIEW, SHOP)
    Membership.objects.filter(team=made.team).update(expires_at=timezone.now() + timedelta(hours=1))
    assert rights_of(person).allows(Permission.VIEW, SHOP)


def test_a_deactivated_person_may_nothing_not_even_as_administrator(person: User) -> None:
    grant(person, "owner")
    person.is_superuser, person.is_active = True, False
    assert not rights_of(person).allows(Permission.VIEW, SHOP)


def test_reading_the_rights_costs_a_fixed_number_of_queries(person: User, django_assert_num_queries) -> None:
    for _ in range(5):
        grant(person, "viewer")
    with django_assert_num_queries(1):
        rights_of(person)


@given(st.text(max_size=8), st.text(max_size=8))
def test_a_pattern_without_a_star_matches_only_itself(pattern: str, name: str) -> None:
    if "*" not in pattern:
        right = Right(frozenset({"view"}), "box", pattern, {}, "r", "t")
        assert right.covers(ServiceRef("box", name, "x"), {}) == (pattern == name)


def test_a_selector_is_equalities_only() -> None:
    assert parse_selector("a=b, c=d") == {"a": "b", "c": "d"}
    with pytest.raises(ValueError, match="a in"):
        parse_selector("a in (b)")


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "6.6.6.6", "10.0.0.1"),
        (1, "6.6.6.6, 192.0.2.7", "192.0.2.7"),
        (2, "6.6.6.6, 192.0.2.7, 10.0.0.9", "192.0.2.7"),
        (1, "", "10.0.0.1"),
    ],
)
def test_only_trusted_proxies_are_believed_about_addresses(
    settings, proxies: int, forwarded: str, expected: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    settings.PROXY_NETWORKS = (ip_network("10.0.0.0/24"),)
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": forwarded})
    assert client_ip(request) == expected


@pytest.mark.parametrize(
    ("direct", "expected"),
    [
        ("10.0.0.1", "192.0.2.7"),
        ("::ffff:10.0.0.1", "192.0.2.7"),
        ("10.9.9.9", "10.9.9.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("", ""),
    ],
)
def test_a_pod_that_is_no_proxy_names_no_other_address(settings, direct: str, expected: str) -> None:
    settings.TRUSTED_PROXIES = 1
    settings.PROXY_NETWORKS = (ip_network("10.0.0.0/24"),)
    request = RequestFactory().get("/", REMOTE_ADDR=direct, headers={"X-Forwarded-For": "192.0.2.7"})
    assert client_ip(request) == expected
