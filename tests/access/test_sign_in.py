"""Signing in: no sign-up, demo users in the demo only, limits, sessions that end, one link for the first owner."""

from __future__ import annotations

import time

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from console.access import first_admin
from console.access.demo import DEMO_USERS
from console.access.models import User
from console.audit.models import Entry

pytestmark = pytest.mark.django_db
SIGN_IN = "/accounts/login/"


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


def sign_in(client, name: str, password: str):
    return client.post(SIGN_IN, {"login": name, "password": password})


def test_nobody_signs_up(client) -> None:
    client.post("/accounts/signup/", {"username": "mallory", "password1": "long-enough-password-1"})
    assert not User.objects.exists()


@pytest.mark.parametrize("demo", [True, False])
def test_demo_users_open_the_demo_only(client, settings, demo: bool) -> None:
    settings.DEMO = True
    call_command("demo")
    settings.DEMO = demo
    user = DEMO_USERS[0]
    sign_in(client, user.username, user.password)
    assert ("_auth_user_id" in client.session) is demo


def test_demo_users_are_not_made_outside_the_demo(settings) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="known passwords"):
        call_command("demo")


def test_sign_ins_and_failures_are_in_the_audit_log_without_the_password(client) -> None:
    User.objects.create_user("alice", password="right-password-1")
    sign_in(client, "alice", "wrong-password-canary")
    sign_in(client, "alice", "right-password-1")
    client.post("/accounts/logout/")
    told = [(entry.action, entry.outcome, entry.actor) for entry in Entry.objects.order_by("sequence")]
    assert told == [
        ("session.sign-in", "refused", "alice"),
        ("session.sign-in", "succeeded", "alice"),
        ("session.sign-out", "succeeded", "alice"),
    ]
    assert "canary" not in str(list(Entry.objects.values()))


def test_wrong_passwords_lock_the_name(client) -> None:
    User.objects.create_user("alice", password="right-password-1")
    for _ in range(6):
        sign_in(client, "alice", "wrong")
    sign_in(client, "alice", "right-password-1")
    assert "_auth_user_id" not in client.session


def test_the_session_changes_at_sign_in(client) -> None:
    User.objects.create_user("alice", password="right-password-1")
    client.get(SIGN_IN)
    session = client.session
    session["planted"] = "x"
    session.save()
    before = session.session_key
    sign_in(client, "alice", "right-password-1")
    assert client.session.session_key != before


@pytest.mark.parametrize(("key", "age"), [("sluice_seen", 3601), ("sluice_began", 12 * 3600 + 1)])
def test_a_session_ends_when_idle_and_in_any_case_after_half_a_day(client, key: str, age: int) -> None:
    client.force_login(User.objects.create_user("alice"))
    session = client.session
    session[key] = int(time.time()) - age
    session.save()
    response = client.get("/operations/")
    assert response.status_code == 302
    assert "_auth_user_id" not in client.session


def test_a_deactivated_person_is_out_at_the_next_click(client) -> None:
    user = User.objects.create_user("alice")
    client.force_login(user)
    User.objects.update(is_active=False)
    assert client.get("/operations/").status_code == 302


def test_a_forged_or_old_link_makes_no_administrator(client, monkeypatch) -> None:
    assert client.get("/first-administrator/forged/").status_code == 404
    token = first_admin.token()
    monkeypatch.setattr(first_admin, "SECONDS", -1)
    assert client.get(f"/first-administrator/{token}/").status_code == 404


def test_after_signing_in_nobody_is_sent_to_another_site(client) -> None:
    User.objects.create_user("alice", password="right-password-1")
    response = client.post(f"{SIGN_IN}?next=https://evil.example/", {"login": "alice", "password": "right-password-1"})
    assert "evil.example" not in response.headers.get("Location", "")
