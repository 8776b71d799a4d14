"""Who owns a field, and what an apply makes of it: managedFields and server-side apply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.client import (
    GO,
    RBAC,
    Answer,
    Client,
    Namespace,
    Object,
    configmap,
    env,
    put,
    service,
    traffic,
)
from tests.waiting import eventually

APPLY = "application/apply-patch+yaml"
HALVES = [{"revisionName": "greet-00001", "percent": 50}, {"latestRevision": True, "percent": 50}]


@pytest.fixture
def greet(ns: Namespace) -> Namespace:
    assert ns.create().code == 201
    ns.settle()
    return ns


def apply(api: Client, path: str, body: Object, by: str = "me", query: str = "") -> Answer:
    return api.ask("PATCH", f"{path}?fieldManager={quote(by)}{query}", body, type=APPLY)


def owners(obj: Object) -> dict[tuple[str, str, str], Object]:
    """The fields of each manager, by its name, operation and subresource."""
    return {
        (each["manager"], each["operation"], each.get("subresource", "")): each["fieldsV1"]
        for each in obj["metadata"].get("managedFields", ())
    }


def owned(obj: Object, by: str, operation: str = "Update", subresource: str = "") -> Object | None:
    return owners(obj).get((by, operation, subresource))


def data(name: str = "m", **values: str | None) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": values}


def maps(ns: Namespace, name: str = "") -> str:
    return ns.path("configmaps", name)


def split(*targets: Object) -> Object:
    return {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "spec": {"traffic": list(targets)}}


LEAF: Object = {}


def test_the_creator_owns_what_it_wrote(ns: Namespace) -> None:
    created = ns.api.post(maps(ns) + "?fieldManager=me", configmap("m", {"tier": "web"}, a="1", b="2")).body
    assert owned(created, "me") == {
        "f:data": {".": LEAF, "f:a": LEAF, "f:b": LEAF},
        "f:metadata": {"f:labels": {".": LEAF, "f:tier": LEAF}},
    }


def test_an_entry_tells_how_when_and_in_which_version(ns: Namespace) -> None:
    created = ns.api.post(maps(ns) + "?fieldManager=me", configmap("m", a="1")).body
    (entry,) = created["metadata"]["managedFields"]
    assert entry["operation"] == "Update"
    assert entry["apiVersion"] == "v1"
    assert entry["fieldsType"] == "FieldsV1"
    assert entry["time"] == created["metadata"]["creationTimestamp"]
    assert "subresource" not in entry


def test_a_client_without_a_field_manager_is_named_by_its_first_word(ns: Namespace) -> None:
    headers = {**ns.api._headers, "User-Agent": "curious/1.2 (linux)"}
    body = b'{"metadata": {"name": "m"}, "data": {"a": "1"}}'
    response = ns.api._pool.request(
        "POST", ns.api.url + maps(ns), body=body, headers={**headers, "Content-Type": "application/json"}
    )
    assert list(owners(response.json())) == [("curious", "Update", "")]


def test_a_new_service_is_its_creators_but_for_defaults(ns: Namespace) -> None:
    """The webhook fills in its defaults after the fields are counted: nobody owns those."""
    created = ns.api.post(ns.path("services") + "?fieldManager=me", service(team="shop")).body
    assert owned(created, "me") == {
        "f:metadata": {"f:labels": {".": LEAF, "f:team": LEAF}},
        "f:spec": {".": LEAF, "f:template": {".": LEAF, "f:spec": {".": LEAF, "f:containers": LEAF}}},
    }


def test_the_controller_owns_the_status(greet: Namespace) -> None:
    found = [key for key in owners(greet.get()) if key[2] == "status"]
    assert found == [("controller", "Update", "status")]
    status = owned(greet.get(), *found[0])
    assert status is not None
    assert list(status) == ["f:status"]
    assert status["f:status"]["f:conditions"] == LEAF  # a list without keys is one value
    assert status["f:status"]["f:address"] == {".": LEAF, "f:url": LEAF}


def test_whoever_changes_the_split_owns_it(greet: Namespace) -> None:
    path = greet.path("services", "greet")
    changed = greet.api.ask(
        "PATCH", f"{path}?fieldManager=splitter", split(*HALVES), type="application/merge-patch+json"
    )
    assert owned(changed.body, "splitter") == {"f:spec": {"f:traffic": LEAF}}


def test_a_field_that_somebody_else_changes_is_no_longer_its_creators(ns: Namespace) -> None:
    ns.api.post(maps(ns) + "?fieldManager=me", configmap("m", a="1", b="2"))
    path = maps(ns, "m") + "?fieldManager=other"
    changed = ns.api.ask("PATCH", path, {"data": {"a": "9"}}, type="application/merge-patch+json").body
    assert owned(changed, "me") == {"f:data": {".": LEAF, "f:b": LEAF}}
    assert owned(changed, "other") == {"f:data": {"f:a": LEAF}}


def test_a_field_that_is_taken_away_is_nobodys(ns: Namespace) -> None:
    ns.api.post(maps(ns) + "?fieldManager=me", configmap("m", a="1", b="2"))
    path = maps(ns, "m") + "?fieldManager=other"
    changed = ns.api.ask("PATCH", path, {"data": {"a": None}}, type="application/merge-patch+json").body
    assert owners(changed) == {("me", "Update", ""): {"f:data": {".": LEAF, "f:b": LEAF}}}


def test_a_manager_that_has_nothing_left_is_gone(ns: Namespace) -> None:
    ns.api.post(maps(ns) + "?fieldManager=me", configmap("m", a="1"))
    path = maps(ns, "m") + "?fieldManager=other"
    changed = ns.api.ask("PATCH", path, {"data": None}, type="application/merge-patch+json").body
    assert owners(changed) == {}


def test_a_write_that_changes_nothing_owns_nothing(ns: Namespace) -> None:
    created = ns.api.post(maps(ns) + "?fieldManager=me", configmap("m", a="1")).body
    same = ns.api.put(maps(ns, "m") + "?fieldManager=other", created).body
    assert same["metadata"]["managedFields"] == created["metadata"]["managedFields"]
    assert same["metadata"]["resourceVersion"] == created["metadata"]["resourceVersion"]


def test_a_json_patch_owns_what_it_replaced(ns: Namespace) -> None:
    ns.api.post(maps(ns) + "?fieldManager=me", configmap("m", a="1", b="2"))
    changed = ns.api.json_patch(
        maps(ns, "m") + "?fieldManager=other", {"op": "replace", "path": "/data/b", "value": "9"}
    )
    assert owned(changed.body, "other") == {"f:data": {"f:b": LEAF}}


def test_finalizers_and_owners_have_elements_of_their_own(ns: Namespace) -> None:
    held = configmap("m")
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "1-2-3"}
    held["metadata"] |= {"finalizers": ["example.com/hold"], "ownerReferences": [reference]}
    created = ns.api.post(maps(ns) + "?fieldManager=me&dryRun=All", held).body
    assert owned(created, "me") == {
        "f:metadata": {
            "f:finalizers": {".": LEAF, 'v:"example.com/hold"': LEAF},
            "f:ownerReferences": {".": LEAF, 'k:{"uid":"1-2-3"}': LEAF},
        }
    }


def test_a_list_that_is_one_value_has_one_owner(ns: Namespace) -> None:
    role = {"metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
    path = f"{RBAC}/namespaces/{ns.name}/roles?fieldManager=me"
    assert owned(ns.api.post(path, role).body, "me") == {"f:rules": LEAF}


def test_the_client_may_reset_the_owners(ns: Namespace) -> None:
    created = ns.api.post(maps(ns) + "?fieldManager=me", configmap("m", a="1")).body
    created["metadata"]["managedFields"] = [{}]
    assert owners(ns.api.put(maps(ns, "m") + "?fieldManager=me", created).body) == {}


def test_a_client_that_knows_no_owners_does_not_lose_them(ns: Namespace) -> None:
    created = ns.api.post(maps(ns) + "?fieldManager=me", configmap("m", a="1")).body
    before = owners(created)
    del created["metadata"]["managedFields"]
    assert owners(ns.api.put(maps(ns, "m") + "?fieldManager=other", created).body) == before


def test_a_client_may_write_the_owners_itself(ns: Namespace) -> None:
    """As `kubectl apply --server-side` does with what an older apply left."""
    created = ns.api.post(maps(ns) + "?fieldManager=old", configmap("m", a="1")).body
    (entry,) = created["metadata"]["managedFields"]
    renamed = [entry | {"manager": "new", "operation": "Apply"}]
    operation = {"op": "replace", "path": "/metadata/managedFields", "value": renamed}
    changed = ns.api.json_patch(maps(ns, "m") + "?fieldManager=x", operation)
    assert list(owners(changed.body)) == [("new", "Apply", "")]


def test_an_apply_creates(ns: Namespace) -> None:
    answer = apply(ns.api, maps(ns, "m"), data(a="1"))
    assert answer.code == 201
    assert owned(answer.body, "me", "Apply") == {"f:data": {"f:a": LEAF}}


def test_an_apply_of_a_new_service(ns: Namespace) -> None:
    manifest = service(team="shop")
    answer = apply(ns.api, ns.path("services", "greet"), manifest)
    assert (answer.code, answer.body["metadata"]["generation"]) == (201, 1)
    assert owned(answer.body, "me", "Apply") == {
        "f:metadata": {"f:labels": {"f:team": LEAF}},
        "f:spec": {"f:template": {"f:spec": {"f:containers": LEAF}}},
    }
    assert ns.settle()


def test_an_apply_again_changes_nothing(ns: Namespace) -> None:
    first = apply(ns.api, maps(ns, "m"), data(a="1")).body
    second = apply(ns.api, maps(ns, "m"), data(a="1"))
    assert (second.code, second.body) == (200, first)


def test_an_apply_of_a_service_again_makes_no_revision(greet: Namespace) -> None:
    path, container = greet.path("services", "greet"), {"image": GO, "env": [{"name": "TARGET", "value": "First"}]}
    manifest = service()
    manifest["spec"]["template"]["spec"]["containers"] = [container]
    for _ in range(2):
        answer = apply(greet.api, path, manifest, query="&force=true")
        assert answer.code == 200
    assert answer.body["spec"]["template"]["spec"]["containers"][0]["image"] == GO


def test_what_an_apply_leaves_out_is_removed_when_it_was_its_own(ns: Namespace) -> None:
    apply(ns.api, maps(ns, "m"), data(a="1", b="2"))
    assert apply(ns.api, maps(ns, "m"), data(a="1")).body["data"] == {"a": "1"}


def test_what_an_apply_leaves_out_stays_when_it_was_not_its_own(ns: Namespace) -> None:
    ns.api.post(maps(ns) + "?fieldManager=other", configmap("m", b="2"))
    apply(ns.api, maps(ns, "m"), data(a="1"))
    assert apply(ns.api, maps(ns, "m"), data()).body["data"] == {"b": "2"}


def test_what_two_have_applied_stays_until_both_leave_it_out(ns: Namespace) -> None:
    apply(ns.api, maps(ns, "m"), data(a="1", b="2"), "one")
    apply(ns.api, maps(ns, "m"), data(a="1"), "two")
    assert apply(ns.api, maps(ns, "m"), data(b="2"), "one").body["data"] == {"a": "1", "b": "2"}
    assert apply(ns.api, maps(ns, "m"), data(), "two").body["data"] == {"b": "2"}


def test_two_may_apply_the_same_value(ns: Namespace) -> None:
    apply(ns.api, maps(ns, "m"), data(a="1"), "one")
    shared = apply(ns.api, maps(ns, "m"), data(a="1"), "two")
    assert shared.code == 200
    assert set(owners(shared.body)) == {("one", "Apply", ""), ("two", "Apply", "")}


def test_a_value_that_another_applied_is_a_conflict(ns: Namespace) -> None:
    apply(ns.api, maps(ns, "m"), data(a="1"), "one")
    refused = apply(ns.api, maps(ns, "m"), data(a="2"), "two")
    assert refused.refusal == (409, "Conflict", 'Apply failed with 1 conflict: conflict with "one": .data.a')
    cause = {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".data.a"}
    assert refused.body["details"] == {"causes": [cause]}


def test_a_value_that_another_updated_is_a_conflict(ns: Namespace) -> None:
    ns.api.post(maps(ns) + "?fieldManager=one", configmap("m", a="1"))
    refused = apply(ns.api, maps(ns, "m"), data(a="2"), "two")
    assert refused.refusal == (
        409,
        "Conflict",
        'Apply failed with 1 conflict: conflict with "one" using v1: .data.a',
    )


def test_several_conflicts_are_listed_by_manager(ns: Namespace) -> None:
    apply(ns.api, maps(ns, "m"), data(a="1", b="2"), "one")
    apply(ns.api, maps(ns, "m"), data(c="3"), "three")
    refused = apply(ns.api, maps(ns, "m"), data(a="x", b="x", c="x"), "two")
    assert refused.body["message"] == (
        'Apply failed with 3 conflicts: conflicts with "one":\n- .data.a\n- .data.b\nconflicts with "three":\n- .data.c'
    )


def test_force_takes_the_field(ns: Namespace) -> None:
    apply(ns.api, maps(ns, "m"), data(a="1", b="2"), "one")
    taken = apply(ns.api, maps(ns, "m"), data(a="9"), "two", "&force=true")
    assert (taken.code, taken.body["data"]) == (200, {"a": "9", "b": "2"})
    assert owned(taken.body, "one", "Apply") == {"f:data": {"f:b": LEAF}}
    assert owned(taken.body, "two", "Apply") == {"f:data": {"f:a": LEAF}}


def test_an_apply_of_the_split_conflicts_with_who_split_last(greet: Namespace) -> None:
    path = greet.path("services", "greet")
    greet.api.ask("PATCH", f"{path}?fieldManager=splitter", split(*HALVES), type="application/merge-patch+json")
    refused = apply(greet.api, path, split({"latestRevision": True, "percent": 100}))
    assert refused.refusal == (
        409,
        "Conflict",
        'Apply failed with 1 conflict: conflict with "splitter" using serving.knative.dev/v1: .spec.traffic',
    )


def test_an_apply_without_the_split_leaves_it_alone(greet: Namespace) -> None:
    assert greet.update(traffic(*HALVES)).code == 200
    path = greet.path("services", "greet")
    labelled = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"labels": {"a": "b"}}}
    answer = apply(greet.api, path, labelled)
    assert answer.code == 200
    assert [each["percent"] for each in answer.body["spec"]["traffic"]] == [50, 50]
    assert answer.body["metadata"]["labels"] == {"a": "b"}


def test_an_object_without_owners_belongs_to_nobody_in_particular(ns: Namespace) -> None:
    created = ns.api.post(maps(ns), configmap("m", a="1")).body
    created["metadata"]["managedFields"] = [{}]
    ns.api.put(maps(ns, "m"), created)
    answer = apply(ns.api, maps(ns, "m"), data(b="2"))
    assert set(owners(answer.body)) == {("before-first-apply", "Update", ""), ("me", "Apply", "")}
    assert owned(answer.body, "before-first-apply") == {"f:data": {".": LEAF, "f:a": LEAF}}


def test_a_dry_run_of_an_apply_writes_nothing(ns: Namespace) -> None:
    answer = apply(ns.api, maps(ns, "m"), data(a="1"), query="&dryRun=All")
    assert (answer.code, answer.body["data"]) == (201, {"a": "1"})
    assert ns.api.get(maps(ns, "m")).code == 404


def test_an_apply_may_be_written_as_yaml(ns: Namespace) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\ndata:\n  a: 'yes'\n"
    answer = ns.api.ask("PATCH", maps(ns, "m") + "?fieldManager=me", raw=text, type=APPLY)
    assert (answer.code, answer.body["data"]) == (201, {"a": "yes"})


def test_a_create_may_be_written_as_yaml(ns: Namespace) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: 'yes'}\n"
    answer = ns.api.ask("POST", maps(ns), raw=text, type="application/yaml")
    assert (answer.code, answer.body["data"]) == (201, {"a": "yes"})


REFUSED: dict[str, tuple[str, Callable[[Object], Any], int, str]] = {
    "without-a-manager": (
        "",
        lambda body: body,
        422,
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    ),
    "another-version": (
        "?fieldManager=me",
        lambda body: body | {"apiVersion": "v9"},
        400,
        "invalid object type: /v9, Kind=ConfigMap",
    ),
    "with-owners": (
        "?fieldManager=me",
        put("metadata", "managedFields", value=[{"manager": "x"}]),
        400,
        "metadata.managedFields must be nil",
    ),
}


@pytest.mark.parametrize("case", ["without-a-manager", "another-version", "with-owners"])
def test_an_apply_that_is_refused(ns: Namespace, case: str) -> None:
    query, change, code, message = REFUSED[case]
    ns.api.post(maps(ns), configmap("m"))
    body = data(a="1")
    body = change(body) or body
    answer = ns.api.ask("PATCH", maps(ns, "m") + query, body, type=APPLY)
    assert (answer.code, answer.body["message"]) == (code, message)


def test_only_an_apply_may_force(ns: Namespace) -> None:
    ns.api.post(maps(ns), configmap("m"))
    answer = ns.api.merge(maps(ns, "m") + "?force=true", {"data": {"a": "1"}})
    assert answer.refusal == (
        422,
        "Invalid",
        'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    )


def test_an_apply_knows_its_fields(greet: Namespace) -> None:
    body = split({"latestRevision": True, "percent": 100})
    body["spec"]["bogus"] = 1
    answer = apply(greet.api, greet.path("services", "greet"), body, query="&force=true")
    assert answer.code == 500
    assert answer.body["message"].endswith(".spec.bogus: field not declared in schema")


def test_an_apply_takes_patch_and_for_a_new_object_create(ns: Namespace, viewer: Client) -> None:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}]
    roles, bindings = f"{RBAC}/namespaces/{ns.name}/roles", f"{RBAC}/namespaces/{ns.name}/rolebindings"
    ns.api.post(roles, {"metadata": {"name": "patcher"}, "rules": rules})
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": "patcher"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "patcher"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "viewer"}],
    }
    ns.api.post(bindings, binding)
    ns.api.post(maps(ns), configmap("m"))
    eventually(lambda: apply(viewer, maps(ns, "m"), data(a="1")).code == 200)
    refused = apply(viewer, maps(ns, "new"), data("new", a="1"))
    assert (refused.code, refused.body["reason"]) == (403, "Forbidden")


POD: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {
        "containers": [
            {
                "name": "app",
                "image": "example.com/app",
                "env": [{"name": "A", "value": "1"}],
                "ports": [{"containerPort": 80}],
            }
        ]
    },
}


def test_containers_and_their_lists_are_owned_item_by_item(ns: Namespace) -> None:
    found = owned(apply(ns.api, ns.path("pods", "p"), POD, query="&dryRun=All").body, "me", "Apply")
    assert found is not None
    assert found["f:spec"]["f:containers"]['k:{"name":"app"}'] == {
        ".": LEAF,
        "f:env": {'k:{"name":"A"}': {".": LEAF, "f:name": LEAF, "f:value": LEAF}},
        "f:image": LEAF,
        "f:name": LEAF,
        "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": LEAF, "f:containerPort": LEAF}},
    }


def test_an_item_of_a_keyed_list_may_come_once(ns: Namespace) -> None:
    twice = {**POD, "spec": {"containers": [POD["spec"]["containers"][0]] * 2}}
    answer = apply(ns.api, ns.path("pods", "p"), twice, query="&dryRun=All")
    assert answer.code == 500
    assert answer.body["message"].endswith('.spec.containers: duplicate entries for key [name="app"]')


def test_an_update_in_the_containers_is_owned_as_one_value_by_knative(greet: Namespace) -> None:
    current = greet.get()
    env(("A", "b"))(current)
    changed = greet.api.put(greet.path("services", "greet") + "?fieldManager=editor", current)
    assert owned(changed.body, "editor") == {"f:spec": {"f:template": {"f:spec": {"f:containers": LEAF}}}}
