"""What a preview says that a change does: of a deletion what goes, of a new service nothing that is not there."""

from __future__ import annotations

import re

import pytest

from console.cluster.resources import SERVICES
from console.knative.changes import DeleteService, RouteNewRevision, SetTimeout, SplitTraffic
from console.knative.objects import Service
from console.knative.traffic import TrafficTarget
from console.operations.models import Operation
from console.web import impact
from tests import factories
from tests.operations.factories import GO, manifest
from tests.web.pages import read
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]


def texts(change, before: Service, after: Service, **more) -> list[str]:
    facts = {"makes_revision": False, "revisions": 4, **more}
    return [sentence.text for sentence in impact.sentences(change, before, after, **facts)]


def test_a_deletion_says_what_goes_and_what_stops_responding() -> None:
    service = Service(factories.service())
    told = texts(DeleteService(), service, service)
    assert told[0] == "Deletes the service shop, its route and its 4 revisions."
    assert told[1] == "http://shop.default.example.com stops responding."
    assert told[2] == "The tag URLs of canary, next, stable stop responding."
    assert not [text for text in told if "revision gets" in text or "new revision" in text.lower()]


def test_a_number_that_is_not_known_is_not_told() -> None:
    service = Service(factories.service())
    assert texts(DeleteService(), service, service, revisions=None)[0].endswith("its route and all its revisions.")


def test_a_split_that_moves_traffic_does_not_say_that_none_moves() -> None:
    before = Service(factories.service())
    change = SplitTraffic((TrafficTarget("shop-00003", 50), TrafficTarget("shop-00004", 50)))
    assert "No traffic moves." not in texts(change, before, change.apply(before))


def test_the_latest_revision_by_name_moves_nothing() -> None:
    raw = factories.service()
    raw["spec"]["traffic"] = [{"latestRevision": True, "percent": 100}]
    change = SplitTraffic((TrafficTarget("shop-00004", 100),))
    told = texts(change, Service(raw), change.apply(Service(raw)))
    assert "No traffic moves." in told
    assert "Pinned to shop-00004: a new revision gets 0%." in told


def with_tag(*entries: dict) -> Service:
    raw = factories.service()
    raw["spec"]["traffic"] = list(entries)
    return Service(raw)


STABLE = {"revisionName": "shop-00003", "percent": 100}
FOLLOWS = {"latestRevision": True, "percent": 0, "tag": "candidate"}


def test_a_tag_that_a_release_takes_over_is_told_with_the_revision_that_loses_it() -> None:
    before = with_tag(STABLE, FOLLOWS)
    told = texts(SetTimeout(9), before, before, makes_revision=True)
    assert "The tag “candidate” and its URL move from shop-00004 to the new revision." in told
    named = with_tag(STABLE, {"revisionName": "shop-00002", "percent": 0, "tag": "candidate"})
    change = RouteNewRevision(0, "candidate")
    told = texts(change, named, change.apply(named), makes_revision=True)
    assert "The tag “candidate” and its URL move from shop-00002 to the new revision." in told
    assert "The tag “candidate” follows the latest revision: the next release takes it over." in told


def test_a_tag_that_will_move_with_the_next_release_is_told() -> None:
    before = with_tag({"latestRevision": True, "percent": 100})
    change = RouteNewRevision(0, "candidate")
    told = texts(change, before, change.apply(before), makes_revision=True)
    assert "The tag “candidate” follows the latest revision: the next release takes it over." in told
    assert not [text for text in told if "move from" in text]


def test_a_tag_of_a_named_revision_stays_and_nothing_is_told_of_it() -> None:
    before = with_tag({"latestRevision": True, "percent": 100}, {"revisionName": "shop-00002", "tag": "old"})
    assert not [text for text in texts(SetTimeout(9), before, before, makes_revision=True) if "tag" in text]


def button(response) -> str:
    """The classes of the button of the last step."""
    return re.search(r'<button class="(btn [^"]+)" form="apply" data-once', response.content.decode())[1]


def test_the_preview_of_a_deletion_is_about_the_deletion(shown: Shown) -> None:
    form = shown.client.get(f"{shown.path}delete/").content.decode()
    assert "btn-danger" not in form, "looking at the changes harms nothing"
    page = shown.client.post(f"{shown.path}delete/", {"confirm": shown.name})
    text = read(page).text
    assert f"Deletes the service {shown.name}, its route and its 1 revision." in text
    assert f"http://{shown.name}.default.example.com stops responding." in text
    for wrong in ("No new revision", "Creates a new revision", "a new revision gets"):
        assert wrong not in text.partition("Review changes")[2]
    assert "btn-danger" in button(page)
    assert "Resulting manifest" not in text


def test_the_preview_of_a_revisions_end_says_so_and_claims_no_dry_run(shown: Shown) -> None:
    shown.client.post(f"{shown.path}image/", {"container": "app", "image": f"{GO}:2"})
    from console.operations.models import Preview
    from tests.operations.steps import finish

    made = shown.client.post(f"/previews/{Preview.objects.get().id}/submit/")
    finish(Operation.objects.get(id=made["Location"].split("/")[2]))
    shown.mirror_it()
    page = shown.client.post(f"{shown.path}revisions/{shown.name}-00001/delete/", {})
    text = read(page).text
    assert f"Deletes revision {shown.name}-00001. You can't roll back to it afterwards." in text
    assert "dry run" not in text
    assert "btn-danger" in button(page)


def create(shown: Shown, name: str):
    return shown.client.post("/services/new/", {"place": "box/default", "name": name, "image": GO})


def test_the_preview_of_a_new_service_has_no_head_of_one(shown: Shown) -> None:
    page = create(shown, f"{shown.name}-new")
    text = read(page).text
    assert f"Create {shown.name}-new" in text
    assert f"Creates the service {shown.name}-new in default." in text
    assert "The first revision gets all traffic" in text
    assert not [link for link in read(page).links if f"/{shown.name}-new/" in link]
    assert "btn-primary" in button(page)


@pytest.mark.parametrize("is_hidden", [False, True])
def test_a_name_that_is_taken_is_said_beside_its_field_and_shows_nothing_of_the_service(
    shown: Shown, is_hidden: bool
) -> None:
    taken = f"{shown.name}-taken"
    labels = {"labels": {"secret-project": "hidden-label"}}
    raw = shown.world.box.post(
        "/apis/serving.knative.dev/v1/namespaces/default/services", manifest(taken, image=f"{GO}:old", **labels)
    )
    if not is_hidden:
        shown.mirror.put(SERVICES, raw if isinstance(raw, dict) else raw.body)
    page = create(shown, taken)
    markup = page.content.decode()
    assert page.status_code == 422
    assert f"A service named “{taken}” already exists in this namespace." in read(page).text
    assert 'id="id_name"' in markup
    field = markup.partition('id="id_name"')[2].partition('class="form-label"')[0]
    assert "already exists" in field, "beside its field"
    for trace in ("hidden-label", f"{GO}:old", "canary-secret-first", "TARGET"):
        assert trace not in markup, trace


def test_an_approver_of_a_deletion_reads_what_goes(shown: Shown, people) -> None:
    from console.operations.models.protection import ProtectionRule

    ProtectionRule.objects.create(permissions=["delete"], needs_reason=False)
    from console.operations.models import Preview

    shown.client.post(f"{shown.path}delete/", {"confirm": shown.name})
    made = shown.client.post(f"/previews/{Preview.objects.get().id}/submit/", {"reason": "old"})
    text = read(shown.client.get(made["Location"])).text
    assert f"Deletes the service {shown.name}, its route and its 1 revision." in text
    assert "revision gets" not in text
