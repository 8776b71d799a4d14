"""deploy/kubernetes on the real API server: taken as it is, and its service account may do what the console must."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.cluster.connections import ClusterSettings, connect
from console.cluster.errors import Forbidden
from console.cluster.gateway import Gateway
from console.cluster.resources import EVENTS, PODS, REVISIONS, SERVICES
from console.cluster.transport import Identity
from console.knative.objects import Service
from tests.real_cluster.box import APPLY, object_path
from tests.real_cluster.conftest import DEPLOYMENT, documents
from tests.real_cluster.control_plane import ControlPlane
from tests.real_cluster.supervisor import START_SECONDS
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(900)  # the first test waits for the control plane
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OPERATOR = "monitoring.coreos.com"
OPERATOR_KINDS = {"podmonitors": "PodMonitor", "prometheusrules": "PrometheusRule"}
ACCOUNT = "system:serviceaccount:sluice:sluice"


@pytest.fixture(scope="module")
def gateway(deployed: ControlPlane, account_token: Path) -> Gateway:
    """The console's own gateway with the service account's token."""
    settings = ClusterSettings("real", url=deployed.url, token_file=str(account_token), ca_file=str(deployed.ca))
    return Gateway(connect(settings))


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for document in documents():
        if document["kind"] in ("Deployment", "Job"):
            yield document["metadata"]["name"], document["spec"]["template"]["spec"]


def components() -> Iterator[dict[str, Any]]:
    for path in sorted(DEPLOYMENT.glob("*/*.yaml")):
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text())


@pytest.fixture
def operator_kinds(deployed: ControlPlane) -> Iterator[None]:
    """The Prometheus operator's kinds that a component has, without its schemas: their fields are not checked here."""
    for plural, kind in OPERATOR_KINDS.items():
        deployed.ask("POST", DEFINITIONS, json.dumps(definition(plural, kind)))
    version = f"/apis/{OPERATOR}/v1"
    eventually(lambda: all(plural in str(deployed.ask("GET", version).data) for plural in OPERATOR_KINDS))
    yield
    for plural in OPERATOR_KINDS:
        deployed.ask("DELETE", f"{DEFINITIONS}/{plural}.{OPERATOR}")


def definition(plural: str, kind: str) -> dict[str, Any]:
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{OPERATOR}"},
        "spec": {"group": OPERATOR, "scope": "Namespaced", "names": names, "versions": [version]},
    }


@pytest.mark.usefixtures("operator_kinds")
def test_the_components_are_taken_as_they_are(deployed: ControlPlane) -> None:
    for document in components():
        path = f"{object_path(deployed, document)}?fieldManager=tests&fieldValidation=Strict&dryRun=All"
        answer = deployed.ask("PATCH", path, json.dumps(document), content_type=APPLY)
        assert answer.status in (200, 201), f"{document['kind']}: {answer.data!r}"
        assert "Warning" not in answer.headers, f"{document['kind']}: {answer.headers['Warning']}"


def test_every_container_is_bound(deployed: ControlPlane) -> None:
    for name, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name


def test_real_pods_pass_the_restricted_standard(deployed: ControlPlane) -> None:
    """The namespace enforces it: the real controller manager could not have made the pods otherwise."""

    def made() -> bool:
        answer = deployed.ask("GET", "/api/v1/namespaces/sluice/pods")
        names = {one["metadata"]["labels"]["app.kubernetes.io/name"] for one in json.loads(answer.data)["items"]}
        return names == {"web", "worker", "background", "watcher", "beat", "migrate"}

    eventually(made, timeout=START_SECONDS)


def test_no_role_has_a_wildcard_or_secrets() -> None:
    rules = [rule for one in documents() if one["kind"] == "ClusterRole" for rule in one["rules"]]
    assert rules
    for rule in rules:
        assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
        assert "secrets" not in rule["resources"]


def test_the_account_may_do_what_the_console_must(deployed: ControlPlane, gateway: Gateway) -> None:
    container = {"image": "gcr.io/knative-samples/helloworld-go"}
    manifest = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "deployed", "namespace": "default"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    created = gateway.create_service(Service(manifest))
    assert created.creator == ACCOUNT

    def settled() -> Service | None:
        found = gateway.service("default", "deployed")
        ready = found.condition("Ready")
        return found if found.is_settled and ready is not None and ready.status == "True" else None

    service = eventually(settled, timeout=START_SECONDS)
    assert gateway.replace_service(service, dry_run=True).name == "deployed"
    assert gateway.revision("default", "deployed-00001").service_name == "deployed"
    assert gateway.route("default", "deployed").name == "deployed"
    assert [pod.ready_text for pod in gateway.pods("default", revision="deployed-00001")] == ["2/2"]
    assert gateway.events("default", about="deployed")
    event = {
        "metadata": {"generateName": "deployed."},
        "involvedObject": {"kind": "Service", "name": "deployed", "namespace": "default"},
        "reason": "Updated",
        "type": "Normal",
    }
    gateway.create_event("default", event)
    for verb, resource in (("update", SERVICES), ("delete", REVISIONS), ("watch", PODS), ("create", EVENTS)):
        assert gateway.can_i(verb, resource, "default"), (verb, resource.plural)
    gateway.delete_service("default", "deployed", uid=service.uid)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/namespaces/default/secrets"),
        ("GET", "/api/v1/secrets"),
        ("GET", "/api/v1/namespaces/default/configmaps"),
        ("POST", "/api/v1/namespaces/default/pods"),
        ("DELETE", "/api/v1/namespaces/default/pods/any"),
        ("POST", "/api/v1/namespaces/default/pods/any/exec"),
        ("DELETE", "/api/v1/namespaces/default"),
        ("GET", "/apis/apps/v1/namespaces/default/deployments"),
        ("PATCH", "/apis/serving.knative.dev/v1/namespaces/default/services/any"),
        ("PUT", "/apis/serving.knative.dev/v1/namespaces/default/revisions/any"),
        ("DELETE", "/apis/serving.knative.dev/v1/namespaces/default/services"),
        ("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"),
        ("POST", "/api/v1/namespaces/sluice/serviceaccounts/sluice/token"),
    ],
)
def test_the_account_may_not(deployed: ControlPlane, gateway: Gateway, method: str, path: str) -> None:
    token = (deployed.folder / "sluice-token").read_text()
    answer = deployed.ask(method, path, {} if method != "GET" else None, token=token)
    assert answer.status == 403, answer.data
    assert ACCOUNT in json.loads(answer.data)["message"]


def test_the_account_may_not_be_somebody_else(deployed: ControlPlane, gateway: Gateway) -> None:
    somebody = Gateway(gateway.connection, Identity("mary", ()))
    with pytest.raises(Forbidden):
        somebody.pods("default", revision="any")
