"""A preview that is open while somebody else changes the service says so by itself."""

from __future__ import annotations

import json
import re

import pytest

from console.cluster.resources import SERVICES
from console.operations.models import Operation, Preview
from console.redis_client import client as redis_client
from tests.operations.steps import finish
from tests.web.conftest import FormClient
from tests.web.pages import read
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]


def address_on(markup: str) -> str:
    found = re.search(r'hx-get="(/previews/[^"]+/meanwhile/)"', markup)
    assert found
    return found[1]


def scale(shown: Shown, count: str) -> None:
    """As another tool writes it, seen by the mirror."""

    def edit(raw: dict) -> None:
        raw["spec"]["template"]["metadata"]["annotations"]["autoscaling.knative.dev/min-scale"] = count

    shown.world.edit(shown.name, edit)
    shown.mirror_it()


def test_an_open_preview_hears_of_the_service_and_says_who_changed_it(shown: Shown) -> None:
    markup = shown.set_target("canary-new").content.decode()
    assert f'data-topic="service:box/default/{shown.name}"' in markup
    address = address_on(markup)
    assert shown.client.get(address).status_code == 204, "as long as nobody changed it the page stays as it is"
    scale(shown, "2")
    told = shown.client.get(address)
    assert told.status_code == 200
    assert "admin" in read(told).text
    assert "changed the service while you were reading this preview. Reload the page" in read(told).text
    assert address_on(shown.set_target("canary-new").content.decode()) != address
    assert shown.client.get(address_on(shown.set_target("canary-new").content.decode())).status_code == 204


def test_nobody_else_and_nothing_that_is_gone_learns_of_it(shown: Shown, people) -> None:
    address = address_on(shown.set_target("canary-new").content.decode())
    scale(shown, "3")
    shown.client.force_login(people["stranger"])
    assert shown.client.get(address).status_code == 204
    shown.client.force_login(people["administrator"])
    Preview.objects.all().delete()
    assert shown.client.get(address).status_code == 204


def test_a_new_service_has_nothing_to_hear_of(shown: Shown) -> None:
    new = {"place": "box/default", "name": "not-there-yet", "image": "ghcr.io/a/b:1"}
    assert "/meanwhile/" not in shown.client.post("/services/new/", new).content.decode()


@pytest.mark.parametrize("is_known", [True, False])
def test_an_open_preview_says_that_the_service_was_deleted_and_by_whom(shown: Shown, people, is_known: bool) -> None:
    address = address_on(shown.set_target("canary-new").content.decode())
    if is_known:
        other = FormClient()
        other.force_login(people["owner"])
        other.post(f"{shown.path}delete/", {"confirm": shown.name})
        other.post(f"/previews/{Preview.objects.get(user=people['owner']).id}/submit/", {"reason": ""})
        finish(Operation.objects.get())
    shown.mirror.drop(SERVICES, shown.service)
    told = read(shown.client.get(address)).text
    who = "owner deleted the service" if is_known else "The service was deleted"
    assert f"{who} while you were reading this preview. Your change can no longer be applied." in told


def test_another_service_of_the_same_name_is_told_of_too(shown: Shown) -> None:
    address = address_on(shown.set_target("canary-new").content.decode())
    another = {**shown.service, "metadata": {**shown.service["metadata"], "uid": "another"}}
    shown.mirror.put(SERVICES, another)
    assert shown.client.get(address).status_code == 200


@pytest.mark.parametrize("what", ["incomplete", "unavailable"])
def test_a_mirror_that_cannot_tell_puts_no_error_into_the_page(shown: Shown, settings, what: str) -> None:
    address = address_on(shown.set_target("canary-new").content.decode())
    settings.CLUSTERS = json.dumps([{"name": "box", "url": "http://127.0.0.1:1", "token": "t"}])
    redis_client().flushall()
    if what == "unavailable":
        settings.REDIS_URL = "unix:///nowhere/redis.sock"
        redis_client.cache_clear()
    assert shown.client.get(address).status_code == 204
