"""What lists are filtered by: values that there are not are refused with those that there are."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console import audit
from console.access.actors import Actor
from console.audit import searching
from console.audit.acting_role import ActingRole
from console.knative.references import ServiceRef
from console.operations.models import Approval, Operation
from console.operations.models.statuses import Status
from console.sealing import seal
from console.web import revision_list
from console.web.api.endpoints import ENDPOINTS
from console.web.api.kinds import OperationStatus
from console.web.api.queries import Query
from console.web.parts.operations import FILTERS as OF_OPERATIONS
from console.web.service_list import FILTERS as OF_SERVICES
from tests.sweeps import sample, sweep
from tests.web.api.conftest import ROOT, address

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
CHOICES = [(endpoint, name) for endpoint in ENDPOINTS for name in endpoint.choices]
UUIDS = [("operations", "batch"), ("audit", "operation")]


@sweep
def test_a_value_that_there_is_not_is_refused_with_those_that_there_are(caller, mirror) -> None:
    client = caller("administrator")
    for endpoint, name in CHOICES:
        found = client.get(f"{address(endpoint.path)}?{name}=nonsense").json()
        allowed = list(endpoint.choices[name])
        assert (found["status"], found["parameter"], found["allowed"]) == (422, name, allowed), endpoint.name
        assert found["detail"].startswith(f"{name}: ")
        for value in sample(allowed, one_in=8):
            assert client.get(f"{address(endpoint.path)}?{name}={value}").status_code == 200, (endpoint.name, value)


def test_a_parameter_that_there_is_not_is_refused_with_those_that_there_are(caller, operation) -> None:
    client = caller("administrator")
    for endpoint in ENDPOINTS:
        found = client.get(f"{address(endpoint.path)}?limt=1").json()
        told = (found["status"], found["parameter"], found["allowed"])
        assert told == (422, "limt", list(endpoint.parameters)), endpoint.name


@pytest.mark.parametrize(("path", "name"), [*UUIDS, ("audit", "action"), ("audit", "since"), ("operations", "until")])
def test_a_filter_that_is_no_list_of_values_is_read_too(caller, mirror, path: str, name: str) -> None:
    found = caller().get(f"{ROOT}/{path}?{name}=nonsense").json()
    assert (found["status"], found["parameter"]) == (422, name)


@pytest.mark.parametrize("path", ["operations", "audit"])
def test_a_period_that_ends_before_it_begins_is_refused(caller, mirror, path: str) -> None:
    found = caller().get(f"{ROOT}/{path}?since=2026-11-24T10:00:00Z&until=2026-11-24T10:00:00Z").json()
    assert (found["status"], found["parameter"]) == (422, "until")


def test_an_action_of_another_version_filters_while_the_log_has_it(caller) -> None:
    client = caller()
    assert client.get(f"{ROOT}/audit?action=room.open").status_code == 422
    audit.record("room.open", actor=Actor(None, "t"), outcome=audit.Outcome.SUCCEEDED)
    assert client.get(f"{ROOT}/audit?action=room.open").status_code == 200
    assert "protect.override" in client.get(f"{ROOT}/audit?action=x").json()["allowed"]


def test_an_empty_filter_asks_for_nothing_as_in_a_form(caller, mirror) -> None:
    assert caller().get(f"{ROOT}/services?health=&q=&cursor=&limit=&sort=").json()["total"] == 1


def test_filters_are_named_as_those_of_the_pages() -> None:
    of = {endpoint.path: set(endpoint.parameters) for endpoint in ENDPOINTS}
    assert set(OF_SERVICES) <= of["services"]
    assert set(revision_list.FILTERS) <= of["revisions"]
    assert {*OF_OPERATIONS, "batch"} <= of["operations"]
    apart = {"since_time", "until_time", "zone"}  # the API takes whole moments
    assert set(searching.FIELDS) - apart <= of["audit"]


def test_every_status_of_an_operation_is_one_of_the_api() -> None:
    assert [one.value for one in OperationStatus] == list(Status.values)


def test_no_address_forgets_to_refuse_unknown_parameters() -> None:
    assert all(issubclass(endpoint.query, Query) for endpoint in ENDPOINTS)


@pytest.fixture
def history(people) -> dict[str, Operation]:
    """An approved, a declined, an overriding and a plain change, an hour apart."""
    made = {}
    facts = {
        "plain": {"status": "succeeded", "kind": "SetScale"},
        "approved": {"status": "succeeded", "kind": "SetImage"},
        "declined": {"status": "declined", "kind": "SetImage"},
        "override": {"status": "failed", "kind": "SetEnv", "broke_glass": True, "reason": "fire"},
    }
    for hours, (name, more) in enumerate(facts.items()):
        made[name] = Operation.objects.create(
            id=uuid.uuid4(), cluster="box", namespace="default", name="shop", actor="owner", sealed_change=seal({}),
            sealed_seen=seal({}), submitted_at=AT + timedelta(hours=hours), request_id=f"request-{name}", **more,
        )  # fmt: skip
    for name, who in (("approved", "releaser"), ("declined", "owner")):
        Approval.objects.create(
            operation=made[name], digest="x", asked_at=AT, decided_by=who, decided_at=AT, comment=f"{name}!"
        )
    return made


def ids(response) -> set[str]:
    assert response.status_code == 200
    return {one["id"] for one in response.json()["items"]}


def test_an_operation_tells_who_approved_or_declined_it_why_and_whether_it_went_round(caller, history) -> None:
    rows = {one["request_id"].partition("-")[2]: one for one in caller().get(f"{ROOT}/operations").json()["items"]}
    told = {name: (row["approvers"], row["declined_by"], row["comment"], row["override"]) for name, row in rows.items()}
    assert told == {
        "plain": ([], "", "", False),
        "approved": (["releaser"], "", "approved!", False),
        "declined": ([], "owner", "declined!", False),
        "override": ([], "", "", True),
    }
    assert rows["approved"]["decided_at"] == rows["approved"]["approval_requested_at"] == "2026-11-24T10:00:00Z"
    assert rows["plain"]["decided_at"] is None
    one = caller().get(f"{ROOT}/operations/{history['approved'].id}").json()
    assert {name: one[name] for name in rows["approved"]} == rows["approved"]


WANTED = [
    ("since=2026-11-24T11:00:00Z", {"approved", "declined", "override"}),
    ("until=2026-11-24T11:00:00Z", {"plain"}),
    ("since=2026-11-24T12:00:00%2B01:00&until=2026-11-24T13:00:00Z", {"approved", "declined"}),
    ("approver=releaser", {"approved"}),
    ("approver=owner", set()),
    ("override=true", {"override"}),
    ("override=false", {"plain", "approved", "declined"}),
    ("kind=SetImage", {"approved", "declined"}),
    ("kind=SetImage&status=succeeded", {"approved"}),
]


def test_operations_are_found_by_time_kind_approver_and_override(caller, history) -> None:
    client = caller()
    for query, wanted in WANTED:
        found = ids(client.get(f"{ROOT}/operations?{query}"))
        assert found == {str(history[name].id) for name in wanted}, query


def test_a_list_of_operations_asks_once_for_all_approvals(caller, history) -> None:
    client = caller("administrator")
    with CaptureQueriesContext(connection) as asked:
        client.get(f"{ROOT}/operations")
    assert [query["sql"].count("JOIN") for query in asked if "approval" in query["sql"]] == [1]


def test_entries_are_found_by_operation_team_kind_of_actor_and_group(caller, operation) -> None:
    ref = ServiceRef("box", "default", "shop")
    common = {"actor": Actor(None, "owner"), "ref": ref, "outcome": audit.Outcome.SUCCEEDED}
    audit.record("outside.change", **common)
    audit.record("deploy.SetEnv", acting=ActingRole(("deployer",), "deployers"), **common)
    client = caller("administrator")

    def actions(query: str) -> list[str]:
        return [one["action"] for one in client.get(f"{ROOT}/audit?{query}").json()["items"]]

    assert actions(f"operation={operation.id}") == ["operation.SetEnv"]
    assert actions(f"operation={uuid.uuid4()}") == []
    assert actions("actor_kind=cluster-identity&actor=owner") == ["outside.change"]
    assert actions("group=results") == ["operation.SetEnv"]
    assert actions("team=deployers") == ["deploy.SetEnv"]
    assert actions("team=nobody") == []
