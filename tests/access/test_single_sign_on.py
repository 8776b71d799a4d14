"""OpenID Connect with a real provider: the whole flow, groups, names that collide, and lies that must be refused."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from datetime import timedelta
from html import unescape
from importlib import import_module
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils import timezone

from console.access.authorization import rights_of
from console.access.models import Membership, Team, User
from console.audit.models import Entry
from console.operations.gateways import identity_of
from console.start_checks import refuse_plain_issuer, refuse_unfit_prefixes
from tests.access.identity_provider import CLIENT, SECRET, Provider, other_key, own_key, signed

pytestmark = pytest.mark.django_db
LOGIN, CALLBACK = "/accounts/oidc/login/", "/accounts/oidc/login/callback/"


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
    """The name of the person who is signed in, or nothing."""
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).username if key else ""


def test_the_whole_flow_signs_in_a_person_without_rights(client, provider: Provider) -> None:
    response = sign_in(client, provider)
    assert (response.status_code, response.url) == (302, "/")
    user = User.objects.get()
    assert (who(client), user.is_superuser, user.is_staff, user.has_usable_password()) == ("alice", False, False, False)
    assert rights_of(user).rights == ()
    assert [(e.action, e.outcome, e.actor) for e in Entry.objects.all()] == [
        ("session.sign-in", "succeeded", "alice"),
        ("manage.CreatePerson", "succeeded", "sluice"),
    ]
    assert Entry.objects.first().text.startswith("method oidc:")


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


def test_a_name_that_a_local_account_has_does_not_open_it(client, provider: Provider, settings) -> None:
    settings.CONTACT = "the platform team"
    local = User.objects.create_superuser("Alice", email="alice@example.com", password="right-password-1")
    response = sign_in(client, provider)
    assert response.status_code == 403
    assert who(client) == ""
    assert User.objects.get() == local
    assert local.check_password("right-password-1")
    assert not local.socialaccount_set.exists()
    page = response.content.decode()
    assert "“alice” belongs to another account" in page
    assert "Ask the platform team." in page
    entry = Entry.objects.get()
    assert (entry.action, entry.outcome, entry.actor) == ("session.sign-in", "refused", "alice")
    assert "taken" in entry.text


UNFIT = ["system:masters", "<script>alert(1)</script>", "a\r\nX-Evil: 1", "x" * 400, "", None, ["alice"], " alice"]


@pytest.mark.parametrize("name", UNFIT)
def test_a_name_that_no_account_may_have_makes_no_account(client, provider: Provider, name) -> None:
    """Neither the first name nor the mail address takes its place."""
    provider.knows(
        "7", preferred_username=name, given_name="Lo", name="Lo Cal", email="lo@example.com", groups="no-list"
    )
    response = sign_in(client, provider, "7")
    assert response.status_code == 403
    assert "no account was created" in response.content.decode()
    assert who(client) == ""
    assert not User.objects.exists()
    assert Entry.objects.get().outcome == "refused"


def test_the_claim_that_the_operator_named_gives_the_name(client, provider: Provider, settings) -> None:
    settings.OIDC_USERNAME_CLAIM = "upn"
    provider.knows("7", preferred_username="lo", upn="localadmin@corp", given_name="Lo")
    sign_in(client, provider, "7")
    assert who(client) == "localadmin@corp"
    assert User.objects.values_list("first_name", "last_name", "email").get() == ("", "", "")


def test_a_mail_address_that_nobody_verified_names_nobody(client, provider: Provider, settings) -> None:
    settings.OIDC_USERNAME_CLAIM = "email"
    provider.userinfo = lambda claims: {**claims, "email": "boss@example.com", "email_verified": False}
    response = sign_in(client, provider)
    assert response.status_code == 403
    assert "has not verified your email address" in response.content.decode()
    assert not User.objects.exists()


def test_without_a_claim_the_name_comes_from_issuer_and_subject(client, provider: Provider, settings) -> None:
    settings.OIDC_USERNAME_CLAIM = ""
    sign_in(client, provider)
    name = who(client)
    assert re.fullmatch(r"oidc-[0-9a-f]{20}", name)
    client.post("/accounts/logout/")
    provider.knows("2", preferred_username="alice")
    sign_in(client, provider, "2")
    assert who(client) not in ("", name)


def test_a_new_name_at_the_provider_changes_no_name_here(client, provider: Provider) -> None:
    sign_in(client, provider)
    client.post("/accounts/logout/")
    provider.knows("1", preferred_username="root", given_name="Root")
    sign_in(client, provider)
    assert who(client) == "alice"


def test_the_same_subject_at_another_issuer_is_another_person(client, provider: Provider, settings) -> None:
    """The provider is replaced: its subject 1 must not come into the account of the former one's."""
    sign_in(client, provider)
    client.post("/accounts/logout/")
    other = provider.url.replace("localhost", "127.0.0.1")
    settings.SOCIALACCOUNT_PROVIDERS["oidc"]["APPS"][0]["settings"]["server_url"] = other
    assert sign_in(client, provider).status_code == 403
    assert who(client) == ""
    provider.knows("1", preferred_username="mallory")
    sign_in(client, provider)
    assert who(client) == "mallory"
    assert client.get("/accounts/3rdparty/").status_code == 200


