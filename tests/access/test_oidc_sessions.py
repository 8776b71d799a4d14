"""Sessions of the identity provider's people: proved once more before what matters, ended at both sides."""

from __future__ import annotations

import re
import time
from html import unescape
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from console.access.models import ApiToken, Grant, Membership, Role, Team, User
from console.access.oidc.tokens import LOGOUT_EVENT
from console.access.sessions import signed_in_user
from console.audit.models import Entry
from tests.access.identity_provider import CLIENT, Provider, other_key, signed
from tests.access.test_single_sign_on import begin, sign_in, who

pytestmark = pytest.mark.django_db
CONFIRM, BACK_CHANNEL = "/accounts/oidc/confirm/", "/accounts/oidc/back-channel-logout/"
TOKEN = {"name": "mine", "permissions": ["view"], "cluster": "*", "namespace": "*", "days": "7"}


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def alice(client, provider: Provider) -> User:
    """Somebody of the provider with the right to view, signed in."""
    provider.id_token = lambda claims: signed({**claims, "sid": "session-1"})
    sign_in(client, provider)
    user = User.objects.get(username="alice")
    team = Team.objects.create(name="Viewers")
    Grant.objects.create(team=team, role=Role.objects.get(name="viewer"))
    Membership.objects.create(user=user, team=team)
    return user


def confirm(client, provider: Provider, subject: str = "1", **claims):
    """Sign in once more at the provider, which adds these claims; returns the answer after the way back."""
    provider.id_token = lambda told: signed({**told, **claims})
    page = client.post(f"{CONFIRM}?next=/tokens/new/")
    address = unescape(re.search(r'id="leave" href="([^"]+)"', page.content.decode())[1])
    return client.get(provider.sign_in(address, subject).removeprefix("http://testserver"))


def now() -> int:
    return int(time.time())


def test_a_stolen_session_of_single_sign_on_makes_no_key(client, provider: Provider, alice: User) -> None:
    asked = client.post("/tokens/new/", TOKEN)
    assert (asked.status_code, urlsplit(asked.url).path) == (302, CONFIRM)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("path", ["2fa/totp/activate/", "2fa/webauthn/add/", "3rdparty/"])
def test_a_stolen_session_of_single_sign_on_adds_no_factor_and_no_account(
    client, provider: Provider, alice: User, path: str
) -> None:
    if path == "3rdparty/":  # the thief connects an own account of the provider
        provider.knows("9", preferred_username="thief")
        back = provider.sign_in(begin(client, "?process=connect"), "9").removeprefix("http://testserver")
        asked = client.get(back)
    else:
        asked = client.get(f"/accounts/{path}")
    assert asked.status_code == 302
    assert urlsplit(asked.url).path in (CONFIRM, "/accounts/reauthenticate/")
    assert client.get("/accounts/reauthenticate/").url.startswith(CONFIRM)
    assert not Authenticator.objects.exists()
    assert alice.socialaccount_set.count() == 1


def test_after_a_new_sign_in_at_the_provider_the_token_is_made_as_it_was_asked_for(
    client, provider: Provider, alice: User
) -> None:
    client.post("/tokens/new/", TOKEN)
    provider.asked.clear()
    answer = confirm(client, provider, auth_time=now())
    asked = dict(provider.asked)["/oauth2/authorize"]
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    assert answer.status_code == 200
    assert ApiToken.objects.get().name == "mine"
    assert who(client) == "alice"


@pytest.mark.parametrize("auth_time", [None, "now", 0, True, "an hour ago"])
def test_an_answer_without_a_new_sign_in_confirms_nothing(client, provider: Provider, alice: User, auth_time) -> None:
    """A provider that takes its old session as enough has not asked for the password."""
    auth_time = now() - 3600 if auth_time == "an hour ago" else auth_time
    client.post("/tokens/new/", TOKEN)
    answer = confirm(client, provider, auth_time=auth_time)
    assert answer.status_code == 403
    assert "did not ask you to sign in again" in answer.content.decode()
    assert not ApiToken.objects.exists()
    assert client.post("/tokens/new/", TOKEN).url.startswith(CONFIRM)
    assert Entry.objects.filter(outcome="refused", actor="alice", text__contains="not confirmed").count() == 1


