"""What kubectl prints: tables, and the views that hold metadata only."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from tests.contract.client import RBAC, SERVING, Answer, Client, Namespace, configmap, traffic
from tests.waiting import eventually

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
KUBECTL = f"{TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
Cells = list[Any]

COLUMNS = {
    "/api/v1/namespaces": ["Name", "Status", "Age"],
    "/api/v1/pods": [
        "Name", "Ready", "Status", "Restarts", "Age", "+IP", "+Node", "+Nominated Node", "+Readiness Gates",
    ],
    "/api/v1/events": [
        "Last Seen", "Type", "Reason", "Object", "+Subobject", "+Source", "Message", "+First Seen", "+Count", "+Name",
    ],
    "/api/v1/secrets": ["Name", "Type", "Data", "Age"],
    "/api/v1/configmaps": ["Name", "Data", "Age"],
    "/api/v1/serviceaccounts": ["Name", "Age"],
    "/api/v1/services": ["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "+Selector"],
    "/api/v1/persistentvolumeclaims": [
        "Name", "Status", "Volume", "Capacity", "Access Modes", "StorageClass", "VolumeAttributesClass", "Age",
        "+VolumeMode",
    ],
    "/api/v1/nodes": [
        "Name", "Status", "Roles", "Age", "Version", "+Internal-IP", "+External-IP", "+OS-Image", "+Kernel-Version",
        "+Container-Runtime",
    ],
    "/api/v1/limitranges": ["Name", "Created At"],
    "/apis/apps/v1/deployments": [
        "Name", "Ready", "Up-to-date", "Available", "Age", "+Containers", "+Images", "+Selector",
    ],
    "/apis/apps/v1/replicasets": [
        "Name", "Desired", "Current", "Ready", "Age", "+Containers", "+Images", "+Selector",
    ],
    f"{SERVING}/services": ["Name", "URL", "LatestCreated", "LatestReady", "Ready", "Reason"],
    f"{SERVING}/configurations": ["Name", "LatestCreated", "LatestReady", "Ready", "Reason"],
    f"{SERVING}/routes": ["Name", "URL", "Ready", "Reason"],
    f"{SERVING}/revisions": [
        "Name", "Config Name", "Generation", "Ready", "Reason", "Actual Replicas", "Desired Replicas",
    ],
    f"{RBAC}/roles": ["Name", "Created At"],
    f"{RBAC}/clusterroles": ["Name", "Created At"],
    f"{RBAC}/rolebindings": ["Name", "Role", "Age", "+Users", "+Groups", "+ServiceAccounts"],
    f"{RBAC}/clusterrolebindings": ["Name", "Role", "Age", "+Users", "+Groups", "+ServiceAccounts"],
}  # fmt: skip


def cells(answer: Answer) -> list[Cells]:
    assert (answer.code, answer.body["kind"]) == (200, "Table"), answer
    return [row["cells"] for row in answer.body["rows"]]


def row_of(ns: Namespace, plural: str, name: str) -> Cells:
    (row,) = cells(ns.api.get(ns.path(plural, name), TABLE))
    return row


@pytest.fixture(scope="module")
def greet(shared: Namespace) -> Namespace:
    """A namespace with one ready Service and one object of each kind that people look at."""
    assert shared.create().code == 201
    shared.settle()
    assert shared.api.post(shared.path("configmaps"), configmap("settings", a="1", b="2")).code == 201
    secret = {"metadata": {"name": "db"}, "stringData": {"password": "hunter2"}}
    assert shared.api.post(shared.path("secrets"), secret).code == 201
    assert shared.api.post(shared.path("serviceaccounts"), {"metadata": {"name": "robot"}}).code == 201
    return shared


@pytest.mark.parametrize("path", COLUMNS)
def test_the_columns_of_each_kind(api: Client, path: str) -> None:
    definitions = api.get(f"{path}?limit=1", TABLE).body["columnDefinitions"]
    assert [("+" if each["priority"] else "") + each["name"] for each in definitions] == COLUMNS[path]


@pytest.mark.parametrize("path", COLUMNS)
def test_a_column_is_the_name(api: Client, path: str) -> None:
    definitions = api.get(f"{path}?limit=1", TABLE).body["columnDefinitions"]
    assert [each["name"] for each in definitions if each["format"] == "name"] == ["Name"]


@pytest.mark.parametrize(
    ("path", "types"),
    [
        (f"{SERVING}/revisions", ["string"] * 5 + ["integer"] * 2),
        (f"{RBAC}/roles", ["string", "date"]),
        ("/api/v1/secrets", ["string"] * 4),
    ],
)
def test_the_types_of_columns(api: Client, path: str, types: list[str]) -> None:
    assert [each["type"] for each in api.get(f"{path}?limit=1", TABLE).body["columnDefinitions"]] == types


def test_a_custom_column_says_where_its_value_is(api: Client) -> None:
    definitions = api.get(f"{SERVING}/services?limit=1", TABLE).body["columnDefinitions"]
    told = {each["name"]: each["description"].partition(": ")[2] for each in definitions[1:]}
    assert told["Ready"] == ".status.conditions[?(@.type=='Ready')].status"
    assert told["URL"] == ".status.url"


def test_the_row_of_a_service(greet: Namespace) -> None:
    url = f"http://greet.{greet.name}.example.com"
    assert row_of(greet, "services", "greet") == ["greet", url, "greet-00001", "greet-00001", "True", None]


def test_the_row_of_a_configuration(greet: Namespace) -> None:
    assert row_of(greet, "configurations", "greet") == ["greet", "greet-00001", "greet-00001", "True", None]


def test_the_row_of_a_route(greet: Namespace) -> None:
    assert row_of(greet, "routes", "greet") == ["greet", f"http://greet.{greet.name}.example.com", "True", None]


def test_the_row_of_a_revision(greet: Namespace) -> None:
    row = row_of(greet, "revisions", "greet-00001")
    assert row[:5] == ["greet-00001", "greet", "1", "True", None]
    assert row[5] == 0


@pytest.mark.parametrize(
    ("plural", "name", "start"),
    [
        ("configmaps", "settings", ["settings", 2]),
        ("secrets", "db", ["db", "Opaque", 1]),
        ("serviceaccounts", "robot", ["robot"]),
    ],
)
def test_the_row_of_a_core_kind_ends_with_its_age(greet: Namespace, plural: str, name: str, start: Cells) -> None:
    *row, age = row_of(greet, plural, name)
    assert row == start
    assert age.rstrip("smh").isdigit() or "m" in age


def test_the_row_of_a_namespace(greet: Namespace) -> None:
    (row,) = cells(greet.api.get(f"/api/v1/namespaces/{greet.name}", TABLE))
    assert row[:2] == [greet.name, "Active"]


def test_a_service_that_is_not_ready_shows_the_reason(ns: Namespace) -> None:
    assert ns.create("odd", traffic({"revisionName": "odd-00009", "percent": 100})).code == 201
    ns.settle("False", "odd")

    def row() -> list[str]:
        name, _, created, _, *rest = row_of(ns, "services", "odd")
        return [name, created, *rest]

    # The route may fail before the configuration has told of its revision.
    eventually(lambda: row() == ["odd", "odd-00001", "False", "RevisionMissing"])


def event(ns: Namespace, **fields: Any) -> dict[str, Any]:
    about = {"kind": "Pod", "name": "greet-pod", "namespace": ns.name, "fieldPath": "spec.containers{greet}"}
    return {
        "metadata": {"name": "told"},
        "involvedObject": about,
        "reason": "Pulled",
        "message": " It was there. \n",
        "type": "Normal",
        "source": {"component": "kubelet", "host": "node-1"},
        "firstTimestamp": "2020-01-01T00:00:00Z",
        "lastTimestamp": "2020-01-01T00:00:00Z",
        "count": 7,
    } | fields


def test_the_row_of_an_event(ns: Namespace) -> None:
    assert ns.api.post(ns.path("events"), event(ns)).code == 201
    last, *row = row_of(ns, "events", "told")
    assert last.endswith(("y", "d"))
    first = last
    about = ["Normal", "Pulled", "pod/greet-pod", "spec.containers{greet}", "kubelet, node-1", "It was there."]
    assert row == [*about, first, 7, "told"]


def test_an_event_without_times_or_a_count(ns: Namespace) -> None:
    told = event(ns, firstTimestamp=None, lastTimestamp=None, count=0)
    assert ns.api.post(ns.path("events"), told).code == 201
    row = row_of(ns, "events", "told")
    assert (row[0], row[7], row[8]) == ("<unknown>", "<unknown>", 1)


POD_SPEC = {"containers": [{"name": "app", "image": "example.com/app"}, {"name": "side", "image": "example.com/side"}]}


@pytest.fixture
def pod(ns: Namespace) -> Namespace:
    """A pod that no node takes up, whose status tests write themselves."""
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lone"}, "spec": POD_SPEC}
    eventually(lambda: ns.api.post(ns.path("pods"), body).code == 201)  # its ServiceAccount comes a moment later
    return ns


def container(name: str, state: dict[str, Any], *, ready: bool = False, restarts: int = 0) -> dict[str, Any]:
    image = f"example.com/{name}"
    facts = {"name": name, "image": image, "imageID": image, "ready": ready, "restartCount": restarts}
    return facts | {"state": state}


def waiting(reason: str) -> dict[str, Any]:
    return {"waiting": {"reason": reason}}


RUNNING: dict[str, Any] = {"running": {"startedAt": "2020-01-01T00:00:00Z"}}
DONE: dict[str, Any] = {"terminated": {"exitCode": 0, "reason": "Completed"}}
FAILED: dict[str, Any] = {"terminated": {"exitCode": 2, "reason": "Error"}}


def test_the_row_of_a_pod_that_waits_for_a_node(pod: Namespace) -> None:
    row = row_of(pod, "pods", "lone")
    assert row[:4] == ["lone", "0/2", "Pending", "0"]
    assert row[5:] == ["<none>"] * 4


@pytest.mark.parametrize(
    ("phase", "app", "side", "expected"),
    [
        ("Pending", waiting("ContainerCreating"), waiting("ContainerCreating"), ["0/2", "ContainerCreating"]),
        ("Pending", waiting("ImagePullBackOff"), waiting("ContainerCreating"), ["0/2", "ImagePullBackOff"]),
        ("Running", RUNNING, RUNNING, ["2/2", "Running"]),
        ("Running", waiting("CrashLoopBackOff"), RUNNING, ["1/2", "CrashLoopBackOff"]),
        ("Running", FAILED, RUNNING, ["1/2", "Error"]),
        ("Running", {"terminated": {"exitCode": 137}}, RUNNING, ["1/2", "ExitCode:137"]),
        ("Running", {"terminated": {"exitCode": 0, "signal": 9}}, RUNNING, ["1/2", "Signal:9"]),
        ("Running", DONE, RUNNING, ["1/2", "NotReady"]),
        ("Succeeded", DONE, DONE, ["0/2", "Completed"]),
        ("Failed", DONE, FAILED, ["0/2", "Error"]),
    ],
)
def test_the_status_of_a_pod_in_one_word(
    pod: Namespace, phase: str, app: dict[str, Any], side: dict[str, Any], expected: list[str]
) -> None:
    statuses = [container("app", app, ready=app is RUNNING), container("side", side, ready=side is RUNNING)]
    status = {"phase": phase, "containerStatuses": statuses}
    assert pod.api.merge(pod.path("pods", "lone") + "/status", {"status": status}).code == 200
    assert row_of(pod, "pods", "lone")[1:3] == expected


def test_restarts_say_when_the_last_one_was(pod: Namespace) -> None:
    crashed = container("app", waiting("CrashLoopBackOff"), restarts=3)
    last = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2020-01-01T00:00:00Z"}}
    statuses = [crashed | {"lastState": last}, container("side", RUNNING, ready=True, restarts=1)]
    body = {"status": {"phase": "Running", "containerStatuses": statuses}}
    assert pod.api.merge(pod.path("pods", "lone") + "/status", body).code == 200
    restarts = row_of(pod, "pods", "lone")[3]
    assert restarts.startswith("4 (")
    assert restarts.endswith(" ago)")


def test_a_pod_on_its_way_out_is_terminating(pod: Namespace) -> None:
    held = {"metadata": {"finalizers": ["example.com/hold"]}}
    assert pod.api.merge(pod.path("pods", "lone"), held).code == 200
    assert pod.api.delete(pod.path("pods", "lone")).code == 200
    assert row_of(pod, "pods", "lone")[2] == "Terminating"
    assert pod.api.merge(pod.path("pods", "lone"), {"metadata": {"finalizers": None}}).code == 200


def test_the_row_of_a_role_binding(ns: Namespace) -> None:
    group = "rbac.authorization.k8s.io"
    subjects = [
        {"kind": "User", "name": "mary", "apiGroup": group},
        {"kind": "User", "name": "peter", "apiGroup": group},
        {"kind": "Group", "name": "shop", "apiGroup": group},
        {"kind": "ServiceAccount", "name": "robot", "namespace": ns.name},
    ]
    reference = {"apiGroup": group, "kind": "ClusterRole", "name": "view"}
    path = f"{RBAC}/namespaces/{ns.name}/rolebindings"
    body = {"metadata": {"name": "seen"}, "roleRef": reference, "subjects": subjects}
    assert ns.api.post(path, body).code == 201
    (row,) = cells(ns.api.get(f"{path}/seen", TABLE))
    assert (row[:2], row[3:]) == (["seen", "ClusterRole/view"], ["mary, peter", "shop", f"{ns.name}/robot"])


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_both_versions_of_a_table(greet: Namespace, version: str) -> None:
    answer = greet.api.get(greet.path("services"), f"application/json;as=Table;v={version};g=meta.k8s.io")
    assert (answer.body["kind"], answer.body["apiVersion"]) == ("Table", f"meta.k8s.io/{version}")


def test_what_kubectl_accepts_is_answered_with_its_first_choice(greet: Namespace) -> None:
    assert greet.api.get(greet.path("services"), KUBECTL).body["apiVersion"] == "meta.k8s.io/v1"


@pytest.mark.parametrize("view", ["as=Table;v=v9;g=meta.k8s.io", "as=Bogus;v=v1;g=meta.k8s.io"])
def test_a_view_that_nobody_knows_gives_way_to_the_next(greet: Namespace, view: str) -> None:
    answer = greet.api.get(greet.path("services"), f"application/json;{view},application/json")
    assert answer.body["kind"] == "ServiceList"


def test_a_list_and_its_table_have_one_version(greet: Namespace) -> None:
    table = greet.api.get(greet.path("configmaps"), TABLE).body
    assert int(table["metadata"]["resourceVersion"]) > 0


def test_a_table_comes_in_pages_too(greet: Namespace) -> None:
    page = greet.api.get(greet.path("configmaps") + "?limit=1", TABLE).body
    assert len(page["rows"]) == 1
    assert page["metadata"]["continue"]
    assert page["metadata"]["remainingItemCount"] >= 1


def test_an_empty_table_has_no_rows(ns: Namespace) -> None:
    assert ns.api.get(ns.path("services"), TABLE).body["rows"] == []


@pytest.mark.parametrize(
    ("included", "kind"), [("", "PartialObjectMetadata"), ("Metadata", "PartialObjectMetadata"), ("Object", "Service")]
)
def test_what_a_row_carries_beside_its_cells(greet: Namespace, included: str, kind: str) -> None:
    (row,) = greet.api.get(f"{greet.path('services', 'greet')}?includeObject={included}", TABLE).body["rows"]
    assert row["object"]["kind"] == kind
    assert row["object"]["metadata"]["name"] == "greet"
    assert ("spec" in row["object"]) is (included == "Object")


def test_a_row_may_carry_nothing(greet: Namespace) -> None:
    (row,) = greet.api.get(greet.path("services", "greet") + "?includeObject=None", TABLE).body["rows"]
    assert row["object"] is None


def test_a_row_can_carry_nothing_else(greet: Namespace) -> None:
    answer = greet.api.get(greet.path("services", "greet") + "?includeObject=Bogus", TABLE)
    assert answer.refusal == (
        400,
        "BadRequest",
        "Unable to convert to Table as requested: includeObject: Invalid value: \"Bogus\": must be 'Metadata', "
        "'Object', 'None', or empty",
    )


def test_a_watch_names_its_columns_once(ns: Namespace) -> None:
    for name in "ab":
        assert ns.api.post(ns.path("configmaps"), configmap(name, {"mine": "yes"})).code == 201
    query = "?watch=1&labelSelector=mine&timeoutSeconds=20"
    with ns.api.watch(ns.path("configmaps") + query, TABLE) as events:
        first, second = islice(events, 2)
    assert [first["object"]["kind"], second["object"]["kind"]] == ["Table", "Table"]
    assert [each["name"] for each in first["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert not second["object"]["columnDefinitions"]
    assert [each["object"]["rows"][0]["cells"][:2] for each in (first, second)] == [["a", 0], ["b", 0]]


def test_a_watch_of_custom_resources_names_its_columns_once(ns: Namespace) -> None:
    for name in "ab":
        assert ns.create(name).code == 201
    with ns.api.watch(ns.path("services") + "?watch=1&timeoutSeconds=20", TABLE) as events:
        first, second = islice(events, 2)
    assert first["object"]["columnDefinitions"][0]["name"] == "Name"
    assert not second["object"]["columnDefinitions"]


def test_a_watch_tells_the_version_that_it_reached(ns: Namespace) -> None:
    created = ns.api.post(ns.path("configmaps"), configmap("a", {"mine": "yes"})).body
    query = "?watch=1&labelSelector=mine&timeoutSeconds=20"
    with ns.api.watch(ns.path("configmaps") + query, TABLE) as events:
        table = next(events)["object"]
    assert table["metadata"]["resourceVersion"] == created["metadata"]["resourceVersion"]


def test_a_watch_of_metadata_sends_no_values(ns: Namespace) -> None:
    assert ns.api.post(ns.path("configmaps"), configmap("a", {"mine": "yes"}, x="1")).code == 201
    query = "?watch=1&labelSelector=mine&timeoutSeconds=20"
    with ns.api.watch(ns.path("configmaps") + query, METADATA) as events:
        told = next(events)
    assert (told["type"], told["object"]["kind"]) == ("ADDED", "PartialObjectMetadata")
    assert "data" not in told["object"]


def test_the_metadata_of_one_object(greet: Namespace) -> None:
    body = greet.api.get(greet.path("configmaps", "settings"), METADATA).body
    assert (body["kind"], body["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert body["metadata"]["name"] == "settings"
    assert "data" not in body


def test_the_metadata_of_one_object_is_not_a_list(greet: Namespace) -> None:
    answer = greet.api.get(greet.path("configmaps", "settings"), METADATA_LIST)
    assert (answer.code, answer.body["reason"]) == (406, "NotAcceptable")


def test_a_list_is_not_the_metadata_of_one_object(greet: Namespace) -> None:
    answer = greet.api.get(greet.path("configmaps"), METADATA)
    assert (answer.code, answer.body["reason"]) == (406, "NotAcceptable")
