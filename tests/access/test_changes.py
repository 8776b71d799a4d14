"""Changing people, teams, roles and grants: who may, what never happens, and what the log keeps of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from console.access import changing, grants, invitations, members, people, roles, teams
from console.access.actors import Actor
from console.access.authorization import rights_of
from console.access.models import Grant, Membership, Role, Team, User
from console.access.permissions import Permission
from console.access.refusals import NotAllowed, RuleBroken
from console.access.rights_history.rows import is_of_rights
from console.access.scopes import Scope
from console.audit.models import Entry
from console.audit.verification import verify
from console.knative.references import ServiceRef

pytestmark = pytest.mark.django_db
SHOP = ServiceRef("box", "shop", "cart")
IN_SHOP = Scope("box", "shop")


def by(user: User) -> dict[str, object]:
    return {"user": user, "actor": Actor(user.pk, user.get_username())}


def role(name: str) -> Role:
    return Role.objects.get(name=name)


def join(team: Team, user: User, **more: object) -> Membership:
    return Membership.objects.create(team=team, user=user, **more)


@pytest.fixture
def root(db) -> User:
    return User.objects.create_superuser("root", password="x")


@pytest.fixture
def shop(db) -> Team:
    """Alice owns it, bob is in it; it has the role owner, `manage` among its permissions, in box/shop."""
    team = Team.objects.create(name="Shop")
    Grant.objects.create(team=team, role=role("owner"), cluster="box", namespace="shop")
    join(team, User.objects.create_user("alice"), is_owner=True)
    join(team, User.objects.create_user("bob"))
    return team


@pytest.fixture
def alice(shop: Team) -> User:
    return User.objects.get(username="alice")


@pytest.fixture
def bob(shop: Team) -> User:
    return User.objects.get(username="bob")


@pytest.fixture
def carol(db) -> User:
    return User.objects.create_user("carol")


def add(team: Team, person: User, user: User, *, is_owner: bool = False, expires_at=None) -> None:
    members.add(team, person, is_owner=is_owner, expires_at=expires_at, **by(user))


def edit(membership: Membership, user: User, *, is_owner: bool, expires_at=None) -> None:
    members.edit(membership, is_owner=is_owner, expires_at=expires_at, **by(user))


def refused(code: str, change: Callable[[], object]) -> RuleBroken:
    """Make the change, which must be refused with the code and leave the database as it was."""
    before = snapshot()
    with pytest.raises(RuleBroken) as caught:
        change()
    assert caught.value.code == code
    assert snapshot() == before
    assert (Entry.objects.first().outcome, code in Entry.objects.first().text) == ("refused", True)
    return caught.value


def snapshot() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (User, Role, Team, Membership, Grant)]


# members


def test_an_owner_adds_a_member_who_then_has_the_teams_rights(shop: Team, alice: User, carol: User) -> None:
    assert not rights_of(carol).allows(Permission.DEPLOY, SHOP)
    add(shop, carol, alice)
    assert rights_of(carol).allows(Permission.DEPLOY, SHOP)


def test_rights_end_with_the_membership_though_others_in_the_team_stay(shop: Team, alice: User, carol: User) -> None:
    """The two conditions of the query are about one membership: carol's ended one, not alice's lasting one."""
    add(shop, carol, alice, expires_at=timezone.now() + timedelta(days=1))
    assert rights_of(carol).rights[0].until == Membership.objects.get(user=carol).expires_at
    later = timezone.now() + timedelta(days=2)
    assert not rights_of(carol, later).allows(Permission.VIEW, SHOP)
    assert rights_of(alice, later).allows(Permission.VIEW, SHOP)
    assert rights_of(alice, later).rights[0].until is None
    assert len(rights_of(alice, later).rights) == 1


@pytest.mark.parametrize("who", ["bob", "carol"])
def test_only_owners_and_administrators_change_members(shop: Team, carol: User, root: User, who: str) -> None:
    stranger = User.objects.get(username=who)
    for change in (
        lambda: add(shop, root, stranger),
        lambda: edit(Membership.objects.get(user__username="alice"), stranger, is_owner=False),
        lambda: members.remove(Membership.objects.get(user__username="alice"), **by(stranger)),
        lambda: teams.edit(shop, "Mine", "", **by(stranger)),
        lambda: teams.delete(shop, **by(stranger)),
    ):
        with pytest.raises(NotAllowed):
            change()
    add(shop, carol, root)


def test_an_owner_whose_membership_ended_owns_nothing(shop: Team, alice: User, bob: User, carol: User) -> None:
    join(shop, carol, is_owner=True, expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(NotAllowed):
        members.remove(Membership.objects.get(user=bob), **by(carol))


@pytest.mark.parametrize("who", ["alice", "root"])
def test_the_last_owner_cannot_leave_be_removed_be_unmade_or_expire(shop: Team, root: User, who: str) -> None:
    user = User.objects.get(username=who)
    last = Membership.objects.get(user__username="alice")
    soon = timezone.now() + timedelta(days=1)
    refused("last-owner", lambda: members.remove(last, **by(user)))
    refused("last-owner", lambda: edit(last, user, is_owner=False))
    refused("last-owner", lambda: edit(last, user, is_owner=True, expires_at=soon))


def test_an_owner_who_ends_or_is_deactivated_does_not_count_as_the_other_one(
    shop: Team, alice: User, bob: User, carol: User
) -> None:
    last = Membership.objects.get(user=alice)
    join(shop, carol, is_owner=True, expires_at=timezone.now() + timedelta(days=1))
    refused("last-owner", lambda: members.remove(last, **by(alice)))
    Membership.objects.filter(user=bob).update(is_owner=True)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    refused("last-owner", lambda: members.remove(last, **by(alice)))
    User.objects.filter(pk=bob.pk).update(is_active=True)
    members.remove(last, **by(alice))
    assert not Membership.objects.filter(user=alice).exists()


def test_anybody_may_leave(shop: Team, bob: User) -> None:
    members.remove(Membership.objects.get(user=bob), **by(bob))
    assert not shop.memberships.filter(user=bob).exists()


def test_an_owner_for_a_time_lets_nobody_stay_longer(shop: Team, alice: User, bob: User, carol: User) -> None:
    friday = timezone.now() + timedelta(days=3)
    own = join(shop, carol, is_owner=True, expires_at=friday)
    dave = User.objects.create_user("dave")
    refused("longer-than-yours", lambda: add(shop, dave, carol))
    refused("longer-than-yours", lambda: edit(own, carol, is_owner=True))
    refused("longer-than-yours", lambda: edit(Membership.objects.get(user=bob), carol, is_owner=True))
    refused("longer-than-yours", lambda: teams.edit(shop, "Shop", "everybody", **by(carol)))
    add(shop, dave, carol, expires_at=friday)


def test_a_member_whose_membership_ended_can_be_added_again_and_another_cannot(
    shop: Team, alice: User, bob: User
) -> None:
    refused("already-member", lambda: add(shop, bob, alice))
    Membership.objects.filter(user=bob).update(expires_at=timezone.now() - timedelta(days=1), is_owner=True)
    add(shop, bob, alice)
    again = Membership.objects.get(user=bob)
    assert (again.expires_at, again.is_owner) == (None, False)


# grants


def test_a_manager_grants_what_they_have_and_no_more(shop: Team, alice: User) -> None:
    grants.add(shop, role("viewer"), Scope("box", "shop", {"app": "cart"}), **by(alice))
    for scope in (Scope("box", "*"), Scope("*", "shop"), Scope("box", "shop-2")):
        refusal = refused(
            "more-than-you-have", lambda scope=scope: grants.add(shop, role("viewer"), scope, **by(alice))
        )
        assert refusal.permissions == "manage, view"


def test_without_manage_nobody_grants_even_to_the_own_team(shop: Team, alice: User) -> None:
    shop.grants.update(role=role("deployer"))
    with pytest.raises(NotAllowed):
        grants.add(shop, role("viewer"), IN_SHOP, **by(alice))
    with pytest.raises(NotAllowed):
        grants.remove(shop.grants.get(), **by(alice))


def test_a_manager_grants_only_to_teams_that_they_see(shop: Team, alice: User) -> None:
    hidden = Team.objects.create(name="Hidden")
    with pytest.raises(NotAllowed):
        grants.add(hidden, role("viewer"), IN_SHOP, **by(alice))
    Grant.objects.create(team=hidden, role=role("viewer"), cluster="*", namespace="sh*")
    grants.add(hidden, role("viewer"), IN_SHOP, **by(alice))


def test_a_manager_takes_away_only_what_they_could_give(shop: Team, alice: User, root: User) -> None:
    wider = Grant.objects.create(team=shop, role=role("viewer"), cluster="*", namespace="*")
    refused("more-than-you-have", lambda: grants.remove(wider, **by(alice)))
    refused("grant-of-others", lambda: teams.delete(shop, **by(alice)))
    grants.remove(wider, **by(root))
    refused("gone", lambda: grants.remove(Grant(pk=wider.pk, team=shop, role=role("viewer")), **by(root)))


def test_what_is_held_for_a_time_is_not_granted_for_good(shop: Team, alice: User, carol: User) -> None:
    join(shop, carol, is_owner=True, expires_at=timezone.now() + timedelta(days=1))
    refused("more-than-you-have", lambda: grants.add(shop, role("viewer"), IN_SHOP, **by(carol)))


def test_the_same_grant_is_made_once(shop: Team, root: User) -> None:
    refused("granted-already", lambda: grants.add(shop, role("owner"), IN_SHOP, **by(root)))


# roles


def test_a_role_is_not_raised_beyond_what_the_editor_has_where_it_is_granted(
    shop: Team, alice: User, root: User
) -> None:
    """Alice manages box/shop; the role is granted there, and then also elsewhere."""
    helper = roles.create("helper", ["view"], **by(alice))
    Grant.objects.create(team=shop, role=helper, cluster="box", namespace="shop")
    roles.edit(helper, "helper", ["view", "deploy"], **by(alice))
    other = Team.objects.create(name="Other")
    Grant.objects.create(team=other, role=helper, cluster="box", namespace="other")
    for wanted in (["view", "deploy", "delete"], ["view"]):
        refused("role-beyond-you", lambda wanted=wanted: roles.edit(helper, "helper", wanted, **by(alice)))
    refused("role-beyond-you", lambda: roles.edit(helper, "renamed", ["view", "deploy"], **by(alice)))
    roles.edit(helper, "helper", ["view", "delete"], **by(root))
    assert Role.objects.get(name="helper").permissions == ["delete", "view"]


def test_a_role_that_others_share_is_the_administrators(shop: Team, alice: User, root: User) -> None:
    """An owner of one namespace raises nothing that an administrator may grant everywhere next."""
    shared, legacy = roles.create("sre", ["view"], **by(root)), Role.objects.create(name="old", permissions=["view"])
    for not_hers in (role("releaser"), shared, legacy):
        for wanted in ([*not_hers.permissions, "delete"], []):
            refused("role-of-others", partial(roles.edit, not_hers, not_hers.name, wanted, **by(alice)))
    refused("role-of-others", lambda: roles.delete(shared, **by(alice)))
    roles.edit(role("releaser"), "releaser", ["view"], **by(root))
    hers = roles.create("hers", ["view"], **by(alice))
    roles.edit(hers, "hers", ["view", "deploy"], **by(alice))
    roles.delete(hers, **by(alice))


def test_no_role_passes_for_an_administrator_in_the_log(root: User) -> None:
    refused("name-taken", lambda: roles.create("Administrator", ["view"], **by(root)))


def test_a_manager_cannot_raise_their_own_rights_by_the_role_that_gives_them(shop: Team, alice: User) -> None:
    lead = Role.objects.create(name="lead", permissions=["view", "manage"], created_by=alice)
    shop.grants.update(role=lead)
    refused("role-beyond-you", lambda: roles.edit(lead, "lead", ["view", "manage", "delete"], **by(alice)))


def test_a_role_in_use_or_built_in_stays(shop: Team, root: User) -> None:
    helper = roles.create("helper", ["view"], **by(root))
    grants.add(shop, helper, IN_SHOP, **by(root))
    refused("role-in-use", lambda: roles.delete(helper, **by(root)))
    refused("role-built-in", lambda: roles.delete(role("auditor"), **by(root)))
    refused("role-built-in", lambda: roles.edit(role("auditor"), "reader", ["view"], **by(root)))
    grants.remove(Grant.objects.get(role=helper), **by(root))
    roles.delete(helper, **by(root))
    assert not Role.objects.filter(name="helper").exists()


# people


def test_only_administrators_change_people(alice: User, carol: User) -> None:
    for change in (
        lambda: people.create("dave", **by(alice)),
        lambda: people.set_active(carol, False, **by(alice)),
        lambda: people.set_administrator(alice, True, **by(alice)),
        lambda: people.new_link(carol, **by(alice)),
    ):
        with pytest.raises(NotAllowed):
            change()


def test_the_last_administrator_who_can_sign_in_stays(root: User, carol: User) -> None:
    for change in (people.set_active, people.set_administrator):
        refused("last-administrator", lambda change=change: change(root, False, **by(root)))
    invited, _token = people.create("dave", **by(root))
    people.set_administrator(invited, True, **by(root))
    refused("last-administrator", lambda: people.set_active(root, False, **by(root)))
    carol.set_password("long-enough-password-1")
    carol.save()
    people.set_administrator(carol, True, **by(root))
    people.set_active(root, False, **by(root))
    refused("last-administrator", lambda: people.set_administrator(carol, False, **by(carol)))


def test_a_newer_link_and_a_set_password_make_a_link_void(root: User) -> None:
    person, first = people.create("dave", **by(root))
    assert invitations.person_of(first) == person
    second = people.new_link(person, **by(root))
    assert (invitations.person_of(first), invitations.person_of(second)) == (None, person)
    person.refresh_from_db()
    person.set_password("long-enough-password-1")
    person.save()
    assert invitations.person_of(second) is None


def test_a_link_is_void_for_a_deactivated_person_a_forger_and_after_a_day(root: User, monkeypatch) -> None:
    person, token = people.create("dave", **by(root))
    assert invitations.person_of(f"{token}x") is None
    people.set_active(person, False, **by(root))
    assert invitations.person_of(token) is None
    people.set_active(person, True, **by(root))
    assert invitations.person_of(token) == person
    monkeypatch.setattr(invitations, "SECONDS", -1)
    assert invitations.person_of(token) is None


def test_nobody_takes_the_own_password_away_nor_the_last_administrators(root: User, carol: User) -> None:
    people.set_administrator(carol, True, **by(root))
    refused("last-administrator", lambda: people.new_link(root, **by(carol)))
    carol.set_password("long-enough-password-1")
    carol.save()
    refused("no-link", lambda: people.new_link(root, **by(root)))
    people.new_link(root, **by(carol))


# teams


def test_a_manager_makes_a_team_of_their_own_only(alice: User, carol: User, root: User) -> None:
    made = teams.create("Cart", alice, **by(alice))
    assert made.memberships.get().is_owner
    with pytest.raises(NotAllowed):
        teams.create("For carol", carol, **by(alice))
    with pytest.raises(NotAllowed):
        teams.create("Mine", carol, **by(carol))
    refused("name-taken", lambda: teams.create("cART", carol, **by(root)))
    teams.create("For carol", carol, **by(root))
    teams.delete(made, **by(alice))


def test_a_person_sees_own_teams_and_those_with_rights_where_they_manage(
    shop: Team, alice: User, bob: User, carol: User, root: User
) -> None:
    viewer, everywhere, elsewhere = (Team.objects.create(name=name) for name in ("in shop", "everywhere", "elsewhere"))
    for team, cluster, namespace in ((viewer, "*", "s*p"), (everywhere, "*", "*"), (elsewhere, "box", "data")):
        Grant.objects.create(team=team, role=role("viewer"), cluster=cluster, namespace=namespace)
    Grant.objects.create(team=everywhere, role=role("viewer"), cluster="box", namespace="data")

    def seen(user: User) -> set[int]:
        return set(teams.visible(user, rights_of(user)))

    assert seen(carol) == set()
    assert seen(alice) == seen(bob) == {shop.pk, viewer.pk, everywhere.pk}
    assert seen(root) == {shop.pk, viewer.pk, everywhere.pk, elsewhere.pk}
    found = teams.visible_grants(rights_of(alice), everywhere.grants.all(), is_member=False)
    assert [grant.namespace for grant in found] == ["*"]
    Membership.objects.update(expires_at=timezone.now())
    assert seen(alice) == set()


# the log, the lock, the demo


def test_every_change_tells_its_fields_before_and_after_and_the_chain_holds(
    shop: Team, alice: User, carol: User, root: User
) -> None:
    until = timezone.now() + timedelta(days=1)
    add(shop, carol, alice, is_owner=True, expires_at=until)
    edit(Membership.objects.get(user=carol), root, is_owner=False)
    roles.edit(role("auditor"), "auditor", ["view"], **by(root))
    people.set_active(carol, False, **by(root))
    told = [
        (
            entry.action,
            entry.actor,
            entry.roles,
            entry.text,
            [(row["field"], row["before"], row["after"]) for row in entry.changes if not is_of_rights(row["field"])],
        )
        for entry in Entry.objects.order_by("sequence")
    ]
    moment = until.isoformat(timespec="minutes")
    assert told == [
        (
            "manage.AddMember",
            "alice",
            "owner",
            "carol in Shop",
            [("member", None, "carol"), ("owner", None, "yes"), ("expires", None, moment)],
        ),
        (
            "manage.EditMember",
            "root",
            "administrator",
            "carol in Shop",
            [("owner", "yes", "no"), ("expires", moment, None)],
        ),
        ("manage.EditRole", "root", "administrator", "auditor", [("permissions", "audit, view", "view")]),
        ("manage.DeactivatePerson", "root", "administrator", "carol", [("active", "True", "False")]),
    ]
    assert verify() == 4


def test_a_change_that_changes_nothing_leaves_no_entry(shop: Team, alice: User) -> None:
    teams.edit(shop, "Shop", "", **by(alice))
    assert not Entry.objects.exists()


def test_no_link_and_no_token_is_in_the_log(root: User) -> None:
    _person, token = people.create("dave", **by(root))
    assert token not in str(list(Entry.objects.values()))


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda: Membership.objects.filter(user__username="bob").delete(),
        lambda: Membership.objects.filter(user__username="bob").update(is_owner=False),
        lambda: User.objects.filter(username="bob").update(is_active=False),
    ],
)
def test_what_others_did_until_the_lock_counts(shop: Team, alice: User, monkeypatch, meanwhile) -> None:
    """Bob, the other owner, goes while alice waits for the lock: her leaving is judged by what is true then."""
    Membership.objects.filter(user__username="bob").update(is_owner=True)
    monkeypatch.setattr(changing, "_wait_for_others", meanwhile)
    with pytest.raises(RuleBroken, match="last-owner"):
        members.remove(Membership.objects.get(user=alice), **by(alice))


def test_a_right_that_ended_until_the_lock_grants_nothing(shop: Team, alice: User, monkeypatch) -> None:
    def take_away() -> None:
        Membership.objects.filter(user=alice).update(expires_at=timezone.now())

    monkeypatch.setattr(changing, "_wait_for_others", take_away)
    with pytest.raises(NotAllowed):
        grants.add(shop, role("viewer"), IN_SHOP, **by(alice))


@pytest.mark.only_on("postgresql")  # SQLite lets one write at a time from BEGIN on
def test_changes_of_access_wait_for_one_another(shop: Team, alice: User) -> None:
    other = connection.copy()
    with changing.changing("manage.Test", about="", **by(alice)), other.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [changing._LOCK])
        assert cursor.fetchone() == (False,)
    other.close()


def test_the_demo_is_made_once_and_keeps_what_was_changed_in_it(settings) -> None:
    settings.DEMO = True
    call_command("demo")
    Grant.objects.filter(team__name="Shop").delete()
    call_command("demo")
    assert not Grant.objects.filter(team__name="Shop").exists()
    viewer, deployer, admin = (User.objects.get(username=name) for name in ("viewer", "deployer", "admin"))
    assert not rights_of(viewer).allows(Permission.DEPLOY, SHOP)
    assert rights_of(viewer).allows(Permission.VIEW, SHOP)
    assert rights_of(deployer).allows(Permission.DEPLOY, SHOP)
    assert not rights_of(deployer).allows(Permission.DELETE, SHOP)
    assert rights_of(admin).allows(Permission.DELETE, SHOP)
