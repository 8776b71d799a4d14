"""OpenID Connect with a real provider: the whole flow, groups, names that collide, and lies that must be refused."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.exceptions import ImproperlyConfigured

from console.access.authorization import rights_of
from console.access.models import Membership, Team, User
from console.audit.models import Entry
from console.start_checks import refuse_plain_issuer
from tests.access import identity_provider
from tests.access.identity_provider import KEY, OTHER_KEY, Provider, signed

pytestmark = pytest.mark.django_db
LOGIN, CALLBACK = "/accounts/oidc/login/", "/accounts/oidc/login/callback/"
CLIENT, SECRET = "sluice", "client-secret-of-at-least-32-bytes"


@pytest.fixture(scope="module")
def process() -> Iterator[Provider]:
    with identity_provider.running() as provider:
        yield provider


@pytest.fixture
def provider(process: Provider, settings) -> Provider:
    process.honest()
    app = {"provider_id": "oidc", "name": "Company", "client_id": CLIENT, "secret": SECRET}
    settings.SOCIALACCOUNT_PROVIDERS = {"oidc": {"APPS": [{**app, "settings": {"server_url": process.url}}]}}
    process.knows("1", preferred_username="alice", email="alice@example.com", groups=["shop", "unknown"])
    return process


def begin(client, query: str = "") -> str:
    """Press the button; returns the address at the provider."""
    response = client.post(LOGIN + query)
    assert response.status_code == 200, response
    return unescape(re.search(r'id="leave" href="([^"]+)"', response.content.decode())[1])


def sign_in(client, provider: Provider, subject: str = "1"):
    back = provider.sign_in(begin(client), subject)
    assert back.startswith(f"http://testserver{CALLBACK}")
    return client.get(back.removeprefix("http://testserver"))


def who(client) -> str:
    """The name of whoever is signed in, or nothing."""
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).username if key else ""


def test_the_whole_flow_signs_in_a_person_without_rights(client, provider: Provider) -> None:
    response = sign_in(client, provider)
    assert (response.status_code, response.url) == (302, "/")
    user = User.objects.get()
    assert (who(client), user.is_superuser, user.is_staff, user.has_usable_password()) == ("alice", False, False, False)
    assert rights_of(user).rights == ()
    assert [(e.action, e.outcome, e.actor) for e in Entry.objects.all()] == [("session.sign-in", "succeeded", "alice")]


def test_the_code_is_bound_to_this_browser_by_pkce_state_and_nonce(client, provider: Provider) -> None:
    sign_in(client, provider)
    asked = dict(provider.asked)
    authorize, token = asked["/oauth2/authorize"], asked["/oauth2/token"]
    digest = hashlib.sha256(token["code_verifier"].encode()).digest()
    assert authorize["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert authorize["code_challenge_method"] == "S256"
    assert len(authorize["nonce"]) == 64
    assert len(authorize["state"]) >= 16
    assert authorize["response_type"] == "code"


def test_the_second_sign_in_is_the_same_person(client, provider: Provider) -> None:
    sign_in(client, provider)
    client.post("/accounts/logout/")
    sign_in(client, provider)
    assert User.objects.count() == 1
    assert who(client) == "alice"


def test_groups_become_memberships_and_leave_at_the_next_sign_in(client, provider: Provider) -> None:
    shop, sales = (
        Team.objects.create(name="Shop", oidc_group="shop"),
        Team.objects.create(name="Sales", oidc_group="sales"),
    )
    by_hand = Team.objects.create(name="By hand")
    sign_in(client, provider)
    user = User.objects.get()
    assert set(user.teams.all()) == {shop}
    Membership.objects.create(user=user, team=by_hand)
    client.post("/accounts/logout/")
    provider.knows("1", preferred_username="alice", groups=["sales"])
    sign_in(client, provider)
    assert set(user.teams.all()) == {sales, by_hand}
    entries = Entry.objects.filter(action__contains="Member").order_by("sequence")
    assert [(entry.action, entry.actor, entry.text.partition(", by the group")[0]) for entry in entries] == [
        ("manage.AddMember", "sluice", "alice: Shop"),
        ("manage.RemoveMember", "sluice", "alice: Shop"),
        ("manage.AddMember", "sluice", "alice: Sales"),
    ]


def test_a_name_that_a_local_account_has_does_not_open_it(client, provider: Provider) -> None:
    local = User.objects.create_superuser("Alice", email="alice@example.com", password="right-password-1")
    sign_in(client, provider)
    other = User.objects.exclude(pk=local.pk).get()
    assert who(client) == other.username
    assert other.username.lower() != "alice"
    assert not other.is_superuser
    local.refresh_from_db()
    assert local.check_password("right-password-1")
    assert not local.socialaccount_set.exists()


@pytest.mark.parametrize("name", ["system:masters", "<script>alert(1)</script>", "a\r\nX-Evil: 1", "x" * 400, "", None])
def test_names_that_no_account_may_have_are_replaced(client, provider: Provider, name) -> None:
    provider.knows("7", preferred_username=name, groups="not-a-list")
    sign_in(client, provider, "7")
    assert re.fullmatch(r"[\w.@+-]{1,150}", who(client))


def test_a_signed_in_person_connects_the_account_and_signs_in_with_either(client, provider: Provider) -> None:
    local = User.objects.create_user("bob", password="right-password-1")
    client.force_login(local)
    back = provider.sign_in(begin(client, "?process=connect"), "1")
    assert client.get(back.removeprefix("http://testserver")).status_code == 302
    client.post("/accounts/logout/")
    sign_in(client, provider)
    assert who(client) == "bob"
    assert User.objects.count() == 1


def resigned(**changes):
    return lambda claims: signed({**claims, **changes})


def without(*names: str):
    return lambda claims: signed({name: value for name, value in claims.items() if name not in names})


def unsigned(claims) -> str:
    return jwt.encode(claims, None, algorithm="none")


def signed_with_the_secret(claims) -> str:
    return jwt.encode(claims, SECRET, algorithm="HS256", headers={"kid": "front"})


def signed_with_the_public_key(claims) -> str:
    """The classic confusion of algorithms; by hand, since no library makes such a token any more."""
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    head, body, _ = jwt.encode(claims, SECRET, algorithm="HS256", headers={"kid": "front"}).split(".")
    proof = algorithm.sign(f"{head}.{body}".encode(), pem)
    return f"{head}.{body}.{base64.urlsafe_b64encode(proof).rstrip(b'=').decode()}"


def signed_by_another(claims) -> str:
    return jwt.encode(claims, OTHER_KEY, algorithm="RS256", headers={"kid": "front"})


def of_an_unknown_key(claims) -> str:
    return jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "elsewhere"})


LIES = {
    "for another client": resigned(aud="somebody-else"),
    "for several clients without azp": resigned(aud=[CLIENT, "somebody-else"]),
    "by another issuer": resigned(iss="https://evil.example"),
    "expired": resigned(exp=int(time.time()) - 3600),
    "not valid yet": resigned(nbf=int(time.time()) + 3600),
    "of another sign-in": resigned(nonce="0" * 64),
    "without a nonce": without("nonce"),
    "without an end": without("exp"),
    "without a subject": without("sub"),
    "unsigned": unsigned,
    "signed with the client's secret": signed_with_the_secret,
    "signed with the public key": signed_with_the_public_key,
    "signed by another": signed_by_another,
    "of an unknown key": of_an_unknown_key,
    "no token": lambda claims: "",
    "not a token": lambda claims: "a.b.c",
}


def test_a_resigned_token_that_tells_the_truth_is_taken(client, provider: Provider) -> None:
    """Otherwise the lies below could be refused for the wrong reason."""
    provider.id_token = signed
    sign_in(client, provider)
    assert who(client) == "alice"


@pytest.mark.parametrize("lie", LIES)
def test_an_id_token_that_proves_nothing_signs_nobody_in(client, provider: Provider, lie: str) -> None:
    provider.id_token = LIES[lie]
    response = sign_in(client, provider)
    assert response.status_code == 401
    assert "could not be trusted" in response.content.decode()
    assert who(client) == ""
    assert not User.objects.exists()
    entry = Entry.objects.get()
    assert (entry.action, entry.outcome) == ("session.sign-in", "refused")
    assert "eyJ" not in entry.text


def test_userinfo_of_another_subject_signs_nobody_in(client, provider: Provider) -> None:
    provider.userinfo = lambda claims: {**claims, "sub": "2", "preferred_username": "root"}
    assert sign_in(client, provider).status_code == 401
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "ftp://localhost/"},
        {"jwks_uri": ""},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_configuration_that_points_elsewhere_is_refused(client, provider: Provider, change) -> None:
    provider.configuration = lambda told: {**told, **change}
    response = client.post(LOGIN)
    assert response.status_code == 401
    assert "could not be trusted" in response.content.decode()


@pytest.mark.parametrize("change", ["state=forged", "state=", "code=forged"])
def test_a_forged_way_back_signs_nobody_in(client, provider: Provider, change: str) -> None:
    back = urlsplit(provider.sign_in(begin(client), "1"))
    name = change.partition("=")[0]
    query = re.sub(rf"\b{name}=[^&]*", change, back.query)
    assert client.get(f"{back.path}?{query}").status_code == 401
    assert who(client) == ""


def test_a_way_back_works_in_no_other_browser_and_not_twice(client, provider: Provider) -> None:
    from django.test import Client

    back = provider.sign_in(begin(client), "1").removeprefix("http://testserver")
    other = Client()
    assert other.get(back).status_code == 401
    assert "_auth_user_id" not in other.session
    assert client.get(back).status_code == 302
    client.post("/accounts/logout/")
    assert client.get(back).status_code == 401
    assert who(client) == ""


def test_a_link_cannot_change_what_is_asked_of_the_provider(client, provider: Provider) -> None:
    planted = "auth_params=redirect_uri%3Dhttps%3A%2F%2Fevil.example%26nonce%3D1%26response_type%3Dtoken&scope=admin"
    asked = parse_qs(urlsplit(begin(client, f"?{planted}")).query)
    assert asked["redirect_uri"] == [f"http://testserver{CALLBACK}"]
    assert asked["response_type"] == ["code"]
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}
    assert len(asked["nonce"][0]) == 64


def test_nobody_is_sent_to_another_site_after_single_sign_on(client, provider: Provider) -> None:
    back = provider.sign_in(begin(client, "?next=https://evil.example/"), "1")
    assert client.get(back.removeprefix("http://testserver")).url == "/"


def test_a_get_alone_begins_nothing(client, provider: Provider) -> None:
    response = client.get(LOGIN)
    assert response.status_code == 200
    assert provider.url not in response.content.decode()
    assert provider.asked == []


def test_a_no_at_the_provider_is_told(client, provider: Provider) -> None:
    import requests

    answer = requests.post(begin(client), data={"action": "deny"}, allow_redirects=False, timeout=10)
    back = urlsplit(answer.headers["Location"])
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    response = client.get(f"{back.path}?error=access_denied&state={state}", follow=True)
    assert "You cancelled" in response.content.decode()


def test_a_provider_that_is_away_is_told_plainly(client, provider: Provider, settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS["oidc"]["APPS"][0]["settings"]["server_url"] = "http://localhost:9"
    response = client.post(LOGIN)
    assert response.status_code == 401
    assert "does not answer" in response.content.decode()


def test_a_deactivated_person_does_not_come_in_through_the_provider(client, provider: Provider) -> None:
    sign_in(client, provider)
    user = User.objects.get()
    user.is_active = False
    user.save()
    assert sign_in(client, provider).url == "/accounts/inactive/"
    assert who(client) == ""


def test_without_a_provider_there_is_no_such_page(client, settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {}
    assert client.post(LOGIN).status_code == 404
    assert client.get(CALLBACK).status_code == 404


@pytest.mark.parametrize(
    "issuer", ["http://id.example.com", "http://localhost.evil.example", "ftp://localhost", "id.example.com"]
)
def test_a_provider_without_tls_is_refused_at_start(issuer: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="https"):
        refuse_plain_issuer(issuer)


@pytest.mark.parametrize(
    "issuer", ["https://id.example.com/realms/x", "http://localhost:8080", "http://127.0.0.1:8080"]
)
def test_a_provider_with_tls_or_on_loopback_is_taken(issuer: str) -> None:
    refuse_plain_issuer(issuer)
