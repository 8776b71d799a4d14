"""The life of one Service: which conditions come, in which order, with which reasons and messages.

Controllers are free to skip a state that was overtaken before they wrote it, so a sequence is held to this: nothing
but known states, in the known order, with the ones that users wait for (`must`) among them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import urllib3

from tests.contract.client import GO, RUST, SERVING, Change, Namespace, Object, env, image, to, traffic
from tests.waiting import eventually

KINDS = ("services", "configurations", "revisions", "routes")
State = tuple[str, str, str]  # Ready: status, reason, message

NOT_YET = "The Configuration is still working to reflect the latest desired specification."
ROUTE_NOT_YET = "The Route is still working to reflect the latest desired specification."
MIGRATING = "Traffic is not yet migrated to the latest revision."
NO_INGRESS = "Ingress has not yet been reconciled."
BALANCER = "Waiting for load balancer to be ready"
WAITING = 'Configuration "greet" is waiting for a Revision to become ready.'
READY: State = ("True", "", "")


def unknown(reason: str, message: str) -> State:
    return "Unknown", reason, message


AT_BALANCER = unknown("Uninitialized", BALANCER)
ROUTING = [
    unknown("IngressNotConfigured", NO_INGRESS),
    AT_BALANCER,
    READY,
]
MISSING = ("False", "RevisionMissing", 'Revision "greet-00009" referenced in traffic not found.')
UNFETCHABLE = (
    'Unable to fetch image "registry.invalid/x/y:1": failed to resolve image to digest: '
    'Get "https://registry.invalid/v2/": dial tcp: lookup registry.invalid'
)


@dataclass
class Step:
    """A change, the status of Ready that it ends with, and what may be seen of the Service on the way."""

    change: Change | None
    ends: str
    may: list[State]
    must: list[State]
    makes_revision: bool = False
    seen: dict[tuple[str, str], list[Any]] = field(default_factory=dict)


BETWEEN = unknown("", "")  # ConfigurationsReady has no word yet
ROLLED = [
    unknown("OutOfDate", NOT_YET),
    BETWEEN,
    unknown("TrafficNotMigrated", MIGRATING),
    *ROUTING,
]
SHIFTED = [unknown("OutOfDate", ROUTE_NOT_YET), *ROUTING]
CREATED = [
    unknown("OutOfDate", ROUTE_NOT_YET),
    unknown("RevisionMissing", WAITING),
    *ROUTING,
]
LIFE: dict[str, Step] = {
    "create": Step(None, "True", CREATED, [CREATED[-2], READY], True),
    "env": Step(env(("TARGET", "Second")), "True", ROLLED, [ROLLED[0], AT_BALANCER, READY], True),
    "image": Step(image(RUST), "True", ROLLED, [ROLLED[0], AT_BALANCER, READY], True),
    "split-50-50": Step(
        traffic(to("greet-00003", 50), to("greet-00002", 50)), "True", SHIFTED, [AT_BALANCER, READY]
    ),
    "split-50-25-25": Step(
        traffic(to("greet-00003", 50), to("greet-00002", 25), to("greet-00001", 25)),
        "True", SHIFTED, [AT_BALANCER, READY],
    ),
    "split-missing": Step(traffic(to("greet-00009", 100)), "False", [SHIFTED[0], MISSING], [MISSING]),
    "recover-traffic": Step(traffic(to("greet-00003", 100)), "True", [SHIFTED[0], MISSING, *ROUTING], [READY]),
    "tags": Step(
        traffic(to("greet-00003", 50, "blue"), to("greet-00002", 50, "green")), "True", SHIFTED,
        [AT_BALANCER, READY],
    ),
    "env-while-pinned": Step(env(("TARGET", "Third")), "True", [*ROLLED[:2], READY], [ROLLED[0], READY], True),
    "follow-latest": Step(
        traffic({"latestRevision": True, "percent": 100}), "True", SHIFTED, [AT_BALANCER, READY]
    ),
    "unfetchable": Step(image("registry.invalid/x/y:1"), "False", [ROLLED[0]], [ROLLED[0]], True),
    "recover-image": Step(image(GO), "True", ROLLED, [READY], True),
}  # fmt: skip


class Recorder:
    """Watches the four kinds of one namespace, each in a thread, from now on."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.events: list[tuple[str, str, Object]] = []
        self._stopped = threading.Event()
        for plural in KINDS:
            listed = namespace.api.get(namespace.path(plural)).body
            version = listed["metadata"]["resourceVersion"]
            threading.Thread(target=self._follow, args=(plural, version), daemon=True).start()

    def _follow(self, plural: str, version: str) -> None:
        path = f"{self._namespace.path(plural)}?watch=true&resourceVersion={version}&timeoutSeconds=100"
        try:
            with self._namespace.api.watch(path) as events:
                for event in events:
                    self.events.append((plural, event["type"], event["object"]))
        except urllib3.exceptions.HTTPError:
            if not self._stopped.is_set():  # the cluster may go once the tests are done
                raise

    def stop(self) -> None:
        self._stopped.set()

    def version_seen(self, plural: str, version: str) -> bool:
        return any(kind == plural and obj["metadata"]["resourceVersion"] == version for kind, _, obj in self.events)

    def take(self) -> dict[tuple[str, str], list[Object]]:
        """What came since the last time, by kind and name."""
        found: dict[tuple[str, str], list[Object]] = {}
        events, self.events = self.events, []
        for plural, kind, obj in events:
            found.setdefault((plural, obj["metadata"]["name"]), []).append({"event": kind, **obj})
        return found


