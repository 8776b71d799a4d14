"""The store's own promises: numbering, history, owners, subscriptions, and the state that it gives and takes."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.sandbox.errors import StatusError
from console.sandbox.resources import CONFIGMAPS, CONFIGURATIONS, PODS, SERVICES
from console.sandbox.store import Store
from tests.sweeps import examples

STEPS = st.lists(st.tuples(st.sampled_from(["put", "delete"]), st.sampled_from("abcd")), max_size=30)


def obj(name: str, **fields) -> dict:
    return {"metadata": {"name": name, "namespace": "default"}, **fields}


@given(STEPS)
@settings(max_examples=examples(60))
def test_a_list_at_an_older_version_is_what_it_was_then(steps):
    store = Store()
    moments = []
    for index, (action, name) in enumerate(steps):
        exists = store.find(CONFIGMAPS, "default", name) is not None
        if action == "delete" and exists:
            store.delete(CONFIGMAPS, "default", name)
        elif exists:
            store.update(CONFIGMAPS, obj(name, data={"n": str(index)}))
        else:
            store.create(CONFIGMAPS, obj(name, data={}))
        moments.append((store.version, store.list(CONFIGMAPS)))
    for version, then in moments:
        assert list(store.range(CONFIGMAPS, at=version)[0]) == then


def test_history_is_bounded_and_what_is_forgotten_is_gone():
    store = Store(history_length=3)
    for index in range(5):
        store.create(CONFIGMAPS, obj(f"m{index}"))
    assert [change.object["metadata"]["name"] for change in store.changes_since(CONFIGMAPS, 3)] == ["m2", "m3", "m4"]
    with pytest.raises(StatusError) as caught:
        store.changes_since(CONFIGMAPS, 2)
    assert (caught.value.code, caught.value.reason) == (410, "Expired")


def test_an_update_leaves_the_stored_object_that_others_hold():
    store = Store()
    first = store.create(SERVICES, obj("a", spec={"x": 1}))
    kept = msgspec.json.encode(first)
    store.update(SERVICES, obj("a", spec={"x": 2}))
    assert msgspec.json.encode(first) == kept


def test_a_pod_with_a_grace_period_waits_for_its_kubelet():
    store = Store()
    store.create(PODS, obj("p", spec={}))
    held = store.delete(PODS, "default", "p", grace_seconds=30)
    assert held["metadata"]["deletionGracePeriodSeconds"] == 30
    store.update(PODS, held | {"status": {"phase": "Running"}}, subresource="status")
    assert store.count(PODS) == 1
    store.delete(PODS, "default", "p")
    assert store.count(PODS) == 0


def test_an_owner_deleted_in_the_foreground_outlives_what_a_finalizer_holds():
    store = Store()
    owner = store.create(SERVICES, obj("a", spec={}))
    reference = {key: owner[key] for key in ("apiVersion", "kind")} | {
        "name": "a",
        "uid": owner["metadata"]["uid"],
    }
    owned = obj("a", spec={})
    owned["metadata"] |= {"ownerReferences": [reference], "finalizers": ["x/y"]}
    owned = store.create(CONFIGURATIONS, owned)
    store.delete(SERVICES, "default", "a", propagation="Foreground")
    assert (store.count(SERVICES), store.count(CONFIGURATIONS)) == (1, 1)
    owned = store.get(CONFIGURATIONS, "default", "a")
    store.update(CONFIGURATIONS, owned | {"metadata": owned["metadata"] | {"finalizers": []}})
    assert (store.count(SERVICES), store.count(CONFIGURATIONS)) == (0, 0)


async def test_a_subscription_replays_then_follows_then_ends():
    store = Store()
    store.create(CONFIGMAPS, obj("a"))
    subscription = store.subscribe(CONFIGMAPS, SERVICES)
    store.create(SERVICES, obj("s", spec={}))
    store.create(PODS, obj("p", spec={}))
    seen = [(await anext(subscription))[:2] for _ in range(2)]
    assert seen == [("ADDED", CONFIGMAPS), ("ADDED", SERVICES)]
    waiting = asyncio.ensure_future(anext(subscription, None))
    subscription.close()
    assert await waiting is None


async def test_a_listener_that_falls_behind_its_limit_is_closed():
    store = Store()
    subscription = store.subscribe(CONFIGMAPS)
    subscription.limit = 2
    for index in range(3):
        store.create(CONFIGMAPS, obj(f"m{index}"))
    assert len([event async for event in subscription]) == 2


def test_state_survives_a_round_trip_through_json():
    store = Store()
    owner = store.create(SERVICES, obj("a", spec={}))
    store.logs.append("default", "p", "c", "one\ntwo")
    copy = Store(first_version=1000)
    copy.load(json.loads(msgspec.json.encode(store.dump())))
    assert copy.get(SERVICES, "default", "a") == owner
    assert [line.text for line in copy.logs.read("default", "p", "c") or ()] == ["one", "two"]
    with pytest.raises(StatusError):
        copy.changes_since(SERVICES, int(owner["metadata"]["resourceVersion"]))
    assert int(copy.create(CONFIGMAPS, obj("m"))["metadata"]["resourceVersion"]) > 1000
