"""What lies in Redis and what pages read of it."""

from __future__ import annotations

import copy
import json
import time

import msgspec
import pytest

from console.cluster.resources import NAMESPACES, PODS, REVISIONS, ROUTES, SERVICES
from console.knative.redaction import MASK
from console.knative.references import ServiceRef
from console.mirror import keys, read, store
from console.mirror.read import KindState, MirrorUnavailable
from console.mirror.store import LeadershipLost, MirrorWriter
from console.redis_client import CHANNEL, client
from console.signing import verify
from tests import factories

BOX = "box"
SHOP = ServiceRef(BOX, "default", "shop")


def everything() -> str:
    """All that Redis holds, as one text."""
    found = []
    for key in client().scan_iter("*"):
        kind = client().type(key)
        read_all = {"hash": client().hgetall, "set": client().smembers, "string": client().get}
        read_all["stream"] = client().xrange
        found.append(f"{key} {read_all[kind](key) if kind in read_all else client().zrange(key, 0, -1)}")
    return "\n".join(found)


def pod(name: str = "shop-00004-x") -> dict:
    labels = {"serving.knative.dev/service": "shop", "serving.knative.dev/revision": "shop-00004"}
    container = {"name": "user-container", "env": [{"name": "PASSWORD", "value": factories.SECRET_VALUE}]}
    return {"metadata": {"name": name, "namespace": "default", "labels": labels}, "spec": {"containers": [container]}}


def test_no_env_value_enters_redis(mirror):
    mirror.put(PODS, pod())
    raw = factories.service()
    annotations = raw["metadata"]["annotations"]
    annotations["kubectl.kubernetes.io/last-applied-configuration"] = f'{{"value":"{factories.SECRET_VALUE}"}}'
    raw["metadata"]["managedFields"] = [{"manager": "kubectl", "fieldsV1": {"v": factories.SECRET_VALUE}}]
    mirror.put(SERVICES, raw)
    assert "shop" in everything()
    assert factories.SECRET_VALUE not in everything()


def test_no_message_and_no_annotation_takes_a_value_into_redis(mirror):
    """What a crashing container printed reaches conditions and states; deployment tools copy the object."""
    value = factories.SECRET_VALUE
    message = f'Revision "shop-00004" failed with message: Container failed with: dial {value}'
    condition = {"type": "Ready", "status": "False", "reason": "RevisionFailed", "message": message}
    service, revision, crashing = factories.service(), factories.revision(), pod()
    service["metadata"]["annotations"]["example.com/last-applied-any"] = json.dumps(service)
    service["spec"]["template"]["metadata"]["annotations"]["example.com/copy"] = json.dumps(service)
    revision["metadata"]["annotations"]["example.com/copy"] = json.dumps(service)
    for raw in (service, revision):
        raw["status"]["conditions"] = [condition]
    ended = {"terminated": {"exitCode": 1, "reason": "Error", "message": f"dial {value}"}}
    crashing["status"] = {"containerStatuses": [{"name": "user-container", "state": ended, "lastState": ended}]}
    route = {
        "metadata": {"name": "shop", "namespace": "default", "labels": {"serving.knative.dev/service": "shop"}},
        "spec": {"traffic": []},
        "status": {"conditions": [condition]},
    }
    for resource, raw in ((SERVICES, service), (REVISIONS, revision), (PODS, crashing), (ROUTES, route)):
        mirror.put(resource, raw)
    assert value not in everything()
    assert "Container failed with: " in everything()
    summary = read.summary(SHOP)
    assert summary is not None
    assert summary.message.endswith(f"dial {MASK}")


def test_a_secret_is_read_without_its_digest_and_compared_by_it(mirror):
    for number, word in ((3, "one-secret-1"), (4, "another-secret-2")):
        raw = factories.revision(number=number)
        raw["spec"]["containers"][0]["args"] = ["--password", word]
        mirror.put(REVISIONS, raw)
    assert read.revision(SHOP, "shop-00004").containers[0].raw["args"] == ["--password", MASK]
    sealed = [read.sealed_revision(SHOP, f"shop-0000{number}").spec["containers"][0]["args"] for number in (3, 4)]
    assert sealed[0] != sealed[1]