def test_accounts_of_before_keep_their_people_and_names(client, provider: Provider) -> None:
    user = User.objects.create_user("al1")
    claims = {"userinfo": {"sub": "1"}, "id_token": {"iss": f"{provider.url}/", "sub": "1"}}
    account = SocialAccount.objects.create(user=user, provider="oidc", uid="1", extra_data=claims)
    migration = import_module("console.access.migrations.0005_accounts_by_issuer")
    migration.by_issuer(apps, connection.schema_editor())
    sign_in(client, provider)
    assert who(client) == "al1"
    account.refresh_from_db()
    migration.by_name(apps, connection.schema_editor())
    account.refresh_from_db()
    assert account.provider == "oidc"


def test_the_provider_cannot_name_somebody_as_a_user_of_the_cluster(client, provider: Provider, settings) -> None:
    """RBAC of the cluster may bind its own user alice; the provider's alice is somebody else there."""
    settings.IMPERSONATE_USER_PREFIX = ""
    sign_in(client, provider)
    assert identity_of(User.objects.get()).user == "sluice:alice"
    local = User.objects.create_user("bob", password="right-password-1")
    assert identity_of(local).user == "bob"


@pytest.mark.parametrize("prefix", ["", "system:"])
def test_a_prefix_that_keeps_nobody_apart_is_refused_at_start(prefix: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="PREFIX"):
        refuse_unfit_prefixes("", "sluice:", prefix)


def test_a_membership_that_has_ended_is_renewed_by_the_group(client, provider: Provider) -> None:
    shop = Team.objects.create(name="Shop", oidc_group="shop")
    sign_in(client, provider)
    ended = timezone.now() - timedelta(days=1)
    Membership.objects.update(from_oidc=False, is_owner=True, expires_at=ended)
    client.post("/accounts/logout/")
    sign_in(client, provider)
    membership = Membership.objects.get(team=shop)
    assert (membership.from_oidc, membership.is_owner, membership.expires_at) == (True, False, None)
    added = Entry.objects.filter(action="manage.AddMember").values_list("text", flat=True)
    assert [text.partition(",")[0] for text in added] == ["alice: Shop", "alice: Shop"]


def test_a_membership_for_a_time_stays_as_the_owner_gave_it_until_it_ends(client, provider: Provider) -> None:
    Team.objects.create(name="Shop", oidc_group="shop")
    sign_in(client, provider)
    soon = timezone.now() + timedelta(days=1)
    Membership.objects.update(from_oidc=False, is_owner=True, expires_at=soon)
    client.post("/accounts/logout/")
    sign_in(client, provider)
    membership = Membership.objects.get()
    assert (membership.is_owner, membership.expires_at) == (True, soon)


def test_a_person_without_rights_sees_whom_to_ask(client, provider: Provider, settings, mirror) -> None:
    settings.CLUSTERS = json.dumps([{"name": "box", "url": "http://127.0.0.1:9"}])
    sign_in(client, provider)
    assert "Ask an administrator of this console" in client.get("/").content.decode()
    settings.CONTACT = "#platform in the chat"
    assert "Ask #platform in the chat to add you to a team." in client.get("/").content.decode()