def test_another_persons_sign_in_confirms_nothing(client, provider: Provider, alice: User) -> None:
    provider.knows("9", preferred_username="thief")
    client.post("/tokens/new/", TOKEN)
    answer = confirm(client, provider, "9", auth_time=now())
    assert answer.status_code == 403
    assert "as someone else" in answer.content.decode()
    assert not ApiToken.objects.exists()
    assert not User.objects.filter(username="thief").exists()
    assert who(client) == "alice"


def test_a_link_cannot_turn_a_sign_in_into_a_confirmation(client, provider: Provider, alice: User) -> None:
    """Begun at the other address, nobody was asked for the password."""
    provider.id_token = lambda told: signed({**told, "auth_time": now()})
    back = provider.sign_in(begin(client, "?process=confirm"), "1").removeprefix("http://testserver")
    client.get(back)
    assert client.post("/tokens/new/", TOKEN).url.startswith(CONFIRM)


def test_a_local_person_is_sent_to_no_provider(client, provider: Provider) -> None:
    client.force_login(User.objects.create_user("bob", password="right-password-1"))
    assert client.get(CONFIRM).status_code == 404
    assert client.get("/accounts/2fa/totp/activate/").url.startswith("/accounts/reauthenticate/")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_that_asks_for_a_new_sign_in_speaks_both_languages(
    client, provider: Provider, alice, language
) -> None:
    page = client.get(CONFIRM, headers={"Accept-Language": language}).content.decode()
    assert ("Confirm your identity" in page) is (language == "en")
    assert ("确认身份" in page) is (language == "zh-hans")


def test_people_of_single_sign_on_set_up_a_second_factor_and_are_asked_for_it(
    client, provider: Provider, alice: User
) -> None:
    """Before, they were told to verify a mail address, for which there is no page."""
    page = "/accounts/2fa/totp/activate/"
    confirm(client, provider, auth_time=now())
    assert client.get(page).status_code == 200
    secret = client.session["mfa.totp.secret"]
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    assert client.post(page, {"code": code}).status_code == 302
    client.post("/accounts/logout/")
    assert sign_in(client, provider).url == "/accounts/2fa/authenticate/"
    assert who(client) == ""
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    client.post("/accounts/2fa/authenticate/", {"code": code})
    assert who(client) == "alice"


def sign_out(client):
    """Press "Sign out" and follow; returns the page's text."""
    left = client.post("/accounts/logout/")
    return client.get(left.url).content.decode()


def test_signing_out_ends_the_session_at_the_provider_too(client, provider: Provider, alice: User) -> None:
    page = sign_out(client)
    address = urlsplit(unescape(re.search(r'id="leave" href="([^"]+)"', page)[1]))
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{provider.url}/oauth2/end_session"
    hint = jwt.decode(asked["id_token_hint"], options={"verify_signature": False})
    assert (hint["sub"], hint["sid"], asked["client_id"]) == ("1", "session-1", CLIENT)
    back = urlsplit(asked["post_logout_redirect_uri"])
    assert client.get(f"{back.path}?state={asked['state']}").url == "/accounts/login/"
    assert client.get("/accounts/oidc/leave/").url == "/accounts/login/"  # once
    assert who(client) == ""


@pytest.mark.parametrize("endpoint", [None, "", "javascript:alert(1)", "ftp://localhost/"])
def test_a_provider_that_cannot_sign_out_is_told_after_the_sign_out_here(
    client, provider: Provider, alice: User, endpoint
) -> None:
    provider.configuration = lambda told: {**told, "end_session_endpoint": endpoint}
    page = sign_out(client)
    assert "still signed in at Company" in page
    assert str(endpoint or "no address") not in page
    assert who(client) == ""


