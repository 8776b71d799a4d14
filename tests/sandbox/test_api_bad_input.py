"""Input that nobody should send: it is refused with a Status, and never crashes a request."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.api_client import CONFIGMAPS, RBAC, SERVICES, Client, configmap, service
from tests.sandbox_process import Sandbox
from tests.sweeps import examples

REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
METADATA = {
    "name": "m",
    "namespace": "default",
    "labels": {"a": "b"},
    "annotations": {"a": "b"},
    "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "u"}],
    "generateName": "g-",
    "uid": "u",
    "resourceVersion": "1",
    "managedFields": [],
}
ROLE_REFERENCE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
SUBJECTS = [{"kind": "ServiceAccount", "name": "x", "namespace": "default"}, {"kind": "Group", "name": "x"}]
RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], "resourceNames": ["a"]}]
SELECTOR = {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}
ATTRIBUTES = {"namespace": "default", "verb": "get", "group": "", "resource": "pods", "subresource": "", "name": ""}
POD = {"containers": [{"name": "a", "image": "b"}]}
OBJECTS: list[tuple[str, dict[str, Any]]] = [
    (SERVICES, {**service("m"), "metadata": METADATA}),
    (CONFIGMAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": METADATA, "data": {"a": "b"}}),
    ("/api/v1/namespaces/default/secrets", {"metadata": METADATA, "stringData": {"a": "b"}, "data": {"c": "ZA=="}}),
    ("/api/v1/namespaces/default/pods", {"metadata": METADATA, "spec": POD}),
    ("/api/v1/namespaces/default/serviceaccounts/robot/token", {"spec": {"expirationSeconds": 60}}),
    ("/api/v1/namespaces", {"metadata": {"name": "fuzzed", "labels": {"a": "b"}}}),
    (f"{RBAC}/namespaces/default/roles", {"metadata": METADATA, "rules": RULES}),
    (f"{RBAC}/clusterroles", {"metadata": METADATA, "aggregationRule": {"clusterRoleSelectors": [SELECTOR]}}),
    (
        f"{RBAC}/namespaces/default/rolebindings",
        {"metadata": METADATA, "roleRef": ROLE_REFERENCE, "subjects": SUBJECTS},
    ),
    (REVIEW, {"spec": {"resourceAttributes": ATTRIBUTES, "nonResourceAttributes": {"path": "/", "verb": "get"}}}),
    ("/sandbox/faults", {"verb": "get", "times": 1, "code": 500, "delay_ms": 0, "cut": "", "retry_after": 1}),
    ("/sandbox/speed", {"speed": 1}),
]
DELETE_OPTIONS = {
    "preconditions": {"uid": "u", "resourceVersion": "1"},
    "propagationPolicy": "Orphan",
    "gracePeriodSeconds": 0,
    "dryRun": ["All"],
    "orphanDependents": True,
}
VALUES = st.sampled_from(
    [None, True, -1, 0, 1.5, 2**70, "", "x", "X_y", [], [None], [[]], ["x"], {}, {"x": None}, {"x": {}}]
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a tree."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def replaced(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The tree with another value at `path`."""
    if not path:
        return value
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[path[0]] = replaced(copy[path[0]], path[1:], value)
    return copy


@st.composite
def spoiled(draw: st.DrawFn, tree: Any) -> Any:
    """A good tree with one or two bad values."""
    for _ in range(draw(st.integers(1, 2))):
        tree = replaced(tree, draw(st.sampled_from(places(tree))), draw(VALUES))
    return tree


MANY = settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_refused_or_done(client: Client, method: str, path: str, body: Any, type: str = "application/json") -> None:
    answer = client.ask(method, path, body, type=type)
    assert answer.code < 500 or answer.body["reason"] != "InternalError", (method, path, body, answer.body)
    client.delete("/sandbox/faults")


@MANY
@given(data=st.data(), wanted=st.sampled_from(OBJECTS))
def test_a_post_of_something_spoiled(api: Client, data: st.DataObject, wanted: tuple[str, dict[str, Any]]):
    api.post("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "robot"}})
    path, obj = wanted
    assert_refused_or_done(api, "POST", path, data.draw(spoiled(obj)))
    assert api.as_("mary").get(SERVICES).code == 403  # whatever roles there are now can still be read
    for kind in ("roles", "rolebindings"):
        api.delete(f"{RBAC}/namespaces/default/{kind}")
    api.delete(f"{RBAC}/clusterroles/m")


@MANY
@given(data=st.data(), change=st.sampled_from(["PUT", "DELETE", "merge-patch", "strategic-merge-patch", "status"]))
def test_a_spoiled_change(api: Client, data: st.DataObject, change: str):
    for path, obj in ((SERVICES, service("m")), (CONFIGMAPS, configmap("m"))):
        api.post(path, obj)
        metadata = {key: value for key, value in METADATA.items() if key not in ("uid", "resourceVersion")}
        good = obj | {"metadata": metadata, "status": {"observedGeneration": 1}}
        spoilt = data.draw(spoiled(DELETE_OPTIONS if change == "DELETE" else good))
        if change in ("PUT", "DELETE"):
            assert_refused_or_done(api, change, f"{path}/m", spoilt)
        elif change == "status":
            assert_refused_or_done(api, "PATCH", f"{SERVICES}/m/status", spoilt, "application/merge-patch+json")
        else:
            assert_refused_or_done(api, "PATCH", f"{path}/m", spoilt, f"application/{change}+json")
        assert api.get(f"{path}?labelSelector=a%3Db&fieldSelector=metadata.name%3Dm").code == 200


@MANY
@given(
    data=st.data(),
    operation=st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
            "path": st.sampled_from(
                ["", "/", "/metadata", "/metadata/name", "/spec", "/metadata/labels", "/kind", "/x/y"]
            ),
            "from": st.sampled_from(["/spec", "/metadata", "", "/none"]),
            "value": VALUES,
        }
    ),
)
def test_a_spoiled_json_patch(api: Client, data: st.DataObject, operation: dict[str, Any]):
    api.post(SERVICES, service("m"))
    body = data.draw(spoiled([operation]))
    assert_refused_or_done(api, "PATCH", f"{SERVICES}/m", body, "application/json-patch+json")
    assert api.get(f"{SERVICES}?labelSelector=a%3Db").code == 200


@MANY
@given(
    name=st.sampled_from(["limit", "continue", "resourceVersion", "labelSelector", "fieldSelector", "dryRun"]),
    value=st.text(max_size=8),
)
def test_any_query(api: Client, name: str, value: str):
    answer = api.get(f"{CONFIGMAPS}?{name}={quote(value)}")
    assert answer.code in (200, 400, 410, 422, 504)


@MANY
@given(data=st.data())
def test_a_spoiled_service_through_knatives_webhooks_and_controllers(box: Sandbox, data: st.DataObject):
    admin = Client(box.url, box.token)
    traffic = [{"revisionName": "m-00001", "percent": 50, "tag": "old"}, {"latestRevision": True, "percent": 50}]
    good = service("m")
    good["spec"]["traffic"] = traffic
    good["spec"]["template"]["metadata"] = {"annotations": {"autoscaling.knative.dev/min-scale": "1"}, "labels": {}}
    body = data.draw(spoiled(good))
    assert_refused_or_done(admin, "POST", SERVICES, body)
    assert_refused_or_done(admin, "PATCH", f"{SERVICES}/m", body, "application/merge-patch+json")
    admin.delete(f"{SERVICES}/m")
    assert box.process.poll() is None, box.output.read_text()[-2000:]
