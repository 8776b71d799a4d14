"""A page that did not change is answered by 304, and nothing that it shows changes without a new validator."""

from __future__ import annotations

import json
import re
import time
from html import unescape

import msgspec
import pytest

from console.access.models import SavedView
from console.cluster.resources import REVISIONS, SERVICES
from console.knative.references import ServiceRef
from console.mirror.read import KindState
from console.mirror.store import MIRRORED
from console.operations.models import Operation
from console.operations.models.protection import ProtectionRule
from console.operations.models.statuses import Status
from tests import factories
from tests.web.pages import markup
from tests.web.test_home import failed, waiting

HTMX = {"HX-Request": "true"}
SHOP = ServiceRef("box", "default", "shop")


@pytest.fixture
def owner(client, mirror, people):
    client.force_login(people["owner"])
    return client


def tag_of(client, **headers: str) -> str:
    return client.get("/", headers=headers)["ETag"]


def test_a_list_that_did_not_change_is_not_sent_again(owner) -> None:
    for headers in ({}, HTMX):
        tag = tag_of(owner, **headers)
        again = owner.get("/", headers={**headers, "If-None-Match": tag})
        assert again.status_code == 304
        assert not again.content
        assert again["ETag"] == tag
        assert "no-store" in again["Cache-Control"]
        assert {"Cookie", "HX-Request"} <= set(re.split(", *", again["Vary"]))


def test_the_live_part_names_its_validator_when_it_asks_again(owner) -> None:
    page = owner.get("/")
    named = json.loads(unescape(re.search(r'id="rows"[^>]*hx-headers="([^"]+)"', markup(page))[1]))
    assert owner.get("/", headers={**HTMX, **named}).status_code == 304
    assert owner.get("/", headers=named).status_code == 200, "a whole page shows more than the part"


def whatever_changes(mirror):
    """Change one thing after the other, each of which the list shows."""
    mirror.put(SERVICES, factories.service("another"))
    yield "a service more"
    mirror.put(SERVICES, failed("another"))
    yield "a service fails"
    told = factories.revision(number=3)
    told["status"] |= {"actualReplicas": 7, "desiredReplicas": 7}
    mirror.put(REVISIONS, told)
    yield "replicas"
    operation = waiting(SHOP, Status.RUNNING)
    yield "an operation begins"
    Operation.objects.filter(id=operation.id).update(status=Status.WAITING)
    yield "it waits"
    ProtectionRule.objects.create(cluster="box", namespace="default", permissions=["deploy"])
    yield "protection"
    mirror.drop(SERVICES, factories.service("another"))
    yield "a service less"
    for kind in MIRRORED:
        mirror.note(kind, msgspec.json.encode(KindState(time.time() - 60)))
    yield "the copy is old"


def test_whatever_the_list_shows_changes_its_validator(owner, mirror) -> None:
    seen = {(tag_of(owner), tag_of(owner, **HTMX)): "at first"}
    for change in whatever_changes(mirror):
        whole, part = tag_of(owner), tag_of(owner, **HTMX)
        for before, state in seen.items():
            assert {whole, part}.isdisjoint(before), (change, state)
        seen[whole, part] = change


def test_a_validator_of_one_person_session_language_or_look_is_none_of_another(owner, client, people) -> None:
    seen = [tag_of(owner), tag_of(owner, **HTMX)]
    owner.cookies["sluice_theme"] = "dark"
    seen.append(tag_of(owner))
    owner.cookies["django_language"] = "zh-hans"
    seen.append(tag_of(owner))
    SavedView.objects.create(user=people["owner"], name="Mine", query="q=a")
    seen.append(tag_of(owner))
    owner.force_login(people["viewer"])
    seen.append(tag_of(owner))
    seen.append(owner.get("/?q=shop")["ETag"])
    assert len(set(seen)) == len(seen)


def test_another_persons_validator_gets_them_nothing_but_the_page(client, mirror, people) -> None:
    client.force_login(people["owner"])
    tag = tag_of(client)
    client.force_login(people["viewer"])
    assert client.get("/", headers={"If-None-Match": tag}).status_code == 200


def test_a_form_that_is_sent_back_has_no_validator(owner) -> None:
    assert "ETag" not in owner.post("/views/?q=a", {"name": ""})
