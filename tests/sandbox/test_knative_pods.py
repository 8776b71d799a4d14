"""Pods, requests and failures: what the kubelet, autoscaler and ingress of the sandbox do."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import Any

import pytest

from console.sandbox.knative.seed import seed
from console.sandbox.resources import CONFIGMAPS, EVENTS, PODS, REVISIONS, ROUTES, SECRETS, SERVICES
from console.sandbox.store import Store
from tests.sandbox.knative_world import Object, World, eventually, knative, set_env, set_image, set_traffic

FOREVER = 100_000.0
HELLO = "hello.default.example.com"


def pods_of(world: World, revision: str) -> list[Object]:
    return [
        pod
        for pod in world.store.list(PODS, "default")
        if pod["metadata"]["labels"]["serving.knative.dev/revision"] == revision
    ]


def running(world: World, revision: str) -> int:
    return sum(
        pod["status"]["phase"] == "Running"
        and all(each["ready"] for each in pod["status"]["containerStatuses"])
        and "deletionTimestamp" not in pod["metadata"]
        for pod in pods_of(world, revision)
    )


def reasons(world: World) -> set[str]:
    return {event["reason"] for event in world.store.list(EVENTS, "default")}


def log(world: World, pod: Object, container: str = "user-container") -> str:
    lines = world.store.logs.read("default", pod["metadata"]["name"], container) or []
    return "\n".join(line.text for line in lines)


async def test_the_first_request_starts_a_pod_and_idleness_takes_it_away() -> None:
    async with knative(initial_scale=0, idle_seconds=40) as world:
        world.create("hello")
        await world.ready("hello")
        assert pods_of(world, "hello-00001") == []
        status, headers, body = await world.request(HELLO)
        assert (status, body, headers["knative-serving-revision"]) == (200, "Hello First!\n", "hello-00001")
        (pod,) = pods_of(world, "hello-00001")
        assert {each["name"]: each["ready"] for each in pod["status"]["containerStatuses"]} == {
            "user-container": True,
            "queue-proxy": True,
        }
        assert "received a request" in log(world, pod)
        assert world.conditions(REVISIONS, "hello-00001")["Active"][0] == "True"
        replicas = world.get(REVISIONS, "hello-00001")["status"]
        assert (replicas["actualReplicas"], replicas["desiredReplicas"]) == (1, 1)
        await eventually(lambda: not pods_of(world, "hello-00001"))
        assert world.conditions(REVISIONS, "hello-00001")["Active"] == (
            "False",
            "NoTraffic",
            "The target is not receiving traffic.",
        )
        assert world.get(REVISIONS, "hello-00001")["status"]["actualReplicas"] == 0
        assert {"Scheduled", "Pulling", "Pulled", "Created", "Started", "Killing"} <= reasons(world)


async def test_a_pod_goes_through_the_states_that_people_know() -> None:
    async with knative(initial_scale=0, idle_seconds=20) as world:
        watch = world.store.subscribe(PODS, replay=False)
        world.create("hello")
        await world.ready("hello")
        await world.request(HELLO)
        await eventually(lambda: not pods_of(world, "hello-00001"))
        seen: list[str] = []
        while change := watch.take():
            state = pod_word(change.type, change.object)
            if not seen or seen[-1] != state:
                seen.append(state)
        assert seen == ["Pending", "ContainerCreating", "Running 0/2", "Running 2/2", "Terminating", "gone"]


def pod_word(event: str, pod: Object) -> str:
    """The STATUS that kubectl prints."""
    if event == "DELETED":
        return "gone"
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    statuses = pod["status"].get("containerStatuses") or []
    for each in statuses:
        if "waiting" in each["state"]:
            return str(each["state"]["waiting"]["reason"])
    if not statuses:
        return str(pod["status"]["phase"])
    return f"{pod['status']['phase']} {sum(each['ready'] for each in statuses)}/{len(statuses)}"


async def test_a_split_is_answered_in_about_its_shares() -> None:
    async with knative(initial_scale=0, idle_seconds=FOREVER) as world:
        world.create("hello")
        await world.ready("hello")
        world.update("hello", set_env("TARGET", "Second"))
        await world.ready("hello")
        world.update("hello", set_image("gcr.io/knative-samples/helloworld-rust"))
        await world.ready("hello")
        targets = [
            {"revisionName": f"hello-0000{number}", "percent": percent}
            for number, percent in ((3, 50), (2, 25), (1, 25))
        ]
        world.update("hello", set_traffic(*targets, {"revisionName": "hello-00001", "percent": 0, "tag": "first"}))
        await world.ready("hello")
        answers = await asyncio.gather(*(world.request(HELLO) for _ in range(200)))
        counted = Counter(body for _, _, body in answers)
        expected = {"Hello world: Second": 100, "Hello Second!\n": 50, "Hello First!\n": 50}
        assert counted.keys() == expected.keys()
        chi_square = sum((counted[body] - share) ** 2 / share for body, share in expected.items())
        assert chi_square < 13.8  # 2 degrees of freedom, p = 0.001
        _, _, body = await world.request("first-hello.default.example.com")
        assert body == "Hello First!\n"


async def test_unknown_hosts_and_cluster_local_services_are_not_found() -> None:
    async with knative(initial_scale=0) as world:
        world.create("inner", metadata={"labels": {"networking.knative.dev/visibility": "cluster-local"}})
        await world.ready("inner")
        assert world.get(SERVICES, "inner")["status"]["url"] == "http://inner.default.svc.cluster.local"
        for host in ("nobody.default.example.com", "inner.default.example.com", "inner.default.svc.cluster.local"):
            assert (await world.request(host))[0] == 404
        world.update("inner", lambda service: service["metadata"].pop("labels"))
        outside = "http://inner.default.example.com"
        await eventually(lambda: world.get(SERVICES, "inner")["status"]["url"] == outside)
        await world.ready("inner")
        assert (await world.request("inner.default.example.com"))[0] == 200


async def test_an_update_with_first_pods_prints_the_lines_of_kn() -> None:
    """With Knative's own initial scale of 1 the messages of a Service are those of the recording, too."""
    async with knative() as world:
        world.create("hello")
        await world.ready("hello")
        watch = world.store.subscribe(SERVICES, replay=False)
        world.update("hello", set_env("TARGET", "Second"))
        await world.ready("hello")
        messages: list[str] = []
        while change := watch.take():
            service = change.object
            ready = next(each for each in service["status"]["conditions"] if each["type"] == "Ready")
            is_settled = service["metadata"]["generation"] == service["status"]["observedGeneration"]
            message = ready.get("message", "")
            if is_settled and message and (not messages or messages[-1] != message):
                messages.append(message)
        assert messages == [
            "The Configuration is still working to reflect the latest desired specification.",
            "Traffic is not yet migrated to the latest revision.",
            "Ingress has not yet been reconciled.",
            "Waiting for load balancer to be ready",
        ]
        assert running(world, "hello-00002") == 1
        digest = world.get(REVISIONS, "hello-00002")["status"]["containerStatuses"][0]["imageDigest"]
        assert digest.startswith("gcr.io/knative-samples/helloworld-go@sha256:5ea96b")


