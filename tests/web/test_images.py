"""The image that is shown is the one that runs, whatever an older annotation says."""

from __future__ import annotations

import pytest

from console.cluster.resources import REVISIONS, SERVICES
from console.knative.objects import USER_IMAGE
from tests import factories
from tests.operations.factories import GO
from tests.web.api.conftest import caller
from tests.web.pages import markup, read
from tests.web.test_changes import Shown, shown

__all__ = ["caller", "shown"]

SHOP = "/services/box/default/shop/"
OLD, NEW = "registry.example.com/shop/api:1.0", "registry.example.com/shop/api:2.0"


@pytest.fixture
def stale(client, mirror, people):
    """The service shop, whose image another tool changed after kn had set the annotation."""
    service, revision = factories.service(), factories.revision()
    for template in (service["spec"]["template"], revision):
        template["spec"]["containers"][0]["image"] = NEW
        template["metadata"]["annotations"][USER_IMAGE] = OLD
    mirror.put(SERVICES, service)
    mirror.put(REVISIONS, revision)
    client.force_login(people["administrator"])
    return client


@pytest.mark.parametrize(
    "path", ["/services/bulk/", SHOP, f"{SHOP}revisions/shop-00004/", f"{SHOP}image/", f"{SHOP}traffic/"]
)
def test_no_page_shows_the_image_of_before(stale, path: str) -> None:
    page = markup(stale.get(path))
    assert NEW in page
    assert OLD not in page.replace(f"{USER_IMAGE}={OLD}", ""), "the annotation is only told as what it is"


@pytest.mark.parametrize(("text", "is_found"), [("api:2.0", True), ("api:1.0", False)])
def test_a_search_finds_the_image_that_runs(stale, text: str, is_found: bool) -> None:
    assert (f'href="{SHOP}"' in stale.get("/", {"q": text}).content.decode()) is is_found
    assert ("shop-00004" in markup(stale.get(f"{SHOP}revisions/", {"q": text}))) is is_found


@pytest.mark.parametrize("address", ["services", "services/box/default/shop", "services/box/default/shop/revisions"])
def test_the_api_tells_the_image_that_runs(stale, caller, address: str) -> None:
    answer = caller("auditor").get(f"/api/v1/{address}").content.decode()
    assert NEW in answer
    assert OLD not in answer


def test_an_untouched_image_form_changes_nothing_after_another_tool(shown: Shown) -> None:
    def patched(service) -> None:
        service["spec"]["template"]["metadata"]["annotations"][USER_IMAGE] = GO
        service["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/shop/api:2.0"

    shown.world.edit(shown.name, patched)
    shown.mirror_it()
    form = shown.client.get(f"{shown.path}image/").content.decode()
    assert 'value="example.com/shop/api:2.0"' in form
    sent = shown.client.post(f"{shown.path}image/", {"container": "app", "image": "example.com/shop/api:2.0"})
    assert "Nothing would change" in read(sent).text


def test_an_untouched_image_form_of_a_pinned_container_changes_nothing(shown: Shown) -> None:
    pinned = f"{GO}@sha256:{'a' * 64}"

    def pin(service) -> None:
        service["spec"]["template"]["metadata"]["annotations"][USER_IMAGE] = f"{GO}:1"
        service["spec"]["template"]["spec"]["containers"][0]["image"] = pinned

    shown.world.edit(shown.name, pin)
    shown.mirror_it()
    assert f'value="{pinned}"' in shown.client.get(f"{shown.path}image/").content.decode()
    sent = shown.client.post(f"{shown.path}image/", {"container": "app", "image": pinned})
    assert "Nothing would change" in read(sent).text
