"""The gateway against the sandbox: what the console asks, as the API answers it."""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Iterator

import pytest

from console.cluster import errors, transport
from console.cluster.connections import ClusterSettings, connect
from console.cluster.gateway import Gateway
from console.cluster.resources import REVISIONS, SERVICES
from console.cluster.transport import Identity
from console.cluster.watches import Connected, Listed, ListWatch, Page, WatchEvent
from console.knative.objects import Health, Service
from tests.cluster.scripted_server import HANG, scripted, stream
from tests.cluster.world import connection_to
from tests.sandbox_process import Sandbox, sandbox
from tests.waiting import eventually


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox(speed=100, seed="demo") as running:
        yield running


@pytest.fixture
def gateway(box: Sandbox) -> Gateway:
    """The cluster once its controllers are done with hello: until then they write it, too."""
    found = Gateway(connect(ClusterSettings("box", url=box.url, token=box.token)))
    eventually(lambda: found.service("default", "hello").health is Health.READY)
    return found


def changed(service: Service, value: str) -> Service:
    raw = copy.deepcopy(dict(service.raw))
    template = raw["spec"]["template"]
    template["spec"]["containers"][0]["env"] = [{"name": "TARGET", "value": value}]
    (template.get("metadata") or {}).pop("name", None)
    return Service(raw)


def test_it_reads_what_there_is(gateway):
    service = gateway.service("default", "hello")
    revision = gateway.revision("default", service.latest_ready_revision)
    assert revision.service_name == "hello"
    assert gateway.route("default", "hello").name == "hello"
    assert gateway.version().startswith("v1.")


def test_what_is_not_there_is_not_found(gateway):
    for ask in (gateway.service, gateway.revision, gateway.route):
        with pytest.raises(errors.NotFound):
            ask("default", "nothing")


def test_a_dry_run_writes_nothing_and_a_stale_write_conflicts(gateway):
    before = gateway.service("default", "hello")
    tried = gateway.replace_service(changed(before, "tried"), dry_run=True)
    assert tried.generation == before.generation + 1
    assert gateway.service("default", "hello").generation == before.generation
    written = gateway.replace_service(changed(before, "written"))
    assert written.generation == before.generation + 1
    with pytest.raises(errors.Conflict):
        gateway.replace_service(changed(before, "stale"))


def test_a_field_that_the_api_does_not_know_is_refused(gateway):
    raw = copy.deepcopy(dict(gateway.service("default", "hello").raw))
    raw["spec"]["bogus"] = 1
    with pytest.raises(errors.Refused, match="unknown field"):
        gateway.replace_service(Service(raw))


def test_creating_and_deleting_hold_to_name_and_uid(gateway):
    raw = changed(gateway.service("default", "hello"), "made").raw
    made = Service({**raw, "metadata": {"name": "made", "namespace": "default"}, "status": {}})
    created = gateway.create_service(made)
    with pytest.raises(errors.AlreadyExists):
        gateway.create_service(made)
    with pytest.raises(errors.Conflict):
        gateway.delete_service("default", "made", uid="another")
    gateway.delete_service("default", "made", uid=created.uid, dry_run=True)
    assert gateway.service("default", "made").uid == created.uid
    gateway.delete_service("default", "made", uid=created.uid)
    with pytest.raises(errors.NotFound):
        gateway.service("default", "made")


def test_a_person_without_rights_is_refused_by_the_cluster_itself(gateway):
    assert gateway.can_i("update", SERVICES, "default")
    person = Gateway(gateway.connection, Identity("nobody@shop.example", ("sluice:front",)))
    assert not person.can_i("update", SERVICES, "default")
    with pytest.raises(errors.Forbidden, match="nobody@shop"):
        person.service("default", "hello")


def test_a_watch_as_a_person_is_the_persons(gateway):
    person = Gateway(gateway.connection, Identity("nobody@shop.example"))
    with pytest.raises(errors.Forbidden, match="nobody@shop"):
        list(person.watch_service("default", "hello", "", seconds=1, stop=threading.Event()))


def change(gateway: Gateway, value: str) -> Service:
    """Write on top of the newest version, which the controllers move too; return that version."""
    while True:
        before = gateway.service("default", "hello")
        with contextlib.suppress(errors.Conflict):
            gateway.replace_service(changed(before, value))
            return before


def test_a_watch_brings_what_happens_after_its_version(gateway):
    change(gateway, "first")  # what was seeded is older than what the server can tell of
    before = change(gateway, "watched")
    watched = gateway.watch_service("default", "hello", before.resource_version, seconds=5, stop=threading.Event())
    first = next(watched)
    assert first.type == "MODIFIED"
    assert first.object["metadata"]["generation"] == before.generation + 1
    watched.close()


def test_a_watch_of_a_server_that_hangs_ends_soon_after_its_time(monkeypatch):
    monkeypatch.setattr(transport, "WATCH_GRACE", 0.2 - 5)
    with scripted(stream(then=HANG)) as server:
        watched = Gateway(connection_to(server.url)).watch_service("a", "b", "1", seconds=5, stop=threading.Event())
        with pytest.raises(errors.Unreachable):
            list(watched)
    assert "timeoutSeconds=5" in server.requests[0].target


def test_throttling_by_the_cluster_is_heard(box, gateway):
    box.fault(verb="get", resource="services", code=429, retry_after=0)
    heard = []
    asking = Gateway(gateway.connection, on_wait=lambda error, _seconds: heard.append(error))
    asking.service("default", "hello")
    assert [type(error) for error in heard] == [errors.Throttled]


def test_a_pods_log_and_its_events_are_read(box, gateway):
    def pods():
        import urllib.request

        request = urllib.request.Request(box.ingress_url, headers={"Host": "hello.default.example.com"})
        urllib.request.urlopen(request, timeout=60).read()
        service = gateway.service("default", "hello")
        return gateway.pods("default", revision=service.latest_ready_revision)

    pod = eventually(pods)[0]
    assert isinstance(gateway.pod_log("default", pod.name, "user-container"), str)
    assert isinstance(gateway.events("default", about=pod.name), tuple)


def test_list_and_watch_together_miss_nothing(gateway):
    loop = ListWatch(gateway.connection.transport, REVISIONS)
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.extend(_kept(loop, seen)), daemon=True)
    thread.start()
    eventually(lambda: any(isinstance(found, Connected) for found in seen))
    assert [type(found) for found in seen[:3]] == [Page, Listed, Connected]
    change(gateway, "together")

    def is_seen() -> bool:
        events = [found for found in seen if isinstance(found, WatchEvent)]
        return any("'together'" in str(event.object["spec"]) for event in events)

    eventually(is_seen)
    loop.end()
    thread.join(60)
    assert not thread.is_alive()


def _kept(loop: ListWatch, seen: list[object]) -> tuple[()]:
    for event in loop.run():
        seen.append(event)
    return ()