async def test_many_requests_at_once_make_more_pods_up_to_the_maximum() -> None:
    annotations = {"autoscaling.knative.dev/max-scale": "3"}
    async with knative(initial_scale=0, idle_seconds=FOREVER) as world:
        world.create(
            "hello",
            image="registry.example.com/demo/slow-answer:4s",
            template={"metadata": {"annotations": annotations}},
            spec={"containerConcurrency": 2},
        )
        await world.ready("hello")
        answers = await asyncio.gather(*(world.request(HELLO) for _ in range(20)))
        assert {status for status, _, _ in answers} == {200}
        assert len(pods_of(world, "hello-00001")) == 3


async def test_minimum_pods_stay_while_a_route_uses_the_revision() -> None:
    template = {"metadata": {"annotations": {"autoscaling.knative.dev/min-scale": "2"}}}
    async with knative(idle_seconds=5) as world:
        world.create("hello", template=template)
        await world.ready("hello")
        assert running(world, "hello-00001") == 2
        world.update("hello", set_traffic({"latestRevision": True, "percent": 100}, named("hello-00001", 0, "old")))
        world.update("hello", set_env("TARGET", "Second"))
        await eventually(lambda: running(world, "hello-00002") == 2)
        await world.ready("hello")
        assert running(world, "hello-00001") == 2  # a tag without percent is a route, too
        world.update("hello", set_traffic({"latestRevision": True, "percent": 100}))
        await eventually(lambda: not pods_of(world, "hello-00001"))
        assert running(world, "hello-00002") == 2


def named(revision: str, percent: int, tag: str) -> Object:
    return {"revisionName": revision, "percent": percent, "tag": tag}


async def test_a_deleted_pod_is_replaced() -> None:
    async with knative(idle_seconds=FOREVER) as world:
        world.create("hello")
        await world.ready("hello")
        (pod,) = pods_of(world, "hello-00001")
        world.store.delete(PODS, "default", pod["metadata"]["name"], grace_seconds=30)
        await eventually(
            lambda: [each["metadata"]["uid"] for each in pods_of(world, "hello-00001")] != [pod["metadata"]["uid"]]
        )
        await eventually(lambda: running(world, "hello-00001") == 1 and len(pods_of(world, "hello-00001")) == 1)


