"""Causes on a real Knative, as far as a control plane without nodes can fail: quota, registry, policy, names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.cluster.connections import ClusterSettings, connect
from console.cluster.errors import Conflict, Forbidden, NotFound, Refused
from console.cluster.gateway import Gateway
from console.cluster.resources import CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS
from console.knative.causes import Cause, Code, Quota
from console.knative.changes import Restart, SetImage
from console.knative.changes.applied import apply_to
from console.knative.objects import Service
from console.knative.progress import Follow
from console.operations.engine import diagnosis
from console.operations.submitting.dry_run import DryRun, Untested, dry_run
from tests.real_cluster.control_plane import ControlPlane, apply
from tests.real_cluster.releases import numbers
from tests.real_cluster.supervisor import START_SECONDS
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(900)  # the first test waits for the control plane
TIGHT = "tight"


def manifest(name: str, image: str, namespace: str = TIGHT) -> dict[str, Any]:
    template = {
        "metadata": {"annotations": {"autoscaling.knative.dev/initial-scale": "1"}},
        "spec": {"containers": [{"image": image}]},
    }
    kind = {"apiVersion": "serving.knative.dev/v1", "kind": "Service"}
    return {**kind, "metadata": {"name": name, "namespace": namespace}, "spec": {"template": template}}


@pytest.fixture(scope="module")
def gateway(box: ControlPlane) -> Gateway:
    """The console's gateway as an administrator."""
    return Gateway(connect(ClusterSettings("real", url=box.url, token=box.token, ca_file=str(box.ca))))


@pytest.fixture(scope="module")
def tight(box: ControlPlane) -> str:
    """A namespace in which no pod may be made."""
    apply(box, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TIGHT}})
    quota = {"metadata": {"name": "no-pods", "namespace": TIGHT}, "spec": {"hard": {"pods": "0"}}}
    apply(box, {"apiVersion": "v1", "kind": "ResourceQuota", **quota})
    return TIGHT


def failed(gateway: Gateway, namespace: str, name: str, wanted: Code) -> Cause:
    """What is gathered once the cause shows."""

    def gathered() -> Cause | None:
        service = gateway.service(namespace, name)
        follow = Follow(service.generation, True, revision=service.latest_created_revision)
        found = diagnosis.diagnose(gateway, service, follow)
        return found if found.code is wanted else None

    return eventually(gathered, timeout=START_SECONDS, message=f"{name} does not fail for {wanted}")


def crowded(gateway: Gateway) -> Service:
    """The service of a namespace in which no pod may be made."""
    try:
        return gateway.service(TIGHT, "crowded")
    except NotFound:
        return gateway.create_service(Service(manifest("crowded", "gcr.io/knative-samples/helloworld-go")))


def test_a_used_up_quota_is_named(box: ControlPlane, gateway: Gateway, tight: str) -> None:
    crowded(gateway)
    cause = failed(gateway, tight, "crowded", Code.QUOTA)
    assert cause.facts == Quota("no-pods")


def test_a_pod_that_the_quota_forbids_is_told_before_the_change(gateway: Gateway, tight: str, release: str) -> None:
    """Below Serving 1.20 because the dry run asks for it, and the rest is tested all the same; since, always."""

    def asked() -> DryRun | None:
        applied = apply_to(SetImage("user-container", "gcr.io/knative-samples/helloworld-rust"), crowded(gateway))
        found = dry_run(gateway, applied)
        # The controllers write statuses between the two calls: a preview reads again then, too.
        return None if isinstance(found.refusal, Conflict) else found

    tried = eventually(asked, timeout=START_SECONDS)
    assert tried.pods is not None
    assert (tried.pods.quota, tried.refusal) == ("no-pods", None)
    if numbers(release) >= (1, 21):
        assert (tried.untested, tried.after) == (Untested.PODS, None)
    else:
        assert tried.after is not None
        assert tried.after.containers[0].image == "gcr.io/knative-samples/helloworld-rust"


def test_a_policy_is_named(box: ControlPlane, gateway: Gateway) -> None:
    rules = [{"apiGroups": ["serving.knative.dev"], "apiVersions": ["v1"], "operations": ["CREATE"],
              "resources": ["services"]}]  # fmt: skip
    group = "admissionregistration.k8s.io/v1"
    spec = {
        "matchConstraints": {"resourceRules": rules},
        "validations": [
            {"expression": "!object.metadata.name.startsWith('bad')", "message": "no", "reason": "Forbidden"}
        ],
    }
    apply(box, {"apiVersion": group, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "no-bad"}, "spec": spec})
    binding = {"policyName": "no-bad", "validationActions": ["Deny"]}
    bound = {"apiVersion": group, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "no-bad"}}
    apply(box, {**bound, "spec": binding})

    def refused() -> Refused | None:
        try:
            gateway.create_service(Service(manifest("bad-one", "example.com/shop/app:1", "default")), dry_run=True)
        except Refused as error:
            return error
        return None  # not in force yet

    error = eventually(refused, timeout=START_SECONDS, message="the policy does not take effect")
    assert error.policy == "no-bad"


def test_names_come_without_values_and_defaults_are_read(box: ControlPlane, gateway: Gateway, tight: str) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": TIGHT}}
    apply(box, {**secret, "stringData": {"password": "canary"}})
    assert "db" in gateway.object_names(SECRETS, tight)
    assert "kube-root-ca.crt" in gateway.object_names(CONFIG_MAPS, tight)
    assert "default" in gateway.object_names(SERVICE_ACCOUNTS, tight)
    assert "_example" in gateway.config_map("knative-serving", "config-autoscaler")


def test_the_deployments_account_reads_defaults_and_no_names(
    deployed: ControlPlane, account_token: Path, tight: str
) -> None:
    settings = ClusterSettings("real", url=deployed.url, token_file=str(account_token), ca_file=str(deployed.ca))
    gateway = Gateway(connect(settings))
    assert gateway.config_map("knative-serving", "config-defaults") is not None
    assert gateway.pod_warnings(tight, "none") == ()
    with pytest.raises(Forbidden):
        gateway.object_names(SECRETS, tight)


def test_a_restart_is_a_new_revision(box: ControlPlane, gateway: Gateway, tight: str) -> None:
    made = gateway.service(tight, "crowded")
    again = gateway.replace_service(Restart("2026-11-24T10:00:00Z", {}).apply(made))
    assert again.generation == made.generation + 1