def test_a_summary_tells_what_the_list_shows(mirror):
    (summary,) = read.services(BOX)
    assert summary.ref == SHOP
    assert summary.labels == {"app": "shop", "tier": "front"}
    assert [(share.revision, share.percent, share.tag) for share in summary.shares][:1] == [
        ("shop-00003", 90, "stable")
    ]
    assert summary.changed_by == "bob@shop.example"
    assert not summary.follows_latest
    assert read.summary(SHOP) == summary


def test_what_belongs_to_a_service_is_found_by_it(mirror):
    mirror.put(PODS, pod())
    route = {"metadata": {"name": "shop", "namespace": "default", "labels": {"serving.knative.dev/service": "shop"}}}
    mirror.put(ROUTES, route)
    assert {revision.name for revision in read.revisions(SHOP)} == {f"shop-0000{number}" for number in (1, 2, 3, 4)}
    assert read.revision(SHOP, "shop-00002").name == "shop-00002"
    assert [found.name for found in read.pods(SHOP)] == ["shop-00004-x"]
    assert read.route(SHOP).name == "shop"
    assert read.namespaces(BOX) == ("default", "other")
    mirror.drop(PODS, pod())
    assert read.pods(SHOP) == ()
    nothing = ServiceRef(BOX, "default", "nothing")
    assert (read.service(nothing), read.summary(nothing), read.revisions(nothing)) == (None, None, ())


def test_a_new_list_forgets_what_it_does_not_name(mirror):
    mirror.replace_all(SERVICES, [factories.service("other")])
    mirror.replace_all(REVISIONS, [])
    mirror.replace_all(NAMESPACES, [])
    assert [summary.name for summary in read.services(BOX)] == ["other"]
    assert (read.service(SHOP), read.revisions(SHOP), read.namespaces(BOX)) == (None, (), ())


def test_a_list_in_pages_forgets_only_at_its_end(mirror):
    replacement = mirror.replacing(SERVICES)
    replacement.add([factories.service("first")])
    replacement.add([factories.service("second")])
    assert {summary.name for summary in read.services(BOX)} == {"shop", "first", "second"}
    replacement.finish()
    assert {summary.name for summary in read.services(BOX)} == {"first", "second"}


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"metadata": None},
        {"metadata": {"name": "odd", "namespace": "default"}, "spec": "text"},
        {"metadata": {"name": "odd", "namespace": "default"}, "spec": {"template": {"spec": {"containers": 5}}}},
        {"metadata": {"name": "odd", "namespace": "default", "labels": [1]}, "spec": {}},
        {"metadata": {"name": "a/b/c", "namespace": "default"}, "spec": {}},
        {"metadata": {"name": "odd", "namespace": "default"}, "status": {"conditions": [5], "traffic": {"a": 1}}},
    ],
)
def test_an_object_that_cannot_be_read_stops_no_other(mirror, odd):
    for resource in (SERVICES, REVISIONS, PODS):
        mirror.put(resource, odd)
        mirror.drop(resource, odd)
    mirror.replace_all(SERVICES, [odd, factories.service("good"), odd])
    assert "good" in {summary.name for summary in read.services(BOX)}


def test_a_writer_without_the_lead_writes_nothing(mirror):
    client().set(keys.LEADER, "another")
    before = everything()
    for write in (
        lambda: mirror.put(SERVICES, factories.service("late")),
        lambda: mirror.drop(SERVICES, factories.service()),
        lambda: mirror.replace_all(SERVICES, []),
        lambda: mirror.note(SERVICES, b"{}"),
    ):
        with pytest.raises(LeadershipLost):
            write()
    assert everything() == before


def test_a_reader_decodes_only_what_changed(mirror, monkeypatch):
    mirror.replace_all(SERVICES, [factories.service(f"s{number}") for number in range(50)])
    before = {summary.name: summary for summary in read.services(BOX)}
    asked = []
    monkeypatch.setattr(client(), "hgetall", asked.append)
    changed = factories.service("s7")
    changed["metadata"]["labels"] = {"new": "label"}
    mirror.put(SERVICES, changed)
    mirror.drop(SERVICES, factories.service("s8"))
    mirror.put(SERVICES, factories.service("added"))
    after = {summary.name: summary for summary in read.services(BOX)}
    assert asked == []
    assert after["s7"].labels == {"new": "label"}
    assert set(after) == set(before) - {"s8"} | {"added"}
    assert after["s9"] is before["s9"]
    assert before["s7"].labels != after["s7"].labels


