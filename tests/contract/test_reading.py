"""get, list, pages, selectors, watches and bookmarks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.client import SERVING, Client, Namespace, configmap, service

Told = Callable[[str, Any], Any]
LABELS = {
    "a": {"tier": "web", "team": "x"},
    "b": {"tier": "db", "team": "x"},
    "c": {"team": "y"},
}


@pytest.fixture(scope="module")
def three(shared: Namespace) -> Namespace:
    """Three config maps and three Services with labels."""
    for name, labels in LABELS.items():
        assert shared.api.post(shared.path("configmaps"), configmap(name, labels, key=name)).code == 201
        assert shared.create(name, **labels).code == 201
    return shared


def maps(ns: Namespace) -> str:
    """The query that leaves out what Kubernetes itself puts into every namespace."""
    return ns.path("configmaps") + "?fieldSelector=metadata.name%21%3Dkube-root-ca.crt"


def version(ns: Namespace) -> str:
    return ns.api.get(ns.path("configmaps")).body["metadata"]["resourceVersion"]


def seen(event: dict[str, Any]) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"].get("name", "")


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("tier=web", "a"),
        ("tier==web,team=x", "a"),
        ("tier!=web", "bc"),
        ("tier in (web,db)", "ab"),
        ("tier notin (web, db)", "c"),
        ("tier", "ab"),
        ("!tier", "c"),
        ("team=x,tier in (db)", "b"),
        ("team=z", ""),
    ],
)
def test_label_selectors(three: Namespace, selector: str, expected: str) -> None:
    assert "".join(three.names("services", f"?labelSelector={quote(selector)}")) == expected


@pytest.mark.parametrize(
    ("selector", "expected"),
    [("metadata.name=a", "a"), ("metadata.name!=a", "bc"), ("metadata.name=a,metadata.name=b", "")],
)
def test_field_selectors(three: Namespace, selector: str, expected: str) -> None:
    assert "".join(three.names("services", f"?fieldSelector={quote(selector)}")) == expected


def test_a_field_selector_across_namespaces(three: Namespace) -> None:
    selector = quote(f"metadata.name=a,metadata.namespace={three.name}")
    found = three.api.get(f"{SERVING}/services?fieldSelector={selector}").body["items"]
    assert [item["metadata"]["namespace"] for item in found] == [three.name]


def test_a_label_selector_that_makes_no_sense(three: Namespace) -> None:
    assert three.api.get(three.path("services") + "?labelSelector=a%20b").code == 400


def test_a_field_that_cannot_be_selected(three: Namespace) -> None:
    answer = three.api.get(three.path("services") + "?fieldSelector=spec.bogus%3D1")
    assert (answer.code, answer.body["message"]) == (400, "field label not supported: spec.bogus")


def test_a_list_has_a_version_and_its_kind(three: Namespace) -> None:
    body = three.api.get(three.path("services")).body
    assert (body["kind"], body["apiVersion"]) == ("ServiceList", "serving.knative.dev/v1")
    assert int(body["metadata"]["resourceVersion"]) > 0
    assert {item["kind"] for item in body["items"]} == {"Service"}


def test_pages(three: Namespace) -> None:
    path = maps(three).partition("?")[0] + "?labelSelector=team"
    first = three.api.get(f"{path}&limit=2").body
    assert [item["metadata"]["name"] for item in first["items"]] == ["a", "b"]
    second = three.api.get(f"{path}&limit=2&continue={quote(first['metadata']['continue'])}").body
    assert [item["metadata"]["name"] for item in second["items"]] == ["c"]
    assert "continue" not in second["metadata"]
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


def test_pages_without_a_selector_tell_how_many_are_left(three: Namespace) -> None:
    first = three.api.get(three.path("services") + "?limit=1").body
    assert first["metadata"]["remainingItemCount"] == 2


def test_pages_are_of_one_moment(ns: Namespace) -> None:
    for name in "abcd":
        ns.api.post(ns.path("configmaps"), configmap(name, {"mine": "yes"}))
    path = ns.path("configmaps") + "?labelSelector=mine&limit=2"
    first = ns.api.get(path).body
    ns.api.delete(ns.path("configmaps", "c"))
    ns.api.post(ns.path("configmaps"), configmap("ca", {"mine": "yes"}))
    rest = ns.api.get(f"{path}&continue={quote(first['metadata']['continue'])}").body
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c", "d"]


def test_a_page_token_that_nobody_gave_out(three: Namespace) -> None:
    answer = three.api.get(three.path("services") + "?limit=2&continue=bm90aGluZw")
    assert answer.code == 400


def test_a_version_that_is_no_number(three: Namespace) -> None:
    """A real server calls it an internal error when a custom resource is watched."""
    assert three.api.get(three.path("services") + "?watch=1&resourceVersion=abc").code == 500


def test_a_version_of_the_future_is_not_waited_for(three: Namespace) -> None:
    answer = three.api.get(three.path("services") + "?resourceVersion=99999999999999&resourceVersionMatch=NotOlderThan")
    assert (answer.code, answer.body["reason"]) == (504, "Timeout")
    assert answer.body["message"].startswith("Timeout: Too large resource version: 99999999999999, current: ")


def test_a_version_match_without_a_version(three: Namespace) -> None:
    answer = three.api.get(three.path("services") + "?resourceVersionMatch=Exact")
    assert (answer.code, answer.body["reason"]) == (422, "Invalid")


def test_discovery_names_the_kinds_and_verbs(api: Client) -> None:
    rows = {row["name"]: row for row in api.get(SERVING).body["resources"]}
    assert {"services", "services/status", "revisions", "routes", "configurations"} <= rows.keys()
    assert rows["services"]["shortNames"] == ["kservice", "ksvc"]
    assert {"create", "delete", "get", "list", "patch", "update", "watch"} <= set(rows["services"]["verbs"])
    assert rows["services"]["namespaced"] is True


def test_the_version_is_told(api: Client) -> None:
    assert (api.get("/version").body["major"], api.get("/version").body["minor"]) == ("1", "36")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/livez"])
def test_health(api: Client, path: str) -> None:
    assert api.get(path).body == "ok"


def test_names_come_without_what_the_objects_hold(three: Namespace) -> None:
    """What the console's pickers ask, so that no value is ever sent."""
    accept = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    response = three.api._pool.request("GET", three.api.url + maps(three), headers={**three.api._headers, **accept})
    assert response.status == 200
    assert response.json()["kind"] == "PartialObjectMetadataList"
    assert [item["metadata"]["name"] for item in response.json()["items"]] == ["a", "b", "c"]
    assert all("data" not in item for item in response.json()["items"])


