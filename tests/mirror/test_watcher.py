"""The watcher against the sandbox: leaders that die, Redis that forgets, watches cut, clusters that come and go."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import msgspec
import pytest
import redis

from console.cluster.connections import ClusterSettings, Connections
from console.cluster.resources import NAMESPACES, SERVICES
from console.cluster.transport import READ_TIMEOUT
from console.cluster.watches import Connected, Listed, ListWatch
from console.knative.references import ServiceRef
from console.mirror import keys, last_contact, read, watcher
from console.mirror.store import MIRRORED, MirrorWriter
from console.mirror.watcher import Leadership
from console.redis_client import client
from console.signing import sign
from tests import factories
from tests.mirror.world import Running, clusters_of, names, watching
from tests.sandbox_process import ROOT, Sandbox, sandbox
from tests.waiting import eventually

pytestmark = pytest.mark.django_db  # which clusters are configured stands there too
BOX = "box"
HELLO = ServiceRef(BOX, "default", "hello")
SERVICES_PATH = "/apis/serving.knative.dev/v1/namespaces/default/services"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox(speed=100, seed="demo") as running:
        yield running


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(watcher, "LOCK_SECONDS", 1.0)
    monkeypatch.setattr(watcher, "TICK_SECONDS", 0.1)


def is_fresh(cluster: str = BOX) -> bool:
    return len(read.states(cluster)) == len(MIRRORED) and not read.freshness(cluster).is_stale


def create(box: Sandbox, name: str) -> None:
    raw = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"template": {"spec": {"containers": [{"image": "gcr.io/knative-samples/helloworld-go"}]}}},
    }
    box.post(SERVICES_PATH, raw)


def leave_a_mark() -> None:
    """Something that a new list would clear away."""
    token = client().get(keys.LEADER)
    MirrorWriter(client(), BOX, token, b"any").put(SERVICES, factories.service("mark"))


def is_marked() -> bool:
    return "default/mark" in names(BOX)


def test_the_mirror_holds_what_the_cluster_holds(box, redis_server):
    with watching(clusters_of((BOX, box)), redis_server.url):
        eventually(is_fresh)
        wanted = {
            f"{item['metadata']['namespace']}/{item['metadata']['name']}"
            for item in box.get("/apis/serving.knative.dev/v1/services")["items"]
        }
        assert names(BOX) == wanted
        assert read.service(HELLO).generation == box.get(f"{SERVICES_PATH}/hello")["metadata"]["generation"]
        assert read.clusters() == (BOX,)
        assert "default" in read.namespaces(BOX)
        assert read.route(HELLO).name == "hello"
        create(box, "arrives")
        eventually(lambda: read.summary(ServiceRef(BOX, "default", "arrives")))
        eventually(lambda: read.revisions(ServiceRef(BOX, "default", "arrives")))
    assert client().get(keys.LEADER) is None


def test_a_list_that_is_written_is_called_whole_at_once_and_not_at_the_next_tick(box, redis_server, monkeypatch):
    monkeypatch.setattr(watcher, "LOCK_SECONDS", 600.0)
    monkeypatch.setattr(watcher, "TICK_SECONDS", 600.0)
    with watching(clusters_of((BOX, box)), redis_server.url):
        eventually(is_fresh)


def test_a_standby_takes_over_when_the_leader_freezes_and_goes_on_without_a_new_list(box, redis_server):
    clusters = clusters_of((BOX, box))
    with watching(clusters, redis_server.url) as first:
        eventually(is_fresh)
        old_token = client().get(keys.LEADER)
        leave_a_mark()
        first.vanish()
        with watching(clusters, redis_server.url):
            eventually(lambda: client().get(keys.LEADER) not in (None, old_token))
            create(box, "after-the-leader")
            eventually(lambda: "default/after-the-leader" in names(BOX))
            eventually(is_fresh)
            assert is_marked()


def test_two_at_once_have_one_leader(box, redis_server):
    clusters = clusters_of((BOX, box))
    with watching(clusters, redis_server.url) as first, watching(clusters, redis_server.url) as second:
        eventually(is_fresh)
        assert sum(bool(running.watcher._leadership.token) for running in (first, second)) == 1
        assert sum(bool(running.watcher._reflectors) for running in (first, second)) == 1


def test_a_restart_resumes_from_what_is_known_to_be_written(box, redis_server):
    clusters = clusters_of((BOX, box))
    with watching(clusters, redis_server.url):
        eventually(is_fresh)
        leave_a_mark()
    create(box, "meanwhile")
    with watching(clusters, redis_server.url):
        eventually(lambda: "default/meanwhile" in names(BOX))
        assert is_marked()


def test_a_copy_of_another_make_is_not_resumed(box, redis_server, monkeypatch):
    clusters = clusters_of((BOX, box))
    with watching(clusters, redis_server.url):
        eventually(is_fresh)
        leave_a_mark()
    monkeypatch.setattr(watcher, "layout", lambda *_facts: "newer")
    with watching(clusters, redis_server.url):
        eventually(lambda: not is_marked())


def test_a_version_that_the_api_server_forgot_is_listed_again(box, redis_server):
    clusters = clusters_of((BOX, box))
    with watching(clusters, redis_server.url):
        eventually(is_fresh)
        leave_a_mark()
    for plural, state in read.states(BOX).items():
        old = msgspec.structs.replace(state, resource_version="999999999")
        client().hset(keys.freshness(BOX), plural, sign(msgspec.json.encode(old), keys.freshness(BOX), plural))
    with watching(clusters, redis_server.url):
        eventually(lambda: not is_marked())
        eventually(is_fresh)


def test_a_history_that_is_gone_is_listed_again(box, redis_server):
    clusters = clusters_of((BOX, box))
    with watching(clusters, redis_server.url):
        eventually(is_fresh)
        leave_a_mark()
    create(box, "before-the-gap")
    box.fault(forget_history=True)
    create(box, "after-the-gap")
    with watching(clusters, redis_server.url):
        eventually(lambda: not is_marked())  # a list forgets what it did not name after it wrote what it names
        assert {"default/before-the-gap", "default/after-the-gap"} <= names(BOX)
        eventually(is_fresh)


def test_redis_that_lost_all_is_filled_again(box, redis_server):
    with watching(clusters_of((BOX, box)), redis_server.url):
        eventually(is_fresh)
        before = names(BOX)
        redis_server.empty()
        eventually(lambda: names(BOX) == before)
        eventually(is_fresh)


def test_redis_that_was_away_is_written_again(box, redis_server):
    with watching(clusters_of((BOX, box)), redis_server.url):
        eventually(is_fresh)
        redis_server.kill()
        create(box, "while-redis-was-away")
        redis_server.start()
        eventually(lambda: "default/while-redis-was-away" in names(BOX))


def test_watches_that_are_cut_go_on(box, redis_server):
    with watching(clusters_of((BOX, box)), redis_server.url):
        eventually(is_fresh)
        box.fault(cut_watches=True)
        create(box, "after-the-cut")
        eventually(lambda: "default/after-the-cut" in names(BOX))


def test_a_cluster_that_does_not_answer_says_so_and_holds_up_no_other(box, redis_server):
    known = Connections()
    settings = [
        ClusterSettings("gone", url="http://127.0.0.1:1", token="t"),
        ClusterSettings("broken", kubeconfig="/nowhere"),
        ClusterSettings(BOX, url=box.url, token=box.token),
    ]
    known.register(lambda: settings)
    with watching(known, redis_server.url):
        eventually(is_fresh)
        eventually(lambda: read.freshness("gone").error)
        assert read.freshness("gone").seconds is None
        assert not read.freshness(BOX).is_stale


def test_a_cluster_that_accepts_and_says_nothing_holds_up_no_other(box, redis_server, monkeypatch):
    """Each kind of each cluster is listed by a thread of its own, all at once."""
    monkeypatch.setattr(watcher, "ENDING_SECONDS", 0.1)  # its threads still wait for an answer
    known = Connections()
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as second:
        silences = [
            ClusterSettings(name, url=f"http://127.0.0.1:{one.getsockname()[1]}", token="t")
            for name, one in (("a-silent", silent), ("z-silent", second))
        ]
        settings = [silences[0], ClusterSettings(BOX, url=box.url, token=box.token), silences[1]]
        known.register(lambda: settings)
        with watching(known, redis_server.url) as running:
            eventually(is_fresh)
            assert "default/hello" in names(BOX)
            assert read.freshness("a-silent").seconds is None
            assert len(running.watcher._reflectors) == 3 * len(MIRRORED)


def test_a_cluster_that_falls_silent_does_not_look_live(box, redis_server, monkeypatch):
    """Its connections stay open and its watches say nothing, as those of a quiet cluster do."""
    monkeypatch.setattr(last_contact, "ASK_AFTER", 0.1)
    monkeypatch.setattr(last_contact, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(read, "STALE_AFTER", 1.0)
    with watching(clusters_of((BOX, box)), redis_server.url):
        eventually(is_fresh)
        os.kill(box.process.pid, signal.SIGSTOP)
        try:
            eventually(lambda: read.freshness(BOX).is_stale)
            eventually(lambda: read.freshness(BOX).error)
        finally:
            os.kill(box.process.pid, signal.SIGCONT)
        eventually(is_fresh)
        assert not read.freshness(BOX).error


def test_clusters_come_and_go_and_move(box, redis_server):
    known = Connections()
    settings: list[ClusterSettings] = []
    known.register(lambda: tuple(settings))
    with watching(known, redis_server.url), sandbox(speed=100) as second:
        settings.append(ClusterSettings(BOX, url=box.url, token=box.token))
        eventually(lambda: "default/hello" in names(BOX))
        settings[0] = ClusterSettings(BOX, url=second.url, token=second.token)
        eventually(lambda: names(BOX) == set())
        eventually(is_fresh)
        settings.clear()
        eventually(lambda: read.clusters() == ())


def test_a_kind_that_may_not_be_listed_says_so_and_the_others_go_on(redis_server):
    with sandbox(speed=100, seed="demo", users={"viewer": []}) as box:
        settings = ClusterSettings(BOX, url=box.url, token=box.tokens["viewer"])
        known = Connections()
        known.register(lambda: [settings])
        with watching(known, redis_server.url):
            eventually(lambda: "forbidden" in read.freshness(BOX).error)
            assert read.freshness(BOX).is_stale


def test_a_bug_in_one_kind_is_told_and_stops_no_other(box, redis_server, monkeypatch):
    replacing = MirrorWriter.replacing

    def failing(self, resource):
        if resource == NAMESPACES:
            raise KeyError("a bug")
        return replacing(self, resource)

    monkeypatch.setattr(MirrorWriter, "replacing", failing)
    with watching(clusters_of((BOX, box)), redis_server.url):
        eventually(lambda: read.states(BOX).get("namespaces") and read.states(BOX)["namespaces"].error == "KeyError")
        eventually(lambda: "default/hello" in names(BOX))


def test_a_later_leader_has_a_larger_token(redis_server):
    clients = [redis.Redis.from_url(redis_server.url, decode_responses=True) for _ in range(2)]
    first, second = (Leadership(each) for each in clients)
    assert first.hold()
    assert first.hold()
    assert not second.hold()
    number = int(first.token.partition("-")[0])
    first.release()
    assert second.hold()
    assert int(second.token.partition("-")[0]) > number
    first.token = f"{number}-stale"
    first.release()
    assert not first.hold()
    assert client().get(keys.LEADER) == second.token


def test_the_command_ends_soon_after_sigterm(box, redis_server, settings, tmp_path):
    cluster = {"name": BOX, "url": box.url, "token": box.token}
    environment = {
        **os.environ,
        "CONSOLE_SECRET_KEY": settings.SECRET_KEY,
        "CONSOLE_STATE_DIR": str(tmp_path),
        "CONSOLE_REDIS_URL": redis_server.url,
        "CONSOLE_CLUSTERS": json.dumps([cluster]),
    }
    process = subprocess.Popen([sys.executable, "manage.py", "watch"], cwd=ROOT, env=environment)
    try:
        eventually(lambda: "default/hello" in names(BOX) and is_fresh())
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert client().get(keys.LEADER) is None


def test_a_running_watcher_stops_while_its_cluster_hangs(box, redis_server):
    os.kill(box.process.pid, signal.SIGSTOP)
    try:
        running = Running(clusters_of((BOX, box)), redis_server.url)
        eventually(lambda: running.watcher._reflectors)
        began = time.monotonic()
        running.stop()
        assert time.monotonic() - began < READ_TIMEOUT.read_timeout / 2, "it waited for the cluster's answer"
    finally:
        os.kill(box.process.pid, signal.SIGCONT)


def test_a_watch_that_is_only_resumed_does_not_call_the_copy_true(box, redis_server):
    """What it should resume from may be gone, which the API server says in the stream itself."""
    states = []

    class Writer:
        cluster = BOX

        def note(self, resource, state: bytes) -> None:
            states.append(state)

    connection = clusters_of((BOX, box)).get(BOX)
    contact = last_contact.LastContact(BOX, connection.transport, time.time)
    loop = ListWatch(connection.transport, SERVICES, "5")
    reflector = watcher.Reflector(SERVICES, loop, Writer(), "", time.time, contact, resource_version="5")
    reflector._handle(Connected())
    assert states == []
    reflector._handle(Listed("9"))
    reflector._handle(Connected())
    assert [msgspec.json.decode(state)["resource_version"] for state in states] == ["9"]
