"""Claims, Deployments and Services that the small Knative keeps; tests/contract has what a real cluster makes."""

from __future__ import annotations

import pytest

from console.sandbox.bootstrap import bootstrap
from console.sandbox.core_defaults import as_new, completed
from console.sandbox.knative.seed import seed
from console.sandbox.resources import (
    CLAIMS,
    CORE_SERVICES,
    DEPLOYMENTS,
    EVENTS,
    PODS,
    REPLICASETS,
    REVISIONS,
    SERVICES,
    TABLE,
    Resource,
)
from console.sandbox.store import Store
from tests.sandbox.api_client import Client
from tests.sandbox.knative_world import Object, World, eventually, knative

GO = "gcr.io/knative-samples/helloworld-go"
VOLUME = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}


def claim(storage_class: str = "standard") -> Object:
    spec = {"resources": {"requests": {"storage": "1Gi"}}, "storageClassName": storage_class}
    obj = {"metadata": {"name": "data", "namespace": "default"}, "spec": spec | {"accessModes": ["ReadWriteOnce"]}}
    return completed(CLAIMS, as_new(CLAIMS, obj))


def phase(world: World) -> str:
    return str(world.store.get(CLAIMS, "default", "data")["status"]["phase"])


def unscheduled(world: World) -> str:
    pods = world.store.list(PODS, "default")
    conditions = pods[0]["status"].get("conditions", []) if pods else []
    return next((str(each["message"]) for each in conditions if each.get("reason") == "Unschedulable"), "")


def pod_with_claim() -> Object:
    """Of a Revision, as Knative makes it where the gates are open."""
    spec = {"containers": [{"name": "app", "image": GO}], "volumes": [VOLUME]}
    labels = {"serving.knative.dev/revision": "hello-00001"}
    return {"metadata": {"name": "user", "namespace": "default", "labels": labels}, "spec": spec,
            "status": {"phase": "Pending"}}  # fmt: skip


async def test_a_claim_of_the_default_class_gets_a_volume() -> None:
    async with knative() as world:
        world.store.create(CLAIMS, claim())
        await eventually(lambda: phase(world) == "Bound")
        bound = world.store.get(CLAIMS, "default", "data")
    assert bound["spec"]["volumeName"] == f"pvc-{bound['metadata']['uid']}"
    assert bound["status"]["capacity"] == {"storage": "1Gi"}


async def test_a_pod_waits_for_its_claim_and_a_claim_for_the_end_of_its_pod() -> None:
    async with knative() as world:
        world.store.create(PODS, pod_with_claim())
        await eventually(lambda: 'persistentvolumeclaim "data" not found' in unscheduled(world))
        world.store.create(CLAIMS, claim())
        await eventually(lambda: world.store.get(PODS, "default", "user")["status"]["phase"] == "Running")
        world.store.delete(CLAIMS, "default", "data")
        assert "deletionTimestamp" in world.store.get(CLAIMS, "default", "data")["metadata"]
        world.store.delete(PODS, "default", "user", grace_seconds=30)
        await eventually(lambda: world.store.find(CLAIMS, "default", "data") is None)


async def test_a_claim_of_another_class_waits_for_ever_and_its_pod_with_it() -> None:
    async with knative() as world:
        world.store.create(CLAIMS, claim("manual"))
        world.store.create(PODS, pod_with_claim())
        await eventually(lambda: "unbound immediate PersistentVolumeClaims" in unscheduled(world))
        assert phase(world) == "Pending"


async def test_a_deployment_tells_how_many_pods_there_are_and_goes_with_its_revision() -> None:
    async with knative() as world:
        world.create("hello")
        await world.ready("hello")
        deployment = world.store.list(DEPLOYMENTS, "default")[0]
        assert (deployment["spec"]["replicas"], deployment["status"]["readyReplicas"]) == (1, 1)
        (pod,) = world.store.list(PODS, "default")
        (replica_set,) = world.store.list(REPLICASETS, "default")
        assert pod["metadata"]["ownerReferences"][0]["uid"] == replica_set["metadata"]["uid"]
        said = {each["reason"]: each["message"] for each in world.store.list(EVENTS, "default")}
        name = replica_set["metadata"]["name"]
        assert said["ScalingReplicaSet"] == f"Scaled up replica set {name} from 0 to 1"
        assert said["SuccessfulCreate"] == f"Created pod: {pod['metadata']['name']}"
        world.store.delete(SERVICES, "default", "hello")
        kinds = (DEPLOYMENTS, REPLICASETS, REVISIONS, PODS)
        await eventually(lambda: not any(world.store.list(kind, "default") for kind in kinds))
        await eventually(lambda: not world.store.list(CORE_SERVICES, "default"))


@pytest.mark.parametrize(("name", "is_whole"), [("demo", True), ("capacity:2,2", False)])
def test_the_demo_has_what_knative_would_have_made_and_a_large_cluster_has_not(name: str, is_whole: bool) -> None:
    store = Store()
    bootstrap(store)
    seed(store, name)
    revisions = [each for each in store.list(REVISIONS) if each["status"].get("containerStatuses")]
    assert bool(revisions)
    assert store.count(DEPLOYMENTS) == store.count(REPLICASETS) == (len(revisions) if is_whole else 0)
    sets = {each["metadata"]["uid"] for each in store.list(REPLICASETS)}
    assert all(pod["metadata"]["ownerReferences"][0]["uid"] in sets for pod in store.list(PODS))
    assert (store.count(CORE_SERVICES) > 2 * len(revisions)) is is_whole


@pytest.mark.parametrize(
    "resource", [each for each in TABLE if "create" not in each.verbs], ids=lambda each: str(each.plural)
)
def test_a_kind_that_is_only_read_says_so(api: Client, resource: Resource) -> None:
    path = resource.path("default")
    assert api.get(path).code == 200
    assert api.post(path, {"metadata": {"name": "x"}}).code == 405
    assert api.delete(f"{path}/x").code == 405
