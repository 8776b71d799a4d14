"""Server-side apply: what it makes of an object, and what it may take from others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.applying import APPLY, HALVES, LEAF, apply, data, maps, owned, owners, split
from tests.contract.client import (
    GO,
    RBAC,
    Client,
    Namespace,
    Object,
    configmap,
    put,
    service,
    traffic,
)
from tests.waiting import eventually


@pytest.fixture
def greet(ns: Namespace) -> Namespace:
    assert ns.create().code == 201
    ns.settle()
    return ns


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
