"""The seeds: settled at once, realistic, and big when asked."""

from __future__ import annotations

import asyncio
import json

import pytest

from console.sandbox.bootstrap import bootstrap
from console.sandbox.knative.admission import admit
from console.sandbox.knative.conditions import condition_of
from console.sandbox.knative.seed import seed
from console.sandbox.resources import (
    CONFIGURATIONS,
    NAMESPACES,
    PODS,
    REVISIONS,
    ROUTES,
    SERVICES,
    TABLE,
)
from console.sandbox.store import Store
from tests.sandbox.knative_world import Object, knative


@pytest.fixture
def demo() -> Store:
    return seeded("demo")


def seeded(name: str) -> Store:
    store = Store()
    bootstrap(store)
    seed(store, name)
    return store


def ready(obj: Object) -> tuple[str, str]:
    condition = condition_of(obj, "Ready")
    return condition["status"], condition.get("reason", "")


def test_hello_has_exactly_one_revision_with_target_first(demo: Store) -> None:
    hello = demo.get(SERVICES, "default", "hello")
    container = hello["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "gcr.io/knative-samples/helloworld-go"
    assert container["env"] == [{"name": "TARGET", "value": "First"}]
    names = [each["metadata"]["name"] for each in demo.list(REVISIONS, "default")]
    assert [name for name in names if name.startswith("hello-")] == ["hello-00001"]
    assert hello["status"]["url"] == "http://hello.default.example.com"
    assert "5ea96b" in demo.get(REVISIONS, "default", "hello-00001")["status"]["containerStatuses"][0]["imageDigest"]


async def test_the_controllers_find_nothing_to_do_in_a_seeded_cluster(demo: Store) -> None:
    watch = demo.subscribe(SERVICES, CONFIGURATIONS, ROUTES, REVISIONS, replay=False)
    async with knative(speed=1, store=demo) as world:
        assert (await world.request("catalog.shop.example.com"))[0] == 200  # the controllers are up by then
        await asyncio.sleep(0)
    changes = []
    while change := watch.take():
        changes.append((change.type, change.object["kind"], change.key))
    assert changes == []


def test_the_situations_that_people_meet(demo: Store) -> None:
    states = {(each["metadata"]["namespace"], each["metadata"]["name"]): ready(each) for each in demo.list(SERVICES)}
    assert len(states) >= 15
    assert states["shop", "recommendations"] == ("False", "RevisionFailed")
    assert states["payments", "payment-gateway"] == ("False", "RevisionFailed")
    assert states["data", "events-ingest"] == ("Unknown", "RolloutInProgress")
    assert states["team-a", "image-resizer"] == ("False", "RevisionMissing")
    assert sum(state == ("True", "") for state in states.values()) >= 11
    assert {each["metadata"]["name"] for each in demo.list(NAMESPACES)} >= {"default", "shop", "payments", "data"}
    creators = {each["metadata"]["annotations"]["serving.knative.dev/creator"] for each in demo.list(REVISIONS, "shop")}
    assert len(creators) >= 3
    assert len(demo.list(PODS, "shop")) == 2


def test_the_hardest_manifest_passes_the_webhook_unchanged(demo: Store) -> None:
    checkout = demo.get(SERVICES, "payments", "checkout")
    assert admit("update", SERVICES, checkout, json.loads(json.dumps(checkout)), "somebody") == checkout
    spec = checkout["spec"]["template"]["spec"]
    assert len(spec["containers"]) == 2
    assert {"secret", "configMap", "projected", "emptyDir"} <= {key for volume in spec["volumes"] for key in volume}


@pytest.mark.parametrize("resource", TABLE, ids=lambda resource: resource.qualified)
def test_every_seeded_object_has_its_own_identity(resource, demo: Store) -> None:
    objects = demo.list(resource)
    for field in ("uid", "resourceVersion"):
        assert len({each["metadata"][field] for each in objects}) == len(objects)
    assert all(int(each["metadata"]["resourceVersion"]) <= demo.version for each in objects)


def test_a_capacity_seed_has_the_numbers_that_were_asked_for() -> None:
    store = seeded("capacity:30,4")
    assert (store.count(SERVICES), store.count(REVISIONS)) == (30, 120)
    assert {ready(each) for each in store.list(SERVICES)} == {("True", "")}


def test_an_unknown_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="no seed named 'holiday'"):
        seed(Store(), "holiday")
