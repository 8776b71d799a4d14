"""The page of a service at a moment: what it says is known, and what is not."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.urls import reverse
from django.utils import timezone

from console.audit import service_history
from console.audit.models import Entry, ServiceMoment, WatchGap
from console.cluster.resources import SERVICES
from console.knative.objects import Service
from console.knative.redaction import seal_env
from console.knative.references import ServiceRef
from console.mirror.read import KindState
from console.operations.external import detection
from tests import factories
from tests.web.conftest import FormClient
from tests.web.pages import read

SHOP = ServiceRef("box", "default", "shop")
PLACE = {"cluster": "box", "namespace": "default", "service": "shop"}
DAY = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
def kept(mirror, people) -> None:
    """Shop on Tuesday at 9, and with another image, variable and label from 14:00 on."""
    before = factories.service()
    after = copy.deepcopy(before)
    container = after["spec"]["template"]["spec"]["containers"][0]
    container["image"] = "registry.example.com/shop:2"
    container["env"][0]["value"] = "the-new-secret"
    after["metadata"]["labels"] = {"tier": "back"}
    state = None
    for at, raw in ((DAY, before), (DAY + timedelta(hours=5), after)):
        state = service_history.note(SHOP, Service(seal_env(raw, b"key")), at, state, key="k")


def ask(client, person, **more: str) -> Any:
    client.force_login(person)
    return client.get(reverse("audit-service"), {**PLACE, **more})


def test_a_service_is_shown_as_it_was_at_a_moment_of_a_zone(client, kept, people) -> None:
    at = {"at": "2026-11-24", "zone": "Europe/Berlin"}
    before = read(ask(client, people["auditor"], at_time="14:59", **at))
    assert "registry.example.com/shop:2" not in before.text
    assert "TARGET" in before.text
    after = read(ask(client, people["auditor"], at_time="15:00", **at))
    assert "registry.example.com/shop:2" in after.text
    assert "As seen since 2026-11-24 14:00:00 UTC" in after.text
    assert "the-new-secret" not in before.text + after.text
    assert after.inline == []


def test_two_moments_are_compared_without_values(client, kept, people) -> None:
    found = read(ask(client, people["auditor"], at="2026-11-24T10:00", other="2026-11-24T20:00")).text
    image, variable, label = "Image app", "TARGET value value (differs)", "Labels tier front back"
    for words in (image, "registry.example.com/shop:2", variable, label):
        assert words in found
    assert "the-new-secret" not in found


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"at": "2026-11-24T08:59"}, "recording of this service began on 2026-11-24 09:00:00 UTC"),
        ({"at": "2026-11-24T08:59", "service": "never"}, "nothing is recorded of a service of this name"),
        ({"at": "soon"}, "Not a valid period"),
        ({"at_time": "10:00"}, "Not a valid period"),
    ],
)
def test_what_is_not_known_is_told(client, kept, people, query: dict[str, str], words: str) -> None:
    assert words in read(ask(client, people["auditor"], **query)).text


def test_the_time_in_which_nobody_watched_is_told(client, kept, people) -> None:
    WatchGap.objects.create(cluster="box", begins=DAY + timedelta(hours=1), ends=DAY + timedelta(hours=5))
    found = read(ask(client, people["auditor"], at="2026-11-24T11:00")).text
    assert "away from 2026-11-24 10:00:00 UTC to 2026-11-24 14:00:00 UTC: changes in between are told as one" in found
    assert "registry.example.com/shop:2" in found, "what it became by the end"
    WatchGap.objects.update(ends=DAY + timedelta(hours=4))
    found = read(ask(client, people["auditor"], at="2026-11-24T11:00")).text
    assert "The service was the same before and after." in found


def test_a_deleted_service_was_there_before(client, kept, people) -> None:
    service_history.note_gone(SHOP, DAY + timedelta(hours=9))
    assert "There was no such service" in read(ask(client, people["auditor"], at="2026-11-24T20:00")).text
    found = read(ask(client, people["auditor"], at="2026-11-24T17:00", other="2026-11-24T20:00")).text
    assert "Labels tier back not set" in found


def test_an_auditor_of_another_namespace_is_refused_whether_there_is_one_or_not(client, kept, people) -> None:
    for service in ("shop", "never"):
        assert ask(client, people["stranger"], service=service).status_code == 403
    client.force_login(people["stranger"])
    address = reverse("audit-service-export", kwargs={"form": "json"})
    assert client.post(f"{address}?cluster=box&namespace=default&service=shop").status_code == 403


def test_files_have_a_row_for_each_fact_and_say_what_is_known(client, kept, people) -> None:
    client.force_login(people["auditor"])
    address = reverse("audit-service-export", kwargs={"form": "json"})
    query = "?cluster=box&namespace=default&service=shop&at=2026-11-24T10:00&other=2026-11-24T20:00"
    content = client.post(address + query).content.decode()
    rows = {(row["kind"], row["name"]): row for row in json.loads(content)["rows"]}
    assert (rows["label", "tier"]["at"], rows["label", "tier"]["other"]) == ("front", "back")
    assert rows["label", "tier"]["differs"] == "yes"
    assert rows["variable", "app/TARGET"]["at"] == rows["variable", "app/TARGET"]["other"] == "value"
    assert rows["variable", "app/TARGET"]["differs"] == "yes"
    assert rows["record", "certain"]["at"] == "yes"
    assert rows["record", "recording_began"]["at"] == DAY.isoformat()
    assert "the-new-secret" not in content
    assert Entry.objects.filter(action="audit.export", text__startswith="json service cluster=box").exists()


def test_what_the_watch_tells_is_kept_and_what_nobody_saw_is_a_gap(mirror, people, client: FormClient) -> None:
    """The whole way: the watcher's mirror, a look, the page."""
    at = timezone.now().timestamp()
    mirror.note(SERVICES, msgspec.json.encode(KindState(at, "100")))
    detection.look()
    raw = copy.deepcopy(factories.service())
    raw["metadata"] |= {"resourceVersion": "101", "generation": raw["metadata"]["generation"] + 1}
    raw["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example.com/shop:9"
    mirror.put(SERVICES, raw)
    detection.look()
    assert "registry.example.com/shop:9" in read(ask(client, people["auditor"])).text
    assert ServiceMoment.objects.filter(service="shop").count() == 2
    detection.look()
    assert ServiceMoment.objects.filter(service="shop").count() == 2, "nothing has changed"
