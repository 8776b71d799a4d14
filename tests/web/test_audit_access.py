"""The access review: everybody by person and by place, as files, within what the reader audits; and recording it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.urls import reverse
from django.utils import timezone

from console.access.models import ApiToken, Membership, Team, User
from console.audit.models import Entry
from console.sealing import seal
from tests.web.pages import read

DIGEST = "d" * 64


@pytest.fixture
def staff(mirror, people) -> dict[str, User]:
    """The people of every test, some of them with second factors, tokens, an identity provider's account, an end."""
    deployer = people["deployer"]
    Authenticator.objects.create(user=deployer, type="totp", data={"secret": seal("x").decode()})
    SocialAccount.objects.create(user=people["viewer"], provider="https://id.example.com", uid="1")
    ApiToken.objects.create(
        user=deployer, name="ci", prefix="sluice_abcde", digest=DIGEST, permissions=["view"], cluster="box",
        namespace="other", expires_at=timezone.now() + timedelta(days=5), last_used_at=timezone.now(),
    )  # fmt: skip
    ends = timezone.now() + timedelta(days=1)
    Membership.objects.filter(user=people["operator"]).update(expires_at=ends, is_owner=True)
    User.objects.filter(username="owner").update(is_active=False)
    return people


def exported(client, user: User, view: str = "people", **asked: str) -> dict:
    client.force_login(user)
    query = {"view": view, **asked}
    return json.loads(client.post(reverse("audit-access-export", kwargs={"form": "json"}, query=query)).content)


def by_name(found: dict) -> dict[str, dict]:
    return {row["person"]: row for row in found["rows"]}


def test_everybody_is_there_with_how_they_sign_in_and_what_they_may_do(client, staff) -> None:
    found = by_name(exported(client, staff["administrator"]))
    assert found.keys() == set(User.objects.values_list("username", flat=True))
    deployer, operator = found["deployer"], found["operator"]
    assert (deployer["second_factor"], deployer["grants"]) == (["totp"], ["deployer on box/default (deployers)"])
    assert deployer["tokens"][0].startswith("ci (sluice_abcde…): view on box/other, until ")
    assert deployer["robot"] is True
    assert operator["teams"][0].startswith("operators (owner, until ")
    assert (found["viewer"]["source"], found["viewer"]["second_factor"]) == (
        "identity-provider",
        ["at-the-identity-provider"],
    )
    assert (found["owner"]["state"], found["owner"]["grants"]) == ("deactivated", [])
    assert found["administrator"]["grants"] == ["administrator on */*"]


def test_no_secret_is_on_the_page_or_in_the_files(client, staff) -> None:
    told = json.dumps(exported(client, staff["administrator"]))
    page = client.get(reverse("audit-access")).content.decode()
    assert "sluice_abcde" in page
    for text in (told, page):
        assert DIGEST not in text
        assert "secret" not in text.replace("shared-secret", "")


def test_who_can_change_a_service_and_by_which_grant(client, staff) -> None:
    place = {"cluster": "box", "namespace": "default", "service": "shop", "permission": "change"}
    found = exported(client, staff["administrator"], "places", **place)["rows"]
    assert [(one["person"], one["role"], one["team"]) for one in found] == [
        ("administrator", "administrator", ""),
        ("deployer", "deployer", "deployers"),
        ("operator", "operator", "operators"),
        ("releaser", "releaser", "releasers"),
    ]
    assert "stranger" not in str(found)
    page = read(client.get(reverse("audit-access", query={"view": "places", **place})))
    assert "Role deployer via team deployers namespace default in box" in page.text


def test_an_auditor_of_one_namespace_sees_who_concerns_it_and_no_more(client, staff) -> None:
    found = by_name(exported(client, staff["auditor"]))
    assert "stranger" not in found  # has rights in other only
    assert "nobody" not in found
    assert found["deployer"]["tokens"] == []  # of another namespace
    assert exported(client, staff["auditor"], "places", namespace="other")["rows"] == []
    assert exported(client, staff["auditor"], namespace="other")["rows"] == []
    assert "stranger" not in read(client.get(reverse("audit-access"))).text


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"state": "deactivated"}, ["owner"]),
        ({"state": "robot"}, ["deployer"]),
        ({"state": "no-rights"}, ["nobody", "owner"]),
        ({"source": "identity-provider"}, ["viewer"]),
        ({"team": "operators"}, ["operator"]),
        ({"q": "DEPL"}, ["deployer"]),
        ({"person": "viewer"}, ["viewer"]),
        ({"namespace": "other"}, ["administrator", "stranger"]),
    ],
)
def test_filters_narrow_the_list(client, staff, asked: dict[str, str], names: list[str]) -> None:
    assert list(by_name(exported(client, staff["administrator"], **asked))) == names


def review(client, decision: str = "kept", note: str = "", sha256: str = "", **query: str):
    found = json.loads(client.post(reverse("audit-access-export", kwargs={"form": "json"}, query=query)).content)
    data = {"decision": decision, "note": note, "sha256": sha256 or found["sha256"]}
    return client.post(reverse("audit-access-review", query=query), data)


def test_a_review_is_an_entry_and_the_page_says_whether_it_still_holds(client, staff) -> None:
    client.force_login(staff["administrator"])
    query = {"view": "people", "team": "deployers"}
    assert review(client, "to-be-removed", "deployer leaves", **query).status_code == 302
    entry = Entry.objects.get(action="rights.review")
    facts = {row["field"]: row["after"] for row in entry.changes}
    digest = exported(client, staff["administrator"], **query)["sha256"]
    assert (entry.text, facts) == (
        "deployer leaves",
        {
            "review.view": "people",
            "review.filter": "team=deployers",
            "review.rows": "1",
            "review.sha256": digest,
            "review.decision": "to-be-removed",
        },
    )
    text = read(client.get(reverse("audit-access", query=query))).text
    assert "Reviewed by administrator on" in text
    assert "unchanged since" in text
    User.objects.filter(username="deployer").update(last_login=timezone.now())
    assert "unchanged since" in read(client.get(reverse("audit-access", query=query))).text
    Membership.objects.create(user=staff["nobody"], team=Team.objects.get(name="deployers"))
    assert "unchanged since" not in read(client.get(reverse("audit-access", query=query))).text
    assert "Reviewed by" not in read(client.get(reverse("audit-access"))).text


def test_what_was_not_looked_at_cannot_be_reviewed(client, staff) -> None:
    client.force_login(staff["administrator"])
    refused = [
        review(client, sha256="0" * 64),
        review(client, "maybe"),
        review(client, "note"),
        review(client, "note", "x" * 501),
    ]
    assert [one.status_code for one in refused] == [422] * 4
    assert not Entry.objects.filter(action="rights.review").exists()
    assert "The list has changed since you opened it." in read(refused[0]).text


def test_a_review_of_a_namespace_is_read_by_its_auditors_alone(client, staff) -> None:
    client.force_login(staff["auditor"])
    place = {"view": "places", "cluster": "box", "namespace": "default"}
    assert review(client).status_code == 422
    assert review(client, **place).status_code == 302
    assert "Reviewed by auditor" in read(client.get(reverse("audit-access", query=place))).text
    assert "Reviewed access" not in read(client.get(reverse("audit-access"))).text
    client.force_login(staff["stranger"])
    assert "Reviewed by auditor" not in read(client.get(reverse("audit-access", query=place))).text
