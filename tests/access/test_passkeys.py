"""A sign-in by passkey and by a security key as the second factor: entries of the log say which it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.core.cache import cache
from django.test import Client

from console.access.models import User
from console.audit.models import Entry
from tests.access.security_key import HOST, SecurityKey

pytestmark = pytest.mark.django_db
PASSWORD, WITH_KEY, CODE = "right-password-1", "/accounts/2fa/webauthn/login/", "/accounts/2fa/authenticate/"
REFUSED = ("session.sign-in", "", "refused", "method passkey")
AS_SCRIPT = {"X-Requested-With": "XMLHttpRequest"}


@pytest.fixture(autouse=True)
def fresh_limits() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def client() -> Client:
    return Client(SERVER_NAME=HOST)


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", password=PASSWORD)


@pytest.fixture
def key(alice: User) -> SecurityKey:
    key = SecurityKey(alice)
    WebAuthn.add(alice, "Laptop", key.registered())
    return key


def challenge_of(options: dict) -> str:
    return str(options["publicKey"]["challenge"])


def with_passkey(client: Client, key: SecurityKey):
    options = client.get(WITH_KEY, headers=AS_SCRIPT).json()["request_options"]
    return client.post(WITH_KEY, {"credential": key.signed(challenge_of(options))})


def entries() -> list[tuple[str, str, str, str]]:
    found = Entry.objects.filter(action__startswith="session.").order_by("sequence")
    return [(one.action, one.actor, one.outcome, one.text) for one in found]


def test_a_sign_in_by_passkey_is_an_entry_with_its_method(client: Client, alice: User, key: SecurityKey) -> None:
    assert with_passkey(client, key).status_code == 302
    assert client.session["_auth_user_id"] == str(alice.pk)
    assert entries() == [("session.sign-in", "alice", "succeeded", "method passkey, factor none")]
    client.post("/accounts/logout/")
    assert entries()[1:] == [("session.sign-out", "alice", "succeeded", "method passkey, factor none")]


def test_a_security_key_after_the_password_is_the_entrys_factor(client: Client, alice: User, key: SecurityKey) -> None:
    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    options = client.get(CODE).context["js_data"]["request_options"]
    assert client.post(CODE, {"credential": key.signed(challenge_of(options))}).status_code == 302
    assert entries() == [("session.sign-in", "alice", "succeeded", "method password, factor webauthn")]


def test_a_key_that_was_removed_signs_nobody_in_and_the_log_tells_of_the_attempt(
    client: Client, alice: User, key: SecurityKey
) -> None:
    Authenticator.objects.all().delete()
    with_passkey(client, key)
    assert "_auth_user_id" not in client.session
    assert entries() == [REFUSED]


def test_the_key_of_another_person_signs_nobody_in(client: Client, alice: User, key: SecurityKey) -> None:
    """Mallory's key says that it is alice's."""
    mallory = User.objects.create_user("mallory", password=PASSWORD)
    forged = SecurityKey(alice)
    WebAuthn.add(mallory, "Mine", forged.registered())
    with_passkey(client, forged)
    assert "_auth_user_id" not in client.session
    assert entries() == [REFUSED]


@pytest.mark.parametrize(
    "sent", ["", "{}", "no JSON", "[1]", '{"id": 1}', '{"response": 1, "id": "AA", "rawId": "AA"}']
)
def test_what_is_no_answer_of_a_key_signs_nobody_in(client: Client, alice: User, sent: str) -> None:
    client.get(WITH_KEY, headers=AS_SCRIPT)
    assert client.post(WITH_KEY, {"credential": sent}).status_code == 302
    assert "_auth_user_id" not in client.session
