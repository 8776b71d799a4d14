"""Pods on a real Knative: they come with a revision, go when it is idle, and come back with the first request."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from console.cluster import service_request
from console.cluster.connections import ClusterSettings, connect
from console.cluster.gateway import Gateway
from console.knative.shares import fit
from tests.browser.conftest import Visitor
from tests.browser.story import apply as preview_and_apply
from tests.real_cluster.control_plane import SERVICES, ControlPlane, apply, is_ready
from tests.real_cluster.kubelet.network import ADDRESS
from tests.real_cluster.supervisor import START_SECONDS
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(900)
GO, RUST = "gcr.io/knative-samples/helloworld-go", "gcr.io/knative-samples/helloworld-rust"
SHORTEST_WINDOW = {"autoscaling.knative.dev/window": "6s"}
SHORT_DEADLINE = {"serving.knative.dev/progress-deadline": "10s"}
REQUESTS = 300
# The window, the grace period, and the queue-proxy's own 30 s in which it waits for late requests.
SLEEP_SECONDS = 180


@pytest.fixture(scope="module")
def gateway(box: ControlPlane, account_token: Path) -> Gateway:
    """The console's own gateway, with the ingress."""
    ingress = f"127.0.0.1:{box.ingress_port}"
    settings = ClusterSettings("real", url=box.url, token_file=str(account_token), ca_file=str(box.ca), ingress=ingress)
    return Gateway(connect(settings))


@pytest.fixture
def made(box: ControlPlane) -> Iterator[list[str]]:
    """Names of services that go with the test."""
    names: list[str] = []
    yield names
    for name in names:
        box.ask("DELETE", f"{SERVICES}/{name}")


