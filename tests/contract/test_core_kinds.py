"""Services, claims and nodes of Kubernetes, and what Knative makes of a Service in Kubernetes' own kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.applying import apply, owned
from tests.contract.client import Answer, Client, Namespace, Object, put, to, traffic
from tests.waiting import eventually

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
APPS = "/apis/apps/v1"
PREFIX = "serving.knative.dev"
Told = Callable[[str, Any], Any]


def core_service(**spec: Any) -> Object:
    return {"metadata": {"name": "plain"}, "spec": {"ports": [{"port": 80}], "selector": {"app": "x"}} | spec}


def claim(**spec: Any) -> Object:
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": "data"}, "spec": wanted | {"storageClassName": "manual"} | spec}


def core(ns: Namespace, plural: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{ns.name}/{plural}" + (f"/{name}" if name else "")


def apps(ns: Namespace, plural: str, name: str = "") -> str:
    return f"{APPS}/namespaces/{ns.name}/{plural}" + (f"/{name}" if name else "")


def row(answer: Answer) -> list[Any]:
    (found,) = answer.body["rows"]
    return list(found["cells"])


def names(api: Client, path: str) -> set[str]:
    return {one["metadata"]["name"] for one in api.get(path).body["items"]}


@pytest.fixture(scope="module")
def greet(shared: Namespace) -> Namespace:
    """A ready Service whose template carries a label of its own."""
    assert shared.create("greet", put("spec", "template", "metadata", value={"labels": {"team": "shop"}})).code == 201
    shared.settle()
    return shared


def test_a_service_of_kubernetes_gets_an_address_and_its_defaults(ns: Namespace) -> None:
    made = ns.api.post(core(ns, "services"), core_service()).body
    spec = made["spec"]
    assert [spec.pop("clusterIP")] == spec.pop("clusterIPs")
    assert spec == {
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "selector": {"app": "x"},
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }
    assert made["status"] == {"loadBalancer": {}}


def test_the_row_of_a_service_of_kubernetes(ns: Namespace) -> None:
    address = ns.api.post(core(ns, "services"), core_service()).body["spec"]["clusterIP"]
    cells = row(ns.api.get(core(ns, "services", "plain"), TABLE))
    assert (cells[:5], cells[6]) == (["plain", "ClusterIP", address, "<none>", "80/TCP"], "app=x")


def test_the_row_of_an_external_name(ns: Namespace) -> None:
    wanted = core_service(type="ExternalName", externalName="db.example.com", selector=None)
    assert ns.api.post(core(ns, "services"), wanted).code == 201
    cells = row(ns.api.get(core(ns, "services", "plain"), TABLE))
    assert (cells[:5], cells[6]) == (["plain", "ExternalName", "<none>", "db.example.com", "80/TCP"], "<none>")


def test_the_ports_of_a_service_are_merged_by_their_number(ns: Namespace) -> None:
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    assert ns.api.post(core(ns, "services"), core_service(ports=ports)).code == 201
    patch = {"spec": {"ports": [{"$patch": "delete", "port": 80}, {"port": 81, "targetPort": 8081}]}}
    path, strategic = core(ns, "services", "plain"), "application/strategic-merge-patch+json"
    (left,) = ns.api.ask("PATCH", path, patch, type=strategic).body["spec"]["ports"]
    assert left == {"name": "b", "port": 81, "protocol": "TCP", "targetPort": 8081}


def test_whoever_applies_a_service_owns_what_it_said(ns: Namespace) -> None:
    body = {"apiVersion": "v1", "kind": "Service"} | core_service()
    made = apply(ns.api, core(ns, "services", "plain"), body).body
    port = {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}}
    assert owned(made, "me", "Apply") == {"f:spec": {"f:ports": port, "f:selector": {}}}


def test_the_api_server_has_a_service_of_its_own(api: Client) -> None:
    found = api.get("/api/v1/namespaces/default/services/kubernetes").body
    assert [(each["name"], each["port"]) for each in found["spec"]["ports"]] == [("https", 443)]
    assert found["metadata"]["labels"] == {"component": "apiserver", "provider": "kubernetes"}


def test_a_claim_without_a_volume_waits_and_is_protected(ns: Namespace) -> None:
    made = ns.api.post(core(ns, "persistentvolumeclaims"), claim()).body
    assert made["spec"]["volumeMode"] == "Filesystem"
    assert made["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    assert made["status"] == {"phase": "Pending"}
    cells = row(ns.api.get(core(ns, "persistentvolumeclaims", "data"), TABLE))
    assert (cells[:7], cells[8]) == (["data", "Pending", "", "", "", "manual", "<unset>"], "Filesystem")


def test_a_claim_that_no_pod_uses_goes_when_it_is_deleted(ns: Namespace) -> None:
    path = core(ns, "persistentvolumeclaims", "data")
    assert ns.api.post(core(ns, "persistentvolumeclaims"), claim()).code == 201
    assert ns.api.delete(path).code == 200
    eventually(lambda: ns.api.get(path).code == 404)


def test_the_services_that_knative_makes(greet: Namespace) -> None:
    assert names(greet.api, core(greet, "services")) == {"greet", "greet-00001", "greet-00001-private"}


def test_a_route_has_a_placeholder_that_leads_to_the_ingress(greet: Namespace) -> None:
    found = greet.api.get(core(greet, "services", "greet")).body
    assert found["spec"].pop("externalName").endswith(".svc.cluster.local")
    port = {"appProtocol": "kubernetes.io/h2c", "name": "http2", "port": 80, "protocol": "TCP", "targetPort": 80}
    assert found["spec"] == {"ports": [port], "sessionAffinity": "None", "type": "ExternalName"}
    assert found["metadata"]["labels"] == {f"{PREFIX}/route": "greet", f"{PREFIX}/service": "greet"}
    (owner,) = found["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("Route", "greet", True)


@pytest.mark.parametrize("kind", ["Public", "Private"])
def test_a_revision_has_two_services(greet: Namespace, knative: tuple[int, ...], kind: str) -> None:
    name = "greet-00001" if kind == "Public" else "greet-00001-private"
    found = greet.api.get(core(greet, "services", name)).body
    ports = [(each["name"], each["port"], each["targetPort"]) for each in found["spec"]["ports"]]
    metrics = [(name, number, name) for name, number in (("http-autometric", 9090), ("http-usermetric", 9091))]
    admin = [] if knative >= (1, 16) else [("http-queueadm", 8022, 8022)]
    more = [*metrics, *admin, ("http-istio", 8012, 8012)] if kind == "Private" else []
    assert ports == [("http", 80, 8012), ("https", 443, 8112), *more]
    assert ("selector" in found["spec"]) is (kind == "Private")
    labels = found["metadata"]["labels"]
    assert labels["networking.internal.knative.dev/serviceType"] == kind
    assert (labels["team"], labels["app"]) == ("shop", "greet-00001")
    assert [each["kind"] for each in found["metadata"]["ownerReferences"]] == ["ServerlessService"]


def test_a_revision_has_a_deployment_and_a_replica_set(greet: Namespace) -> None:
    deployment = greet.api.get(apps(greet, "deployments", "greet-00001-deployment")).body
    (replica_set,) = greet.api.get(apps(greet, "replicasets")).body["items"]
    (owner,) = replica_set["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("Deployment", deployment["metadata"]["uid"])
    suffix = replica_set["metadata"]["labels"]["pod-template-hash"]
    assert replica_set["metadata"]["name"] == f"greet-00001-deployment-{suffix}"
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": 0}
    cells = row(greet.api.get(apps(greet, "deployments", "greet-00001-deployment"), TABLE))
    assert cells[:4] == ["greet-00001-deployment", "0/0", 0, 0]


def test_the_pods_of_a_revision_carry_the_labels_of_its_template(greet: Namespace) -> None:
    revision = greet.get("revisions", "greet-00001")
    deployment = greet.api.get(apps(greet, "deployments", "greet-00001-deployment")).body
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    inherited = {key: each for key, each in revision["metadata"]["labels"].items() if not key.endswith("routingState")}
    uid = {f"{PREFIX}/revisionUID": revision["metadata"]["uid"]}
    assert labels == inherited | uid | {"app": "greet-00001", f"{PREFIX}/revision": "greet-00001"}


def test_the_pods_of_a_revision_have_the_queue_proxy_beside_the_program(
    greet: Namespace, knative: tuple[int, ...]
) -> None:
    deployment = greet.api.get(apps(greet, "deployments", "greet-00001-deployment")).body
    spec = deployment["spec"]["template"]["spec"]
    user, proxy = spec.pop("containers")
    assert [each["name"] for each in user.pop("env")] == [
        "TARGET",
        "PORT",
        "K_REVISION",
        "K_CONFIGURATION",
        "K_SERVICE",
    ]
    wait = {"httpGet": {"path": "/wait-for-drain", "port": 8022, "scheme": "HTTP"}}
    assert user.pop("lifecycle") == {"preStop": wait}
    assert user.pop("ports") == [{"containerPort": 8080, "name": "user-port", "protocol": "TCP"}]
    assert user.pop("image").startswith("gcr.io/knative-samples/helloworld-go")
    assert user.pop("imagePullPolicy") in ("Always", "IfNotPresent")  # by whether its digest was resolved
    assert user == {
        "name": "user-container",
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    settings = {each["name"]: each.get("value") for each in proxy.pop("env")}
    assert settings["SERVING_READINESS_PROBE"] == (
        '{"tcpSocket":{"port":8080,"host":"127.0.0.1"},"successThreshold":1}'
    )
    assert ("OBSERVABILITY_CONFIG" in settings) is (knative >= (1, 16))
    assert len(settings) == (27 if knative >= (1, 16) else 34)
    assert spec["terminationGracePeriodSeconds"] == 300
    assert spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0]["weight"] == 100


def test_a_tag_has_a_placeholder_as_long_as_it_is_there(ns: Namespace) -> None:
    assert ns.create("greet", traffic({"latestRevision": True, "percent": 100, "tag": "next"})).code == 201
    ns.settle()
    assert "next-greet" in names(ns.api, core(ns, "services"))
    ns.update(traffic(to("greet-00001", 100)))
    eventually(lambda: "next-greet" not in names(ns.api, core(ns, "services")))


def test_what_knative_made_goes_with_the_service(ns: Namespace) -> None:
    assert ns.create().code == 201
    ns.settle()
    assert ns.api.delete(ns.path("services", "greet")).code == 200
    eventually(lambda: not names(ns.api, core(ns, "services")))
    eventually(lambda: not names(ns.api, apps(ns, "deployments")) | names(ns.api, apps(ns, "replicasets")))


def test_what_knative_made_is_told_in_the_order_in_which_it_happened(greet: Namespace) -> None:
    about = f"{core(greet, 'events')}?fieldSelector=involvedObject.kind=Route"
    said = [each["message"] for each in greet.api.get(about).body["items"] if each["type"] == "Normal"]
    finalizers, *made = said
    assert finalizers == 'Updated "greet" finalizers'
    assert made == ['Created placeholder service "greet"', 'Created Ingress "greet"']


@pytest.mark.parametrize("plural", ["deployments", "replicasets"])
def test_people_make_deployments_of_their_own(ns: Namespace, told: Told, plural: str) -> None:
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    spec = {"selector": {"matchLabels": {"app": "x"}}, "template": template}
    kind = {"deployments": "Deployment", "replicasets": "ReplicaSet"}[plural]
    body = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "own"}, "spec": spec}
    assert ns.api.post(f"{apps(ns, plural)}?dryRun=All", body).code == told("own-deployment", 201)
