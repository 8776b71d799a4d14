"""Rules, freezes, people, grants and roles: what the token and its person may read, and no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console import audit
from console.access import reviewing
from console.access.actors import CONSOLE
from console.access.authorization import rights_of
from console.access.models import Grant, Membership, Role, Team
from console.access.rights_history.holders import Asked
from console.audit import Outcome
from console.knative.references import ServiceRef
from console.operations.models import FreezeWindow, ProtectionRule
from tests.web.api.conftest import ROOT

LISTS = ("protection/rules", "protection/freezes", "people", "grants")


def places(client, path: str) -> list[str]:
    return sorted(one["namespace"] for one in client.get(f"{ROOT}/{path}").json()["items"])


def test_a_rule_tells_its_scope_and_what_it_does(caller, protected) -> None:
    rows = caller().get(f"{ROOT}/protection/rules?q=app%3Dshop").json()["items"]
    assert [{**one, "id": 0} for one in rows] == [
        {
            "id": 0, "cluster": "box", "namespace": "default", "service": None, "selector": {"app": "shop"},
            "permissions": ["deploy", "traffic"], "effect": "approval", "requires_reason": True, "valid_hours": 24,
            "note": "",
        }
    ]  # fmt: skip
    effects = {one["effect"] for one in caller().get(f"{ROOT}/protection/rules").json()["items"]}
    assert effects == {"approval", "lock"}


def test_a_freeze_tells_its_clock_and_whether_it_is_active(caller, protected) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    FreezeWindow.objects.create(
        cluster="box", namespace="default", permissions=["deploy"], begins=f"{tomorrow:%Y-%m-%dT%H:%M}",
        ends="2999-01-01T00:00", zone="UTC", note="tomorrow",
    )  # fmt: skip
    rows = {one["note"]: one for one in caller().get(f"{ROOT}/protection/freezes").json()["items"]}
    active, coming = rows["all of it"], rows["tomorrow"]
    assert (active["frozen_until"], active["next_begins_at"], active["zone"]) == ("2999-01-01T00:00:00Z", None, "UTC")
    assert (coming["frozen_until"], coming["next_begins_at"][:16]) == (None, f"{tomorrow:%Y-%m-%dT%H:%M}")


@pytest.mark.parametrize("path", ["protection/rules", "protection/freezes"])
def test_an_auditor_of_one_namespace_reads_what_protects_it(caller, protected, path: str) -> None:
    every = sorted({*places(caller("administrator"), path)})
    assert every == ["*", "default", "other"]
    assert set(places(caller("auditor"), path)) == {"*", "default"}
    assert set(places(caller("stranger"), path)) == {"*", "other"}
    assert set(places(caller("administrator", namespace="other"), path)) == {"*", "other"}
    assert places(caller("administrator", cluster="elsewhere"), path) == []


def test_an_auditor_of_one_namespace_reads_who_has_rights_in_it(caller) -> None:
    grants = caller("auditor").get(f"{ROOT}/grants").json()
    assert {one["namespace"] for one in grants["items"]} == {"default"}
    assert grants["total"] == len(grants["items"]) == 6
    people = {one["user"]: one for one in caller("auditor").get(f"{ROOT}/people").json()["items"]}
    assert set(people) == {"viewer", "deployer", "releaser", "operator", "owner", "auditor", "administrator"}


def test_a_persons_teams_elsewhere_are_not_told_to_an_auditor_of_one_namespace(caller, people) -> None:
    Membership.objects.create(user=people["owner"], team=Team.objects.get(name="strangers"), is_owner=True)
    [told] = caller("auditor").get(f"{ROOT}/people?q=owner").json()["items"]
    assert [one["team"] for one in told["teams"]] == ["owners"]
    [all_of_it] = caller("administrator").get(f"{ROOT}/people?q=owner").json()["items"]
    assert [(one["team"], one["is_owner"]) for one in all_of_it["teams"]] == [("owners", False), ("strangers", True)]


def test_who_reads_the_whole_log_reads_everybody(caller, people) -> None:
    people["viewer"].last_login = datetime(2026, 11, 24, 10, tzinfo=UTC)
    people["viewer"].save()
    people["nobody"].is_active = False
    people["nobody"].save()
    client = caller("administrator")
    rows = {one["user"]: one for one in client.get(f"{ROOT}/people").json()["items"]}
    assert set(rows) == set(people)
    assert rows["viewer"]["last_sign_in_at"] == "2026-11-24T10:00:00Z"
    states = {state: client.get(f"{ROOT}/people?state={state}").json() for state in ("inactive", "administrators")}
    assert {state: [one["user"] for one in found["items"]] for state, found in states.items()} == {
        "inactive": ["nobody"],
        "administrators": ["administrator"],
    }
    narrow = caller("administrator", namespace="other").get(f"{ROOT}/people").json()["items"]
    assert [one["user"] for one in narrow] == ["administrator", "stranger"]


def test_grants_are_found_by_team_role_and_permission(caller) -> None:
    client = caller("administrator")

    def teams(query: str) -> list[str]:
        return [one["team"] for one in client.get(f"{ROOT}/grants?{query}").json()["items"]]

    assert teams("q=DEPLOY") == teams("role=deployer") == ["deployers"]
    assert teams("permission=approve") == ["owners", "releasers", "strangers"]


def test_roles_are_those_of_the_page(caller) -> None:
    Role.objects.create(name="pager", permissions=["operate", "view", "of-another-version"])
    found = {one["name"]: one for one in caller("viewer").get(f"{ROOT}/roles").json()["items"]}
    assert set(found) == set(Role.objects.values_list("name", flat=True))
    assert found["pager"] == {"name": "pager", "permissions": ["view", "operate"], "is_built_in": False}


@pytest.mark.parametrize("path", LISTS)
def test_who_may_not_read_the_log_reads_none_of_it(caller, protected, path: str) -> None:
    assert caller("viewer").get(f"{ROOT}/{path}").status_code == 403
    assert caller("administrator", permissions=["view"]).get(f"{ROOT}/{path}").status_code == 403


@pytest.mark.parametrize("path", LISTS)
def test_pages_show_each_once(caller, protected, path: str) -> None:
    client = caller("administrator")
    whole, found, cursor = client.get(f"{ROOT}/{path}").json()["items"], [], ""
    while cursor is not None:
        page = client.get(f"{ROOT}/{path}?limit=2&cursor={cursor}").json()
        found, cursor = found + page["items"], page["next"]
    assert found == whole
    assert len(found) > 2


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_queries_however_long_it_is(caller, protected, path: str) -> None:
    client, asked = caller("auditor"), []
    for _ in range(3):  # the first notes the use of the token
        with CaptureQueriesContext(connection) as found:
            client.get(f"{ROOT}/{path}")
        asked.append(len(found))
        place = {"cluster": "box", "namespace": "default"}
        Grant.objects.create(team=Team.objects.first(), role=Role.objects.first(), **place)
        ProtectionRule.objects.create(permissions=["deploy"], **place)
    assert asked[1] == asked[2]


@pytest.mark.parametrize("who", ["administrator", "auditor", "stranger"])
@pytest.mark.parametrize("namespace", ["*", "other", "def*"])
def test_people_are_those_of_the_access_review(caller, people, who: str, namespace: str) -> None:
    Membership.objects.create(
        user=people["nobody"], team=Team.objects.get(name="owners"), expires_at="2020-01-01T00:00Z"
    )
    people["deployer"].is_active = False
    people["deployer"].save()
    told = caller(who, namespace=namespace).get(f"{ROOT}/people").json()["items"]
    asked = Asked(namespace="" if namespace == "*" else namespace)
    assert [one["user"] for one in told] == [
        one.user.get_username() for one in reviewing.by_person(rights_of(people[who]), asked)
    ]


def test_no_pattern_of_a_token_is_an_expression_that_the_database_tries_in_vain(caller) -> None:
    """As a regular expression eight stars take a second on this name, each two more sixteen times as long."""
    for namespace in ("a" * 40, "a" * 39 + "c"):
        audit.record("test", actor=CONSOLE, outcome=Outcome.SUCCEEDED, ref=ServiceRef("box", namespace, "shop"))
    with CaptureQueriesContext(connection) as queries:
        found = caller("administrator", namespace="*a" * 6 + "*c").get(f"{ROOT}/audit").json()
    assert [one["namespace"] for one in found["items"]] == ["a" * 39 + "c"]
    assert not [one["sql"] for one in queries if "REGEXP" in one["sql"] or " ~ " in one["sql"]]
