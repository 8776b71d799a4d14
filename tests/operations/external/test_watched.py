"""Changes around the console as a real watcher sees them in the sandbox: by several people, and in quick succession."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError

import pytest

from console.audit.models import Entry
from console.cluster.resources import SERVICES
from console.mirror import keys, read, watcher
from console.operations.external import detection
from console.redis_client import client
from tests.mirror.world import clusters_of, names, watching
from tests.redis_server import RedisServer
from tests.sandbox_process import Sandbox, sandbox
from tests.waiting import eventually

pytestmark = pytest.mark.django_db
PATH = "/apis/serving.knative.dev/v1/namespaces/default/services"
PEOPLE = dict.fromkeys(("ann", "ben", "cyd"), ("system:masters",))


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox(speed=100, users=PEOPLE) as running:
        yield running


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "LOCK_SECONDS", 1.0)
    monkeypatch.setattr(watcher, "TICK_SECONDS", 0.1)


def create(box: Sandbox, name: str, who: str) -> None:
    variables = [{"name": "TARGET", "value": "s3cr3t-first"}]
    containers = [{"image": "gcr.io/knative-samples/helloworld-go", "env": variables}]
    metadata = {"name": name, "namespace": "default"}
    raw = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": metadata}
    box.post(PATH, {**raw, "spec": {"template": {"spec": {"containers": containers}}}}, user=who)


def edit(box: Sandbox, name: str, who: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Read, change and write, again on a conflict with a controller's status."""

    def write() -> bool:
        raw = box.get(f"{PATH}/{name}")
        change(raw)
        try:
            return bool(box.put(f"{PATH}/{name}", raw, user=who))
        except HTTPError as error:
            if error.code != 409:  # a controller wrote its status
                raise
            return False

    eventually(write)


def set_timeout(box: Sandbox, name: str, who: str, seconds: int) -> None:
    edit(box, name, who, lambda raw: raw["spec"]["template"]["spec"].update(timeoutSeconds=seconds))


def is_listed() -> bool:
    state = read.states("box").get(SERVICES.plural)
    return state is not None and bool(state.resource_version)


def has_seen(box: Sandbox, name: str) -> Callable[[], bool]:
    """The mirror holds the newest generation."""
    generation = box.get(f"{PATH}/{name}")["metadata"]["generation"]

    def seen() -> bool:
        found = read.services_named("box", [f"default/{name}"])
        return bool(found) and found[f"default/{name}"][0].generation == generation

    return seen


def told(name: str) -> list[tuple[str, str]]:
    entries = Entry.objects.filter(service=name).order_by("sequence")
    return [(entry.action.removeprefix("outside."), entry.actor) for entry in entries]


def test_three_people_within_one_look_are_each_credited(box: Sandbox, redis_server: RedisServer) -> None:
    """Also across a restart of the watcher."""
    create(box, "shared", "ann")
    with watching(clusters_of(("box", box)), redis_server.url):
        eventually(lambda: is_listed() and "default/shared" in names("box"))
        detection.look()
        set_timeout(box, "shared", "ann", 101)
        set_timeout(box, "shared", "ben", 102)
        eventually(has_seen(box, "shared"))
    with watching(clusters_of(("box", box)), redis_server.url):
        set_timeout(box, "shared", "cyd", 103)
        eventually(has_seen(box, "shared"))
        detection.look()
    assert told("shared") == [("change", "ann"), ("change", "ben"), ("change", "cyd")]


def test_a_service_that_came_and_went_within_one_look_is_in_the_log(box: Sandbox, redis_server: RedisServer) -> None:
    with watching(clusters_of(("box", box)), redis_server.url):
        eventually(is_listed)
        detection.look()
        create(box, "brief", "ben")
        eventually(lambda: "default/brief" in names("box"))
        box.delete(f"{PATH}/brief", user="cyd")
        eventually(lambda: "default/brief" not in names("box"))
        detection.look()
    assert told("brief") == [("create", "ben"), ("delete", "")]
    assert "s3cr3t" not in str(client().xrange(keys.trail("box")))