def test_a_watch_goes_on_from_the_version_that_a_list_gave(ns: Namespace) -> None:
    start, path = version(ns), ns.path("configmaps")
    ns.api.post(path, configmap("a"))
    ns.api.merge(f"{path}/a", {"data": {"x": "1"}})
    ns.api.delete(f"{path}/a")
    with ns.api.watch(f"{maps(ns)}&watch=true&resourceVersion={start}&timeoutSeconds=20") as events:
        past = list(islice(events, 3))
        assert [seen(event) for event in past] == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
        versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in past]
        assert versions == sorted(set(versions))
        ns.api.post(path, configmap("b"))
        assert seen(next(events)) == ("ADDED", "b")


def test_a_watch_resumes_from_the_last_version_seen(ns: Namespace) -> None:
    start, path = version(ns), ns.path("configmaps")
    for name in "abc":
        ns.api.post(path, configmap(name))
    with ns.api.watch(f"{maps(ns)}&watch=1&resourceVersion={start}&timeoutSeconds=20") as events:
        first = next(events)
    again = first["object"]["metadata"]["resourceVersion"]
    with ns.api.watch(f"{maps(ns)}&watch=1&resourceVersion={again}&timeoutSeconds=20") as events:
        assert [seen(event)[1] for event in islice(events, 2)] == ["b", "c"]


@pytest.mark.parametrize("start", ["", "&resourceVersion=0"])
def test_a_watch_without_a_version_begins_with_what_exists(ns: Namespace, start: str) -> None:
    ns.api.post(ns.path("configmaps"), configmap("a"))
    with ns.api.watch(f"{maps(ns)}&watch=1&timeoutSeconds=20{start}") as events:
        assert seen(next(events)) == ("ADDED", "a")


