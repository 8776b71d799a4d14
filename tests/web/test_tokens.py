"""The pages of API tokens: made with care, shown once, ended by their person or an administrator."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.test import Client

from console.access import tokens as access_tokens
from console.access.models import ApiToken, User
from console.audit.models import Entry
from tests.web.pages import read

FIELDS = {"name": "hall display", "permissions": ["view"], "cluster": "*", "namespace": "*", "days": "30"}


@pytest.fixture(autouse=True)
def no_wrong_tokens_yet() -> None:
    cache.clear()


@pytest.fixture
def auditor(client, mirror, people):
    client.force_login(people["auditor"])
    return client


def make(client, **changes) -> tuple[ApiToken, str]:
    """Make a token in the page; returns it and the text that the page shows."""
    page = client.post("/tokens/new/", {**FIELDS, **changes}).content.decode()
    [text] = set(re.findall(r"sluice_[0-9A-Za-z]{46}", page))
    return ApiToken.objects.get(digest=access_tokens.digest(text)), text


def test_the_token_that_the_page_shows_opens_the_api(auditor) -> None:
    token, text = make(auditor, namespace="def*", permissions=["view", "audit"])
    assert (token.permissions, token.namespace, token.user.username) == (["audit", "view"], "def*", "auditor")
    answer = Client(headers={"Authorization": f"Bearer {text}"}).get("/api/v1/services")
    assert [one["name"] for one in answer.json()["items"]] == ["shop"]


def test_the_text_is_shown_once_and_kept_neither_by_us_nor_by_the_browser(auditor) -> None:
    _token, text = make(auditor)
    page = auditor.get("/tokens/")
    assert text not in page.content.decode()
    assert text[:12] in page.content.decode()
    assert text not in str(dict(auditor.session.items()))
    assert text not in str(list(Entry.objects.values()))
    assert "no-store" in auditor.post("/tokens/new/", FIELDS)["Cache-Control"]


def test_a_cluster_may_be_called_as_contexts_of_a_kubeconfig_are(auditor) -> None:
    token, _text = make(auditor, cluster="arn:aws:eks:eu-west-1:1234:cluster/Prod_*")
    assert token.cluster.endswith("Prod_*")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"days": "366"}, "365"),
        ({"days": "0"}, "1"),
        ({"days": ""}, "required"),
        ({"name": ""}, "required"),
        ({"permissions": []}, "Choose at least one permission."),
        ({"permissions": ["deploy"]}, "deploy"),
        ({"namespace": "Team (x)"}, "a pattern such as team-*"),
        ({"cluster": "[ab]"}, "a pattern such as prod-*"),
    ],
)
def test_what_is_wrong_is_told_beside_the_field_and_nothing_typed_is_lost(auditor, changes, told: str) -> None:
    response = auditor.post("/tokens/new/", {**FIELDS, "name": "my board", **changes})
    assert response.status_code == 422
    page = response.content.decode()
    assert told in page
    assert 'role="alert"' in page
    assert ("my board" in page) is ("name" not in changes)
    assert not ApiToken.objects.exists()


def test_a_shorter_setting_counts(auditor, settings) -> None:
    settings.TOKEN_MAX_DAYS = 7
    assert 'max="7"' in auditor.get("/tokens/new/").content.decode()
    assert auditor.post("/tokens/new/", {**FIELDS, "days": "8"}).status_code == 422


def test_only_permissions_that_the_person_has_are_offered(client, mirror, people) -> None:
    client.force_login(people["viewer"])
    assert 'value="audit"' not in client.get("/tokens/new/").content.decode()
    assert client.post("/tokens/new/", {**FIELDS, "permissions": ["audit"]}).status_code == 422
    client.force_login(people["nobody"])
    assert "Ask for one of the roles" in read(client.get("/tokens/new/")).text


def test_a_person_sees_and_ends_their_own_tokens(auditor, people) -> None:
    token, text = make(auditor)
    assert "hall display" in read(auditor.get("/tokens/")).text
    auditor.post(f"/tokens/{token.id}/revoke/")
    assert Client(headers={"Authorization": f"Bearer {text}"}).get("/api/v1/whoami").status_code == 401
    token.refresh_from_db()
    assert (token.state, token.revoked_by) == ("revoked", "auditor")
    assert "revoked" in read(auditor.get("/tokens/")).text


def test_another_persons_token_is_neither_seen_nor_ended(auditor, client, people) -> None:
    token, _text = make(auditor)
    client.force_login(people["owner"])
    assert "hall display" not in read(client.get("/tokens/?whose=all")).text
    assert client.post(f"/tokens/{token.id}/revoke/").status_code == 404
    token.refresh_from_db()
    assert token.state == "active"


def test_an_administrator_sees_and_ends_everybodys(auditor, client, people) -> None:
    token, _text = make(auditor)
    client.force_login(people["administrator"])
    assert "hall display" not in read(client.get("/tokens/")).text
    page = read(client.get("/tokens/?whose=all&q=audit")).text
    assert "hall display auditor" in page
    assert "hall display" not in read(client.get("/tokens/?whose=all&q=nobody")).text
    assert client.post(f"/tokens/{token.id}/revoke/").url == "/tokens/?whose=all"
    token.refresh_from_db()
    assert token.revoked_by == "administrator"
    assert Entry.objects.first().actor == "administrator"


def test_a_token_is_made_only_by_who_has_just_given_the_password(client, mirror, people) -> None:
    User.objects.filter(username="auditor").update(password="")
    user = User.objects.get(username="auditor")
    user.set_password("right-password-1")
    user.save()
    client.post("/accounts/login/", {"login": "auditor", "password": "right-password-1"})
    assert client.get("/tokens/new/").status_code == 200
    asked = client.post("/tokens/new/", FIELDS)
    assert (asked.status_code, asked.url.partition("?")[0]) == (302, "/accounts/reauthenticate/")
    assert not ApiToken.objects.exists()
    made = client.post(asked.url, {"password": "right-password-1", "next": "/tokens/new/"})
    assert "sluice_" in made.content.decode()
    assert ApiToken.objects.get().name == "hall display"


def test_a_form_that_is_shown_again_after_the_password_goes_where_it_came_from(auditor) -> None:
    """allauth answers a suspended form at its own address."""
    assert 'action="/tokens/new/"' in auditor.get("/tokens/new/").content.decode()


def test_the_page_about_the_api_names_every_address_and_refusal(auditor) -> None:
    from console.web.api.endpoints import ENDPOINTS
    from console.web.api.problems import CODES

    answer = auditor.get("/api/")
    page, text = answer.content.decode(), read(answer).text
    for one in ENDPOINTS:
        assert f"/api/v1{one.template}" in text
        for name, values in one.choices.items():
            assert f"{one.template} {name} {', '.join(values)}" in text
    for code in CODES:
        assert f'id="{code}"' in page
    assert 'curl -H "Authorization: Bearer $SLUICE_TOKEN" http://testserver/api/v1/whoami' in page.replace(
        "&quot;", '"'
    )