def test_a_signed_in_person_connects_the_account_and_signs_in_with_either(client, provider: Provider) -> None:
    local = User.objects.create_user("bob", password="right-password-1")
    client.force_login(local)
    back = provider.sign_in(begin(client, "?process=connect"), "1")
    asked = client.get(back.removeprefix("http://testserver"))
    assert (asked.status_code, asked.url) == (302, "/accounts/reauthenticate/")
    assert not local.socialaccount_set.exists()  # a stolen session connects nothing
    client.post(asked.url, {"password": "right-password-1"})
    assert local.socialaccount_set.count() == 1
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
    pem = own_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    head, body, _ = jwt.encode(claims, SECRET, algorithm="HS256", headers={"kid": "front"}).split(".")
    proof = algorithm.sign(f"{head}.{body}".encode(), pem)
    return f"{head}.{body}.{base64.urlsafe_b64encode(proof).rstrip(b'=').decode()}"


def signed_by_another(claims) -> str:
    return jwt.encode(claims, other_key(), algorithm="RS256", headers={"kid": "front"})


def of_an_unknown_key(claims) -> str:
    return jwt.encode(claims, own_key(), algorithm="RS256", headers={"kid": "elsewhere"})


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

    answer = requests.post(begin(client), data={"action": "deny"}, allow_redirects=False, timeout=60)
    back = urlsplit(answer.headers["Location"])
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    response = client.get(f"{back.path}?error=access_denied&state={state}", follow=True)
    assert "You cancelled" in response.content.decode()


def test_a_provider_that_is_away_is_told_plainly(client, provider: Provider, settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS["oidc"]["APPS"][0]["settings"]["server_url"] = "http://localhost:9"
    response = client.post(LOGIN)
    assert response.status_code == 401
    assert "is not responding" in response.content.decode()


def test_a_deactivated_person_does_not_come_in_through_the_provider(client, provider: Provider) -> None:
    sign_in(client, provider)
    user = User.objects.get()
    user.is_active = False
    user.save()
    client.post("/accounts/logout/")
    assert sign_in(client, provider).url == "/accounts/inactive/"
    assert who(client) == ""
    entry = Entry.objects.order_by("sequence").last()
    assert (entry.action, entry.outcome, entry.actor) == ("session.sign-in", "refused", "alice")
    assert entry.text.endswith(": the account is deactivated")


def refused_as(client, provider: Provider, caplog, words: str) -> dict[str, str]:
    """Sign in; the page has the words, sends people to the operator, and the log line that is returned says more."""
    response = sign_in(client, provider)
    page = response.content.decode()
    assert response.status_code == 401
    assert words in page
    assert "Retrying will not help" in page
    events = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return next(event for event in events if event["event"] == "single_sign_on_failed")


def test_a_wrong_client_secret_is_for_the_operator(client, provider: Provider, settings, caplog) -> None:
    provider.token_refusal = (401, {"error": "invalid_client", "error_description": f"not {SECRET}"})
    told = refused_as(client, provider, caplog, "its client ID or secret is wrong")
    assert (told["level"], told["cause"]) == ("error", "client-refused")
    assert "CONSOLE_OIDC_CLIENT_SECRET" in told["advice"]
    assert SECRET not in str(told) + str(list(Entry.objects.values()))


@pytest.mark.parametrize(
    "change", [{"exp": -3600}, {"nbf": 3600}, {"iat": 3600}], ids=lambda change: next(iter(change))
)
def test_clocks_that_differ_are_for_the_operator(client, provider: Provider, caplog, change) -> None:
    provider.id_token = resigned(**{name: int(time.time()) + seconds for name, seconds in change.items()})
    told = refused_as(client, provider, caplog, "The clocks of this console and of the identity provider differ")
    assert (told["level"], told["cause"]) == ("error", "clocks-differ")


def test_an_error_that_the_provider_sends_back_is_for_the_operator(client, provider: Provider) -> None:
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    page = client.get(f"{CALLBACK}?error=invalid_scope&state={state}").content.decode()
    assert "not set up correctly" in page
    assert "Retrying will not help" in page


def test_a_sign_in_begun_elsewhere_is_begun_again(client, provider: Provider) -> None:
    """An error that a link brings along says nothing about this console."""
    page = client.get(f"{CALLBACK}?error=invalid_scope&state=forged").content.decode()
    assert "Start again" in page
    assert "Retrying will not help" not in page


def test_a_claim_that_no_database_keeps_is_refused_quietly(client, provider: Provider) -> None:
    provider.userinfo = lambda claims: {**claims, "nickname": "a\0b"}
    assert sign_in(client, provider).status_code == 401
    assert not User.objects.exists()


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
