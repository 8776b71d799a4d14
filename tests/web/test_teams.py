"""The pages of teams, members, grants, roles, people and of why somebody can or can't, as a browser without scripts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console.access.models import Grant, Membership, Role, Team, User
from console.access.permissions import BUILT_IN_ROLES
from console.access.scopes import Scope
from console.audit.models import Entry
from console.cluster.resources import SERVICES
from console.web.views.teams import effective
from tests import factories
from tests.web.pages import read

NEW_PASSWORD = {"new_password1": "long-enough-password-1", "new_password2": "long-enough-password-1"}


@pytest.fixture
def team(mirror, people) -> Team:
    """The team of the role owner: `owner` owns it and so manages box/default; `viewer` is in it too."""
    found = Team.objects.get(name="owners")
    Membership.objects.filter(team=found).update(is_owner=True)
    Membership.objects.create(team=found, user=people["viewer"])
    return found


@pytest.fixture
def owner(client, team: Team, people) -> Client:
    client.force_login(people["owner"])
    return client


@pytest.fixture
def admin(client, mirror, people) -> Client:
    client.force_login(people["administrator"])
    return client


def url(team: Team, rest: str = "") -> str:
    return f"/teams/{team.pk}/{rest}"


def test_a_team_is_read_as_who_until_when_from_where_and_what_it_lets_them_do(owner, team: Team, people) -> None:
    Membership.objects.filter(user=people["viewer"], team=team).update(
        expires_at=timezone.now() - timedelta(days=1), from_oidc=True
    )
    Team.objects.filter(pk=team.pk).update(oidc_group="shop-people")
    text = read(owner.get(url(team))).text
    for told in ("synced with group shop-people", "owner Never Manual", "expired Identity provider group"):
        assert told in text
    assert "delete services and revisions delete namespace default in box" in text


def test_scopes_inside_a_wider_one_are_not_told_twice(team: Team) -> None:
    viewer = Role.objects.get(name="viewer")
    for where in ({"namespace": "*"}, {"namespace": "shop"}, {"namespace": "*"}, {"cluster": "other"}):
        Grant.objects.create(team=team, role=viewer, **{"cluster": "box", **where})
    told = dict(effective(list(team.grants.select_related("role"))))
    assert told["view"] == [Scope("box", "*"), Scope("other", "*")]
    assert told["delete"] == [Scope("box", "default")]


def test_an_owner_adds_changes_and_removes_a_member(owner, team: Team, people) -> None:
    soon = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    answer = owner.post(url(team, "members/"), {"username": "nobody", "expires_at": soon})
    assert answer["Location"] == url(team)
    assert "nobody is now a member." in read(owner.get(url(team))).text
    place = url(team, f"members/{people['nobody'].pk}/")
    assert soon in owner.get(place).content.decode()
    owner.post(place, {"is_owner": "on", "expires_at": ""})
    made = Membership.objects.get(team=team, user=people["nobody"])
    assert (made.is_owner, made.expires_at) == (True, None)
    owner.post(f"{place}remove/")
    assert not team.memberships.filter(user=people["nobody"]).exists()
    assert [entry.action for entry in Entry.objects.filter(action__startswith="manage")] == [
        "manage.RemoveMember",
        "manage.EditMember",
        "manage.AddMember",
    ]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"username": "ghost"}, "No active user is named “ghost”."),
        ({"username": "nobody", "expires_at": "2020-01-01T10:00"}, "This time is in the past"),
        ({"username": "nobody", "expires_at": "whenever"}, "Enter a valid date/time."),
        ({"username": "viewer"}, "viewer is already a member"),
    ],
)
def test_a_member_that_cannot_be_added_is_said_beside_the_field(owner, team: Team, typed, message: str) -> None:
    before = team.memberships.count()
    answer = owner.post(url(team, "members/"), typed)
    assert answer.status_code == 422
    assert message in read(answer).text
    assert all(f'value="{value}"' in answer.content.decode() for value in typed.values() if value != "whenever")
    assert team.memberships.count() == before


def test_the_last_owners_leaving_is_refused_on_the_teams_page(owner, team: Team, people) -> None:
    answer = owner.post(url(team, f"members/{people['owner'].pk}/remove/"))
    assert answer.status_code == 422
    assert "owner is the last permanent owner of owners." in read(answer).text
    assert (Entry.objects.first().action, Entry.objects.first().outcome) == ("manage.RemoveMember", "refused")


def test_a_member_sees_the_team_leaves_it_and_changes_nothing_else(client, team: Team, people) -> None:
    team.grants.update(role=Role.objects.get(name="deployer"))  # without `manage`
    client.force_login(people["viewer"])
    page = client.get(url(team)).content.decode()
    assert "Managed by team owners and administrators." in page
    assert "Add a member" not in page
    for rest, method in (("edit/", "get"), ("edit/", "post"), ("delete/", "post"), ("members/", "post")):
        assert getattr(client, method)(url(team, rest), {"username": "nobody"}).status_code == 403
    assert client.post(url(team, "grants/"), {"role": "1"}).status_code == 403
    assert client.post(url(team, f"members/{people['owner'].pk}/remove/")).status_code == 403
    refused = {
        (entry.action, entry.outcome, entry.actor) for entry in Entry.objects.filter(action__startswith="manage")
    }
    assert refused == {("manage.refused", "refused", "viewer")}
    answer = client.post(url(team, f"members/{people['viewer'].pk}/remove/"))
    assert answer["Location"] == "/teams/"
    assert client.get(url(team)).status_code == 404


def test_whether_a_user_name_exists_is_told_to_owners_only(client, team: Team, people) -> None:
    client.force_login(people["viewer"])
    known, unknown = (client.post(url(team, "members/"), {"username": name}) for name in ("nobody", "ghost"))
    assert known.status_code == unknown.status_code == 403


def test_a_grant_says_how_many_services_it_covers_before_and_after_it_is_made(owner, team: Team, mirror) -> None:
    for number in range(3):
        mirror.put(SERVICES, factories.service(f"more-{number}"))
    viewer = Role.objects.get(name="viewer")
    fields = {"role": str(viewer.pk), "cluster": "box", "namespace": "default", "selector": ""}
    asked = owner.post(url(team, "grants/?check=1"), {**fields, "selector": "app=shop"})
    assert asked.status_code == 200
    assert re.search(r"Covers \d+ services now: box/default/more-0", read(asked).text)
    assert team.grants.count() == 1, "asking grants nothing"
    assert not Entry.objects.filter(action="manage.AddGrant").exists()
    made = read(owner.post(url(team, "grants/"), fields, follow=True)).text
    count = re.search(r"Granted\. It covers (\d+) services now\.", made)
    assert count is not None, made[:400]
    assert f"viewer box default – {count[1]} Remove" in made


def test_a_grant_that_covers_nothing_says_so(client, team: Team, people) -> None:
    client.force_login(people["administrator"])
    viewer = Role.objects.get(name="viewer")
    fields = {"role": str(viewer.pk), "cluster": "*", "namespace": "shp", "selector": ""}
    assert "Covers no service now" in read(client.post(url(team, "grants/?check=1"), fields)).text
    made = read(client.post(url(team, "grants/"), fields, follow=True)).text
    assert "Granted. It covers no service now: check the cluster, the namespace and the labels." in made
    assert "viewer * shp – none now Remove" in made


def test_a_role_that_asks_and_approves_is_told_with_what_it_means_before_it_is_granted(owner, team: Team) -> None:
    Role.objects.create(name="both", permissions=["deploy", "approve"])
    Role.objects.create(name="second-person", permissions=["view", "approve"])
    page = read(owner.get(url(team))).text
    assert "These roles can both request and approve changes: both, owner, releaser." in page
    assert "two people who hold both can approve each other's" in page
    assert "two people who hold both" in read(owner.get("/teams/roles/new/")).text


def test_a_manager_grants_and_takes_back(owner, team: Team) -> None:
    viewer = Role.objects.get(name="viewer").pk
    typed = {"role": viewer, "cluster": "box", "namespace": "default", "selector": " tier=front , app=shop"}
    assert owner.post(url(team, "grants/"), typed).status_code == 302
    made = team.grants.get(role=viewer)
    assert made.selector == "app=shop,tier=front"
    assert "viewer box default app=shop,tier=front" in read(owner.get(url(team))).text
    owner.post(url(team, f"grants/{made.pk}/remove/"))
    assert not team.grants.filter(role=viewer).exists()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"namespace": "*"}, "on box/* you lack manage, view"),
        ({"cluster": "*"}, "on */default you lack manage, view"),
        ({"namespace": "def?ult"}, "“def?ult” is neither a name nor a pattern"),
        ({"cluster": "bo[xy]"}, "“bo[xy]” is neither a name nor a pattern"),
        ({"selector": "app in (shop)"}, "“app in (shop)” is not key=value"),
        ({"selector": "app=a,app=b"}, "A label is listed twice"),
        ({"selector": "-=x"}, "“-” is not a valid key"),
        ({"namespace": ""}, "This field is required."),
    ],
)
def test_a_grant_that_cannot_be_made_is_said_beside_the_field_and_nothing_typed_is_lost(
    owner, team: Team, typed: dict[str, str], message: str
) -> None:
    role = Role.objects.get(name="viewer")
    sent = {"role": role.pk, "cluster": "box", "namespace": "default", "selector": "", **typed}
    answer = owner.post(url(team, "grants/"), sent)
    assert answer.status_code == 422
    assert message in read(answer).text
    assert all(f'value="{value}"' in answer.content.decode() for value in typed.values() if value)
    assert team.grants.count() == 1


def test_htmx_gets_the_form_back_or_is_sent_to_the_page(owner, team: Team) -> None:
    htmx = {"HX-Request": "true"}
    wrong = owner.post(url(team, "members/"), {"username": "ghost"}, headers=htmx)
    assert (wrong.status_code, "<html" in wrong.content.decode()) == (422, False)
    right = owner.post(url(team, "members/"), {"username": "nobody"}, headers=htmx)
    assert right["HX-Redirect"] == url(team)


def test_teams_are_filtered_sorted_and_paged_by_the_address(admin, team: Team) -> None:
    Team.objects.bulk_create(Team(name=f"crowd {number:02}") for number in range(60))

    def listed(query: str) -> list[str]:
        return re.findall(r'<a href="/teams/\d+/">([^<]+)</a>', admin.get(f"/teams/?{query}").content.decode())

    assert listed("q=CROWD&sort=-name")[:2] == ["crowd 59", "crowd 58"]
    assert len(listed("q=crowd")) == 50
    assert listed("q=crowd&page=2") == [f"crowd {number}" for number in range(50, 60)]
    assert listed("sort=-members")[0] == "owners"
    assert listed("mine=1") == []


def test_the_list_costs_the_same_for_many_teams(owner, django_assert_max_num_queries) -> None:
    role = Role.objects.get(name="viewer")
    for number in range(40):
        Grant.objects.create(team=Team.objects.create(name=f"crowd {number}"), role=role)
    with django_assert_max_num_queries(20):
        assert "crowd 39" in owner.get("/teams/").content.decode()


def test_a_team_is_made_renamed_mapped_to_a_group_and_deleted(owner, people) -> None:
    made = owner.post("/teams/new/", {"name": "Cart", "owner": "nobody"})
    cart = Team.objects.get(name="Cart")
    assert made["Location"] == url(cart)
    assert [one.user for one in cart.memberships.all()] == [
        people["owner"]
    ]  # who is no administrator names nobody else
    taken = owner.post(url(cart, "edit/"), {"name": "OWNERS", "oidc_group": ""})
    assert (taken.status_code, "“OWNERS” already exists" in read(taken).text) == (422, True)
    owner.post(url(cart, "edit/"), {"name": "Carts", "oidc_group": "cart-people"})
    cart.refresh_from_db()
    assert (cart.name, cart.oidc_group) == ("Carts", "cart-people")
    assert owner.post(url(cart, "delete/"), {"confirm": "Cart"}).status_code == 422
    assert owner.post(url(cart, "delete/"), {"confirm": "Carts"})["Location"] == "/teams/"
    assert not Team.objects.filter(pk=cart.pk).exists()


def matrix(page) -> dict[str, set[str]]:
    """The permissions that have a tick, by role, as a table reads: by its headings."""
    html = page.content.decode().partition("<table")[2].partition("</table>")[0]
    head, *lines = (re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL) for row in html.split("<tr")[1:])
    roles = [re.sub(r"<[^>]+>", " ", cell).split()[0] for cell in head[1:]]
    found: dict[str, set[str]] = {role: set() for role in roles}
    for name, *cells in lines:
        if permission := re.search(r'class="chip">(\w+)<', name):
            for role, cell in zip(roles, cells, strict=True):
                found[role] |= {permission[1]} if ">Yes<" in cell else set()
    return found


def test_roles_are_a_matrix_of_ticks_that_everybody_reads(client, mirror, people) -> None:
    client.force_login(people["viewer"])
    page = client.get("/teams/roles/")
    for name, permissions in BUILT_IN_ROLES.items():
        assert matrix(page)[name] == {one.value for one in permissions}, name
    assert not [post for post in read(page).posts if post.startswith("/teams/roles/")]


def test_a_role_is_made_changed_and_deleted_and_a_built_in_keeps_its_name(admin) -> None:
    admin.post("/teams/roles/new/", {"name": "helper", "permissions": ["view", "operate"]})
    role = Role.objects.get(name="helper")
    assert role.permissions == ["operate", "view"]
    admin.post(f"/teams/roles/{role.pk}/", {"name": "aide", "permissions": ["view"]})
    assert Role.objects.get(pk=role.pk).name == "aide"
    assert matrix(admin.get("/teams/roles/"))["aide"] == {"view"}
    admin.post(f"/teams/roles/{role.pk}/delete/")
    assert not Role.objects.filter(pk=role.pk).exists()
    viewer = Role.objects.get(name="viewer")
    admin.post(f"/teams/roles/{viewer.pk}/", {"name": "other", "permissions": ["view", "audit"]})
    viewer.refresh_from_db()
    assert (viewer.name, viewer.permissions) == ("viewer", ["audit", "view"])
    refused = admin.post(f"/teams/roles/{viewer.pk}/delete/")
    assert (refused.status_code, "viewer is built in" in read(refused).text) == (422, True)


def test_a_manager_cannot_change_a_role_that_reaches_further(owner, people) -> None:
    """An own role that an administrator granted in box/other as well, to the strangers."""
    role = Role.objects.create(name="lead", permissions=["view"], created_by=people["owner"])
    Grant.objects.create(team=Team.objects.get(name="strangers"), role=role, cluster="box", namespace="other")
    answer = owner.post(f"/teams/roles/{role.pk}/", {"name": "lead", "permissions": ["view", "deploy"]})
    assert answer.status_code == 422
    assert "This role is granted where you lack" in read(answer).text
    assert Role.objects.get(name="lead").permissions == ["view"]


def test_a_manager_is_told_that_a_shared_role_is_the_administrators(owner, people) -> None:
    role = Role.objects.get(name="owner")
    assert f"/teams/roles/{role.pk}/" not in read(owner.get("/teams/roles/")).links
    answer = owner.post(f"/teams/roles/{role.pk}/", {"name": "owner", "permissions": ["view"]})
    assert answer.status_code == 422
    assert "only an administrator can change it" in read(answer).text
    assert len(Role.objects.get(name="owner").permissions) == 9


def test_granting_a_role_shows_what_it_holds(owner, people) -> None:
    team = Team.objects.get(name="owners")
    assert "viewer (view)" in read(owner.get(f"/teams/{team.pk}/")).text


def test_a_new_person_sets_a_password_that_nobody_else_knew(admin, client) -> None:
    page = admin.post("/teams/people/new/", {"username": "dave"})
    link = re.search(r"https?://[^/]+(/invitations/[^<\s]+/)", page.content.decode())
    assert link
    assert not User.objects.get(username="dave").has_usable_password()
    assert link[1].split("/")[2] not in str(list(Entry.objects.values()))
    visitor = Client()
    assert visitor.get(link[1]).status_code == 200
    short = visitor.post(link[1], {"new_password1": "short", "new_password2": "short"})
    assert short.status_code == 422
    assert visitor.post(link[1], NEW_PASSWORD).status_code == 302
    assert visitor.get(link[1]).status_code == 404
    assert visitor.post(link[1], NEW_PASSWORD).status_code == 404
    visitor.post("/accounts/login/", {"login": "dave", "password": NEW_PASSWORD["new_password1"]})
    assert visitor.session["_auth_user_id"] == str(User.objects.get(username="dave").pk)
    told = set(Entry.objects.values_list("action", "actor"))
    assert {("manage.CreatePerson", "administrator"), ("session.SetPassword", "dave")} <= told


@pytest.mark.parametrize("name", ["viewer", "VIEWER", "no spaces", ""])
def test_a_person_without_a_good_name_is_not_made(admin, name: str) -> None:
    before = User.objects.count()
    answer = admin.post("/teams/people/new/", {"username": name})
    assert answer.status_code == 422
    assert User.objects.count() == before


def test_a_deactivated_person_is_out_at_the_next_click_and_back_with_the_same_teams(admin, people) -> None:
    person = people["deployer"]
    visitor = Client()
    visitor.force_login(person)
    assert visitor.get("/").status_code == 200
    admin.post(f"/teams/people/{person.pk}/deactivate/")
    assert visitor.get("/")["Location"].startswith("/accounts/login/")
    admin.post(f"/teams/people/{person.pk}/activate/")
    visitor.force_login(person)
    assert "shop" in read(visitor.get("/services/box/default/shop/")).text


def test_a_new_link_ends_the_old_password_and_the_sessions(admin, people) -> None:
    person = people["deployer"]
    person.set_password("old-enough-password-1")
    person.save()
    visitor = Client()
    visitor.force_login(person)
    assert "/invitations/" in admin.post(f"/teams/people/{person.pk}/link/").content.decode()
    assert visitor.get("/").status_code == 302
    visitor.post("/accounts/login/", {"login": "deployer", "password": "old-enough-password-1"})
    assert "_auth_user_id" not in visitor.session


def test_the_last_administrator_stays(admin, people) -> None:
    person = people["administrator"]
    person.set_password("long-enough-password-1")
    person.save()
    admin.force_login(person)
    for verb in ("deactivate", "demote"):
        answer = admin.post(f"/teams/people/{person.pk}/{verb}/")
        assert (answer.status_code, "is the last administrator" in read(answer).text) == (422, True)
    admin.post(f"/teams/people/{people['viewer'].pk}/promote/")
    assert User.objects.get(username="viewer").is_superuser
    admin.post(f"/teams/people/{people['viewer'].pk}/demote/")
    assert not User.objects.get(username="viewer").is_superuser
    assert admin.post(f"/teams/people/{person.pk}/explode/").status_code == 404


def test_people_are_filtered_by_state_and_name(admin, people) -> None:
    User.objects.filter(username="viewer").update(is_active=False)

    def listed(query: str) -> list[str]:
        return re.findall(
            r'<a href="/teams/people/\d+/">([^<]+)</a>', admin.get(f"/teams/people/?{query}").content.decode()
        )

    assert listed("state=inactive") == ["viewer"]
    assert listed("state=administrators") == ["administrator"]
    assert listed("q=ER&state=active&sort=-name") == ["stranger", "releaser", "owner", "operator", "deployer"]


SHOP = "cluster=box&namespace=default&service=shop"


def test_anybody_reads_why_they_can_or_cannot(client, mirror, people) -> None:
    """shop carries app=shop and tier=front."""
    nearly = Team.objects.create(name="Nearly")
    deployer = Role.objects.get(name="deployer")
    Grant.objects.create(team=nearly, role=deployer, cluster="box", namespace="def*", selector="app=cart")
    Membership.objects.create(team=nearly, user=people["viewer"])
    client.force_login(people["viewer"])
    text = read(client.get(f"/teams/why/?{SHOP}")).text
    assert "Yes Role viewer via team viewers (namespace default in box)" in text
    assert "No Roles with this permission: deployer, owner." in text
    assert "The team Nearly has the role deployer, but only on services with app=cart." in text


@pytest.mark.parametrize(
    ("who", "person", "where", "status"),
    [
        ("viewer", "viewer", SHOP, 200),
        ("viewer", "deployer", SHOP, 403),
        ("viewer", "ghost", SHOP, 403),
        ("owner", "deployer", SHOP, 200),
        ("owner", "deployer", "cluster=box&namespace=default", 200),
        ("owner", "deployer", "cluster=box", 403),
        ("owner", "deployer", "cluster=box&namespace=other", 403),
        ("owner", "deployer", "", 403),
        ("owner", "ghost", SHOP, 422),
        ("administrator", "deployer", "", 200),
    ],
)
def test_others_rights_are_told_to_who_manages_the_object(
    client, mirror, people, who: str, person: str, where: str, status: int
) -> None:
    client.force_login(people[who])
    assert client.get(f"/teams/why/?person={person}&{where}").status_code == status


def test_why_tells_a_manager_nothing_of_teams_that_they_may_not_see(client, mirror, people) -> None:
    hidden = Team.objects.create(name="Hidden")
    Grant.objects.create(team=hidden, role=Role.objects.get(name="owner"), cluster="box", namespace="secret")
    Membership.objects.create(team=hidden, user=people["deployer"])
    client.force_login(people["owner"])
    page = client.get(f"/teams/why/?person=deployer&{SHOP}").content.decode()
    assert "deployers" in page
    assert "Hidden" not in page


def test_why_is_no_oracle_of_services_that_one_may_not_see(client, mirror, people) -> None:
    """A grant with a selector but without `view`: a service that has the labels answers as one that is not there."""
    odd = Role.objects.create(name="odd", permissions=["deploy"])
    team = Team.objects.create(name="Odd")
    Grant.objects.create(team=team, role=odd, selector="app=shop")
    Membership.objects.create(team=team, user=people["nobody"])
    client.force_login(people["nobody"])
    real, missing = (
        read(client.get(f"/teams/why/?cluster=box&namespace=default&service={name}")).text for name in ("shop", "nope")
    )
    request = re.compile(r"Request \w+")
    assert request.sub("", real) == request.sub("", missing.replace("nope", "shop"))


def test_a_refusal_and_a_locked_action_lead_to_the_why(client, mirror, people) -> None:
    client.force_login(people["viewer"])
    where = "cluster=box&namespace=default&service=shop"
    assert f"/teams/why/?{where}" in read(client.get("/services/box/default/shop/")).links
    refused = read(client.get("/services/box/default/shop/traffic/"))
    assert f"/teams/why/?permission=traffic&{where}" in refused.links
    assert client.get(f"/teams/why/?permission=traffic&{where}").status_code == 200
    assert "/teams/why/?permission=audit" in read(client.get("/audit/")).links
