"""Common attacks, tried at every address. docs/security.md lists them with the tests."""

from __future__ import annotations

import gzip
import io
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from console.access.models import User
from console.operations.models import Operation, Preview
from console.request_tests.models import AccessTest
from tests.access.test_accounts import ARGUMENTS, OPEN
from tests.sweeps import sample, sweep
from tests.web.test_access import HERE, TABLE, THING, things
from tests.web.test_changes import Shown, shown

__all__ = ["shown", "things"]  # fixtures
TOKEN = "a" * 32
PASSWORD = "right-password-1"
EVERY_ADDRESS = {name: arguments for name, (_, arguments, _) in TABLE.items()} | {
    name: ARGUMENTS.get(name, {}) for name in OPEN
}


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def strict(things) -> Client:
    """An administrator's browser whose tokens are checked, and that has one."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(things["administrator"])
    client.cookies[settings.CSRF_COOKIE_NAME] = TOKEN
    return client


# --- cross-site request forgery ---


FORGED = {
    "no token": {},
    "htmx without token": {"HX-Request": "true"},
    "a wrong token": {"X-CSRFToken": "b" * 32, "HX-Request": "true"},
    "another site": {"X-CSRFToken": TOKEN, "Origin": "https://evil.example"},
    "a frame without origin": {"X-CSRFToken": TOKEN, "Origin": "null"},
    "a similar name": {"X-CSRFToken": TOKEN, "Origin": "http://testserver.evil.example", "HX-Request": "true"},
}
FORGERIES = [
    pytest.param(method, sent, id=f"{method}-{name}")
    for name, sent in FORGED.items()
    for method in ("post", "put", "patch", "delete")
]


@sweep
@pytest.mark.parametrize(("method", "sent"), sample(FORGERIES, one_in=7))
def test_no_address_takes_a_request_of_another_site(strict: Client, method: str, sent: dict[str, str]) -> None:
    taken = []
    for name, arguments in EVERY_ADDRESS.items():
        if name == "oidc_back_channel_logout":
            continue  # takes no cookie: the provider's signature says who asks (tests/access/test_oidc_sessions.py)
        answer = getattr(strict, method)(reverse(name, kwargs=arguments), headers=sent)
        refused = 405 if name.startswith("api-") else 403  # the API takes no cookie, and only reads
        if name == "openapi" and "HX-Request" in sent:
            refused = 401  # it takes no cookie either, so that nobody is signed in there
        if answer.status_code != refused:
            taken.append(f"{name}: {answer.status_code}")
    assert taken == []
    assert len(EVERY_ADDRESS) > 50


def test_a_request_of_this_site_is_taken(strict: Client) -> None:
    """Otherwise the test above could pass because nothing works."""
    own = {"X-CSRFToken": TOKEN, "Origin": "http://testserver"}
    assert strict.post(reverse("preferences"), {"theme": "dark"}, headers=own).status_code == 302
    assert strict.post(reverse("cancel", kwargs={"id": THING}), headers=own).status_code in (200, 302, 409)


def test_reading_changes_nothing(client, things) -> None:
    client.force_login(things["administrator"])
    counted = (Operation, Preview, AccessTest, User)
    before = [model.objects.count() for model in counted]
    for name, arguments in EVERY_ADDRESS.items():
        client.get(reverse(name, kwargs=arguments))
    assert [model.objects.count() for model in counted] == before
    assert client.get("/operations/").status_code == 200  # and nobody is signed out by a picture's address


# --- open redirect ---

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "https:evil.example",
    "https:///evil.example",
    "http://testserver.evil.example/",
    "http://testserver@evil.example/",
    "http://localhost:9/",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "\thttps://evil.example/",
    "/\t/evil.example/",
    "https://evil.example\\@testserver/",
    "%2F%2Fevil.example/",
    "/%0d%0aLocation:https://evil.example/",
]


def leads_to(response) -> str:
    """The host that the answer sends a browser to, as a browser reads the address."""
    address = response.headers["Location"].replace("\\", "/").replace("\t", "")
    found = urlsplit(urljoin("http://testserver/accounts/login/", address))
    assert found.scheme == "http", address
    return found.netloc


@pytest.mark.parametrize("address", ELSEWHERE)
def test_nobody_is_sent_to_another_site(client, db, address: str) -> None:
    User.objects.create_user("alice", password=PASSWORD)
    signed_in = client.post("/accounts/login/", {"login": "alice", "password": PASSWORD, "next": address})
    again = client.get("/accounts/login/", {"next": address})
    confirmed = client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": address})
    chosen = client.post("/preferences/", {"theme": "dark", "next": address})
    signed_out = client.post("/accounts/logout/", {"next": address})
    answers = [signed_in, again, confirmed, chosen, signed_out]
    assert [answer.status_code for answer in answers] == [302] * 5
    assert [leads_to(answer) for answer in answers] == ["testserver"] * 5


# --- headers ---


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver\r\nX-Evil: 1", "a" * 300, "[::", "testserver:port"]
)
def test_an_unknown_host_name_is_refused(client, db, host: str) -> None:
    response = client.get("/accounts/login/", headers={"Host": host})
    assert response.status_code == 400
    assert "evil" not in response.content.decode()


def test_a_forwarded_host_name_is_not_believed(client, db) -> None:
    page = client.get(
        "/accounts/login/", headers={"X-Forwarded-Host": "evil.example", "X-Original-Host": "evil.example"}
    )
    assert page.status_code == 200
    assert "evil.example" not in page.content.decode()


@pytest.mark.parametrize(
    "planted", ["\r\nX-Planted: 1", "\nX-Planted: 1", "\rX-Planted: 1", '"; filename="evil.html', "\x85X-Planted: 1"]
)
def test_no_text_becomes_a_header(client, things, planted: str) -> None:
    client.force_login(things["administrator"])
    answers = [
        client.get("/", headers={"X-Request-ID": f"abcdefgh{planted}"}),
        client.get(reverse("audit-export", kwargs={"form": f"csv{planted}"})),
        client.post("/preferences/", {"theme": f"dark{planted}", "language": f"en{planted}", "next": f"/{planted}"}),
        client.get("/audit/export.csv", {"q": planted}),
        client.get("/accounts/2fa/recovery-codes/download/", {"next": planted}),
        client.post("/accounts/logout/", {"next": f"/{planted}"}),
    ]
    for answer in answers:
        assert answer.status_code < 500, answer
        assert "X-Planted" not in answer.headers
        assert not [value for value in answer.headers.values() if "\r" in value or "\n" in value]
        assert "evil" not in answer.headers.get("Content-Disposition", "")
        assert "X-Planted" not in str(answer.cookies)


def test_a_client_does_not_choose_the_request_id(client, db) -> None:
    assert client.get("/healthz/live", headers={"X-Request-ID": "abcdefgh-1"})["X-Request-ID"] != "abcdefgh-1"


def test_a_request_id_of_the_proxy_is_kept_and_another_is_not(client, db, settings) -> None:
    settings.PROXY_REQUEST_ID = True
    for sent, kept in (("abcdefgh-1", True), ("abcdefgh\n", False), ("short", False), ("x" * 65, False)):
        assert (client.get("/healthz/live", headers={"X-Request-ID": sent})["X-Request-ID"] == sent) is kept


# --- bodies ---

DEEP = "[" * 200_000


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/accounts/2fa/webauthn/login/", {"credential": DEEP}),
        ("/accounts/2fa/webauthn/login/", {"credential": '{"a":' * 100_000}),
        ("/services/box/default/shop/yaml/", {"manifest": DEEP}),
        ("/services/box/default/shop/yaml/", {"manifest": "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]"}),
        ("/services/box/default/shop/env/", {"rows": "9" * 5000, "paste": DEEP}),
        ("/services/box/default/shop/traffic/", {"rows": "²"}),
    ],
    ids=["deep list", "deep object", "deep YAML", "YAML bomb", "endless rows", "rows that are no number"],
)
def test_a_body_that_unfolds_is_refused_quietly(client, things, path: str, data: dict[str, str]) -> None:
    if "services" in path:
        client.force_login(things["administrator"])
    assert client.post(path, data).status_code in (200, 400, 422)
    assert not Preview.objects.exists()


def test_a_huge_body_and_many_fields_are_refused(client, things) -> None:
    client.force_login(things["administrator"])
    path = reverse("env", kwargs=HERE)
    assert client.post(path, {"paste": "x" * (3 * 1024 * 1024 + 1)}).status_code == 413
    assert client.post(path, {f"name-{number}": "" for number in range(5001)}).status_code == 413


def test_a_zipped_body_is_not_unfolded(client, things) -> None:
    """10 MiB of zeros in 10 KiB: read as the bytes that they are, which are no fields."""
    client.force_login(things["administrator"])
    packed = gzip.compress(b"theme=dark&language=" + b"0" * 10_000_000)
    for content_type in ("application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x"):
        answer = client.generic("POST", "/preferences/", packed, content_type, headers={"Content-Encoding": "gzip"})
        assert answer.status_code in (302, 400)
        assert "sluice_theme" not in answer.cookies


def test_an_upload_is_not_kept(client, things) -> None:
    client.force_login(things["administrator"])
    file = io.BytesIO(b"NAME=value")
    file.name = "../../etc/passwd"
    assert client.post(reverse("env", kwargs=HERE), {"paste": file}).status_code < 500
    assert not Preview.objects.exists()


# --- fields that no form has ---

PLANTED = {
    "cluster": "elsewhere",
    "namespace": "kube-system",
    "name": "other",
    "metadata.namespace": "kube-system",
    "metadata.annotations": '{"a": "b"}',
    "annotations": '{"serving.knative.dev/creator": "root"}',
    "serviceAccountName": "admin",
    "service_account": "admin",
    "spec.template.spec.serviceAccountName": "admin",
    "user": "1",
    "actor": "root",
    "is_superuser": "on",
    "sealed_change": "x",
    "status": "succeeded",
}


def test_further_fields_reach_nothing(shown: Shown) -> None:
    shown.set_target("Second", **PLANTED)
    preview = Preview.objects.get()
    assert (preview.cluster, preview.namespace, preview.name) == ("box", "default", shown.name)
    assert [".".join(row["path"]) for row in preview.changes] == ["spec.template.spec.containers.app.env.TARGET.value"]
    response = shown.client.post(f"/previews/{preview.id}/submit/", PLANTED)
    assert response.status_code == 302
    operation = Operation.objects.get()
    assert (operation.cluster, operation.namespace, operation.name) == ("box", "default", shown.name)
    assert (operation.actor, operation.status, operation.user.username) == ("administrator", "queued", "administrator")


def test_an_account_form_takes_no_further_fields(client, db) -> None:
    User.objects.create_user("alice", password=PASSWORD)
    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD, "is_superuser": "on", "remember": "on"})
    passwords = {"oldpassword": PASSWORD, "password1": "new-password-77", "password2": "new-password-77"}
    client.post(
        "/accounts/password/change/", passwords | {"is_superuser": "on", "username": "root", "user": "2", "id": "2"}
    )
    user = User.objects.get()
    assert (user.username, user.is_superuser, user.is_staff) == ("alice", False, False)
    assert user.check_password("new-password-77")
    assert client.session.get_expire_at_browser_close()


def test_another_persons_security_key_answers_as_one_that_does_not_exist(client, db) -> None:
    from allauth.mfa.models import Authenticator

    other = User.objects.create_user("bob")
    key = Authenticator.objects.create(user=other, type="webauthn", data={"name": "Bob's", "credential": {}})
    User.objects.create_user("alice", password=PASSWORD)
    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    for page in ("edit", "remove"):
        for method in (client.get, client.post):
            real, missing = (
                method(f"/accounts/2fa/webauthn/keys/{number}/{page}/", {"name": "x"}) for number in (key.pk, 999)
            )
            assert (real.status_code, missing.status_code) == (404, 404)
    key.refresh_from_db()
    assert key.data["name"] == "Bob's"
