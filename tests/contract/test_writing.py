"""create, update, patch, delete: versions, generations, dry run, patch types, ownership."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.client import Namespace, configmap, env, put, service
from tests.recording import response
from tests.waiting import eventually

Told = Callable[[str, Any], Any]


@pytest.fixture
def greet(ns: Namespace) -> Namespace:
    assert ns.create().code == 201
    ns.settle()
    return ns


def maps(ns: Namespace, name: str = "") -> str:
    return ns.path("configmaps", name)


def test_create_assigns_what_the_server_assigns_and_drops_a_status(ns: Namespace) -> None:
    created = ns.create("greet", put("status", value={"url": "http://evil"})).body
    assert created["metadata"]["generation"] == 1
    assert created["metadata"]["namespace"] == ns.name
    assert {"uid", "resourceVersion", "creationTimestamp"} <= set(created["metadata"])
    assert "url" not in created.get("status", {})


def test_defaults_are_written_into_the_spec(ns: Namespace) -> None:
    spec = ns.create().body["spec"]
    assert spec["traffic"] == [{"latestRevision": True, "percent": 100}]
    assert spec["template"]["spec"]["timeoutSeconds"] == 300
    assert spec["template"]["spec"]["containerConcurrency"] == 0
    assert spec["template"]["spec"]["enableServiceLinks"] is False
    (container,) = spec["template"]["spec"]["containers"]
    assert container["name"] == "user-container"
    assert container["readinessProbe"] == {"successThreshold": 1, "tcpSocket": {"port": 0}}
    assert container["resources"] == {}


def test_who_made_it_and_who_changed_it(greet: Namespace) -> None:
    annotations = greet.get()["metadata"]["annotations"]
    assert annotations["serving.knative.dev/creator"] == "admin"
    other = Namespace(greet.api.as_("mary", "system:masters"), greet.name)
    assert other.update(env(("A", "b"))).code == 200
    annotations = greet.get()["metadata"]["annotations"]
    assert annotations["serving.knative.dev/creator"] == "admin"
    assert annotations["serving.knative.dev/lastModifier"] == "mary"


def test_a_revision_names_the_modifier_as_its_creator(greet: Namespace) -> None:
    other = Namespace(greet.api.as_("mary", "system:masters"), greet.name)
    assert other.update(env(("A", "b"))).code == 200
    greet.settle()
    annotations = greet.get("revisions", "greet-00002")["metadata"]["annotations"]
    assert annotations["serving.knative.dev/creator"] == "mary"


def test_a_label_alone_does_not_move_the_generation(greet: Namespace) -> None:
    answer = greet.api.merge(greet.path("services", "greet"), {"metadata": {"labels": {"team": "shop"}}})
    assert (answer.code, answer.body["metadata"]["generation"]) == (200, 1)


def test_writing_the_same_again_changes_nothing(greet: Namespace) -> None:
    before = greet.get()
    answer = greet.api.put(greet.path("services", "greet"), before)
    assert answer.body["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


def test_a_stale_version_is_a_conflict(greet: Namespace) -> None:
    old = greet.get()
    assert greet.api.merge(greet.path("services", "greet"), {"metadata": {"labels": {"a": "b"}}}).code == 200
    code, recorded = response("conflict")
    answer = greet.api.put(greet.path("services", "greet"), old)
    assert (answer.code, answer.body) == (code, recorded)


def test_a_merge_patch_with_a_stale_version_is_a_conflict(greet: Namespace) -> None:
    stale = {"metadata": {"resourceVersion": "1", "labels": {"a": "b"}}}
    answer = greet.api.merge(greet.path("services", "greet"), stale)
    assert (answer.code, answer.body["reason"]) == (409, "Conflict")


def test_an_update_without_a_version_is_refused(greet: Namespace) -> None:
    current = greet.get()
    del current["metadata"]["resourceVersion"]
    answer = greet.api.put(greet.path("services", "greet"), current)
    assert (answer.code, answer.body["reason"]) == (422, "Invalid")
    assert answer.body["message"].endswith(
        "metadata.resourceVersion: Invalid value: 0: must be specified for an update"
    )


def test_an_update_under_another_name_is_refused(greet: Namespace) -> None:
    renamed = greet.get()
    renamed["metadata"]["name"] = "other"
    answer = greet.api.put(greet.path("services", "greet"), renamed)
    assert answer.refusal == (
        400,
        "BadRequest",
        "the name of the object (other) does not match the name on the URL (greet)",
    )


def test_another_uid_is_a_conflict(greet: Namespace) -> None:
    other = greet.get()
    other["metadata"]["uid"] = "not-mine"
    answer = greet.api.put(greet.path("services", "greet"), other)
    assert answer.code == 409
    assert "Precondition failed: UID in precondition: not-mine" in answer.body["message"]


def test_what_the_server_owns_cannot_be_written(greet: Namespace) -> None:
    before = greet.get()["metadata"]
    answer = greet.update(
        put("metadata", "generation", value=9), put("metadata", "creationTimestamp", value="2000-01-01T00:00:00Z")
    )
    assert answer.body["metadata"]["generation"] == before["generation"]
    assert answer.body["metadata"]["creationTimestamp"] == before["creationTimestamp"]


def test_status_changes_only_through_its_subresource(greet: Namespace) -> None:
    answer = greet.api.merge(greet.path("services", "greet"), {"status": {"url": "http://evil"}})
    assert answer.code == 200
    assert answer.body["status"]["url"] != "http://evil"


def test_the_status_subresource_can_be_read(greet: Namespace) -> None:
    answer = greet.api.get(greet.path("services", "greet") + "/status")
    assert (answer.code, answer.body["kind"]) == (200, "Service")


def test_a_json_patch_tests_before_it_writes(greet: Namespace) -> None:
    path = "/spec/template/spec/containers/0/env/0/value"
    refused = greet.api.json_patch(
        greet.path("services", "greet"),
        {"op": "test", "path": path, "value": "Other"},
        {"op": "replace", "path": path, "value": "Second"},
    )
    assert (refused.code, refused.body["reason"]) == (422, "Invalid")
    assert greet.get()["metadata"]["generation"] == 1


def test_a_json_patch_replaces_one_value(greet: Namespace) -> None:
    path = "/spec/template/spec/containers/0/env/0/value"
    answer = greet.api.json_patch(greet.path("services", "greet"), {"op": "replace", "path": path, "value": "Second"})
    assert (answer.code, answer.body["metadata"]["generation"]) == (200, 2)


def test_a_merge_patch_replaces_a_list_whole(greet: Namespace) -> None:
    body = {"spec": {"template": {"spec": {"containers": [{"image": "gcr.io/knative-samples/helloworld-rust"}]}}}}
    answer = greet.api.merge(greet.path("services", "greet"), body)
    (container,) = answer.body["spec"]["template"]["spec"]["containers"]
    assert "env" not in container


def test_null_in_a_merge_patch_removes(greet: Namespace) -> None:
    greet.api.merge(greet.path("services", "greet"), {"metadata": {"labels": {"a": "b"}}})
    answer = greet.api.merge(greet.path("services", "greet"), {"metadata": {"labels": {"a": None}}})
    assert "a" not in answer.body["metadata"].get("labels", {})


def test_a_strategic_merge_patch_is_not_for_custom_resources(greet: Namespace) -> None:
    strategic = "application/strategic-merge-patch+json"
    refused = greet.api.ask("PATCH", greet.path("services", "greet"), {}, type=strategic)
    assert (refused.code, refused.body["reason"]) == (415, "UnsupportedMediaType")


def test_a_strategic_merge_patch_of_a_core_kind(ns: Namespace) -> None:
    ns.api.post(maps(ns), configmap("m", a="1"))
    strategic = "application/strategic-merge-patch+json"
    patched = ns.api.ask("PATCH", maps(ns, "m"), {"data": {"b": "2"}}, type=strategic)
    assert patched.body["data"] == {"a": "1", "b": "2"}


def test_a_merge_patch_that_is_a_list_is_refused(greet: Namespace) -> None:
    assert greet.api.merge(greet.path("services", "greet"), []).code == 400


def test_a_dry_run_of_a_create_answers_and_writes_nothing(ns: Namespace) -> None:
    answer = ns.api.post(ns.path("services") + "?dryRun=All", service())
    assert answer.code == 201
    assert "serving.knative.dev/creator" in answer.body["metadata"]["annotations"]
    assert ns.names("services") == []


def test_a_dry_run_of_an_update_shows_the_next_generation(greet: Namespace) -> None:
    answer = greet.update(env(("A", "b")), query="?dryRun=All")
    assert answer.body["metadata"]["generation"] == 2
    assert greet.get()["metadata"]["generation"] == 1


def test_a_dry_run_of_a_delete(greet: Namespace) -> None:
    assert greet.api.delete(greet.path("services", "greet") + "?dryRun=All").code == 200
    assert "deletionTimestamp" not in greet.get()["metadata"]


def test_a_dry_run_of_another_kind_than_all_is_refused(ns: Namespace) -> None:
    assert ns.api.post(ns.path("services") + "?dryRun=Some", service()).code in (400, 422)


def test_a_delete_tells_what_it_deleted(greet: Namespace) -> None:
    uid = greet.get()["metadata"]["uid"]
    answer = greet.api.delete(greet.path("services", "greet"))
    assert answer.code == 200
    assert answer.body["status"] == "Success"
    details = {"name": "greet", "group": "serving.knative.dev", "kind": "services", "uid": uid}
    assert answer.body["details"] == details


def test_a_delete_heeds_its_preconditions(greet: Namespace) -> None:
    refused = greet.api.delete(greet.path("services", "greet"), {"preconditions": {"uid": "another"}})
    assert (refused.code, refused.body["reason"]) == (409, "Conflict")
    assert greet.get()


def test_a_delete_of_what_is_not_there(ns: Namespace) -> None:
    answer = ns.api.delete(ns.path("services", "nope"))
    assert answer.refusal == (404, "NotFound", 'services.serving.knative.dev "nope" not found')


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_deleting_a_service_deletes_what_it_owns(greet: Namespace, policy: str) -> None:
    answer = greet.api.delete(greet.path("services", "greet"), {"propagationPolicy": policy})
    assert answer.code == 200
    for plural in ("services", "configurations", "routes", "revisions"):
        eventually(lambda plural=plural: greet.names(plural) == [])


def test_owner_references_name_the_controller(greet: Namespace) -> None:
    owner = greet.get()
    for plural in ("configurations", "routes"):
        (reference,) = greet.get(plural)["metadata"]["ownerReferences"]
        assert reference == {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "name": "greet",
            "uid": owner["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    (reference,) = greet.get("revisions", "greet-00001")["metadata"]["ownerReferences"]
    assert (reference["kind"], reference["uid"]) == (
        "Configuration",
        greet.get("configurations")["metadata"]["uid"],
    )


def test_an_object_whose_owner_is_gone_is_collected(ns: Namespace) -> None:
    owner = ns.api.post(maps(ns), configmap("owner")).body
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    owned = configmap("owned")
    owned["metadata"]["ownerReferences"] = [reference]
    assert ns.api.post(maps(ns), owned).code == 201
    assert ns.api.delete(maps(ns, "owner")).code == 200
    eventually(lambda: ns.api.get(maps(ns, "owned")).code == 404)


def test_orphans_stay_without_the_reference(ns: Namespace) -> None:
    owner = ns.api.post(maps(ns), configmap("owner")).body
    owned = configmap("owned")
    owned["metadata"]["ownerReferences"] = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    ]
    ns.api.post(maps(ns), owned)
    ns.api.delete(maps(ns, "owner") + "?propagationPolicy=Orphan")
    eventually(lambda: ns.api.get(maps(ns, "owner")).code == 404)
    assert "ownerReferences" not in ns.api.get(maps(ns, "owned")).body["metadata"]


def test_a_finalizer_holds_an_object(ns: Namespace) -> None:
    held = configmap("m")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    ns.api.post(maps(ns), held)
    assert "deletionTimestamp" in ns.api.delete(maps(ns, "m")).body["metadata"]
    ns.api.merge(maps(ns, "m"), {"metadata": {"finalizers": None}})
    assert ns.api.get(maps(ns, "m")).code == 404


def test_deleting_a_collection_heeds_selectors(ns: Namespace) -> None:
    for name, tier in (("a", "web"), ("b", "db")):
        ns.api.post(maps(ns), configmap(name, {"tier": tier}))
    assert ns.api.delete(maps(ns) + "?labelSelector=tier%3Dweb").code == 200
    assert ns.api.get(maps(ns, "a")).code == 404
    assert ns.api.get(maps(ns, "b")).code == 200


def test_an_unrouted_revision_can_be_deleted(greet: Namespace) -> None:
    assert greet.update(env(("A", "b"))).code == 200
    greet.settle()
    assert greet.api.delete(greet.path("revisions", "greet-00001")).code == 200
    eventually(lambda: greet.names("revisions") == ["greet-00002"])


def test_the_latest_revision_comes_back_when_deleted(greet: Namespace) -> None:
    uid = greet.get("revisions", "greet-00001")["metadata"]["uid"]
    assert greet.api.delete(greet.path("revisions", "greet-00001")).code == 200
    eventually(lambda: greet.get("revisions", "greet-00001")["metadata"]["uid"] != uid)


def test_a_secrets_plain_text_becomes_data(ns: Namespace) -> None:
    body = {"metadata": {"name": "s"}, "stringData": {"password": "hunter2"}}
    stored = ns.api.post(ns.path("secrets"), body).body
    assert stored["data"] == {"password": "aHVudGVyMg=="}
    assert "stringData" not in stored


def test_a_body_that_is_no_json(ns: Namespace) -> None:
    assert ns.api.ask("POST", maps(ns), raw=b"{oops").code == 400


def test_a_body_that_is_too_large(ns: Namespace) -> None:
    answer = ns.api.post(maps(ns), configmap("large", a="x" * (3 * 1024 * 1024 + 1000)))
    assert (answer.code, answer.body["reason"]) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize("value", ["x" * 64, "not ok"])
def test_a_label_that_cannot_be(greet: Namespace, value: str) -> None:
    assert greet.api.merge(greet.path("services", "greet"), {"metadata": {"labels": {"a": value}}}).code == 422
