"""What forms offer from around a service: names without values."""

from __future__ import annotations

import base64
import json

import pytest

from console.access.models import User
from console.operations.lookups import form_choices
from tests.operations.factories import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept():
    form_choices._kept.clear()
    yield
    form_choices._kept.clear()


def make(world: World, kind: str, name: str, **more: object) -> None:
    world.box.post(
        f"/api/v1/namespaces/names/{kind.lower()}s",
        {"kind": kind, "apiVersion": "v1", "metadata": {"name": name}, **more},
    )


@pytest.fixture
def filled(world: World) -> World:
    listed = world.box.get("/api/v1/namespaces")["items"]
    if not any(one["metadata"]["name"] == "names" for one in listed):
        world.box.post("/api/v1/namespaces", {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "names"}})
        secret = base64.b64encode(b"canary-secret-value").decode()
        make(world, "Secret", "db", data={"password": secret})
        make(world, "Secret", "api", data={"key": secret})
        make(world, "ConfigMap", "flags", data={"COLOUR": "canary-flag-value"})
        make(world, "ServiceAccount", "runner")
    return world


def test_names_of_each_kind_are_offered(filled: World, dora: User) -> None:
    found = form_choices.names("box", "names", dora)
    assert found.secrets == ("api", "db")
    assert found.config_maps == ("flags", "kube-root-ca.crt")
    assert "runner" in found.service_accounts
    assert found.claims == (), "a kind that the cluster does not have"


def test_no_value_is_sent_for_a_name(filled: World, dora: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from console.cluster import transport

    answers = []
    decode = transport._decoder.decode

    class Listening:
        def decode(self, data: bytes):
            answers.append(data)
            return decode(data)

    monkeypatch.setattr(transport, "_decoder", Listening())
    form_choices.names("box", "names", dora)
    heard = b"".join(answers)
    assert b'"db"' in heard
    assert b"canary" not in heard
    assert base64.b64encode(b"canary-secret-value") not in heard


def test_what_may_not_be_listed_is_left_out_and_not_asked_for_each_time(filled: World, dora: User) -> None:
    filled.box.fault(verb="list", resource="secrets", code=403, times=1)
    assert form_choices.names("box", "names", dora).secrets == ()
    assert form_choices.names("box", "names", dora).config_maps == ("flags", "kube-root-ca.crt")
    assert form_choices.names("box", "names", dora).secrets == (), "remembered for a while"


def test_a_cluster_that_is_away_leaves_the_form_without_names(world: World, dora: User, settings) -> None:
    settings.CLUSTERS = json.dumps([{"name": "away", "url": "http://127.0.0.1:9", "token": "x"}])
    assert form_choices.names("away", "default", dora) == form_choices.Names()
