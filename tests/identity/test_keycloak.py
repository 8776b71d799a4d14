"""Single sign-on against a real Keycloak with PKCE required: the whole way, through the web process and its forms."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from console.access.demo import DEMO_USERS
from tests.console_process import RunningConsole, console
from tests.identity.keycloak import CLIENT, SECRET, Keycloak, keycloak
from tests.identity.visitor import LOGIN, Visitor, asks_for_password
from tests.waiting import eventually

PASSWORDS = {user.username: user.password for user in DEMO_USERS}
FACTOR = "/accounts/2fa/totp/activate/"


@pytest.fixture(scope="module")
def provider() -> Iterator[Keycloak]:
    with keycloak() as started:
        yield started


@pytest.fixture(scope="module")
def running(provider: Keycloak) -> Iterator[RunningConsole]:
    environment = {
        "CONSOLE_OIDC_ISSUER": provider.issuer,
        "CONSOLE_OIDC_CLIENT_ID": CLIENT,
        "CONSOLE_OIDC_CLIENT_SECRET": SECRET,
        "CONSOLE_OIDC_NAME": "Company",
        "CONSOLE_CONTACT": "the platform team",
    }
    with console(environment=environment) as started:
        provider.change_client(
            attributes={"backchannel.logout.url": f"{started.url}/accounts/oidc/back-channel-logout/"}
        )
        yield started


@pytest.fixture
def visitor(running: RunningConsole) -> Visitor:
    return Visitor(running.url)


@pytest.fixture
def admin(running: RunningConsole) -> Visitor:
    person = Visitor(running.url)
    person.post("/accounts/login/", login="admin", password=PASSWORDS["admin"])
    assert person.is_signed_in()
    return person


def team_of_group(admin: Visitor, name: str, group: str) -> str:
    """Make a team whose members come with the group; returns its page's path."""
    made = admin.post("/teams/new/", name=name, owner="admin")
    path = re.search(r"/teams/\d+/", made.url)
    assert path, made.url
    admin.post(f"{path[0]}edit/", name=name, oidc_group=group)
    return path[0]


def is_member(admin: Visitor, team: str, name: str) -> bool:
    return f'aria-label="Remove {name}"' in admin.get(team).text


def person_page(admin: Visitor, name: str) -> str:
    """The path of a person's page."""
    listed = admin.get(f"/teams/people/?q={name}").text
    found = re.search(rf'href="(/teams/people/\d+/)"[^>]*>\s*{name}', listed)
    assert found, listed
    return found[1]


def test_groups_come_and_go_with_the_sign_in(provider: Keycloak, visitor: Visitor, admin: Visitor) -> None:
    team = team_of_group(admin, "Shop people", "shop")
    answer = visitor.sign_in("alice")
    assert (answer.status_code, visitor.is_signed_in()) == (200, True)
    assert is_member(admin, team, "alice")
    provider.leave("alice", "shop")
    visitor.sign_out()
    visitor.sign_in("alice")
    assert not is_member(admin, team, "alice")
    provider.join("alice", "shop")
    visitor.sign_out()
    visitor.sign_in("alice")
    assert is_member(admin, team, "alice")


def test_signing_out_ends_the_providers_session(visitor: Visitor) -> None:
    visitor.sign_in("alice")
    back = visitor.sign_out()
    assert back.url.endswith("/accounts/login/")
    assert not visitor.is_signed_in()
    assert asks_for_password(visitor.post(LOGIN))


def test_a_session_at_the_provider_signs_in_without_a_password_and_confirms_nothing(visitor: Visitor) -> None:
    visitor.sign_in("alice")
    page = visitor.get(FACTOR)
    assert "/accounts/oidc/confirm/" in page.url
    there = visitor.send(page, page.url)
    assert asks_for_password(there)
    assert "/accounts/oidc/confirm/" in visitor.get(FACTOR).url
    assert visitor.give_password(there, "alice").url.endswith(FACTOR)


def test_keys_that_the_provider_changes_are_taken_and_old_ones_forgotten(provider: Keycloak, visitor: Visitor) -> None:
    visitor.sign_in("bob")
    visitor.sign_out()
    before = provider.keys()
    provider.rotate_keys()
    assert not provider.keys() & before
    visitor.sign_in("bob")
    assert visitor.is_signed_in()


def test_a_name_that_is_taken_makes_no_account(visitor: Visitor, admin: Visitor) -> None:
    """`viewer` has a local account; the first name at the provider, Vi, names nobody either."""
    refused = visitor.sign_in("viewer")
    assert refused.status_code == 403
    assert "Ask the platform team." in refused.text
    assert not visitor.is_signed_in()
    assert not re.search(r">\s*vi\d*\s*<", admin.get("/teams/people/").text)


def test_a_person_without_rights_is_told_whom_to_ask(visitor: Visitor) -> None:
    assert "Ask the platform team to add you to a team." in visitor.sign_in("bob").text


def test_the_provider_ends_sessions_here(provider: Keycloak, visitor: Visitor) -> None:
    visitor.sign_in("carol")
    assert visitor.is_signed_in()
    provider.sign_out("carol")
    eventually(lambda: not visitor.is_signed_in())


def test_who_is_switched_off_at_the_provider_comes_in_no_more(provider: Keycloak, visitor: Visitor) -> None:
    visitor.sign_in("carol")
    provider.change_user("carol", enabled=False)
    provider.sign_out("carol")
    eventually(lambda: not visitor.is_signed_in())
    visitor.sign_in("carol")
    assert not visitor.is_signed_in()
    provider.change_user("carol", enabled=True)


def test_who_is_switched_off_here_stays_out_and_leaves_an_entry(visitor: Visitor, admin: Visitor) -> None:
    visitor.sign_in("dan")
    path = person_page(admin, "dan")
    page = admin.get(path)
    admin.send(page, f"{path}deactivate/")
    assert not visitor.is_signed_in()
    assert Visitor(visitor.base).sign_in("dan").url.endswith("/accounts/inactive/")
    assert "the account is deactivated" in admin.get("/audit/?q=dan").text


def test_a_wrong_secret_is_told_as_the_operators_matter(
    provider: Keycloak, running: RunningConsole, visitor: Visitor
) -> None:
    provider.change_client(secret="another-secret-of-at-least-32-bytes")
    refused = visitor.sign_in("bob")
    assert refused.status_code == 401
    assert "its client ID or secret is wrong" in refused.text
    assert "check CONSOLE_OIDC_CLIENT_ID" in running.log("web")
    provider.change_client(secret=SECRET)
    again = Visitor(running.url)
    again.sign_in("bob")
    assert again.is_signed_in()