def ready(obj: Object) -> State | None:
    """The Ready condition, only while it speaks of the newest spec."""
    status = obj.get("status") or {}
    if status.get("observedGeneration") != obj["metadata"]["generation"]:
        return None
    one = next((each for each in status.get("conditions") or [] if each["type"] == "Ready"), None)
    return one and (one["status"], one.get("reason", ""), one.get("message", ""))


def states(objects: list[Object]) -> list[State]:
    """The states of Ready without repeats."""
    found: list[State] = []
    for obj in objects:
        state = ready(obj)
        if state and (not found or found[-1] != state):
            found.append(state)
    return found


def is_in_order(seen: list[State], allowed: list[State]) -> bool:
    """Whether `seen` comes from `allowed` by leaving some out."""
    rest = iter(allowed)
    return all(any(state == one for one in rest) for state in seen)


@pytest.fixture(scope="module")
def life(shared: Namespace) -> Iterator[dict[str, Step]]:
    """Every step done once, with all that was seen meanwhile."""
    recorder = Recorder(shared)
    for step in LIFE.values():
        answer = shared.create() if step.change is None else shared.update(step.change)
        assert answer.code in (200, 201), answer
        settled = shared.settle(step.ends)
        eventually(lambda found=settled: recorder.version_seen("services", found["metadata"]["resourceVersion"]))
        step.seen = recorder.take()
        step.seen["answer", ""] = [answer.body]
        step.seen["settled", ""] = [settled]
    yield LIFE
    recorder.stop()


@pytest.mark.parametrize("name", [name for name in LIFE if name != "unfetchable"])
def test_what_the_service_says_on_the_way(life: dict[str, Step], name: str) -> None:
    step = life[name]
    seen = states(step.seen["services", "greet"])
    assert is_in_order(seen, step.may), seen
    assert [state for state in seen if state in step.must] == step.must, seen


@pytest.mark.parametrize("name", [name for name, step in LIFE.items() if step.makes_revision])
def test_a_change_of_the_template_makes_one_revision(life: dict[str, Step], name: str) -> None:
    added = [
        key for key, objects in life[name].seen.items() if key[0] == "revisions" and objects[0]["event"] == "ADDED"
    ]
    generation = life[name].seen["settled", ""][0]["status"]["latestCreatedRevisionName"]
    assert added == [("revisions", generation)]


@pytest.mark.parametrize("name", [name for name, step in LIFE.items() if not step.makes_revision])
def test_a_change_of_traffic_makes_none_and_leaves_the_configuration(life: dict[str, Step], name: str) -> None:
    seen = life[name].seen
    assert not [key for key, objects in seen.items() if key[0] == "revisions" and objects[0]["event"] == "ADDED"]
    assert states(seen.get(("configurations", "greet"), [])) in ([], [READY])


@pytest.mark.parametrize("name", LIFE)
def test_generation_moves_by_one_and_is_not_yet_observed(life: dict[str, Step], name: str) -> None:
    answer = life[name].seen["answer", ""][0]
    assert answer["metadata"]["generation"] == list(LIFE).index(name) + 1
    assert (answer.get("status") or {}).get("observedGeneration", 0) < answer["metadata"]["generation"]


