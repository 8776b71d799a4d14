"""create, update, patch and delete, as a client sees them."""

from __future__ import annotations

import base64

import pytest

from tests.sandbox.api_client import CONFIGMAPS, SERVICES, SERVING, Client, configmap, service
from tests.waiting import eventually

HELLO = f"{SERVICES}/hello"


@pytest.fixture
def hello(api: Client) -> Client:
    assert api.post(SERVICES, service()).code == 201
    return api


def test_create_assigns_what_the_server_assigns_and_drops_a_status(api: Client):
    created = api.post(SERVICES, service() | {"status": {"url": "http://evil"}}).body
    assert created["metadata"]["generation"] == 1
    assert created["metadata"]["namespace"] == "default"
    assert {"uid", "resourceVersion", "creationTimestamp"} <= set(created["metadata"])
    assert "status" not in created


def test_create_of_a_taken_name_and_of_a_bad_one(api: Client, recorded):
    api.post(SERVICES, service("greet"))
    taken = api.post(SERVICES, service("greet"))
    assert (taken.code, taken.body) == (409, recorded["create-exists"])
    bad = api.post(SERVICES, service("Greet_X"))
    assert (bad.code, bad.body) == (422, recorded["create-bad-name"])


def test_create_needs_a_name_a_namespace_and_the_right_kind(api: Client):
    assert api.post(CONFIGMAPS, {"metadata": {}}).code == 422
    generated = api.post(CONFIGMAPS, {"metadata": {"generateName": "gen-"}}).body["metadata"]["name"]
    assert generated.startswith("gen-")
    missing = api.post("/api/v1/namespaces/missing/configmaps", configmap("x"))
    assert (missing.code, missing.body["message"]) == (404, 'namespaces "missing" not found')
    elsewhere = configmap("x") | {"metadata": {"name": "x", "namespace": "kube-system"}}
    assert "does not match the namespace" in api.post(CONFIGMAPS, elsewhere).body["message"]
    assert api.post(SERVICES, configmap("x")).code == 400


def test_a_stale_version_is_a_conflict(api: Client, recorded):
    old = api.post(SERVICES, service("greet")).body
    assert api.merge(f"{SERVICES}/greet", {"metadata": {"labels": {"a": "b"}}}).code == 200
    stale = api.put(f"{SERVICES}/greet", old)
    assert (stale.code, stale.body) == (409, recorded["conflict"])
    assert api.merge(f"{SERVICES}/greet", {"metadata": {"resourceVersion": "1"}}).code == 409


def test_only_a_changed_spec_moves_the_generation_and_nothing_moves_on_no_change(hello: Client):
    current = hello.get(HELLO).body
    same = hello.put(HELLO, current).body
    assert same["metadata"]["resourceVersion"] == current["metadata"]["resourceVersion"]
    labelled = hello.merge(HELLO, {"metadata": {"labels": {"a": "b"}}}).body
    assert labelled["metadata"]["generation"] == 1
    changed = hello.merge(HELLO, {"spec": {"template": {"spec": {"timeoutSeconds": 10}}}}).body
    assert changed["metadata"]["generation"] == 2
    assert len(changed["spec"]["template"]["spec"]["containers"]) == 2


def test_put_needs_a_version_and_the_same_name_and_cannot_change_what_the_server_owns(hello: Client):
    current = hello.get(HELLO).body
    without = current | {"metadata": {**current["metadata"], "resourceVersion": ""}}
    assert hello.put(HELLO, without).body["message"].endswith("must be specified for an update")
    renamed = current | {"metadata": {**current["metadata"], "name": "other"}}
    assert hello.put(HELLO, renamed).code == 400
    forged = current | {
        "metadata": {**current["metadata"], "creationTimestamp": "2000-01-01T00:00:00Z", "generation": 9}
    }
    stored = hello.put(HELLO, forged).body["metadata"]
    assert (stored["generation"], stored["creationTimestamp"]) == (1, current["metadata"]["creationTimestamp"])
    other = current | {"metadata": {**current["metadata"], "uid": "not-mine"}}
    assert "Precondition failed: UID" in hello.put(HELLO, other).body["message"]


def test_status_changes_only_through_its_subresource(hello: Client):
    status = {"status": {"observedGeneration": 1}}
    assert "status" not in hello.merge(HELLO, status).body
    assert hello.merge(f"{HELLO}/status", status | {"spec": {"traffic": []}}).body["status"] == status["status"]
    assert "traffic" not in hello.get(HELLO).body["spec"]


