"""A preview that is open while somebody else changes the service says so by itself."""

from __future__ import annotations

import re

from console.operations.models import Preview
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
