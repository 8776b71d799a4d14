"""Who owns a field: metadata.managedFields after each kind of write."""

from __future__ import annotations

import pytest

from tests.contract.applying import HALVES, LEAF, apply, maps, owned, owners, split
from tests.contract.client import (
    RBAC,
    Namespace,
    Object,
    configmap,
    env,
    service,
)


@pytest.fixture
def greet(ns: Namespace) -> Namespace:
    assert ns.create().code == 201
    ns.settle()
    return ns


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
