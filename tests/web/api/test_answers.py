"""What the API answers, against what the pages show of the same objects."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.cluster.resources import PODS, SERVICES
from console.knative import kn
from console.knative.objects import Revision, Service
from console.knative.references import ServiceRef
from console.mirror.read import KindState
from console.mirror.store import MIRRORED
from console.operations.models import Operation
from console.sealing import seal
from tests import factories

ROOT = "/api/v1"
SHOP = f"{ROOT}/services/box/default/shop"


def names(client, address: str) -> list[str]:
    """The names of all items, page after page."""
    found, cursor = [], ""
    while True:
        answer = client.get(f"{address}&cursor={cursor}").json()
        found += [item["name"] for item in answer["items"]]
        if not answer["next"]:
            return found
        cursor = answer["next"]


def many(mirror, count: int = 7) -> None:
    mirror.replace_all(SERVICES, [factories.service(f"s{number}") for number in range(count)])


def test_a_service_has_the_fields_of_kn_service_list(caller) -> None:
    answer = caller().get(f"{ROOT}/services").json()
    [row] = answer["items"]
    wanted = kn.service_row(Service(factories.service()), timezone.now())
    for field in ("name", "url", "conditions", "ready", "reason"):
        assert row[field] == getattr(wanted, field)
    assert row["latest_ready_revision"] == wanted.latest
    assert row["traffic"][0] == {"revision": "shop-00003", "percent": 90, "tag": "stable"}
    assert row["created_at"] == "2026-11-01T10:00:00Z"
    assert (answer["total"], answer["next"], answer["is_stale"]) == (1, None, False)


def test_a_service_tells_whose_name_that_of_its_last_change_is(caller, mirror) -> None:
    by_person = factories.service("other")
    by_person["metadata"]["annotations"]["sluice.dev/changed-by"] = "bob@shop.example"
    mirror.put(SERVICES, by_person)
    items = caller().get(f"{ROOT}/services").json()["items"]
    assert {row["changed_by"] for row in items} == {"bob@shop.example"}
    assert {row["name"]: row["changed_by_kind"] for row in items} == {"shop": "cluster-identity", "other": "person"}


def test_one_service_tells_its_conditions_and_targets(caller) -> None:
    found = caller().get(SHOP).json()
    assert [one["type"] for one in found["condition_list"]] == ["Ready", "ConfigurationsReady", "RoutesReady"]
    assert found["targets"][1]["url"] == "http://canary-shop.default.example.com"
    assert (found["is_settled"], found["last_modifier"]) == (True, "bob@shop.example")


def test_revisions_have_the_fields_of_kn_revision_list(caller) -> None:
    answer = caller().get(f"{SHOP}/revisions").json()
    assert [one["name"] for one in answer["items"]] == [f"shop-0000{number}" for number in (4, 3, 2, 1)]
    row, service = answer["items"][0], Service(factories.service())
    wanted = kn.revision_row(Revision(factories.revision()), service, timezone.now())
    for field in ("name", "service", "conditions", "ready", "reason"):
        assert row[field] == getattr(wanted, field)
    assert (f"{row['traffic_percent']}%", ",".join(row["tags"])) == (wanted.traffic, wanted.tags)
    assert str(row["generation"]) == wanted.generation
    assert row["created_by"] == "carol@shop.example"
    only = caller().get(f"{SHOP}/revisions?q=canary&sort=traffic").json()
    assert [one["name"] for one in only["items"]] == ["shop-00004"]


def test_one_revision_tells_its_containers_and_pods(caller, mirror) -> None:
    labels = {"serving.knative.dev/service": "shop", "serving.knative.dev/revision": "shop-00004"}
    pod = {"metadata": {"name": "shop-4-abc", "namespace": "default", "labels": labels}, "status": {"phase": "Running"}}
    mirror.replace_all(PODS, [pod])
    found = caller().get(f"{SHOP}/revisions/shop-00004").json()
    app = found["containers"][0]
    assert (app["name"], app["ports"], app["variables_from"]) == (
        "app",
        [8080],
        ["secret shop-env", "config map flags"],
    )
    assert {"name": "DB", "source": "secret db/password"} in app["variables"]
    assert (found["concurrency_limit"], found["timeout_seconds"], found["service_account"]) == (20, 120, "shop")
    assert [(one["name"], one["phase"]) for one in found["pods"]] == [("shop-4-abc", "Running")]
    assert caller().get(f"{SHOP}/revisions/shop-00009").status_code == 404


@pytest.mark.parametrize("address", ["services", "services/box/default/shop", "services/box/default/shop/revisions",
                                     "services/box/default/shop/revisions/shop-00004", "operations", "audit",
                                     "operations/00000000-0000-4000-8000-000000000001"])  # fmt: skip
def test_no_answer_holds_the_value_of_a_variable(caller, operation, address: str) -> None:
    response = caller("administrator").get(f"{ROOT}/{address}")
    assert response.status_code == 200
    for value in (factories.SECRET_VALUE, '"First"'):
        assert value not in response.content.decode()


def test_an_operation_tells_its_difference_its_timeline_and_its_cause(caller, operation) -> None:
    found = caller().get(f"{ROOT}/operations/{operation.id}").json()
    assert [(one["elapsed_seconds"], one["text"]) for one in found["timeline"]] == [
        (0.5, "Updating Service 'shop' in namespace 'default':"),
        (1.0, "The Route is working."),
    ]
    assert found["changes"] == [{"field": "spec.template", "before": None, "after": "x"}]
    assert found["cause"] == {"code": "crash", "raw": "exit status 1"}
    assert (found["service"], found["status"], found["is_active"]) == ("shop", "failed", False)
    [row] = caller().get(f"{ROOT}/operations?status=failed&name=shop").json()["items"]
    assert {key: found[key] for key in row} == row
    assert caller().get(f"{ROOT}/operations?status=queued").json()["items"] == []


def test_operations_come_newest_first_page_by_page_also_those_of_one_moment(caller) -> None:
    at = timezone.now()
    for number in range(7):
        common = {"cluster": "box", "namespace": "default", "name": f"s{number}", "kind": "SetEnv"}
        moment = at - timedelta(seconds=number // 3)
        Operation.objects.create(**common, sealed_change=seal({}), sealed_seen=seal({}), submitted_at=moment)
    client, found, cursor = caller(), [], ""
    while cursor is not None:
        page = client.get(f"{ROOT}/operations?limit=2&cursor={cursor}").json()
        found += [(one["submitted_at"], one["id"]) for one in page["items"]]
        cursor = page["next"]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == 7


@pytest.mark.parametrize("sort", ["name", "-name", "namespace", "health", "-health", "age", "-age", "changed"])
def test_pages_of_services_show_each_once_in_any_order(caller, mirror, sort: str) -> None:
    many(mirror)
    found = names(caller(), f"{ROOT}/services?limit=2&sort={sort}")
    assert sorted(found) == [f"s{number}" for number in range(7)]
    assert found == names(caller(), f"{ROOT}/services?limit=500&sort={sort}")


def test_a_service_that_comes_or_goes_between_two_pages_shifts_no_other(caller, mirror) -> None:
    many(mirror)
    first = caller().get(f"{ROOT}/services?limit=3").json()
    left = [factories.service(f"s{number}") for number in (1, 3, 4, 5, 6)]
    mirror.replace_all(SERVICES, [factories.service("a0"), *left])
    rest = caller().get(f"{ROOT}/services?limit=3&cursor={first['next']}").json()
    assert [one["name"] for one in rest["items"]] == ["s3", "s4", "s5"]


def test_filters_are_those_of_the_page(caller, mirror) -> None:
    many(mirror, 2)
    client = caller()
    assert names(client, f"{ROOT}/services?q=S1") == ["s1"]
    assert names(client, f"{ROOT}/services?q=app=shop") == ["s0", "s1"]
    assert names(client, f"{ROOT}/services?namespace=other") == []
    assert names(client, f"{ROOT}/services?health=failed") == []
    assert names(client, f"{ROOT}/services?attention=true") == []
    assert names(client, f"{ROOT}/services?attention=false&cluster=box") == ["s0", "s1"]


def test_clusters_tell_since_when_they_are_known_and_only_to_whom_they_concern(caller, mirror) -> None:
    for kind in MIRRORED:
        mirror.note(kind, msgspec.json.encode(KindState(1_780_000_000.0)))
    [box] = caller().get(f"{ROOT}/clusters").json()["items"]
    assert (box["name"], box["is_stale"], box["error"]) == ("box", True, "")
    assert box["synced_at"] == "2026-05-28T20:26:40Z"
    assert caller("administrator", cluster="edge").get(f"{ROOT}/clusters").json()["items"] == []


def test_whoami_tells_what_the_token_allows_now(caller) -> None:
    found = caller("deployer", namespace="team-*").get(f"{ROOT}/whoami").json()
    assert (found["user"], found["is_administrator"]) == ("deployer", False)
    assert (found["token"]["permissions"], found["token"]["namespace"]) == (["view"], "team-*")
    [right] = found["rights"]
    assert (right["permissions"], right["namespace"], right["role"]) == (["view"], "default", "deployer")


def test_an_audit_entry_has_every_field_of_its_page(caller, operation) -> None:
    client = caller()
    [row] = client.get(f"{ROOT}/audit?action=operation.SetEnv").json()["items"]
    assert (row["actor"], row["service"], row["roles"]) == ("owner", "shop", ["owner", "deployer"])
    assert row["changes"] == [{"field": "spec.template", "before": "a", "after": "b"}]
    assert row["operation"] == str(operation.id)
    assert client.get(f"{ROOT}/audit/{row['sequence']}").json() == row
    assert client.get(f"{ROOT}/audit/999999").status_code == 404


def test_the_audit_log_comes_page_by_page_and_filtered(caller) -> None:
    for number in range(5):
        ref = ServiceRef("box", "default", f"service-{number}")
        audit.record("test", actor=Actor(None, "t"), ref=ref, outcome=audit.Outcome.SUCCEEDED)
    client = caller()
    first = client.get(f"{ROOT}/audit?action=test&limit=3").json()
    rest = client.get(f"{ROOT}/audit?action=test&limit=3&cursor={first['next']}").json()
    found = [one["service"] for one in first["items"] + rest["items"]]
    assert (found, rest["next"]) == ([f"service-{number}" for number in (4, 3, 2, 1, 0)], None)
    assert [one["service"] for one in client.get(f"{ROOT}/audit?q=service-2").json()["items"]] == ["service-2"]
    assert client.get(f"{ROOT}/audit?since=2999-01-01T00:00:00Z").json()["items"] == []
    assert len(client.get(f"{ROOT}/audit?action=test&until=2999-01-01T00:00:00Z").json()["items"]) == 5


@pytest.mark.parametrize(
    ("namespace", "wanted"),
    [("*", {"", "a", "team-b", "teamxb"}), ("team-*", {"team-b"}), ("a", {"a"}), ("*b", {"team-b", "teamxb"})],
)
def test_a_tokens_scope_bounds_the_audit_log(caller, namespace: str, wanted: set[str]) -> None:
    for one in ("a", "team-b", "teamxb"):
        ref = ServiceRef("box", one, "shop")
        audit.record("test", actor=Actor(None, "t"), ref=ref, outcome=audit.Outcome.SUCCEEDED)
    answer = caller("administrator", namespace=namespace).get(f"{ROOT}/audit").json()
    assert {one["namespace"] for one in answer["items"]} == wanted
