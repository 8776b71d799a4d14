"""The recordings of real Knatives, replayed: the same changes give the same conditions and the same refusals."""

from __future__ import annotations

import copy
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from console.sandbox.errors import StatusError
from console.sandbox.knative.admission import admit
from console.sandbox.knative.version import parse, speaking_as
from console.sandbox.resources import REVISIONS, SERVICES
from tests.real_cluster.releases import RELEASES
from tests.recorded_steps import REFUSED, REFUSED_WITH_OWN_NAME, STEPS, both
from tests.recording import entries
from tests.sandbox.knative_world import KINDS, Object, World, eventually, knative, set_env

# The recording caught some revisions between the deployment and its readiness, each time a little different, as two
# controllers of a real Knative write there at once. These states in between are left out on both sides.
BETWEEN = ("Deploying",)


@dataclass(frozen=True)
class Recording:
    """What a real Knative of one release did."""

    lines: tuple[Object, ...]

    def of(self, step: str) -> list[Object]:
        return [line for line in self.lines if line["step"] == step]

    def answer(self, step: str) -> Object:
        (answer,) = (line for line in self.of(step) if line["kind"] == "RESPONSE")
        return answer

    def refusal(self, step: str) -> tuple[int, str, str]:
        answer = self.answer(step)
        return answer["code"], answer["obj"]["reason"], answer["obj"]["message"]

    def wanted(self, step: str) -> dict[tuple[str, str], list[Any]]:
        """By kind and name: what the watches told."""
        events = [line for line in self.of(step) if line["kind"] != "RESPONSE"]
        return sequences([(line["ev"], line["kind"], line["obj"]) for line in events])


@pytest.fixture(params=RELEASES)
def recording(request: pytest.FixtureRequest) -> Iterator[Recording]:
    """The sandbox speaks as the recorded release meanwhile."""
    with speaking_as(parse(request.param)):
        yield Recording(entries(request.param))


def state(obj: Object) -> tuple[Any, ...]:
    """What a test compares of an object: generations and conditions with their words."""
    status = obj.get("status") or {}
    conditions = tuple(
        (each["type"], each["status"], each.get("severity", ""), each.get("reason", ""), each.get("message", ""))
        for each in status.get("conditions") or []
    )
    return obj["metadata"]["generation"], status.get("observedGeneration"), conditions


def is_between(states: tuple[Any, ...]) -> bool:
    conditions = {each[0]: each for each in states[2]}
    return "Active" in conditions and conditions["Ready"][3] in BETWEEN


def sequences(events: list[tuple[str, str, Object]]) -> dict[tuple[str, str], list[Any]]:
    """By kind and name: ADDED, states without repeats, DELETED."""
    found: dict[tuple[str, str], list[Any]] = {}
    for event, kind, obj in events:
        sequence = found.setdefault((kind, obj["metadata"]["name"]), [])
        entry: Any = "DELETED" if event == "DELETED" else state(obj)
        if entry == "DELETED" or not ((sequence and sequence[-1] == entry) or is_between(entry)):
            sequence.append(entry)
    return found


async def settle(world: World, expected: dict[tuple[str, str], list[Any]]) -> None:
    """Wait for the last state of every object; the comparison says what differs if that never comes."""

    def is_there() -> bool:
        for (kind, name), sequence in expected.items():
            obj = world.store.find(KINDS[kind], "default", name)
            if (obj is None) != (sequence[-1] == "DELETED") or (obj is not None and state(obj) != sequence[-1]):
                return False
        return True

    try:
        await eventually(is_there)
    except AssertionError:
        return


class Watch:
    """Collects what happens to Knative's objects."""

    def __init__(self, world: World) -> None:
        self._subscription = world.store.subscribe(*KINDS.values(), replay=False)
        self._plurals = {resource: plural for plural, resource in KINDS.items()}

    def taken(self) -> list[tuple[str, str, Object]]:
        events = []
        while change := self._subscription.take():
            events.append((change.type, self._plurals[change.resource], change.object))
        return events


@pytest.fixture
async def world(recording: Recording) -> AsyncIterator[World]:
    async with knative(speed=30, initial_scale=0) as running:
        yield running


async def test_the_recorded_life_of_a_service_step_by_step(recording: Recording, world: World) -> None:
    wanted, watch = recording.wanted, Watch(world)
    world.create("greet")
    await settle(world, wanted("create"))
    assert sequences(watch.taken()) == wanted("create")
    for step, change in STEPS.items():
        if recording.answer(step)["code"] != 200:
            with pytest.raises(StatusError) as refused:
                world.update("greet", change)
            assert told(refused) == recording.refusal(step)
            continue
        world.update("greet", change)
        await settle(world, wanted(step))
        happened = sequences(watch.taken())
        assert happened.keys() == wanted(step).keys(), step
        for key, sequence in wanted(step).items():
            assert happened[key] == sequence, f"{step}: {key}"
    final = {plural: world.store.list(resource) for plural, resource in KINDS.items()}
    check_shapes(recording, final)
    world.store.delete(REVISIONS, "default", "greet-00002")
    await settle(world, wanted("delete-revision-unrouted"))
    assert sequences(watch.taken()) == wanted("delete-revision-unrouted")
    world.store.delete(SERVICES, "default", "greet")
    await settle(world, wanted("delete"))
    assert ends(sequences(watch.taken())) == ends(wanted("delete"))