async def test_a_deleted_latest_revision_comes_back_and_a_deleted_service_leaves_nothing() -> None:
    async with knative(idle_seconds=FOREVER) as world:
        world.create("hello")
        await world.ready("hello")
        uid = world.get(REVISIONS, "hello-00001")["metadata"]["uid"]
        world.store.delete(REVISIONS, "default", "hello-00001")
        await eventually(lambda: world.store.find(REVISIONS, "default", "hello-00001"))
        await eventually(lambda: running(world, "hello-00001") == 1)
        assert world.get(REVISIONS, "hello-00001")["metadata"]["uid"] != uid
        world.store.delete(SERVICES, "default", "hello")
        for resource in (REVISIONS, ROUTES, PODS):
            await eventually(lambda resource=resource: not world.store.list(resource, "default"))
        assert (await world.request(HELLO))[0] == 404


FAILURES: dict[str, tuple[str, tuple[str, str], str]] = {
    # image: condition, (reason, message), reason of an event
    "demo.invalid/a/b:1": (
        "ContainerHealthy",
        (
            "ContainerMissing",
            'Unable to fetch image "demo.invalid/a/b:1": failed to resolve image to digest: '
            'Get "https://demo.invalid/v2/": dial tcp: lookup demo.invalid: no such host',
        ),
        "InternalError",
    ),
    "registry.example.com/demo/missing:2": (
        "ContainerHealthy",
        (
            "ContainerMissing",
            'Unable to fetch image "registry.example.com/demo/missing:2": failed to resolve image to digest: GET '
            'https://registry.example.com/v2/demo/missing/manifests/2: MANIFEST_UNKNOWN: Failed to fetch "2"',
        ),
        "InternalError",
    ),
    "registry.example.com/demo/crash": (
        "ContainerHealthy",
        ("ExitCode1", "Container failed with: panic: dial tcp: lookup orders-db on 10.96.0.10:53: no such host"),
        "BackOff",
    ),
    "registry.example.com/demo/never-ready": (
        "ResourcesAvailable",
        ("ProgressDeadlineExceeded", "Initial scale was never achieved"),
        "Unhealthy",
    ),
    "registry.example.com/demo/pull-backoff": (
        "ResourcesAvailable",
        ("ImagePullBackOff", "Back-off pulling image"),
        "BackOff",
    ),
    "registry.example.com/demo/over-quota": (
        "ResourcesAvailable",
        ("FailedCreate", "is forbidden: exceeded quota: compute-resources"),
        "FailedCreate",
    ),
    "registry.example.com/demo/unschedulable": (
        "ResourcesAvailable",
        ("Unschedulable", "0/3 nodes are available: 3 Insufficient cpu."),
        "FailedScheduling",
    ),
}


@pytest.mark.parametrize("image", FAILURES)
async def test_a_failing_image_fails_in_the_words_that_knative_uses(image: str) -> None:
    condition, (reason, message), event = FAILURES[image]
    async with knative(progress_deadline_seconds=30) as world:
        world.create("hello")
        await world.ready("hello")
        world.update("hello", set_image(image))
        await world.ready("hello", "False")
        status, got_reason, got_message = world.conditions(REVISIONS, "hello-00002")[condition]
        assert (status, got_reason) == ("False", reason)
        assert message in got_message
        why = f'Revision "hello-00002" failed with message: {got_message}.'
        assert world.conditions(SERVICES, "hello")["Ready"] == ("False", "RevisionFailed", why)
        assert world.conditions(SERVICES, "hello")["RoutesReady"][0] == "True"
        assert event in reasons(world)
        assert (await world.request(HELLO))[2] == "Hello First!\n"  # traffic stays where it was


async def test_a_crash_is_told_by_the_pod_its_log_and_its_last_line() -> None:
    async with knative() as world:
        world.create("hello", image="registry.example.com/demo/crash")
        await world.ready("hello", "False")
        (pod,) = pods_of(world, "hello-00001")
        container = next(each for each in pod["status"]["containerStatuses"] if each["name"] == "user-container")
        assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
        ended = container["lastState"]["terminated"]
        assert (ended["exitCode"], ended["reason"]) == (1, "Error")
        await eventually(lambda: log(world, pod).splitlines()[-1:] == [ended["message"]])


