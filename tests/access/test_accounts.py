"""A person's own account: which pages there are, second factors, lock-out, and sessions that end when they should."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.urls import urlpatterns as allauth_patterns
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, reverse

from console.access.closed import closed
from console.access.models import User
from console.access.sessions import signed_in_user
from console.audit.models import Entry
from tests.redis_server import RedisServer, running
from tests.waiting import eventually
from tests.web.pages import read

pytestmark = pytest.mark.django_db
LOGIN, CODE, PASSWORD = "/accounts/login/", "/accounts/2fa/authenticate/", "right-password-1"
# Every page of allauth: those that people use, and those that are not offered. A new one fails the test.
OPEN = {
    "account_login", "account_logout", "account_inactive", "account_reauthenticate", "account_change_password",
    "mfa_index", "mfa_authenticate", "mfa_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp",
    "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes", "mfa_list_webauthn",
    "mfa_add_webauthn", "mfa_reauthenticate_webauthn", "mfa_remove_webauthn", "mfa_edit_webauthn", "mfa_login_webauthn",
    "socialaccount_login_cancelled", "socialaccount_login_error", "socialaccount_connections",
    "oidc_login", "oidc_callback", "oidc_confirm", "oidc_leave", "oidc_back_channel_logout", "usersessions_list",
}  # fmt: skip
CLOSED = {
    "account_signup", "account_email", "account_email_verification_sent", "account_confirm_email",
    "account_set_password", "account_reset_password", "account_reset_password_done", "account_reset_password_from_key",
    "account_reset_password_from_key_done", "account_confirm_login_code", "socialaccount_signup", None,
}  # fmt: skip
ARGUMENTS = {
    "account_confirm_email": {"key": "k"},
    "account_reset_password_from_key": {"uidb36": "1", "key": "set-password"},
    "mfa_remove_webauthn": {"pk": 1},
    "mfa_edit_webauthn": {"pk": 1},
}
BEFORE_SIGN_IN = {
    "account_login", "account_inactive", "mfa_authenticate", "mfa_login_webauthn", "socialaccount_login_cancelled",
    "socialaccount_login_error", "oidc_login", "oidc_callback", "oidc_leave", "oidc_back_channel_logout",
}  # fmt: skip


@pytest.fixture(autouse=True)
def fresh_limits() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", password=PASSWORD)


def sign_in(client: Client, password: str = PASSWORD, name: str = "alice", **headers: str):
    return client.post(LOGIN, {"login": name, "password": password}, **headers)


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def address(name: str) -> str:
    return reverse(name, kwargs=ARGUMENTS.get(name))


def code_of(secret: str, step: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step))


def with_totp(client: Client) -> str:
    """Sign in and activate an authenticator app; returns its secret."""
    sign_in(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = "/accounts/2fa/totp/activate/"
    client.get(page)
    secret = client.session["mfa.totp.secret"]
    assert client.post(page, {"code": code_of(secret)}).status_code == 302
    return secret


def leaves(patterns) -> list[URLPattern]:
    return [leaf for one in patterns for leaf in (leaves(one.url_patterns) if hasattr(one, "url_patterns") else [one])]


def test_every_page_of_allauth_is_known_here() -> None:
    assert {pattern.name for pattern in leaves(allauth_patterns)} == OPEN | CLOSED


@pytest.mark.parametrize("name", sorted(name for name in CLOSED if name))
def test_pages_that_are_not_offered_do_not_exist(client, alice: User, name: str) -> None:
    for person in (None, alice):
        if person:
            client.force_login(person)
        for method in (client.get, client.post):
            assert method(address(name)).status_code == 404
    assert client.get("/accounts/social/signup/").status_code == 404
    assert closed.required_permission == "public"


@pytest.mark.parametrize("name", sorted(OPEN - BEFORE_SIGN_IN))
def test_pages_of_an_account_ask_for_sign_in(client, name: str) -> None:
    response = client.get(address(name))
    assert response.status_code == 302
    assert response.url.startswith((LOGIN, "/"))
    assert "Traceback" not in response.content.decode()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/inactive/", "/accounts/3rdparty/login/cancelled/"])
def test_pages_before_sign_in_have_the_frame(client, path: str, language: str) -> None:
    page = read(client.get(path, headers={"Accept-Language": language}))
    assert not [found for found in page.inline if found != "<script>"]  # JSON for allauth's script is no script
    assert ("登录" in page.text) is (language == "zh-hans")
    assert "Menu:" not in page.text


PAGES = [
    "password/change/", "2fa/", "2fa/recovery-codes/", "2fa/totp/deactivate/", "2fa/webauthn/", "2fa/webauthn/add/",
    "sessions/", "logout/", "3rdparty/", "2fa/reauthenticate/", "reauthenticate/", "2fa/recovery-codes/generate/",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_pages_of_an_account_speak_chinese_too(client, alice: User, path: str) -> None:
    with_totp(client)
    response = client.get(f"/accounts/{path}", headers={"Accept-Language": "zh-hans"})
    page = read(response)
    assert response.status_code == 200
    latin = [word for word in page.text.split() if word.isascii() and word.isalpha() and len(word) > 3]
    assert set(latin) <= {"Sluice", "English", "alice", "Master", "JavaScript"}, latin
    assert not [found for found in page.inline if found != "<script>"]


def test_a_second_factor_is_asked_for_and_the_password_alone_signs_nobody_in(client, alice: User) -> None:
    secret = with_totp(client)
    client.post("/accounts/logout/")
    assert sign_in(client).url == CODE
    assert not is_in(client)
    assert client.get("/operations/").status_code == 302
    client.post(CODE, {"code": code_of(secret, 1000)})
    assert not is_in(client)
    client.post(CODE, {"code": code_of(secret)})
    assert is_in(client)


def test_a_code_opens_once(client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = with_totp(client)
    now = time.time()
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.time.time", lambda: now)  # both tries in one half minute
    for opens in (True, False):
        client.post("/accounts/logout/")
        sign_in(client)
        client.post(CODE, {"code": code_of(secret)})
        assert is_in(client) is opens


def test_a_recovery_code_opens_once(client, alice: User) -> None:
    with_totp(client)
    code = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]
    client.post("/accounts/logout/")
    for opens in (True, False):
        sign_in(client)
        client.post(CODE, {"code": code})
        assert is_in(client) is opens
        client.post("/accounts/logout/")


def test_second_factors_lie_encrypted_in_the_database(client, alice: User) -> None:
    secret = with_totp(client)
    stored = str(list(Authenticator.objects.values()))
    assert secret not in stored
    assert "gAAAA" in stored
    assert secret not in str([session.get_decoded() for session in Session.objects.all()])


def test_what_happens_to_an_account_is_in_the_audit_log(client, alice: User) -> None:
    secret = with_totp(client)
    client.post("/accounts/2fa/recovery-codes/generate/")
    client.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": "new-password-77", "password2": "new-password-77"},
    )
    client.post("/accounts/2fa/totp/deactivate/")
    told = [(entry.action, entry.text) for entry in Entry.objects.order_by("sequence")]
    assert told == [
        ("session.sign-in", "method password, factor none"),
        ("second-factor.add", "totp of alice"),
        ("second-factor.add", "recovery_codes of alice"),
        ("second-factor.remove", "recovery_codes of alice"),
        ("second-factor.add", "recovery_codes of alice"),
        ("account.password", ""),
        ("second-factor.remove", "totp of alice"),
        ("second-factor.remove", "recovery_codes of alice"),
    ]
    everything = str(list(Entry.objects.values()))
    assert not [canary for canary in (secret, PASSWORD, "new-password-77") if canary in everything]


def test_wrong_codes_lock_the_person(client, alice: User) -> None:
    secret = with_totp(client)
    client.post("/accounts/logout/")
    cache.clear()
    sign_in(client)
    for _ in range(6):
        client.post(CODE, {"code": "000000"})
    page = client.post(CODE, {"code": code_of(secret)})
    assert not is_in(client)
    assert "Too many" in page.content.decode()
    assert (
        Entry.objects.filter(outcome="refused", actor="alice", text="method second-factor: second factor").count() >= 5
    )


def test_wrong_passwords_lock_the_address_for_every_name(client) -> None:
    User.objects.create_user("carol", password=PASSWORD)
    for number in range(20):
        sign_in(client, "wrong", f"name-{number}", REMOTE_ADDR="192.0.2.7")
    sign_in(client, PASSWORD, "carol", REMOTE_ADDR="192.0.2.7")
    assert not is_in(client)
    sign_in(client, PASSWORD, "carol", REMOTE_ADDR="192.0.2.8")
    assert is_in(client)


def test_a_forged_forwarding_header_gives_no_further_tries(client) -> None:
    User.objects.create_user("carol", password=PASSWORD)
    for number in range(20):
        sign_in(client, "wrong", f"name-{number}", REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
    sign_in(client, PASSWORD, "carol", REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR="198.51.100.99")
    assert not is_in(client)
    assert set(Entry.objects.values_list("ip", flat=True)) == {"192.0.2.7"}


def test_a_locked_name_is_told_and_stays_locked_over_a_restart_of_redis(client, alice: User, settings) -> None:
    with running() as server:
        settings.CACHES = {
            "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": server.url}
        }
        for _ in range(5):
            sign_in(client, "wrong")
        restart(server)
        page = sign_in(client)
        assert "Too many failed" in page.content.decode()
        assert not is_in(client)
        refused = Entry.objects.filter(outcome="refused", actor="alice")
        assert refused.filter(text="method password: too many attempts").count() == 1


def restart(server: RedisServer) -> None:
    server.kill()
    server.start()
    # Connections of before are dead: the first question on each fails.
    eventually(lambda: cache.get("nothing", "answers") == "answers")


class CountingHasher(MD5PasswordHasher):
    """Counts the hashing work of a sign-in."""

    algorithm = "counting"
    work = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).work += 1
        return super().encode(password, salt)


@pytest.mark.parametrize("case", ["wrong password", "unknown name", "inactive", "no password"])
def test_every_failed_sign_in_takes_the_same_hashing_work(client, settings, case: str) -> None:
    settings.PASSWORD_HASHERS = ["tests.access.test_accounts.CountingHasher"]
    User.objects.create_user("alice", password=PASSWORD, is_active=case != "inactive")
    User.objects.create_user("sso-only", password=None)
    name = {"unknown name": "mallory", "no password": "sso-only"}.get(case, "alice")
    CountingHasher.work = 0
    page = sign_in(client, "wrong-password", name).content.decode()
    assert CountingHasher.work == 1
    assert "are not correct" in page


def elsewhere(name: str = "alice") -> Client:
    """The same person in another browser."""
    other = Client()
    sign_in(other, name=name)
    assert other.get("/operations/").status_code == 200
    return other


def test_a_password_change_ends_the_other_sessions_and_not_this_one(client, alice: User) -> None:
    sign_in(client)
    other = elsewhere()
    key = other.session.session_key
    client.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": "new-password-77", "password2": "new-password-77"},
    )
    assert signed_in_user(key) is None
    assert other.get("/operations/").status_code == 302
    assert client.get("/operations/").status_code == 200


def test_other_sessions_can_be_seen_and_ended(client, alice: User) -> None:
    sign_in(client)
    other = elsewhere()
    key = other.session.session_key
    User.objects.create_user("bob", password=PASSWORD)
    stranger = elsewhere("bob")
    assert "127.0.0.1" in client.get("/accounts/sessions/").content.decode()
    client.post("/accounts/sessions/")
    assert signed_in_user(key) is None
    assert other.get("/operations/").status_code == 302
    assert (client.get("/operations/").status_code, stranger.get("/operations/").status_code) == (200, 200)
    assert Entry.objects.filter(action="session.revoke", actor="alice", text="sessions: 1").count() == 1


def test_a_deactivated_persons_sessions_stay_ended_when_the_account_comes_back(client, alice: User) -> None:
    other = elsewhere()
    for is_active in (False, True):
        alice.is_active = is_active
        alice.save()
        assert other.get("/operations/").status_code == 302


def test_an_open_page_that_asks_by_itself_keeps_no_session_alive(client, alice: User, settings) -> None:
    sign_in(client)
    client.get("/operations/")
    by_itself = {"HX-Request": "true"}
    for path, asks in (
        ("/operations/", by_itself),
        ("/approvals/waiting/", by_itself),
        ("/operations/", {"Accept": "text/event-stream"}),
        ("/operations/", {}),
    ):
        session = client.session
        session["sluice_seen"] = before = int(time.time()) - 3000
        session.save()
        assert client.get(path, headers=asks).status_code == 200
        assert (client.session["sluice_seen"] == before) is bool(asks)


def test_a_sign_in_says_its_method_and_factor_and_a_refused_one_its_method(client, alice: User) -> None:
    secret = with_totp(client)
    code = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]
    for typed in (code_of(secret), code):
        client.post("/accounts/logout/")
        cache.clear()
        sign_in(client)
        client.post(CODE, {"code": typed})
    client.post("/accounts/logout/")
    told = Entry.objects.filter(action__startswith="session.sign-", outcome="succeeded").order_by("sequence")
    assert [one.text for one in told if one.action == "session.sign-in"] == [
        "method password, factor none",
        "method password, factor totp",
        "method password, factor recovery-codes",
    ]
    assert told.last().text == "method password, factor recovery-codes"
    client.post("/accounts/login/", {"login": "alice", "password": "wrong"})
    assert Entry.objects.first().text == "method password"
