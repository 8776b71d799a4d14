"""Watches, as a client sees them."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.sandbox.api_client import CONFIGMAPS, Client, configmap
from tests.waiting import eventually


def seen(event: dict) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"].get("name", "")


def version(api: Client) -> str:
    return api.get(CONFIGMAPS).body["metadata"]["resourceVersion"]


def test_a_watch_goes_on_from_the_version_that_a_list_gave(api: Client):
    start = version(api)
    api.post(CONFIGMAPS, configmap("a"))
    api.merge(f"{CONFIGMAPS}/a", {"data": {"x": "1"}})
    api.delete(f"{CONFIGMAPS}/a")
    with api.watch(f"{CONFIGMAPS}?watch=true&resourceVersion={start}&timeoutSeconds=20") as events:
        past = list(islice(events, 3))
        assert [seen(event) for event in past] == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
        versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in past]
        assert versions == sorted(set(versions))
        api.post(CONFIGMAPS, configmap("b"))
        assert seen(next(events)) == ("ADDED", "b")


@pytest.mark.parametrize("start", ["", "&resourceVersion=0"])
def test_a_watch_without_a_version_begins_with_what_exists(api: Client, start: str):
    api.post(CONFIGMAPS, configmap("a"))
    with api.watch(f"{CONFIGMAPS}?watch=1&timeoutSeconds=20{start}") as events:
        assert seen(next(events)) == ("ADDED", "a")


def test_an_object_that_stops_matching_is_deleted_for_that_watch(api: Client):
    start = version(api)
    with api.watch(f"{CONFIGMAPS}?watch=1&labelSelector=tier%3Dweb&resourceVersion={start}") as events:
        api.post(CONFIGMAPS, configmap("a"))
        api.merge(f"{CONFIGMAPS}/a", {"metadata": {"labels": {"tier": "web"}}})
        api.merge(f"{CONFIGMAPS}/a", {"data": {"x": "1"}})
        api.merge(f"{CONFIGMAPS}/a", {"metadata": {"labels": {"tier": "db"}}})
        api.merge(f"{CONFIGMAPS}/a", {"metadata": {"labels": {"tier": "web"}}})
        api.delete(f"{CONFIGMAPS}/a")
        expected = ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"]
        assert [event["type"] for event in islice(events, 5)] == expected


def test_a_watch_of_one_name_in_one_namespace_sees_nothing_else(api: Client):
    start = version(api)
    with api.watch(f"{CONFIGMAPS}?watch=1&fieldSelector=metadata.name%3Db&resourceVersion={start}") as events:
        api.post("/api/v1/namespaces/kube-system/configmaps", configmap("b"))
        api.post(CONFIGMAPS, configmap("a"))
        api.post(CONFIGMAPS, configmap("b"))
        event = next(events)
        assert (seen(event), event["object"]["metadata"]["namespace"]) == (("ADDED", "b"), "default")
    api.delete("/api/v1/namespaces/kube-system/configmaps/b")


def test_bookmarks_come_in_quiet_times_to_those_who_ask(api: Client):
    start = version(api)
    with api.watch(f"{CONFIGMAPS}?watch=1&allowWatchBookmarks=true&resourceVersion={start}") as events:
        event = next(events)
        assert (event["type"], event["object"]["kind"]) == ("BOOKMARK", "ConfigMap")
        assert int(event["object"]["metadata"]["resourceVersion"]) >= int(start)
    with api.watch(f"{CONFIGMAPS}?watch=1&resourceVersion={start}&timeoutSeconds=1") as events:
        assert list(events) == []  # ended by its own time, without a bookmark


def test_a_forgotten_version_is_an_error_event(api: Client):
    start = version(api)
    api.post(CONFIGMAPS, configmap("a"))
    api.post("/sandbox/faults", {"forget_history": True})
    with api.watch(f"{CONFIGMAPS}?watch=1&resourceVersion={start}") as events:
        (event,) = list(events)
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert event["object"]["message"].startswith(f"too old resource version: {start} (")


def test_initial_events_end_with_a_marked_bookmark(api: Client):
    api.post(CONFIGMAPS, configmap("a"))
    query = "watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
    with api.watch(f"{CONFIGMAPS}?{query}&fieldSelector=metadata.name=a") as events:
        added, marked = islice(events, 2)
    assert seen(added) == ("ADDED", "a")
    assert marked["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert api.get(f"{CONFIGMAPS}?watch=1&sendInitialEvents=true").code == 422


def test_cut_watches_end_and_can_be_resumed(api: Client):
    start = version(api)
    with api.watch(f"{CONFIGMAPS}?watch=1&resourceVersion={start}") as events:
        api.post("/sandbox/faults", {"cut_watches": True})
        assert list(events) == []
    api.post(CONFIGMAPS, configmap("a"))
    with api.watch(f"{CONFIGMAPS}?watch=1&resourceVersion={start}") as events:
        assert seen(next(events)) == ("ADDED", "a")


def test_a_client_that_leaves_leaves_no_watch_behind(api: Client):
    api.post("/sandbox/faults", {"cut_watches": True})
    eventually(lambda: api.get("/sandbox/facts").body["watches"] == 0)
    with api.watch(f"{CONFIGMAPS}?watch=1"):
        eventually(lambda: api.get("/sandbox/facts").body["watches"] == 1)
    eventually(lambda: api.get("/sandbox/facts").body["watches"] == 0)


def test_a_version_that_is_no_number_is_refused(api: Client):
    assert api.get(f"{CONFIGMAPS}?watch=1&resourceVersion=abc").code == 422
    assert api.get(f"{CONFIGMAPS}?watch=1&timeoutSeconds=soon").code == 400


def test_requests_are_counted_by_verb_and_resource(api: Client):
    def so_far() -> int:
        return api.get("/sandbox/facts").body["requests"].get("list configmaps", 0)

    before = so_far()
    api.get(CONFIGMAPS)
    api.get(CONFIGMAPS)
    assert so_far() == before + 2
