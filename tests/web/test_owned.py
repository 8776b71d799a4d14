"""A service that another tool owns, on the pages: what a rule asks, what it refuses, and who undoes a split."""

from __future__ import annotations

import copy

import pytest

from console.cluster.resources import SERVICES
from console.knative.references import ServiceRef
from console.mirror import read as mirror_read
from console.mirror.store import MirrorWriter
from console.operations.models import Operation, Preview
from console.operations.models.protection import ProtectionRule
from tests import factories
from tests.web.pages import read
from tests.web.test_changes import Shown

ALL = ["deploy", "traffic", "operate", "delete"]
TICK = "I know that Argo CD owns this and will undo the change"


@pytest.fixture
def shown(client, world, mirror, people) -> Shown:
    client.force_login(people["deployer"])
    found = Shown(client, world, mirror)
    marks = {"argocd.argoproj.io/tracking-id": "shop"}
    world.edit(found.name, lambda raw: raw["metadata"].setdefault("annotations", {}).update(marks))
    found.mirror_it()
    return found


def rule(owned: str) -> None:
    facts = {"cluster": "box", "namespace": "default", "permissions": ALL, "needs_reason": False}
    ProtectionRule.objects.create(**facts, owned=owned, note="Ask the platform team")


def submit(shown: Shown, **data: str):
    preview = Preview.objects.latest("created_at")
    return shown.client.post(f"/previews/{preview.id}/submit/", data)


def test_a_warning_is_a_tick_on_the_review_without_which_nothing_is_submitted(shown: Shown) -> None:
    rule("warn")
    text = read(shown.set_target("Second")).text
    assert TICK in text
    assert "Ask the platform team" in text
    assert "This service is protected" not in text, "no second person is asked"
    refused = submit(shown)
    assert refused.status_code == 422
    assert "tick the box to say that you know that Argo CD will undo the change" in read(refused).text
    assert TICK in read(refused).text
    assert submit(shown, acknowledged="Argo CD").status_code == 302
    assert Operation.objects.get().acknowledged == ["Argo CD"]


def test_a_lock_is_told_on_the_form_and_on_the_review_and_refuses(shown: Shown) -> None:
    rule("lock")
    why = "Locked: Argo CD owns this service and would undo the change. Make the change there. Ask the platform team"
    assert why in read(shown.client.get(f"{shown.path}env/")).text
    page = shown.set_target("Second")
    assert why in read(page).text
    assert 'form="apply"' not in page.content.decode()
    refused = submit(shown, acknowledged="Argo CD")
    assert refused.status_code == 422
    assert "is locked: Argo CD owns it and would undo the change" in read(refused).text
    assert not Operation.objects.exists()


def test_a_bulk_edit_leaves_out_what_is_locked(shown: Shown) -> None:
    rule("lock")
    data = {"services": f"box/default/{shown.name}", "kind": "env", "name": "TARGET", "value": "Second"}
    page = shown.client.post("/services/bulk/", data)
    assert "Locked: Argo CD owns this service" in read(page).text
    assert 'form="apply"' not in page.content.decode()


def test_a_rule_about_owned_services_is_made_and_listed(client, people, mirror) -> None:
    client.force_login(people["administrator"])
    data = {"cluster": "box", "namespace": "default", "permissions": ALL, "owned": "lock", "valid_hours": "24"}
    asked = client.post("/protection/rule/new/", data)
    client.post("/protection/rule/new/", data | {"covers": "box/default"})
    assert asked.status_code == 200
    assert ProtectionRule.objects.get().owned == "lock"
    assert "Refuse if a tool owns it" in read(client.get("/protection/")).text


def test_a_controller_that_wrote_the_split_is_named_on_the_page_of_the_service(
    client, people, mirror: MirrorWriter
) -> None:
    raw = copy.deepcopy(factories.service())
    fields = {"f:spec": {"f:traffic": {}, "f:template": {"f:spec": {}}}}
    raw["metadata"]["managedFields"] = [
        {"manager": "flagger", "operation": "Update", "time": "2026-11-25T10:00:00Z", "fieldsV1": fields},
        {"manager": "kubectl-edit", "operation": "Update", "time": "2026-11-25T11:00:00Z", "fieldsV1": fields},
    ]
    mirror.put(SERVICES, raw)
    client.force_login(people["owner"])
    text = read(client.get("/services/box/default/shop/traffic/")).text
    assert "Flagger controls the traffic of this service and will overwrite a split that is set here." in text
    kept = mirror_read.service(ServiceRef("box", "default", "shop")).metadata["managedFields"]
    assert kept == [{"manager": "flagger", "fieldsV1": {"f:spec": {"f:traffic": {}}}}], "and nothing else of them"