def test_an_unknown_field_is_refused_when_strict_and_else_dropped_with_a_warning(hello: Client, recorded):
    current = hello.get(HELLO).body
    bogus = current | {"spec": {**current["spec"], "bogus": 1}}
    strict = hello.put(f"{HELLO}?fieldValidation=Strict", bogus)
    assert (strict.code, strict.body) == (400, recorded["unknown-field"])
    warned = hello.put(HELLO, bogus)
    assert "bogus" not in warned.body["spec"]
    assert warned.headers["Warning"] == '299 - "unknown field \\"spec.bogus\\""'
    assert "Warning" not in hello.put(f"{HELLO}?fieldValidation=Ignore", bogus).headers
    nested = {"spec": {"template": {"spec": {"containers": [{"image": "x", "imagee": "y"}]}}}}
    refused = hello.merge(f"{HELLO}?fieldValidation=Strict", nested)
    assert refused.code == 422
    assert 'unknown field "spec.template.spec.containers[0].imagee"' in refused.body["message"]


def test_json_patch_tests_before_it_writes(hello: Client):
    path = "/spec/template/spec/containers/0/env/0/value"
    refused = hello.json_patch(
        HELLO, {"op": "test", "path": path, "value": "Other"}, {"op": "replace", "path": path, "value": "Second"}
    )
    assert (refused.code, refused.body["reason"]) == (422, "Invalid")
    patched = hello.json_patch(
        HELLO, {"op": "test", "path": path, "value": "First"}, {"op": "replace", "path": path, "value": "Second"}
    )
    assert patched.body["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] == "Second"


def test_a_strategic_merge_patch_is_for_core_kinds(hello: Client):
    strategic = "application/strategic-merge-patch+json"
    hello.post(CONFIGMAPS, configmap("m", a="1"))
    patched = hello.ask("PATCH", f"{CONFIGMAPS}/m", {"data": {"b": "2"}}, type=strategic)
    assert patched.body["data"] == {"a": "1", "b": "2"}
    refused = hello.ask("PATCH", HELLO, {}, type=strategic)
    assert (refused.code, refused.body["reason"]) == (415, "UnsupportedMediaType")


def test_a_list_is_no_merge_patch(hello: Client):
    assert hello.merge(HELLO, []).code == 400


def test_dry_run_answers_and_writes_nothing(hello: Client):
    before = hello.get(SERVICES).body["metadata"]["resourceVersion"]
    assert hello.post(f"{SERVICES}?dryRun=All", service("other")).code == 201
    changed = hello.merge(f"{HELLO}?dryRun=All", {"spec": {"template": {"spec": {"timeoutSeconds": 7}}}})
    assert changed.body["metadata"]["generation"] == 2
    assert hello.delete(f"{HELLO}?dryRun=All").code == 200
    assert hello.get(SERVICES).body["metadata"]["resourceVersion"] == before
    assert hello.get(f"{SERVICES}/other").code == 404
    assert hello.post(f"{SERVICES}?dryRun=Some", service("other")).code == 422


def test_delete_tells_what_it_deleted_and_heeds_preconditions(hello: Client, recorded):
    uid = hello.get(HELLO).body["metadata"]["uid"]
    refused = hello.delete(HELLO, {"preconditions": {"uid": "another"}})
    assert (refused.code, refused.body["reason"]) == (409, "Conflict")
    deleted = hello.delete(HELLO, {"preconditions": {"uid": uid}})
    expected = recorded["delete"]
    assert deleted.body == expected | {"details": {**expected["details"], "name": "hello", "uid": uid}}
    assert hello.delete(HELLO).code == 404


def owned(api: Client, owner: dict, kind: str = "Configuration") -> None:
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
    metadata = {"name": "hello", "ownerReferences": [reference | {"uid": owner["metadata"]["uid"]}]}
    obj = {"apiVersion": "serving.knative.dev/v1", "kind": kind, "metadata": metadata, "spec": {}}
    assert api.post(f"{SERVING}/namespaces/default/{kind.lower()}s", obj).code == 201


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_deleting_an_owner_deletes_what_it_owns(hello: Client, policy: str):
    owned(hello, hello.get(HELLO).body)
    hello.delete(HELLO, {"propagationPolicy": policy})
    for plural in ("services", "configurations"):
        eventually(lambda plural=plural: hello.get(f"{SERVING}/{plural}").body["items"] == [])


def test_orphans_stay_without_the_reference(hello: Client):
    owned(hello, hello.get(HELLO).body)
    hello.delete(f"{HELLO}?propagationPolicy=Orphan")
    kept = hello.get(f"{SERVING}/namespaces/default/configurations/hello").body
    assert "ownerReferences" not in kept["metadata"]


def test_a_finalizer_holds_an_object(api: Client):
    api.post(CONFIGMAPS, configmap("m") | {"metadata": {"name": "m", "finalizers": ["example.com/hold"]}})
    held = api.delete(f"{CONFIGMAPS}/m").body
    assert "deletionTimestamp" in held["metadata"]
    api.merge(f"{CONFIGMAPS}/m", {"metadata": {"finalizers": None}})
    assert api.get(f"{CONFIGMAPS}/m").code == 404


def test_deletecollection_heeds_selectors(api: Client):
    for name, tier in (("a", "web"), ("b", "db")):
        api.post(SERVICES, service(name, tier=tier))
    deleted = api.delete(f"{SERVICES}?labelSelector=tier%3Dweb").body["items"]
    assert [item["metadata"]["name"] for item in deleted] == ["a"]
    assert [item["metadata"]["name"] for item in api.get(SERVICES).body["items"]] == ["b"]


def test_a_namespace_goes_with_its_contents(api: Client):
    assert api.post("/api/v1/namespaces", {"metadata": {"name": "team"}}).body["status"] == {"phase": "Active"}
    held = configmap("m") | {"metadata": {"name": "m", "finalizers": ["example.com/hold"]}}
    api.post("/api/v1/namespaces/team/configmaps", held)
    api.post(f"{SERVING}/namespaces/team/services", service())
    assert api.delete("/api/v1/namespaces/team").body["status"] == {"phase": "Terminating"}
    refused = api.post("/api/v1/namespaces/team/configmaps", configmap("n"))
    assert (refused.code, refused.body["details"]["causes"][0]["reason"]) == (403, "NamespaceTerminating")
    api.merge("/api/v1/namespaces/team/configmaps/m", {"metadata": {"finalizers": None}})
    assert api.get("/api/v1/namespaces/team").code == 404
    assert api.get(f"{SERVING}/namespaces/team/services").body["items"] == []


def test_a_secrets_plain_text_becomes_data(api: Client):
    secret = {"metadata": {"name": "s"}, "stringData": {"password": "hunter2"}}
    stored = api.post("/api/v1/namespaces/default/secrets", secret).body
    assert stored["data"] == {"password": base64.b64encode(b"hunter2").decode()}
    assert "stringData" not in stored


def test_bodies_that_are_too_large_too_deep_or_no_json(hello: Client):
    large = hello.post(CONFIGMAPS, configmap("large", a="x" * (3 * 1024 * 1024)))
    assert (large.code, large.body["reason"]) == (413, "RequestEntityTooLarge")
    for depth in (300, 100_000):
        deep = hello.ask("POST", CONFIGMAPS, raw=b'{"a":' * depth + b"1" + b"}" * depth)
        assert (deep.code, deep.body["message"]) == (400, "the object provided is nested too deeply")
    assert hello.ask("POST", CONFIGMAPS, raw=b"{oops").code == 400
    assert hello.ask("POST", CONFIGMAPS, raw=b"[]").code == 400
    assert hello.ask("POST", CONFIGMAPS, raw=b"\xff\xfe").code == 400
    assert hello.ask("POST", CONFIGMAPS, raw=b"a: [", type="application/yaml").code == 400
    assert hello.ask("POST", CONFIGMAPS, raw=b"<a/>", type="application/xml").code == 415


def test_labels_and_annotations_have_kubernetes_limits(hello: Client):
    assert hello.merge(HELLO, {"metadata": {"labels": {"a": "x" * 64}}}).code == 422
    assert hello.merge(HELLO, {"metadata": {"labels": {"a": "not ok"}}}).code == 422
    large = hello.merge(HELLO, {"metadata": {"annotations": {"a": "x" * 300_000}}})
    assert large.body["details"]["causes"][0]["reason"] == "FieldValueTooLong"


def test_methods_that_a_path_does_not_have(hello: Client):
    assert hello.put(CONFIGMAPS, configmap("x")).code == 405
    assert hello.post(f"{CONFIGMAPS}/x", configmap("x")).code == 405
