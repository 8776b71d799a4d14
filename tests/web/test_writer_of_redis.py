"""What somebody reaches who can write to Redis and does not have the console's key: docs/security.md has the list."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import time
from collections.abc import Callable
from threading import Timer
from uuid import uuid4

import kombu
import msgspec
import pytest
from django.test import Client
from kombu.exceptions import ContentDisallowed

from console.access.models import Grant, Membership, Role, Team, User
from console.access.permissions import Permission
from console.access.tasks import export_entries
from console.audit.models import Entry
from console.celery import app
from console.cluster.probe import ProbeResult, Report
from console.cluster.resources import PODS, REVISIONS, ROUTES, SERVICES
from console.clusters import connections
from console.knative.references import ServiceRef
from console.mirror import keys, read
from console.mirror.read import KindState, MirrorIncomplete
from console.mirror.store import MirrorWriter
from console.operations import worker_heartbeat
from console.operations.gateways import identity_on
from console.operations.lookups import cluster_rights
from console.operations.tasks import perform
from console.redis_client import client as redis_client
from console.registry import reports
from console.request_tests.tasks import send
from console.signing import sign, verify
from tests import factories
from tests.broker import broker
from tests.sweeps import sample, sweep
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]

pytestmark = pytest.mark.django_db
SHOP = ServiceRef("box", "default", "shop")
PATH = "/services/box/default/shop/"

# Each kind of key that lies in Redis: what protects what is read from it.
SIGNED = (
    "services",
    "summaries",
    "revisions:",
    "routes:",
    "pods:",
    "images",
    "replicas",
    "revision-records",
    "freshness",
    "capabilities",
    "trail",
    "feed",
    "registry:report:",
    "rights:",
    "request-of:",
)
UNSIGNED = (
    "leader",
    "names:",
    "namespaces",
    "version",
    "epoch",
    "feed:number",
    "changes",
    "clusters",
    "heartbeat",
    "ready",
    "cache:",
)


@pytest.fixture
def everything(mirror: MirrorWriter, settings) -> MirrorWriter:
    """A Redis with every kind of key that pages read."""
    settings.CLUSTERS = json.dumps([{"name": "box", "url": "http://127.0.0.1:1", "token": "t"}])
    owned = {"namespace": "default", "labels": {"serving.knative.dev/service": "shop"}}
    mirror.put(PODS, {"metadata": {"name": "shop-00004-x", **owned}})
    mirror.put(ROUTES, {"metadata": {"name": "shop", **owned}})
    mirror.put(SERVICES, factories.service())
    reports.keep("box", Report(ProbeResult.FAILED, "certificate has expired"))
    worker_heartbeat.mark()
    return mirror


@pytest.fixture
def selected(people) -> User:
    """Somebody who owns what has the label tier=own, and may see everything in the namespace."""
    user, team = people["viewer"], Team.objects.create(name="selected")
    Membership.objects.create(user=user, team=team)
    Grant.objects.create(
        team=team, role=Role.objects.get(name="owner"), cluster="box", namespace="default", selector="tier=own"
    )
    return user


def labelled(name: str = "shop") -> dict:
    raw = copy.deepcopy(factories.service(name))
    raw["metadata"]["labels"]["tier"] = "own"
    return raw


def forge_unsigned(_mirror: MirrorWriter) -> None:
    """A service and its summary as they would be without a signature."""
    for key in (keys.services("box"), keys.summaries("box")):
        body = verify(str(redis_client().hget(key, "default/shop")), key, "default/shop")
        redis_client().hset(key, "default/shop", body.replace(b'"tier":"front"', b'"tier":"own"'))


def forge_body(_mirror: MirrorWriter) -> None:
    """The signature stays and the labels change."""
    for key in (keys.services("box"), keys.summaries("box")):
        record = str(redis_client().hget(key, "default/shop"))
        redis_client().hset(key, "default/shop", record.replace('"tier":"front"', '"tier":"own"'))


def forge_place(mirror: MirrorWriter) -> None:
    """The records of an own service, put in the place of another one."""
    mirror.put(SERVICES, labelled("mine"))
    for key in (keys.services("box"), keys.summaries("box")):
        redis_client().hset(key, "default/shop", str(redis_client().hget(key, "default/mine")))


FORGERIES: tuple[Callable[[MirrorWriter], None], ...] = (forge_unsigned, forge_body, forge_place)


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_labels_that_somebody_wrote_into_redis_raise_no_rights(
    client: Client, everything: MirrorWriter, selected: User, forge: Callable[[MirrorWriter], None]
) -> None:
    client.force_login(selected)
    assert client.get(f"{PATH}env/").status_code == 403
    forge(everything)
    redis_client().incr(keys.version("box"))
    redis_client().delete(keys.changes("box"))
    assert client.get(f"{PATH}env/").status_code in (403, 503)
    assert client.post(f"{PATH}env/reveal/", {"container": "app"}).status_code in (403, 503)
    assert all(row.labels.get("tier") != "own" for row in read.services("box") if row.name == "shop")
    with pytest.raises(MirrorIncomplete):
        read.service(SHOP)


def test_an_earlier_copy_with_a_label_that_gave_rights_reveals_no_values(
    client: Client, shown: Shown, selected: User
) -> None:
    """A writer of Redis can restore what was true once; what the cluster says decides where values are shown."""
    then = copy.deepcopy(shown.service)
    then["metadata"]["labels"] = {**then["metadata"].get("labels", {}), "tier": "own"}
    shown.mirror.put(SERVICES, then)
    client.force_login(selected)
    response = client.post(f"{shown.path}env/reveal/", {"container": "app"})
    assert response.status_code == 403
    assert b"canary-secret" not in response.content


def test_a_forged_revision_route_and_pod_are_not_shown(client: Client, everything: MirrorWriter, people) -> None:
    client.force_login(people["owner"])
    for resource in (REVISIONS, ROUTES, PODS):
        metadata = {"name": "shop-00009", "namespace": "default"}
        key = keys.owned("box", resource.plural, "default", "shop")
        redis_client().hset(key, "shop-00009", msgspec.json.encode({"metadata": metadata}))
    assert "shop-00009" not in {revision.name for revision in read.revisions(SHOP)}
    assert [pod.name for pod in read.pods(SHOP)] == ["shop-00004-x"]
    assert b"shop-00009" not in client.get(PATH).content
    assert read.owner_of("box", "default", "shop-00004") == "shop"
    with pytest.raises(MirrorIncomplete):
        read.owner_of("box", "default", "shop-00009")


def test_nobody_makes_an_old_copy_look_fresh(everything: MirrorWriter) -> None:
    key = keys.freshness("box")
    everything.note(PODS, msgspec.json.encode(KindState(time.time() - 60)))
    assert read.freshness("box").is_stale
    fresh = str(redis_client().hget(key, SERVICES.plural))
    for forged in (msgspec.json.encode(KindState(time.time() + 3600)), fresh):
        redis_client().hset(key, PODS.plural, forged)
        assert read.freshness("box").is_stale


def test_a_forged_report_and_a_forged_refusal_of_the_cluster_are_not_believed(everything: MirrorWriter, people) -> None:
    key = reports._key("box")
    assert reports.last("box").raw == "certificate has expired"
    redis_client().set(key, msgspec.json.encode(Report()))
    assert reports.last("box") is None
    key = cluster_rights._key(SHOP, identity_on(connections.get("box"), people["owner"]))
    redis_client().set(key, sign(b'["update"]', key))
    assert Permission.DEPLOY in cluster_rights.refused(SHOP, people["owner"])
    redis_client().set(key, b'["update"]')
    assert cluster_rights.refused(SHOP, people["owner"]) == {}


def test_records_of_an_earlier_key_count_while_it_is_a_fallback(everything: MirrorWriter, settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the newer key of this installation", [settings.SECRET_KEY]
    assert read.service(SHOP) is not None
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(MirrorIncomplete):
        read.service(SHOP)


def test_a_record_counts_at_its_place_alone() -> None:
    record = sign(b"body", "key", "field")
    assert verify(record, "key", "field") == b"body"
    for place in (("key", "fiel"), ("keyfield",), ("key", "", "field"), ("ke", "yfield")):
        assert verify(record, *place) is None
    for forged in (b"", b"body", record[:-1], record + b" ", b"A" + record[1:]):
        assert verify(forged, "key", "field") is None


def test_every_kind_of_key_is_known_to_be_signed_or_not(client: Client, everything: MirrorWriter, people) -> None:
    """A new kind of key must be decided on, here and in docs/security.md."""
    client.force_login(people["administrator"])
    for path in ("/", PATH, "/clusters/", "/healthz/ready"):
        client.get(path)
    found = {str(key).removeprefix("sluice:").removeprefix("mirror:").removeprefix("box:") for key in _all_keys()}
    unknown = {key for key in found if not any(kind in key for kind in (*SIGNED, *UNSIGNED))}
    assert unknown == set()


@sweep
@pytest.mark.parametrize("rubbish", sample([b"\xff\xfe", b"x", b"{}", b"-1", b"9" * 400], one_in=3), ids=repr)
def test_rubbish_in_any_key_breaks_no_page(client: Client, everything: MirrorWriter, people, rubbish: bytes) -> None:
    """Pages say that the copy cannot be read; none is an error of ours."""
    client.force_login(people["administrator"])
    client.raise_request_exception = False
    for key in _all_keys():
        if "cache:" in key:
            continue  # fails closed: tests/test_cache.py
        _spoil(key, rubbish)
        for path in ("/", PATH, f"{PATH}revisions/", "/clusters/", "/healthz/ready"):
            assert client.get(path).status_code in (200, 404, 503), (key, path)


@pytest.mark.parametrize("kind", ["application/x-python-serialize", "application/x-yaml", "application/x-msgpack"])
def test_a_message_that_is_no_json_is_not_opened(redis_server, kind: str) -> None:
    refused: list[Exception] = []
    with broker(redis_server.url.replace("unix://", "redis+socket://")), app.connection_for_write() as connection:
        with kombu.Producer(connection) as producer:
            producer.publish(pickle.dumps(print), "celery", content_type=kind, content_encoding="binary")
        with app.amqp.TaskConsumer(connection.channel(), on_decode_error=lambda _message, why: refused.append(why)):
            connection.drain_events(timeout=60)
    assert [type(why) for why in refused] == [ContentDisallowed]


def test_a_planted_message_can_name_rows_and_nothing_else() -> None:
    """Tasks take ids and counters; the rows decide (a change that waits for approval waits: test_protection.py)."""
    ours = [task for name, task in app.tasks.items() if name.startswith("console.")]
    assert {name for task in ours for name in inspect.signature(task.run).parameters} == {
        "export_id", "operation_id", "reached", "test_id", "turn"
    }  # fmt: skip
    perform(str(uuid4()))
    export_entries(str(uuid4()), 0)
    send(str(uuid4()))
    assert not Entry.objects.exists()


def test_the_console_is_not_ready_while_redis_hangs(client: Client, mirror: MirrorWriter, redis_server, db) -> None:
    """The answer comes before Redis wakes up again."""
    redis_server.freeze()
    thaw = Timer(4, redis_server.thaw)
    thaw.start()
    try:
        response = client.get("/healthz/ready")
        assert (response.status_code, response.json()["redis"]) == (503, "TimeoutError")
    finally:
        thaw.cancel()
        redis_server.thaw()


def _all_keys() -> list[str]:
    return sorted(str(key) for key in redis_client().scan_iter("*"))


def _spoil(key: str, rubbish: bytes) -> None:
    """Write rubbish as what is there: a text, or each field, member or event."""
    redis = redis_client()
    match redis.type(key):
        case "hash":
            redis.hset(key, mapping=dict.fromkeys(redis.hkeys(key), rubbish))
        case "set":
            redis.sadd(key, rubbish)
        case "zset":
            redis.zadd(key, {rubbish: 10**6})
        case "stream":
            redis.xadd(key, {"event": rubbish})
        case _:
            redis.set(key, rubbish)
