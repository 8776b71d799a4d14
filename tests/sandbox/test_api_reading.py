"""get, list, pages and selectors, as a client sees them."""

from __future__ import annotations

import pytest

from tests.sandbox.api_client import CONFIGMAPS, SERVICES, SERVING, Client, configmap, service
from tests.sandbox.conftest import RunningApi


def names(answer) -> list[str]:
    return [item["metadata"]["name"] for item in answer.body["items"]]


OWN = "fieldSelector=metadata.name!=kube-root-ca.crt"  # without what every namespace has


@pytest.fixture
def five(api: Client) -> Client:
    for index in range(5):
        assert api.post(CONFIGMAPS, configmap(f"map-{index}", n=str(index))).code == 201
    return api


def test_a_missing_object_is_told_in_a_real_servers_words(api: Client, recorded):
    answer = api.get(f"{SERVICES}/nope")
    assert (answer.code, answer.body) == (404, recorded["get-missing"])


def test_no_token_is_unauthorized(running_api: RunningApi, recorded):
    answer = running_api.client("stranger").get(SERVICES)
    assert (answer.code, answer.body) == (401, recorded["unauthorized"])


def test_a_user_without_roles_is_forbidden(running_api: RunningApi, recorded):
    answer = running_api.client("viewer").get(SERVICES)
    assert (answer.code, answer.body) == (403, recorded["forbidden"])


def test_pages_are_of_one_moment_although_objects_come_and_go(five: Client):
    first = five.get(f"{CONFIGMAPS}?{OWN}&limit=2")
    assert names(first) == ["map-0", "map-1"]
    assert five.get(f"{CONFIGMAPS}?limit=2").body["metadata"]["remainingItemCount"] == 4
    five.delete(f"{CONFIGMAPS}/map-3")
    five.post(CONFIGMAPS, configmap("map-1b"))
    five.merge(f"{CONFIGMAPS}/map-4", {"data": {"n": "changed"}})
    token = first.body["metadata"]["continue"]
    second = five.get(f"{CONFIGMAPS}?{OWN}&limit=2&continue={token}")
    third = five.get(f"{CONFIGMAPS}?{OWN}&limit=2&continue={second.body['metadata']['continue']}")
    assert names(second) + names(third) == ["map-2", "map-3", "map-4"]
    assert third.body["items"][0]["data"] == {"n": "4"}
    assert "continue" not in third.body["metadata"]
    versions = {answer.body["metadata"]["resourceVersion"] for answer in (first, second, third)}
    assert len(versions) == 1


def test_an_expired_page_gives_a_token_to_go_on_with(five: Client):
    token = five.get(f"{CONFIGMAPS}?{OWN}&limit=2").body["metadata"]["continue"]
    five.delete(f"{CONFIGMAPS}/map-4")
    five.post("/sandbox/faults", {"forget_history": True})
    expired = five.get(f"{CONFIGMAPS}?{OWN}&limit=2&continue={token}")
    assert (expired.code, expired.body["reason"]) == (410, "Expired")
    assert expired.body["message"].startswith("The provided continue parameter is too old")
    rest = five.get(f"{CONFIGMAPS}?{OWN}&continue={expired.body['metadata']['continue']}")
    assert names(rest) == ["map-2", "map-3"]


def test_a_token_that_nobody_gave_out_is_refused(five: Client):
    answer = five.get(f"{CONFIGMAPS}?{OWN}&limit=2&continue=bm90aGluZw")
    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("tier=web", ["a"]),
        ("tier==web,team=x", ["a"]),
        ("tier!=web", ["b", "c"]),
        ("tier in (web,db)", ["a", "b"]),
        ("tier notin (web, db)", ["c"]),
        ("tier", ["a", "b"]),
        ("!tier", ["c"]),
        ("team=x,tier in (db)", ["b"]),
        ("size>5", ["b"]),
        ("size<6", ["a"]),
    ],
)
def test_label_selectors(api: Client, selector: str, expected: list[str]):
    for name, labels in {
        "a": {"tier": "web", "team": "x", "size": "5"},
        "b": {"tier": "db", "team": "x", "size": "10"},
        "c": {"team": "y"},
    }.items():
        api.post(SERVICES, service(name, **labels))
    assert names(api.get(f"{SERVICES}?labelSelector={selector.replace(' ', '%20')}")) == expected


def test_a_selector_that_makes_no_sense_is_refused(api: Client):
    assert api.get(f"{SERVICES}?labelSelector=a%20b").code == 400
    answer = api.get(f"{SERVICES}?fieldSelector=spec.bogus%3D1")
    assert (answer.code, answer.body["message"]) == (400, "field label not supported: spec.bogus")


def test_field_selectors(api: Client):
    for name in ("a", "b"):
        api.post(SERVICES, service(name))
        event = {
            "metadata": {"name": f"{name}.1"},
            "involvedObject": {"kind": "Service", "name": name},
            "type": "Normal",
        }
        assert api.post("/api/v1/namespaces/default/events", event).code == 201
    assert names(api.get(f"{SERVING}/services?fieldSelector=metadata.name%3Da,metadata.namespace%3Ddefault")) == ["a"]
    assert names(api.get(f"{SERVICES}?fieldSelector=metadata.name!%3Da")) == ["b"]
    selector = "involvedObject.kind%3DService,involvedObject.name%3Db"
    assert names(api.get(f"/api/v1/events?fieldSelector={selector}")) == ["b.1"]


def test_a_version_of_the_future_is_not_waited_for(api: Client):
    answer = api.get(f"{SERVICES}?resourceVersion=99999999999999&resourceVersionMatch=NotOlderThan")
    assert (answer.code, answer.body["reason"]) == (504, "Timeout")


@pytest.mark.parametrize(
    "path",
    [
        "/apis/nothing.example.com/v1/things",
        "/api/v1/things",
        "/nowhere",
        "/api/v1/namespaces/default",
        "/apis/x",
    ],
)
def test_paths_without_a_resource_are_not_found_or_found(api: Client, path: str):
    assert api.get(path).code == (200 if path.endswith("default") else 404)


def test_discovery_names_every_group_and_verb(api: Client):
    groups = {group["name"] for group in api.get("/apis").body["groups"]}
    assert {"serving.knative.dev", "rbac.authorization.k8s.io", "authorization.k8s.io"} <= groups
    rows = {row["name"]: row for row in api.get(SERVING).body["resources"]}
    assert rows["services"]["shortNames"] == ["kservice", "ksvc"]
    assert "services/status" in rows
    assert api.get("/version").body["minor"] == "36"
    for path in ("/healthz", "/readyz", "/livez"):
        assert api.get(path).body == "ok"
    for document in api.get("/openapi/v3").body["paths"].values():
        assert api.get(document["serverRelativeURL"]).code == 200


def test_pod_logs(api: Client):
    pods = "/api/v1/namespaces/default/pods"
    containers = [{"name": "user-container", "image": "x"}, {"name": "queue-proxy", "image": "y"}]
    api.post(pods, {"metadata": {"name": "p"}, "spec": {"containers": containers, "nodeName": "n"}})
    assert "choose one of: [user-container queue-proxy]" in api.get(f"{pods}/p/log").body["message"]
    assert "is not valid for pod p" in api.get(f"{pods}/p/log?container=other").body["message"]
    waiting = api.get(f"{pods}/p/log?container=queue-proxy")
    assert (waiting.code, waiting.body["message"].split(":")[1]) == (400, " ContainerCreating")
    assert api.get(f"{pods}/missing/log").code == 404