def test_many_changes_are_read_again_and_correctly(mirror, monkeypatch):
    monkeypatch.setattr(read, "MAX_CHANGES", 5)
    monkeypatch.setattr(store, "KEPT_CHANGES", 5)
    read.services(BOX)
    mirror.replace_all(SERVICES, [factories.service(f"s{number}") for number in range(20)])
    assert {summary.name for summary in read.services(BOX)} == {f"s{number}" for number in range(20)}
    assert client().zcard(keys.changes(BOX)) == 5


def test_a_redis_that_lost_all_does_not_show_what_was_before(mirror, redis_server):
    """The counter starts over and reaches the number that this process remembers."""
    read.services(BOX)
    version = int(client().get(keys.version(BOX)))
    redis_server.empty()
    client().set(keys.LEADER, "test")
    for number in range(version):
        mirror.replace_all(SERVICES, [factories.service(f"s{number}")])
        if int(client().get(keys.version(BOX))) >= version:
            break
    assert "shop" not in {summary.name for summary in read.services(BOX)}


def test_freshness_is_that_of_the_oldest_kind(mirror):
    now = time.time()
    mirror.note(SERVICES, msgspec.json.encode(KindState(now)))
    assert not read.freshness(BOX).is_stale
    mirror.note(REVISIONS, msgspec.json.encode(KindState(now - 60, error="connection refused")))
    found = read.freshness(BOX)
    assert found.is_stale
    assert 55 < found.seconds < 70
    assert found.error == "connection refused"
    mirror.note(REVISIONS, msgspec.json.encode(KindState(0.0, error="forbidden")))
    assert (read.freshness(BOX).seconds, read.freshness(BOX).is_stale) == (None, True)
    assert read.freshness("never").is_stale


def test_without_redis_every_reading_says_so(redis_server, settings):
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    client.cache_clear()
    for ask in (
        lambda: read.services(BOX),
        read.clusters,
        lambda: read.service(SHOP),
        lambda: read.summary(SHOP),
        lambda: read.revisions(SHOP),
        lambda: read.revision(SHOP, "x"),
        lambda: read.pods(SHOP),
        lambda: read.route(SHOP),
        lambda: read.namespaces(BOX),
        lambda: read.freshness(BOX),
    ):
        with pytest.raises(MirrorUnavailable):
            ask()


def test_each_change_is_announced(mirror):
    with client().pubsub() as heard:
        heard.subscribe(CHANNEL)
        mirror.put(SERVICES, factories.service())
        mirror.drop(REVISIONS, factories.revision(number=1))
        mirror.replace_all(SERVICES, [])
        told: list[dict] = []
        while len(told) < 3:
            message = heard.get_message(timeout=60)
            assert message is not None
            if message["type"] == "message":
                told.append(msgspec.json.decode(verify(message["data"], CHANNEL)))
    assert told == [
        {"kind": "services", "cluster": BOX, "namespace": "default", "name": "shop"},
        {"kind": "revisions", "cluster": BOX, "namespace": "default", "name": "shop"},
        {"kind": "services", "cluster": BOX, "namespace": "", "name": ""},
    ]


def test_the_layout_changes_with_key_and_server():
    assert len({store.layout(*facts) for facts in ((b"a", "x"), (b"b", "x"), (b"a", "y"))}) == 3
    assert store.layout(b"a", "x") == store.layout(b"a", "x")


def test_the_object_given_is_not_changed_by_sealing(mirror):
    raw = factories.service()
    before = copy.deepcopy(raw)
    mirror.put(SERVICES, raw)
    assert raw == before


def test_a_writer_can_be_made_before_anything_else(redis_server):
    client().set(keys.LEADER, "t")
    MirrorWriter(client(), "new", "t", b"k").put(SERVICES, factories.service())
    assert len(read.services("new")) == 1
