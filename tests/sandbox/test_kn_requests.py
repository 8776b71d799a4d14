"""Every request that `kn` makes, in kn's order and with kn's queries, answered as a real cluster answers.

The list is what a recording of kn (July 2026) showed; kn itself cannot be installed from a registry.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from tests.sandbox.api_client import SERVICES, SERVING, Client
from tests.sandbox_process import Sandbox
from tests.waiting import eventually

REVISIONS = f"{SERVING}/namespaces/default/revisions"
ROUTES = f"{SERVING}/namespaces/default/routes"
NUMBERS = count(1)


@pytest.fixture(scope="session")
def kn(box: Sandbox) -> Client:
    return Client(box.url, box.token)


@pytest.fixture
def name(kn: Client) -> str:
    """A fresh, ready service, made as `kn service create --no-wait` makes it."""
    chosen = f"kn-{next(NUMBERS)}"
    assert kn.get(f"{SERVICES}/{chosen}").code == 404
    assert kn.post(SERVICES, kn_service(chosen)).code == 201
    eventually(lambda: is_ready(kn, chosen))
    return chosen


def kn_service(name: str) -> dict[str, Any]:
    image = "gcr.io/knative-samples/helloworld-go"
    template = {
        "metadata": {"annotations": {"client.knative.dev/user-image": image}, "creationTimestamp": None},
        "spec": {"containers": [{"image": image, "name": "", "resources": {}, "env": [{"name": "A", "value": "b"}]}]},
    }
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default", "creationTimestamp": None},
        "spec": {"template": template},
        "status": {},
    }


def is_ready(kn: Client, name: str) -> bool:
    obj = kn.get(f"{SERVICES}/{name}").body
    conditions = {each["type"]: each["status"] for each in obj.get("status", {}).get("conditions", ())}
    is_settled = obj["metadata"]["generation"] == obj.get("status", {}).get("observedGeneration")
    return is_settled and conditions.get("Ready") == "True"


def ready_messages(kn: Client, name: str, version: str) -> list[str]:
    """kn's watch after an update: the messages of Ready until it is True for the newest generation."""
    query = (
        f"fieldSelector=metadata.name%3D{name}&resourceVersion={version}&timeout=10m30s&timeoutSeconds=630&watch=true"
    )
    messages: list[str] = []
    with kn.watch(f"{SERVICES}?{query}") as events:
        for event in events:
            obj = event["object"]
            if obj["metadata"]["generation"] != obj.get("status", {}).get("observedGeneration"):
                continue
            ready = next(each for each in obj["status"]["conditions"] if each["type"] == "Ready")
            if ready["status"] == "True":
                return messages
            message = ready.get("message", "")
            if message and message not in messages[-1:]:
                messages.append(message)
    raise AssertionError(f"the watch ended before {name} was ready: {messages}")


def updated(kn: Client, name: str, change: Any) -> list[str]:
    """GET, PUT, GET, watch: what `kn service update` does."""
    current = kn.get(f"{SERVICES}/{name}").body
    change(current)
    answer = kn.put(f"{SERVICES}/{name}", current)
    assert answer.code == 200, answer.body
    kn.get(f"{SERVICES}/{name}")
    return ready_messages(kn, name, answer.body["metadata"]["resourceVersion"])


def test_update_of_env_and_of_image(kn: Client, name: str):
    def env(obj):
        obj["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "TARGET", "value": "Second"}]

    assert kn.get(f"{REVISIONS}/{name}-00001").code == 200
    assert updated(kn, name, env) == [
        "The Configuration is still working to reflect the latest desired specification.",
        "Traffic is not yet migrated to the latest revision.",
        "Ingress has not yet been reconciled.",
        "Waiting for load balancer to be ready",
    ]

    def image(obj):
        obj["spec"]["template"]["spec"]["containers"][0]["image"] = "gcr.io/knative-samples/helloworld-rust"

    assert updated(kn, name, image)[0].startswith("The Configuration is still working")
    assert kn.get(f"{SERVICES}/{name}").body["status"]["latestReadyRevisionName"] == f"{name}-00003"


def test_update_of_traffic_and_of_a_tag(kn: Client, name: str):
    def split(obj):
        obj["spec"]["traffic"] = [
            {"revisionName": f"{name}-00001", "percent": 25},
            {"latestRevision": True, "percent": 75},
        ]

    assert updated(kn, name, split)[0] == "The Route is still working to reflect the latest desired specification."

    def tag(obj):
        obj["spec"]["traffic"][0]["tag"] = "old"

    updated(kn, name, tag)
    targets = kn.get(f"{SERVICES}/{name}").body["status"]["traffic"]
    assert {target.get("tag"): target["percent"] for target in targets} == {"old": 25, None: 75}
    assert len(revisions_of(kn, name)) == 1


def revisions_of(kn: Client, name: str) -> list[dict[str, Any]]:
    return kn.get(f"{REVISIONS}?labelSelector=serving.knative.dev%2Fservice%3D{name}").body["items"]


def test_lists_and_descriptions(kn: Client, name: str):
    assert name in {item["metadata"]["name"] for item in kn.get(SERVICES).body["items"]}
    kn.post(f"{SERVING}/namespaces/kube-public/services", kn_service("elsewhere") | {"metadata": {"name": "elsewhere"}})
    everywhere = kn.get(f"{SERVING}/services").body["items"]
    assert len({item["metadata"]["namespace"] for item in everywhere}) > 1
    assert [item["metadata"]["name"] for item in revisions_of(kn, name)] == [f"{name}-00001"]
    for path in (REVISIONS, f"{REVISIONS}/{name}-00001", ROUTES, f"{ROUTES}/{name}", f"{SERVICES}/{name}"):
        assert kn.get(path).code == 200


def test_apply_is_a_merge_patch(kn: Client, name: str):
    containers = [{"image": "gcr.io/knative-samples/helloworld-go", "env": [{"name": "A", "value": "c"}]}]
    answer = kn.merge(f"{SERVICES}/{name}", {"spec": {"template": {"spec": {"containers": containers}}}})
    assert answer.code == 200
    assert ready_messages(kn, name, answer.body["metadata"]["resourceVersion"])


def test_deleting_a_revision_and_a_service(kn: Client, name: str):
    updated(kn, name, lambda obj: obj["spec"]["template"]["spec"].update(timeoutSeconds=7))
    assert kn.delete(f"{REVISIONS}/{name}-00001").body["status"] == "Success"
    assert kn.delete(f"{SERVICES}/{name}", {"propagationPolicy": "Foreground"}).code == 200
    for path in (f"{SERVICES}/{name}", f"{ROUTES}/{name}", f"{REVISIONS}/{name}-00002"):
        eventually(lambda path=path: kn.get(path).code == 404)
