"""What a cluster does with services that are accepted but unusual: the sandbox does the same."""

from __future__ import annotations

from typing import Any

import pytest

from console.sandbox import names
from console.sandbox.knative.admission import admit
from console.sandbox.knative.programs import answer
from console.sandbox.knative.registry import inspect
from console.sandbox.knative.seed import seed
from console.sandbox.resources import CONFIGMAPS, CONFIGURATIONS, PODS, REVISIONS, ROUTES, SERVICEACCOUNTS
from console.sandbox.store import Store
from tests.sandbox.knative_world import Object, eventually, knative

GO = "gcr.io/knative-samples/helloworld-go"
SCALING = "autoscaling.knative.dev/"


def account(name: str) -> Object:
    return {"metadata": {"name": name, "namespace": "default"}}


async def test_pods_of_an_unknown_service_account_are_refused_until_somebody_makes_it() -> None:
    async with knative() as world:
        world.create("hello", spec={"serviceAccountName": "builder"})

        def refusal() -> tuple[str, str, str]:
            if world.store.find(REVISIONS, "default", "hello-00001") is None:
                return ("", "", "")
            return world.conditions(REVISIONS, "hello-00001").get("ResourcesAvailable", ("", "", ""))

        await eventually(lambda: refusal()[1] == "FailedCreate")
        why = 'error looking up service account default/builder: serviceaccount "builder" not found'
        assert refusal()[2].startswith('pods "hello-00001-deployment-')
        assert refusal()[2].endswith(f'" is forbidden: {why}')
        assert world.store.list(PODS, "default") == []
        world.store.create(SERVICEACCOUNTS, account("builder"))
        await world.ready("hello")


async def test_a_crashing_sidecar_keeps_a_revision_from_getting_ready_and_its_name_is_told_by_the_pod() -> None:
    spec = {
        "containers": [
            {"name": "main", "image": GO, "ports": [{"containerPort": 8080}]},
            {"name": "side", "image": "registry.example.com/x/crash:1"},
        ]
    }
    async with knative(progress_deadline_seconds=40) as world:
        began = world.store.version
        world.create("hello", spec=spec)

        def is_failed() -> bool:
            if world.store.find(REVISIONS, "default", "hello-00001") is None:
                return False
            return world.conditions(REVISIONS, "hello-00001").get("Ready", ("",))[0] == "False"

        await eventually(is_failed)
        assert world.conditions(REVISIONS, "hello-00001")["ResourcesAvailable"][1] == "ProgressDeadlineExceeded"
        assert any(_is_crashing(change.object) for change in world.store.changes_since(PODS, began))


def _is_crashing(pod: dict[str, Any]) -> bool:
    """Its sidecar crashes, and it alone."""
    containers = {each["name"]: each for each in pod["status"].get("containerStatuses", [])}
    waits = containers.get("side", {}).get("state", {}).get("waiting", {})
    return waits.get("reason") == "CrashLoopBackOff" and containers["main"]["ready"] is True


@pytest.mark.parametrize("length", [57, 58, 63])
async def test_the_names_of_a_service_with_a_long_name_are_shortened_as_knative_does(length: int) -> None:
    service = "x" * length
    async with knative() as world:
        world.create(service)
        await world.ready(service)
        (revision,) = world.store.list(REVISIONS, "default")
        (pod,) = world.store.list(PODS, "default")
    assert revision["metadata"]["name"] == names.child_name(service, "-00001")
    assert len(revision["metadata"]["name"]) == len(pod["metadata"]["name"]) == 63


def test_a_long_name_is_cut_and_told_apart_by_a_digest() -> None:
    """As knative.dev/pkg/kmeta.ChildName: the digest is of the parent's name."""
    assert names.child_name("x" * 57, "-00001") == f"{'x' * 57}-00001"
    assert names.child_name("x" * 58, "-00001") == f"{'x' * 25}e7a07c25a31348c37fba19f4e1d9825b-00001"
    assert len(names.child_name("x" * 63, "-deployment")) == 63


async def test_a_route_gets_ready_when_the_configuration_of_another_name_does() -> None:
    async with knative() as world:
        route = {
            "apiVersion": ROUTES.api_version,
            "kind": "Route",
            "metadata": {"name": "front", "namespace": "default"},
            "spec": {"traffic": [{"configurationName": "back", "percent": 100}]},
        }
        world.store.create(ROUTES, admit("create", ROUTES, None, route, "admin"))
        await eventually(lambda: world.conditions(ROUTES, "front").get("Ready", ("",))[0] == "False")
        configuration = {
            "apiVersion": CONFIGURATIONS.api_version,
            "kind": "Configuration",
            "metadata": {"name": "back", "namespace": "default"},
            "spec": {"template": {"spec": {"containers": [{"image": GO}]}}},
        }
        world.store.create(CONFIGURATIONS, admit("create", CONFIGURATIONS, None, configuration, "admin"))
        await eventually(lambda: world.conditions(ROUTES, "front")["Ready"][0] == "True")


async def test_a_cluster_that_starts_revisions_with_no_pods_says_so_in_its_config_map() -> None:
    store = Store()
    data = {"allow-zero-initial-scale": "true", "initial-scale": "0"}
    metadata = {"name": "config-autoscaler", "namespace": "knative-serving"}
    store.create(CONFIGMAPS, {"metadata": metadata, "data": data})
    async with knative(store=store) as world:
        world.create("hello")
        await world.ready("hello")
        assert world.store.list(PODS, "default") == []


async def test_a_former_spelling_of_a_scaling_annotation_counts() -> None:
    async with knative() as world:
        world.create("hello", template={"metadata": {"annotations": {f"{SCALING}minScale": "2"}}})
        await world.ready("hello")
        await eventually(lambda: len(world.store.list(PODS, "default")) == 2)


def test_the_rust_sample_ends_its_answer_without_a_newline() -> None:
    assert answer(inspect("gcr.io/knative-samples/helloworld-rust"), {}, "/").body == "Hello world: World"


def test_seeded_revisions_that_sleep_have_none_of_no_pods() -> None:
    store = Store()
    seed(store, "demo")
    asleep = [
        each["status"]
        for each in store.list(REVISIONS)
        if each["status"].get("actualReplicas") == 0
        and any(one["type"] == "Active" and one["status"] == "False" for one in each["status"]["conditions"])
    ]
    assert asleep
    assert {status.get("desiredReplicas") for status in asleep} == {0}