async def test_a_missing_secret_holds_the_container_until_it_is_there() -> None:
    reference = {"name": "TARGET", "valueFrom": {"secretKeyRef": {"name": "greeting", "key": "word"}}}
    async with knative() as world:
        world.create("hello", container={"env": [reference], "envFrom": [{"configMapRef": {"name": "settings"}}]})
        for resource, name, word in ((CONFIGMAPS, "settings", "configmap"), (SECRETS, "greeting", "secret")):
            problem = f'{word} "{name}" not found'
            await eventually(lambda problem=problem: waiting(world) == ("CreateContainerConfigError", problem))
            data = {"word": "U2VjcmV0"} if resource is SECRETS else {"MODE": "test"}
            world.store.create(resource, {"metadata": {"name": name, "namespace": "default"}, "data": data})
        await world.ready("hello")
        assert (await world.request(HELLO))[2] == "Hello Secret!\n"


def waiting(world: World) -> tuple[str, str] | None:
    for pod in pods_of(world, "hello-00001"):
        for each in pod["status"].get("containerStatuses", []):
            state: dict[str, Any] = each["state"].get("waiting", {})
            if state.get("message"):
                return state["reason"], state["message"]
    return None


async def test_a_missing_secret_is_the_reason_when_the_deadline_passes() -> None:
    reference = {"name": "TARGET", "valueFrom": {"secretKeyRef": {"name": "greeting", "key": "word"}}}
    async with knative(progress_deadline_seconds=20) as world:
        world.create("hello", container={"env": [reference]})
        await world.ready("hello", "False")
        assert world.conditions(REVISIONS, "hello-00001")["ResourcesAvailable"] == (
            "False",
            "CreateContainerConfigError",
            'secret "greeting" not found',
        )
        await eventually(lambda: not pods_of(world, "hello-00001"))


async def test_an_ingress_that_refuses_the_route() -> None:
    async with knative(initial_scale=0) as world:
        world.create("hello", image="registry.example.com/demo/ingress-failure")
        await world.ready("hello", "False")
        message = "Ingress rejected as its domain conflicts with another ingress"
        assert world.conditions(SERVICES, "hello")["RoutesReady"] == ("False", "DomainConflict", message)


async def test_a_gradual_rollout_moves_the_traffic_in_steps() -> None:
    annotations = {"serving.knative.dev/rollout-duration": "60s"}
    async with knative(initial_scale=0, idle_seconds=FOREVER) as world:
        world.create("hello", metadata={"annotations": annotations})
        await world.ready("hello")
        world.update("hello", set_env("TARGET", "Second"))
        rolling = ("Unknown", "RolloutInProgress", "A gradual rollout of the latest revision(s) is in progress.")
        await eventually(lambda: world.conditions(ROUTES, "hello")["IngressReady"] == rolling)
        bodies = {(await world.request(HELLO))[2] for _ in range(30)}
        assert "Hello First!\n" in bodies
        await world.ready("hello")
        assert {(await world.request(HELLO))[2] for _ in range(10)} == {"Hello Second!\n"}


@pytest.mark.parametrize("initial_scale", [0, 1])
async def test_a_restart_in_the_middle_of_everything_goes_on(initial_scale: int) -> None:
    """Each short life of the controllers brings the same store a little further."""
    store = Store()
    async with knative(speed=1, store=store, initial_scale=initial_scale) as world:
        world.create("hello")
    for _ in range(12):
        async with knative(store=store, initial_scale=initial_scale):
            seen = store.version
            with contextlib.suppress(AssertionError):  # nothing happens in a life when all is done
                await eventually(lambda seen=seen: store.version > seen + 1, timeout=0.3)
    async with knative(store=store, initial_scale=initial_scale, idle_seconds=FOREVER) as world:
        await world.ready("hello")
        assert (await world.request(HELLO))[2] == "Hello First!\n"
        assert len(pods_of(world, "hello-00001")) == 1


async def test_a_change_in_a_big_cluster_costs_only_what_it_concerns() -> None:
    store = Store()
    seed(store, "capacity:200,5")
    async with knative(store=store, initial_scale=0) as world:
        await world.request("service-0000.team-00.example.com")  # the controllers are up
        before = world.store.version
        world.create("hello")
        await world.ready("hello")
        assert world.store.version - before < 60


async def test_a_service_without_a_spec_that_works_can_be_repaired() -> None:
    async with knative(initial_scale=0) as world:
        world.create("hello", image="registry.example.com/demo/missing")
        await world.ready("hello", "False")
        failed = ("False", "RevisionMissing", 'Configuration "hello" does not have any ready Revision.')
        await eventually(lambda: world.conditions(SERVICES, "hello")["RoutesReady"] == failed)
        assert (await world.request(HELLO))[0] == 404
        world.update("hello", set_image("gcr.io/knative-samples/helloworld-go"))
        await world.ready("hello")
        assert (await world.request(HELLO))[0] == 200