def test_a_provider_that_is_away_keeps_nobody_signed_in(client, provider: Provider, alice: User, settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS["oidc"]["APPS"][0]["settings"]["server_url"] = "http://localhost:9"
    assert "still signed in at Company" in sign_out(client)
    assert who(client) == ""


def test_the_operator_may_leave_the_providers_session_alone(client, provider: Provider, alice: User, settings) -> None:
    settings.OIDC_LOGOUT = False
    assert client.post("/accounts/logout/").url == "/"


def test_a_local_sign_out_goes_to_no_provider(client, provider: Provider) -> None:
    client.force_login(User.objects.create_user("bob", password="right-password-1"))
    assert client.post("/accounts/logout/").url == "/"


def test_no_token_of_the_provider_lies_readable_in_a_session(client, provider: Provider, alice: User) -> None:
    stored = str([session.get_decoded() for session in Session.objects.all()])
    assert not re.search(r"eyJ[\w-]+\.eyJ", stored)
    assert "gAAAA" in stored


def logout_token(provider: Provider, **changes) -> str:
    claims = {
        "iss": provider.url, "aud": CLIENT, "iat": now(), "exp": now() + 120, "jti": f"jti-{time.time_ns()}",
        "sub": "1", "sid": "session-1", "events": {LOGOUT_EVENT: {}}, **changes,
    }  # fmt: skip
    return signed({name: value for name, value in claims.items() if value is not None})


def back_channel(token: str):
    """As the provider calls: without a cookie and a CSRF token."""
    return Client(enforce_csrf_checks=True).post(BACK_CHANNEL, {"logout_token": token})


def is_signed_in(client) -> bool:
    return signed_in_user(client.session.session_key) is not None


@pytest.mark.parametrize("named", [{}, {"sub": None}, {"sid": None}], ids=["both", "by session", "by person"])
def test_the_provider_ends_sessions_here(client, provider: Provider, alice: User, named) -> None:
    answer = back_channel(logout_token(provider, **named))
    assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (200, True)
    assert not is_signed_in(client)
    entry = Entry.objects.order_by("sequence").last()
    assert (entry.action, entry.actor) == ("session.revoke", "sluice")
    assert entry.text == "a session of alice, by the identity provider"


def test_the_provider_ends_no_other_sessions(client, provider: Provider, alice: User) -> None:
    local = Client()
    local.force_login(alice)  # connected to a local way in, so to speak
    for other in ({"sub": "2"}, {"sid": "session-2"}, {"sub": "2", "sid": None}):
        assert back_channel(logout_token(provider, **other)).status_code == 200
    assert is_signed_in(client)
    back_channel(logout_token(provider))
    assert is_signed_in(local)


LIES = {
    "unsigned": lambda provider: jwt.encode({"iss": provider.url}, None, algorithm="none"),
    "signed by another": lambda provider: jwt.encode(
        jwt.decode(logout_token(provider), options={"verify_signature": False}),
        other_key(),
        algorithm="RS256",
        headers={"kid": "front"},
    ),
    "for another client": lambda provider: logout_token(provider, aud="somebody-else"),
    "by another issuer": lambda provider: logout_token(provider, iss="https://evil.example"),
    "an ID token": lambda provider: logout_token(provider, nonce="n", events=None, jti=None),
    "with a nonce": lambda provider: logout_token(provider, nonce="n"),
    "without an event": lambda provider: logout_token(provider, events=None),
    "of another event": lambda provider: logout_token(provider, events={"urn:other": {}}),
    "an event that is no object": lambda provider: logout_token(provider, events=LOGOUT_EVENT),
    "of nobody": lambda provider: logout_token(provider, sub=None, sid=None),
    "without an id": lambda provider: logout_token(provider, jti=None),
    "old": lambda provider: logout_token(provider, iat=now() - 3600, exp=None),
    "expired": lambda provider: logout_token(provider, exp=now() - 3600),
    "empty": lambda provider: "",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_logout_token_that_proves_nothing_ends_no_session(client, provider: Provider, alice: User, lie: str) -> None:
    answer = back_channel(LIES[lie](provider))
    assert answer.status_code == 400
    assert is_signed_in(client)


def test_a_logout_token_works_once(client, provider: Provider, alice: User) -> None:
    token = logout_token(provider)
    back_channel(token)
    sign_in(client, provider)
    assert back_channel(token).status_code == 400
    assert is_signed_in(client)


def test_wrong_logout_tokens_shut_out_their_address_and_right_ones_never(client, provider: Provider, alice) -> None:
    for _ in range(25):
        assert back_channel(logout_token(provider, sid="elsewhere")).status_code == 200
    for _ in range(20):
        assert back_channel("wrong").status_code == 400
    assert back_channel("wrong").status_code == 429
