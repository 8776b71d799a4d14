"""Paths: those that are not there, methods in the wrong place, and what a namespace holds until it is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.client import RBAC, SERVING, Client, Namespace, configmap, service
from tests.waiting import eventually

NO_PAGE = "404 page not found\n"
NO_RESOURCE = "the server could not find the requested resource"


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/apis/nothing.example.com",
        "/apis/nothing.example.com/v1",
        "/apis/nothing.example.com/v1/things",
        "/apis/nothing.example.com/v1/namespaces/default/things/one",
        "/apis/serving.knative.dev/v9",
        "/apis/serving.knative.dev/v9/services",
        f"{SERVING}/bogus",
        f"{SERVING}/namespaces/default/bogus",
        f"{SERVING}/services/not-in-a-namespace",
    ],
)
def test_a_path_that_nobody_answers_is_a_page_not_found(api: Client, path: str) -> None:
    answer = api.get(path)
    assert (answer.code, answer.body) == (404, NO_PAGE)
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v9",
        "/api/v9/namespaces/default/pods",
        "/api/v1/bogus",
        "/api/v1/namespaces/default/bogus",
        "/api/v1/configmaps/not-in-a-namespace",
        "/api/v1/namespaces/default/configmaps/kube-root-ca.crt/bogus",
        f"{RBAC}/bogus",
    ],
)
def test_a_path_of_kubernetes_own_that_is_not_there_is_a_status(api: Client, path: str) -> None:
    answer = api.get(path)
    assert answer.refusal == (404, "NotFound", NO_RESOURCE)
    assert answer.body["details"] == {}


def test_a_subresource_that_a_custom_resource_does_not_have(api: Client) -> None:
    answer = api.get(f"{SERVING}/namespaces/default/services/greet/bogus")
    assert answer.refusal == (404, "NotFound", 'services.serving.knative.dev "greet" not found')


def test_who_may_not_ask_is_not_told_what_is_there(viewer: Client) -> None:
    assert viewer.get("/nowhere").refusal == (403, "Forbidden", 'forbidden: User "viewer" cannot get path "/nowhere"')
    assert viewer.get("/apis/nothing.example.com/v1/namespaces/default/things/one").refusal == (
        403,
        "Forbidden",
        'things.nothing.example.com "one" is forbidden: User "viewer" cannot get resource "things" in API group '
        '"nothing.example.com" in the namespace "default"',
    )


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_collection_of_custom_resources_asks_for_a_name(ns: Namespace, method: str) -> None:
    type = "application/merge-patch+json" if method == "PATCH" else "application/json"
    answer = ns.api.ask(method, ns.path("services"), service(), type=type)
    assert answer.refusal == (400, "BadRequest", "name must be provided")


def test_an_objects_path_takes_a_create_of_a_custom_resource(ns: Namespace) -> None:
    assert ns.api.post(ns.path("services", "greet") + "?dryRun=All", service()).code == 201


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_custom_resources_are_written_in_a_namespace_only(api: Client, method: str) -> None:
    answer = api.ask(method, f"{SERVING}/services?dryRun=All", service())
    assert (answer.code, answer.body) == (404, NO_PAGE)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/v1/namespaces/default/configmaps"),
        ("PATCH", "/api/v1/namespaces/default/configmaps"),
        ("POST", "/api/v1/namespaces/default/configmaps/kube-root-ca.crt"),
        ("POST", "/api/v1/configmaps"),
        ("DELETE", "/api/v1/configmaps"),
        ("PUT", "/api/v1/namespaces"),
    ],
)
def test_a_method_that_a_core_path_does_not_have(api: Client, method: str, path: str) -> None:
    answer = api.ask(method, f"{path}?dryRun=All", configmap("x"))
    message = "the server does not allow this method on the requested resource"
    assert answer.refusal == (405, "MethodNotAllowed", message)


def test_a_new_namespace_has_its_label_and_its_phase(ns: Namespace) -> None:
    body = ns.api.get(f"/api/v1/namespaces/{ns.name}").body
    assert body["metadata"]["labels"]["kubernetes.io/metadata.name"] == ns.name
    assert body["spec"]["finalizers"] == ["kubernetes"]
    assert body["status"]["phase"] == "Active"


FURNISHED = [("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt")]


@pytest.mark.parametrize(("plural", "name"), FURNISHED)
def test_a_new_namespace_is_furnished(ns: Namespace, plural: str, name: str) -> None:
    eventually(lambda: ns.api.get(ns.path(plural, name)).code == 200)


@pytest.mark.parametrize(("plural", "name"), FURNISHED)
def test_what_furnishes_a_namespace_comes_back(ns: Namespace, plural: str, name: str) -> None:
    first = eventually(lambda: ns.api.get(ns.path(plural, name)).body["metadata"].get("uid"))
    assert ns.api.delete(ns.path(plural, name)).code == 200
    eventually(lambda: ns.api.get(ns.path(plural, name)).body["metadata"].get("uid") not in (None, first))


def test_the_authority_of_the_api_is_in_every_namespace(ns: Namespace) -> None:
    eventually(lambda: ns.api.get(ns.path("configmaps", "kube-root-ca.crt")).code == 200)
    found = ns.get("configmaps", "kube-root-ca.crt")
    assert list(found["data"]) == ["ca.crt"]
    assert "CA bundle" in found["metadata"]["annotations"]["kubernetes.io/description"]


@pytest.mark.parametrize(("name", "is_label"), [("With.Dots", True), ("a.b", True), ("x" * 64, False), ("-a", False)])
def test_a_namespace_has_a_label_as_its_name(api: Client, name: str, is_label: bool) -> None:
    """It becomes the value of a label as well, which takes more."""
    answer = api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    assert (answer.code, answer.body["reason"]) == (422, "Invalid")
    why = f'metadata.name: Invalid value: "{name}": '
    if is_label:
        assert answer.body["message"].startswith(f'Namespace "{name}" is invalid: {why}')
    else:
        assert answer.body["message"].startswith(f'Namespace "{name}" is invalid: [{why}')
        assert f', metadata.labels: Invalid value: "{name}": ' in answer.body["message"]


@pytest.fixture
def ending(ns: Namespace) -> Iterator[Namespace]:
    """A namespace that is being deleted and held by a finalizer."""
    held = configmap("held")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    assert ns.api.post(ns.path("configmaps"), held).code == 201
    assert ns.api.delete(f"/api/v1/namespaces/{ns.name}").code == 200
    yield ns
    ns.api.merge(ns.path("configmaps", "held"), {"metadata": {"finalizers": None}})


def test_a_namespace_with_something_in_it_is_terminating(ending: Namespace) -> None:
    body = ending.api.get(f"/api/v1/namespaces/{ending.name}").body
    assert body["status"]["phase"] == "Terminating"
    assert body["metadata"]["deletionTimestamp"]


def test_nothing_new_comes_into_a_terminating_namespace(ending: Namespace) -> None:
    why = f"unable to create new content in namespace {ending.name} because it is being terminated"
    answer = ending.api.post(ending.path("configmaps"), configmap("late"))
    assert answer.refusal == (403, "Forbidden", f'configmaps "late" is forbidden: {why}')
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {ending.name} is being terminated",
        "field": "metadata.namespace",
    }
    assert answer.body["details"] == {"name": "late", "kind": "configmaps", "causes": [cause]}


def test_a_terminating_namespace_tells_what_holds_it(ending: Namespace) -> None:
    def told() -> dict[str, Any]:
        body = ending.api.get(f"/api/v1/namespaces/{ending.name}").body
        return {each["type"]: each for each in body["status"].get("conditions", [])}

    remaining = eventually(lambda: told().get("NamespaceContentRemaining"))
    assert (remaining["status"], remaining["reason"]) == ("True", "SomeResourcesRemain")
    assert remaining["message"] == "Some resources are remaining: configmaps. has 1 resource instances"
    held = told()["NamespaceFinalizersRemaining"]
    assert held["message"] == (
        "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"
    )


def test_a_namespace_goes_with_the_last_thing_in_it(ending: Namespace) -> None:
    assert ending.api.merge(ending.path("configmaps", "held"), {"metadata": {"finalizers": None}}).code == 200
    eventually(lambda: ending.api.get(f"/api/v1/namespaces/{ending.name}").code == 404, timeout=60)


def test_a_namespace_with_a_service_goes(api: Client) -> None:
    name = "contract-ends"
    ns = Namespace(api, name)
    eventually(lambda: api.post("/api/v1/namespaces", {"metadata": {"name": name}}).code == 201, timeout=60)
    eventually(lambda: ns.create().code == 201)
    ns.settle()
    answer = api.delete(f"/api/v1/namespaces/{name}")
    assert (answer.code, answer.body["status"]["phase"]) == (200, "Terminating")
    eventually(lambda: api.get(f"/api/v1/namespaces/{name}").code == 404, timeout=60)


def test_logs_of_a_pod_without_a_node(ns: Namespace) -> None:
    pod = {"metadata": {"name": "lone"}, "spec": {"containers": [{"name": "app", "image": "example.com/app"}]}}
    eventually(lambda: ns.api.post(ns.path("pods"), pod).code == 201)
    answer = ns.api.get(ns.path("pods", "lone") + "/log")
    assert (answer.code, answer.body) == (204, "")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "a container name must be specified for pod lone, choose one of: [app side]"),
        ("?container=other", "container other is not valid for pod lone"),
    ],
)
def test_logs_are_of_one_container(ns: Namespace, query: str, message: str) -> None:
    containers = [{"name": name, "image": f"example.com/{name}"} for name in ("app", "side")]
    pod = {"metadata": {"name": "lone"}, "spec": {"containers": containers}}
    eventually(lambda: ns.api.post(ns.path("pods"), pod).code == 201)
    answer = ns.api.get(ns.path("pods", "lone") + "/log" + query)
    assert answer.refusal == (400, "BadRequest", message)