def deploy(
    box: ControlPlane,
    name: str,
    target: str = "World",
    *,
    image: str = GO,
    annotations: dict[str, str] | None = None,
    shares: dict[str, int] | None = None,
) -> None:
    """Write the service, with traffic by revision when `shares` says so, and wait until it is ready."""
    container = {"image": image, "env": [{"name": "TARGET", "value": target}]}
    template = {"metadata": {"annotations": annotations or {}}, "spec": {"containers": [container]}}
    spec: dict[str, Any] = {"template": template}
    if shares:
        spec["traffic"] = [{"revisionName": revision, "percent": percent} for revision, percent in shares.items()]
    metadata = {"name": name, "namespace": "default"}
    apply(box, {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": metadata, "spec": spec})
    eventually(
        lambda: is_ready(box, f"{SERVICES}/{name}"), timeout=START_SECONDS, message=f"{name} does not become ready"
    )


def active(gateway: Gateway, revision: str) -> tuple[str, str]:
    found = gateway.revision("default", revision).condition("Active")
    return (found.status, found.reason) if found else ("", "")


def ask(gateway: Gateway, service: str) -> service_request.Answer:
    where = service_request.target(gateway.connection, f"http://{service}.default.example.com")
    return service_request.ask(where)


def addresses(box: ControlPlane, revision: str) -> set[str]:
    """Where requests to the revision go now."""
    found = json.loads(box.ask("GET", f"/api/v1/namespaces/default/endpoints/{revision}").data)
    return {address["ip"] for subset in found.get("subsets") or [] for address in subset.get("addresses") or []}


def test_a_revision_goes_to_sleep_and_wakes_with_the_first_request(
    box: ControlPlane, gateway: Gateway, made: list[str]
) -> None:
    made.append("sleeper")
    began = time.monotonic()
    deploy(box, "sleeper", "Sleeper", annotations=SHORTEST_WINDOW)
    ready = time.monotonic() - began
    (pod,) = gateway.pods("default", revision="sleeper-00001")
    assert (pod.phase, pod.ready_text) == ("Running", "2/2")
    assert ask(gateway, "sleeper").body == "Hello Sleeper!"
    assert active(gateway, "sleeper-00001") == ("True", "")

    eventually(lambda: active(gateway, "sleeper-00001") == ("False", "NoTraffic"), timeout=SLEEP_SECONDS)
    eventually(
        lambda: [one.phase for one in gateway.pods("default", revision="sleeper-00001")] == ["Terminating"],
        timeout=SLEEP_SECONDS,
    )
    eventually(lambda: not gateway.pods("default", revision="sleeper-00001"), timeout=SLEEP_SECONDS)
    assert addresses(box, "sleeper-00001") == {ADDRESS}, "the activator waits for requests"

    answer = ask(gateway, "sleeper")
    assert (answer.status, answer.body, answer.revision) == (200, "Hello Sleeper!", "sleeper-00001")
    eventually(lambda: [one.ready_text for one in gateway.pods("default", revision="sleeper-00001")] == ["2/2"])
    eventually(lambda: active(gateway, "sleeper-00001") == ("True", ""))
    print(f"\nreal Knative: create to ready {ready:.2f} s, cold start through the activator {answer.seconds:.2f} s")


def test_a_revision_that_nobody_asks_goes_to_sleep(box: ControlPlane, gateway: Gateway, made: list[str]) -> None:
    """Probes are no requests: the kubelet's are told from people's."""
    made.append("unasked")
    deploy(box, "unasked", annotations=SHORTEST_WINDOW)
    eventually(lambda: active(gateway, "unasked-00001") == ("False", "NoTraffic"), timeout=SLEEP_SECONDS)


def test_shares_are_answered_by_revision(box: ControlPlane, gateway: Gateway, made: list[str]) -> None:
    made.append("shared")
    deploy(box, "shared", "First")
    deploy(box, "shared", "Second")
    shares = {"shared-00003": 50, "shared-00002": 25, "shared-00001": 25}
    deploy(box, "shared", "Second", image=RUST)
    deploy(box, "shared", "Second", image=RUST, shares=shares)
    with ThreadPoolExecutor(8) as senders:
        answers = list(senders.map(lambda _: ask(gateway, "shared"), range(REQUESTS)))
    told = {"shared-00001": "Hello First!", "shared-00002": "Hello Second!", "shared-00003": "Hello world: Second"}
    assert {answer.status for answer in answers} == {200}
    assert {(answer.revision, answer.body) for answer in answers} == set(told.items())
    counts = Counter(answer.revision for answer in answers)
    found = fit(counts, shares)
    assert found is not None
    assert found.is_plausible, counts


def test_more_requests_at_once_get_more_pods(box: ControlPlane, gateway: Gateway, made: list[str]) -> None:
    made.append("busy")
    one_each = {"autoscaling.knative.dev/target": "1", "autoscaling.knative.dev/max-scale": "3"}
    deploy(box, "busy", image="gcr.io/knative-samples/slow-answer", annotations=SHORTEST_WINDOW | one_each)
    with ThreadPoolExecutor(6) as senders:
        while len(gateway.pods("default", revision="busy-00001")) < 3:
            assert {answer.status for answer in senders.map(lambda _: ask(gateway, "busy"), range(12))} == {200}


def fail(visitor: Visitor, service: str, image: str) -> None:
    """Update the image in the browser and wait for the operation to fail."""
    visitor.go(f"/services/real/default/{service}/image/")
    visitor.page.fill("[name=image]", image)
    preview_and_apply(visitor)
    visitor.page.wait_for_selector("#operation[data-status^='failed']", timeout=START_SECONDS * 1000)


def test_a_crash_is_named_by_knative_and_by_the_console(
    box: ControlPlane, gateway: Gateway, made: list[str], visitor: Visitor
) -> None:
    made.append("crashing")
    # Knative looks at pods when the deployment changes: an end that comes after that is told at the deadline.
    deploy(box, "crashing", annotations=SHORT_DEADLINE)
    visitor.sign_in("deployer")
    fail(visitor, "crashing", "gcr.io/knative-samples/crash")
    visitor.keep("real-crash")
    healthy = gateway.revision("default", "crashing-00002").condition("ContainerHealthy")
    assert healthy is not None
    assert (healthy.status, healthy.reason) == ("False", "ExitCode1")
    assert healthy.message.startswith("Container failed with: crash: starting\npanic: no database")
    (pod,) = gateway.pods("default", revision="crashing-00002")
    eventually(lambda: gateway.pods("default", revision="crashing-00002")[0].phase == "CrashLoopBackOff")
    assert "no database at db.internal:5432" in gateway.pod_log("default", pod.name, "user-container", previous=True)
    outcome = visitor.page.locator("main")
    expect(outcome).to_contain_text(re.compile("crash", re.IGNORECASE))
    expect(outcome).to_contain_text("no database at db.internal:5432")
    assert ask(gateway, "crashing").body == "Hello World!", "traffic stays on the last ready revision"


def test_an_image_that_the_node_cannot_pull_is_named(
    box: ControlPlane, gateway: Gateway, made: list[str], visitor: Visitor
) -> None:
    made.append("unpulled")
    deploy(box, "unpulled", annotations=SHORT_DEADLINE)
    visitor.sign_in("deployer")
    fail(visitor, "unpulled", "gcr.io/knative-samples/missing")
    visitor.keep("real-unpulled")
    resources = gateway.revision("default", "unpulled-00002").condition("ResourcesAvailable")
    assert resources is not None
    assert (resources.status, resources.reason) == ("False", "ImagePullBackOff")
    expect(visitor.page.locator("main")).to_contain_text("ImagePullBackOff")
