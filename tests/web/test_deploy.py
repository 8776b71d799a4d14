"""Edit and deploy: one form, one preview, one operation, one revision."""

from __future__ import annotations

from typing import Any

import pytest

from console.cluster.resources import REVISIONS, SERVICES
from console.operations.models import Operation, Preview
from tests import factories
from tests.operations.factories import GO
from tests.operations.steps import finish
from tests.support.browser import Form, change_forms
from tests.web.pages import read
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]

SHOP = "/services/box/default/shop/deploy/"


@pytest.fixture
def shop(client, mirror, people):
    """The service shop, with a sidecar, for somebody who may do everything."""
    mirror.put(SERVICES, factories.service())
    mirror.put(REVISIONS, factories.revision())
    client.force_login(people["administrator"])
    return client


def form_of(response: Any) -> Form:
    (found,) = change_forms(response.content.decode())
    return found


def send(client: Any, form: Form, *press: str) -> Any:
    """Send the form as a browser does, with a button or as Enter does."""
    body = form.encoded(form.button(*press) if press else None)
    return client.post(form.action, body, content_type="application/x-www-form-urlencoded")


def edit_variable(client: Any, form: Form, name: str, value: str) -> Form:
    form = form_of(send(client, form, "row", f"edit:0:{name}"))
    row = next(
        one.name.partition("-")[2] for one in form.controls if one.name.startswith("name-") and one.value == name
    )
    form.type(f"value-{row}", value)
    return form


def submit(shown: Shown) -> Operation:
    preview = Preview.objects.latest("created_at")
    shown.client.post(f"/previews/{preview.id}/submit/", {})
    return Operation.objects.get(id=preview.id)


def test_image_variable_and_memory_are_one_revision(shown: Shown) -> None:
    form = form_of(shown.client.get(f"{shown.path}deploy/"))
    form = edit_variable(shown.client, form, "TARGET", "Second")
    form.type("image", f"{GO}:2")
    form.type("memory_limit", "512Mi")
    text = read(send(shown.client, form)).text
    assert "Creates a new revision." in text
    operation = submit(shown)
    assert operation.kind == "Deploy"
    assert Operation.objects.count() == 1
    finish(operation)
    after = shown.world.get(shown.name)
    container = after["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["resources"]["limits"]["memory"]) == (f"{GO}:2", "512Mi")
    assert shown.world.env(shown.name)["TARGET"] == "Second"
    assert after["metadata"]["generation"] == shown.service["metadata"]["generation"] + 1


def test_rows_of_a_section_are_added_without_javascript_and_carried_to_the_review(shop: Any) -> None:
    form = send(shop, form_of(shop.get(SHOP)), "add_row", "mounts")
    assert form.status_code == 200
    assert '<details class="section is-changed" id="section-mounts"' in form.content.decode(), "it stays open"
    form = form_of(form)
    form.type("mounts-1-path", "/tls")
    form.type("mounts-1-name", "shop-tls")
    form = form_of(send(shop, form, "pick", "sidecar"))
    assert "mounts-1-path" not in form
    form.type("liveness-kind", "tcp")
    form = form_of(send(shop, form, "pick", "app"))
    assert form["mounts-1-path"].value == "/tls"
    page = shop.get(SHOP).content.decode()
    assert "Volume mounts 1" in page
    assert "Readiness probe HTTP GET /ready" in page