def ends(happened: dict[tuple[str, str], list[Any]]) -> dict[tuple[str, str], Any]:
    """The last of each: controllers may still write to what is being deleted, as one of the recordings shows."""
    return {key: sequence[-1] for key, sequence in happened.items()}


def told(refused: pytest.ExceptionInfo[StatusError]) -> tuple[int, str, str]:
    return refused.value.code, refused.value.reason, refused.value.message


def check_shapes(recording: Recording, final: dict[str, list[Object]]) -> None:
    """Every object has the fields of its last recorded state, whatever the times, uids and versions."""
    last = {
        (line["kind"], line["obj"]["metadata"]["name"]): line["obj"]
        for line in recording.lines[: recording.lines.index(recording.of("byo-name-reused")[0])]
        if line["kind"] != "RESPONSE"
    }
    assert {(plural, obj["metadata"]["name"]) for plural, objects in final.items() for obj in objects} == last.keys()
    for plural, objects in final.items():
        for obj in objects:
            assert comparable(obj) == comparable(last[plural, obj["metadata"]["name"]])


def comparable(obj: Object) -> Object:
    """Without what no two clusters have in common: uids, versions, times, digests (the recorded one resolved none)."""
    obj = copy.deepcopy(obj)
    for field in ("managedFields", "resourceVersion", "uid", "creationTimestamp"):
        obj["metadata"].pop(field, None)
    for labels in (obj["metadata"].get("labels", {}), obj["metadata"].get("annotations", {})):
        for key in labels:
            if re.search(r"UID$|routingStateModified$", key):
                labels[key] = "some"
    for reference in obj["metadata"].get("ownerReferences", []):
        reference["uid"] = "some"
    for condition in obj.get("status", {}).get("conditions", []):
        condition["lastTransitionTime"] = "some"
    for status in obj.get("status", {}).get("containerStatuses", []):
        status.pop("imageDigest", None)
    return obj


@pytest.fixture
def service(recording: Recording) -> Object:
    """The recorded service after its creation."""
    return copy.deepcopy(recording.answer("create")["obj"])


@pytest.mark.parametrize("step", REFUSED)
def test_what_the_webhook_refused_is_refused_in_its_words(step: str, recording: Recording, service: Object) -> None:
    changed = copy.deepcopy(service)
    REFUSED[step](changed)
    with pytest.raises(StatusError) as refused:
        admit("update", SERVICES, service, changed, "admin")
    assert told(refused) == recording.refusal(step)


@pytest.mark.parametrize("step", REFUSED_WITH_OWN_NAME)
def test_a_template_with_its_own_name_may_not_change_under_it(step: str, recording: Recording, service: Object) -> None:
    named = both(STEPS["byo-revision-name"], set_env("TARGET", "Fourth"))
    named(service)
    changed = copy.deepcopy(service)
    REFUSED_WITH_OWN_NAME[step](changed)
    with pytest.raises(StatusError) as refused:
        admit("update", SERVICES, service, changed, "admin")
    assert told(refused) == recording.refusal(step)


def test_a_name_over_63_characters_is_refused(recording: Recording, service: Object) -> None:
    service["metadata"]["name"] = "x" * 64
    with pytest.raises(StatusError) as refused:
        admit("create", SERVICES, None, service, "admin")
    assert told(refused) == recording.refusal("create-name-too-long")


def test_a_revision_never_changes_its_spec(recording: Recording) -> None:
    revision = next(line["obj"] for line in recording.lines if line["kind"] == "revisions")
    changed = copy.deepcopy(revision)
    changed["spec"]["containerConcurrency"] = 7
    with pytest.raises(StatusError) as refused:
        admit("update", REVISIONS, revision, changed, "admin")
    assert told(refused) == recording.refusal("revision-spec-immutable")


def test_every_recorded_step_is_replayed_or_belongs_to_the_api(recording: Recording) -> None:
    of_the_api = {
        "conflict", "unknown-field", "create-exists", "create-bad-name", "get-missing", "ssar", "forbidden",
        "unauthorized",
    }  # fmt: skip
    here = {"create", "create-name-too-long", "delete-revision-unrouted", "revision-spec-immutable", "delete"}
    replayed = {*STEPS, *REFUSED, *REFUSED_WITH_OWN_NAME, *here}
    assert {line["step"] for line in recording.lines} == replayed | of_the_api
