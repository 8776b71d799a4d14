"""Real RBAC: a person is allowed what their teams' groups are, and nothing of what the console's account is."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from console.access.models import Grant, Membership, Role, Team, User
from console.access.permissions import Permission
from console.cluster.connections import ClusterSettings
from console.cluster.errors import Forbidden
from console.cluster.probe import ProbeResult, probe
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations.gateways import gateway_for
from console.operations.lookups import cluster_rights
from console.operations.submitting.previewing import preview
from tests.broker import broker
from tests.real_cluster.conftest import documents
from tests.real_cluster.control_plane import ControlPlane, apply, is_ready
from tests.real_cluster.supervisor import START_SECONDS
from tests.redis_server import redis_process, redis_server
from tests.waiting import eventually

__all__ = ["redis_process", "redis_server"]

pytestmark = [pytest.mark.timeout(900), pytest.mark.django_db]
RBAC = "/apis/rbac.authorization.k8s.io/v1"
API = "rbac.authorization.k8s.io"
CHANGE = SetEnv("user-container", (EnvEntry("TARGET", "Changed"),))


def user(name: str) -> dict[str, str]:
    return {"apiGroup": API, "kind": "User", "name": name}


@pytest.fixture(scope="module")
def ref(box: ControlPlane) -> Iterator[ServiceRef]:
    """A ready service in a namespace of its own, in which the group sluice:shop may change services.

    The user `console` holds the roles of deploy/kubernetes for reading, and those for impersonation; nothing else.
    """
    name = f"impersonation-{uuid.uuid4().hex[:6]}"
    roles = {one["metadata"]["name"]: one for one in documents() if one["kind"] == "ClusterRole"}
    impersonate = [{"apiGroups": [""], "resources": ["users", "groups"], "verbs": ["impersonate"]}]
    change = [{"apiGroups": ["serving.knative.dev"], "resources": ["services"], "verbs": ["get", "update"]}]
    made = [
        ("clusterroles", {"metadata": {"name": f"{name}-read"}, "rules": roles["sluice-read"]["rules"]}),
        ("clusterroles", {"metadata": {"name": f"{name}-impersonate"}, "rules": impersonate}),
        ("clusterroles", {"metadata": {"name": f"{name}-change"}, "rules": change}),
        *(("clusterrolebindings", binding(f"{name}-{what}", user("console"))) for what in ("read", "impersonate")),
    ]
    post(box, "/api/v1/namespaces", {"metadata": {"name": name}})
    for plural, obj in made:
        post(box, f"{RBAC}/{plural}", obj)
    group = {"apiGroup": API, "kind": "Group", "name": "sluice:shop"}
    post(box, f"{RBAC}/namespaces/{name}/rolebindings", binding(f"{name}-change", group))
    container = {"image": "gcr.io/knative-samples/helloworld-go", "env": [{"name": "TARGET", "value": "First"}]}
    kind = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "hello", "namespace": name}}
    apply(box, {**kind, "spec": {"template": {"spec": {"containers": [container]}}}})
    path = f"/apis/serving.knative.dev/v1/namespaces/{name}/services/hello"
    eventually(lambda: is_ready(box, path), timeout=START_SECONDS, message="hello does not become ready")
    yield ServiceRef("real", name, "hello")
    box.ask("DELETE", path)
    eventually(lambda: box.ask("GET", path).status == 404, message="hello does not go")  # else a list has it twice
    for plural, obj in made:
        box.ask("DELETE", f"{RBAC}/{plural}/{obj['metadata']['name']}")
    box.ask("DELETE", f"/api/v1/namespaces/{name}")


def binding(role: str, subject: dict[str, str]) -> dict[str, Any]:
    return {
        "metadata": {"name": role},
        "roleRef": {"apiGroup": API, "kind": "ClusterRole", "name": role},
        "subjects": [subject],
    }


def post(box: ControlPlane, path: str, obj: dict[str, Any]) -> None:
    answer = box.ask("POST", path, obj)
    assert answer.status == 201, answer.data


@pytest.fixture
def impersonating(box: ControlPlane, settings, redis_server) -> Iterator[None]:
    cluster = {
        "name": "real",
        "url": box.url,
        "token": box.tokens["console"],
        "ca_file": str(box.ca),
        "impersonate": True,
    }
    settings.CLUSTERS = json.dumps([cluster])
    with broker("memory://"):
        yield


def person(name: str, team_name: str) -> User:
    """Somebody who may do everything as far as the console is concerned."""
    made = User.objects.create_user(name)
    team = Team.objects.create(name=team_name)
    Grant.objects.create(team=team, role=Role.objects.get(name="owner"))
    Membership.objects.create(user=made, team=team)
    return made


def test_the_groups_of_a_persons_teams_decide(ref: ServiceRef, impersonating) -> None:
    mary, peter = person("mary", "shop"), person("peter", "others")
    assert eventually(lambda: preview(CHANGE, user=mary, ref=ref).refusal is None)
    with pytest.raises(Forbidden, match='User "peter" cannot get resource "services"'):
        preview(CHANGE, user=peter, ref=ref)


def test_what_the_person_may_not_do_is_known_before(ref: ServiceRef, impersonating) -> None:
    update, delete = "update services", "delete services"
    assert cluster_rights.refused(ref, person("mary", "shop")) == {Permission.DELETE: delete}
    assert cluster_rights.refused(ref, person("peter", "others")) == {
        **dict.fromkeys((Permission.DEPLOY, Permission.TRAFFIC, Permission.OPERATE), update),
        Permission.DELETE: delete,
    }


def test_the_consoles_own_account_may_read_and_not_change(ref: ServiceRef, impersonating, settings) -> None:
    settings.CLUSTERS = settings.CLUSTERS.replace("true", "false")
    refusal = preview(CHANGE, user=person("mary", "shop"), ref=ref).refusal
    assert isinstance(refusal, Forbidden)
    assert 'User "console" cannot update resource "services"' in refusal.raw


def test_nobody_becomes_the_system(ref: ServiceRef, impersonating, settings) -> None:
    settings.IMPERSONATE_GROUP_PREFIX = ""
    with pytest.raises(Forbidden, match="may not be impersonated"):
        gateway_for("real", person("mary", "system:masters"))


def added(box: ControlPlane, token: str) -> ClusterSettings:
    """The cluster as somebody adds it in the console: by its address, CA certificate and a token."""
    ca = box.ca.read_text()
    return ClusterSettings("real", url=box.url, ca=ca, token=token, guarded=True, loopback=True)


def test_a_test_of_the_connection_names_the_rights_that_are_missing(box: ControlPlane, ref: ServiceRef) -> None:
    report = probe(added(box, box.tokens["console"]), impersonates=True)
    assert report.result == ProbeResult.NONE
    assert set(report.missing) == {
        *(f"{verb} services.serving.knative.dev" for verb in ("create", "update", "delete")),
        *("delete revisions.serving.knative.dev", "create events"),
    }
    assert report.kubernetes.startswith("v1.")


def test_a_test_of_the_connection_of_an_account_without_rights(box: ControlPlane) -> None:
    report = probe(added(box, box.tokens["viewer"]), impersonates=False)
    assert report.result == ProbeResult.MAY_NOT_READ
    assert "list services.serving.knative.dev" in report.missing


def test_a_test_of_the_connection_with_a_wrong_token(box: ControlPlane) -> None:
    assert probe(added(box, "wrong"), impersonates=False).result == ProbeResult.UNAUTHORIZED


def test_a_test_of_the_connection_without_the_authority(box: ControlPlane) -> None:
    settings = ClusterSettings("real", url=box.url, token=box.token, guarded=True, loopback=True)
    assert probe(settings, impersonates=False).result == ProbeResult.AUTHORITY