@pytest.mark.parametrize("name", [name for name, step in LIFE.items() if step.makes_revision and step.ends == "True"])
def test_a_revision_becomes_ready_without_a_pod(life: dict[str, Step], name: str) -> None:
    """At initial scale 0: ready, and Active False NoTraffic of severity Info: `3 OK / 4`."""
    step = life[name]
    revision = step.seen["settled", ""][0]["status"]["latestReadyRevisionName"]
    objects = step.seen["revisions", revision]
    allowed = {"", "ResolvingDigests", "Deploying"}
    assert {reason for _, reason, _ in states(objects)} <= allowed
    conditions = {one["type"]: one for one in objects[-1]["status"]["conditions"]}
    assert conditions.keys() == {"Active", "ContainerHealthy", "Ready", "ResourcesAvailable"}
    active = conditions.pop("Active")
    assert (active["status"], active["reason"], active["severity"]) == ("False", "NoTraffic", "Info")
    assert active["message"] == "The target is not receiving traffic."
    assert {one["status"] for one in conditions.values()} == {"True"}


@pytest.mark.parametrize("name", [name for name, step in LIFE.items() if step.ends == "True"])
def test_the_route_carries_the_traffic_that_was_asked_for(life: dict[str, Step], name: str) -> None:
    settled = life[name].seen["settled", ""][0]
    asked = settled["spec"]["traffic"]
    carried = settled["status"]["traffic"]
    for wanted, got in zip(asked, carried, strict=True):
        assert got.get("percent") == wanted.get("percent")
        assert got.get("tag") == wanted.get("tag")
        assert bool(got.get("latestRevision")) == bool(wanted.get("latestRevision"))
        assert got["revisionName"] == wanted.get("revisionName", settled["status"]["latestReadyRevisionName"])


@pytest.mark.parametrize("name", [name for name, step in LIFE.items() if step.ends == "True"])
def test_a_ready_service_has_three_true_conditions(life: dict[str, Step], name: str) -> None:
    conditions = life[name].seen["settled", ""][0]["status"]["conditions"]
    assert {one["type"]: one["status"] for one in conditions} == {
        "ConfigurationsReady": "True",
        "Ready": "True",
        "RoutesReady": "True",
    }


def test_tags_have_addresses_of_their_own(life: dict[str, Step], shared: Namespace) -> None:
    carried = life["tags"].seen["settled", ""][0]["status"]["traffic"]
    assert [target["url"] for target in carried] == [
        f"http://{tag}-greet.{shared.name}.example.com" for tag in ("blue", "green")
    ]


def test_a_pinned_service_sends_a_new_revision_nothing(life: dict[str, Step]) -> None:
    settled = life["env-while-pinned"].seen["settled", ""][0]
    assert settled["status"]["latestReadyRevisionName"] == "greet-00004"
    assert [target["revisionName"] for target in settled["status"]["traffic"]] == ["greet-00003", "greet-00002"]


def test_an_image_that_cannot_be_fetched(life: dict[str, Step], told: Callable[[str, Any], Any]) -> None:
    """The revision says why; configuration and service fail by it; traffic stays where it was."""
    step = life["unfetchable"]
    revision = ready(step.seen["revisions", "greet-00005"][-1])
    assert revision is not None
    assert revision[:2] == ("False", "ContainerMissing")
    assert revision[2].startswith(told("unfetchable", UNFETCHABLE))
    last = step.seen["settled", ""][0]
    state = ready(last)
    assert state is not None
    assert state[:2] == ("False", "RevisionFailed")
    assert state[2].startswith('Revision "greet-00005" failed with message: ' + UNFETCHABLE)
    conditions = {one["type"]: one["status"] for one in last["status"]["conditions"]}
    assert conditions == {"ConfigurationsReady": "False", "Ready": "False", "RoutesReady": "True"}
    assert last["status"]["latestReadyRevisionName"] == "greet-00004"
    assert [target["revisionName"] for target in last["status"]["traffic"]] == ["greet-00004"]


def test_recovery_leaves_the_failed_revision_out(life: dict[str, Step]) -> None:
    settled = life["recover-image"].seen["settled", ""][0]
    assert settled["status"]["latestReadyRevisionName"] == "greet-00006"


def test_a_deleted_service_takes_everything_along(life: dict[str, Step], shared: Namespace) -> None:
    recorder = Recorder(shared)
    answer = shared.api.delete(shared.path("services", "greet"))
    assert (answer.code, answer.body["status"]) == (200, "Success")
    eventually(lambda: all(not shared.names(plural) for plural in KINDS))
    eventually(lambda: sum(kind == "DELETED" for _, kind, _ in recorder.events) == 9)
    last = {(plural, obj["metadata"]["name"]): kind for plural, kind, obj in recorder.events}
    assert set(last.values()) == {"DELETED"}
    assert {plural for plural, _ in last} == set(KINDS)
    assert shared.api.get(f"{SERVING}/namespaces/{shared.name}/services/greet").code == 404
    recorder.stop()