def test_an_object_that_stops_matching_is_deleted_for_that_watch(ns: Namespace) -> None:
    start, path = version(ns), ns.path("configmaps")
    with ns.api.watch(f"{path}?watch=1&labelSelector=tier%3Dweb&resourceVersion={start}&timeoutSeconds=20") as events:
        ns.api.post(path, configmap("a"))
        ns.api.merge(f"{path}/a", {"metadata": {"labels": {"tier": "web"}}})
        ns.api.merge(f"{path}/a", {"data": {"x": "1"}})
        ns.api.merge(f"{path}/a", {"metadata": {"labels": {"tier": "db"}}})
        assert [event["type"] for event in islice(events, 3)] == ["ADDED", "MODIFIED", "DELETED"]


def test_a_watch_of_one_name_sees_nothing_else(ns: Namespace) -> None:
    start, path = version(ns), ns.path("configmaps")
    query = f"?watch=1&fieldSelector=metadata.name%3Db&resourceVersion={start}&timeoutSeconds=20"
    with ns.api.watch(path + query) as events:
        ns.api.post(path, configmap("a"))
        ns.api.post(path, configmap("b"))
        assert seen(next(events)) == ("ADDED", "b")


def test_bookmarks_come_to_those_who_ask(three: Namespace) -> None:
    """A real server sends one a minute, and one two seconds before a watch ends."""
    start = three.api.get(three.path("services")).body["metadata"]["resourceVersion"]
    query = f"?watch=1&allowWatchBookmarks=true&resourceVersion={start}&timeoutSeconds=4"
    with three.api.watch(three.path("services") + query) as events:
        bookmark = next(event for event in events if event["type"] == "BOOKMARK")
    assert bookmark["object"]["kind"] == "Service"
    assert int(bookmark["object"]["metadata"]["resourceVersion"]) >= int(start)


def test_initial_events_end_with_a_marked_bookmark(three: Namespace) -> None:
    query = (
        "?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=20"
    )
    with three.api.watch(three.path("services") + query) as events:
        first = list(islice(events, 4))
    assert [event["type"] for event in first] == ["ADDED"] * 3 + ["BOOKMARK"]
    assert first[-1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_initial_events_need_a_version_match(three: Namespace) -> None:
    assert three.api.get(three.path("services") + "?watch=1&sendInitialEvents=true").code == 422


def test_a_version_that_was_forgotten_is_gone(three: Namespace) -> None:
    with three.api.watch(three.path("services") + "?watch=1&resourceVersion=1&timeoutSeconds=10") as events:
        event = next(events)
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert event["object"]["message"].startswith("too old resource version: 1 (")


def test_a_watch_ends_when_its_time_is_up(three: Namespace) -> None:
    start = three.api.get(three.path("configmaps")).body["metadata"]["resourceVersion"]
    with three.api.watch(f"{three.path('configmaps')}?watch=1&resourceVersion={start}&timeoutSeconds=1") as events:
        assert list(events) == []


def test_a_service_is_found_by_its_revisions_labels(three: Namespace) -> None:
    three.settle(name="a")
    labels = three.get("revisions", "a-00001")["metadata"]["labels"]
    assert labels["serving.knative.dev/service"] == "a"
    assert labels["serving.knative.dev/configuration"] == "a"
    assert labels["serving.knative.dev/configurationGeneration"] == "1"
    assert labels["serving.knative.dev/routingState"] == "active"
    assert three.names("revisions", "?labelSelector=serving.knative.dev%2Fservice%3Da") == ["a-00001"]


def test_logs_of_a_pod_that_is_missing(ns: Namespace) -> None:
    answer = ns.api.get(ns.path("pods", "none") + "/log")
    assert answer.refusal == (404, "NotFound", 'pods "none" not found')


def test_a_generated_name(ns: Namespace) -> None:
    body = {"metadata": {"generateName": "gen-"}}
    assert ns.api.post(ns.path("configmaps"), body).body["metadata"]["name"].startswith("gen-")


def test_a_service_without_a_name_is_refused(ns: Namespace) -> None:
    manifest = service()
    del manifest["metadata"]["name"]
    answer = ns.api.post(ns.path("services"), manifest)
    assert answer.code in (400, 422)
