"""Moving traffic with the sandbox answering: the split's form, and the two ways to safety that always work."""

from __future__ import annotations

import re

import pytest

from console.audit.models import Entry
from console.cluster.resources import REVISIONS
from console.knative.objects import Service
from console.operations.models import Preview
from tests.operations.factories import World
from tests.support.browser import Form, change_forms
from tests.web.pages import read
from tests.web.test_changes import Shown, shown
from tests.web.test_restart_and_scale import change_of_preview, press

__all__ = ["shown"]


def delete_revision(world: World, name: str) -> None:
    world.box._ask("DELETE", f"/apis/serving.knative.dev/v1/namespaces/default/revisions/{name}", None, "admin")


def split(shown: Shown, *entries: dict[str, object]) -> None:
    """Another tool writes this split."""
    shown.world.edit(shown.name, lambda service: service["spec"].update(traffic=list(entries)))
    shown.mirror_it()


def back_from(preview) -> str:
    """Where the link that leads back to the form goes."""
    return re.findall(r'<a class="btn btn-secondary" href="([^"]+)">', preview.content.decode())[-1]


def test_back_to_editing_keeps_every_row_that_was_typed(shown: Shown) -> None:
    press(shown, shown.set_target("Second"))
    form = shown.client.get(f"{shown.path}traffic/").content.decode()
    blank = re.findall(r'name="extra-(\d+)"', form)[-1]
    typed = {
        "rows": "9", "seen": '[["@latest", 100, ""]]', "name-0": "@latest", "entry-0": "0", "percent-0": "70",
        f"name-{blank}": f"{shown.name}-00001", f"extra-{blank}": "1", f"percent-{blank}": "30", f"tag-{blank}": "old",
    }  # fmt: skip
    preview = shown.client.post(f"{shown.path}traffic/", typed)
    assert f"70% @latest, 30% {shown.name}-00001 #old" in read(preview).text
    form = shown.client.get(back_from(preview)).content.decode()
    for value in ("70", "30", "old"):
        assert f'value="{value}"' in form
    assert "100%</output>" in form


def test_a_row_can_be_added_without_a_script(shown: Shown) -> None:
    typed = {"rows": "2", "name-0": "@latest", "percent-0": "60", "extra-1": "1", "name-1": "web", "percent-1": "4x"}
    form = shown.client.post(f"{shown.path}traffic/", typed | {"add": "1"})
    assert form.status_code == 200
    assert form.content.decode().count('placeholder="Another revision"') == 2
    assert 'value="4x"' in form.content.decode()


def test_every_revision_is_offered_and_any_can_take_part(shown: Shown) -> None:
    for number in range(2, 61):
        revision = shown.world.box.get(f"/apis/serving.knative.dev/v1/namespaces/default/revisions/{shown.name}-00001")
        revision["metadata"] |= {"name": f"{shown.name}-{number:05}", "uid": f"{shown.name}-{number}"}
        revision["metadata"]["labels"]["serving.knative.dev/configurationGeneration"] = str(number)
        shown.mirror.put(REVISIONS, {**revision, "kind": "Revision"})
    page = shown.client.get(f"{shown.path}traffic/").content.decode()
    assert len(re.findall(rf'<option value="{shown.name}-\d+">', page)) == 60
    everything = shown.client.get(f"{shown.path}traffic/?all={shown.name}-00003").content.decode()
    assert "100%</output>" in everything
    assert re.search(rf'value="{shown.name}-00003"', everything)


def test_all_traffic_to_one_revision_drops_tags_of_revisions_that_are_gone(shown: Shown) -> None:
    press(shown, shown.set_target("Second"))
    split(
        shown,
        {"latestRevision": True, "percent": 100},
        {"revisionName": f"{shown.name}-00099", "percent": 0, "tag": "old"},
    )
    page = shown.client.post(f"{shown.path}revisions/{shown.name}-00001/serve/")
    assert f"Leaves out {shown.name}-00099 (tag “old”), which no longer exists." in read(page).text
    assert press(shown, page).status == "succeeded"
    assert [(t.revision, t.percent, t.tag) for t in Service(shown.service).spec_traffic] == [
        (f"{shown.name}-00001", 100, None)
    ]


def test_following_the_latest_again_works_with_a_split_that_cannot_be_routed(shown: Shown) -> None:
    split(shown, {"revisionName": f"{shown.name}-00099", "percent": 100}, {"latestRevision": True, "tag": "next"})
    page = shown.client.post(f"{shown.path}revisions/@latest/serve/")
    assert press(shown, page).status == "succeeded"
    assert shown.service["spec"]["traffic"] == [{"latestRevision": True, "percent": 100, "tag": "next"}]


def test_a_rollback_gives_the_share_of_a_revision_that_is_gone_to_the_others(shown: Shown) -> None:
    press(shown, shown.set_target("Second"))
    press(shown, shown.set_target("Third"))
    first, second = (f"{shown.name}-{number:05}" for number in (1, 2))
    split(
        shown,
        {"revisionName": first, "percent": 40, "tag": "old", "latestRevision": False},
        {"revisionName": second, "percent": 60, "latestRevision": False},
    )
    operation = press(shown, shown.client.post(f"{shown.path}revisions/@latest/serve/"))
    split(shown, {"latestRevision": True, "percent": 100})
    delete_revision(shown.world, first)
    shown.mirror.drop(REVISIONS, revision_named(shown, first))
    page = shown.client.post(f"/operations/{operation.id}/rollback/")
    assert f"Leaves out {first}, which no longer exists. Its 40% goes to the other targets." in read(page).text
    change = change_of_preview()
    assert [(t.revision, t.percent) for t in change.targets] == [(second, 100)]
    form = shown.client.get(back_from(page), follow=True)
    assert form.status_code == 200
    assert "100%</output>" in form.content.decode()
    assert press(shown, page).status == "succeeded"


def test_a_rollback_is_named_one_on_its_button_in_lists_and_in_the_log(shown: Shown) -> None:
    press(shown, shown.set_target("Second"))
    operation = press(shown, shown.set_target("Third"))
    page = shown.client.post(f"/operations/{operation.id}/rollback/")
    second = f"{shown.name}-00002"
    assert f"Roll back to {second}" in read(shown.client.get(f"/operations/{operation.id}/")).text
    assert f"Roll back to {second} Back to editing" in read(page).text
    assert press(shown, page).kind == "RollBack"
    assert "Roll back" in read(shown.client.get("/operations/")).text
    assert Entry.objects.filter(action="traffic.RollBack").exists()


def test_a_rollback_to_a_split_names_the_split_on_its_button(shown: Shown) -> None:
    press(shown, shown.set_target("Second"))
    first, second = (f"{shown.name}-{number:05}" for number in (1, 2))
    split(shown, {"revisionName": first, "percent": 40}, {"revisionName": second, "percent": 60})
    operation = press(shown, shown.client.post(f"{shown.path}revisions/{second}/serve/"))
    named = f"Roll back to 40% {first}, 60% {second}"
    assert named in read(shown.client.get(f"/operations/{operation.id}/")).text
    assert f"{named} Back to editing" in read(shown.client.post(f"/operations/{operation.id}/rollback/")).text


def test_all_traffic_to_an_older_revision_is_a_rollback_and_to_a_newer_one_is_none(shown: Shown) -> None:
    press(shown, shown.set_target("Second"))
    shown.mirror_it()
    first, second = (f"{shown.name}-{number:05}" for number in (1, 2))
    back = shown.client.post(f"{shown.path}revisions/{first}/serve/")
    assert f"Roll back to {first} Back to editing" in read(back).text
    assert press(shown, back).kind == "RollBack"
    shown.mirror_it()
    forth = shown.client.post(f"{shown.path}revisions/{second}/serve/")
    assert "Route traffic Back to editing" in read(forth).text


def revision_named(shown: Shown, name: str) -> dict[str, object]:
    labels = {"serving.knative.dev/service": shown.name}
    return {"kind": "Revision", "metadata": {"name": name, "namespace": "default", "labels": labels}}


def test_a_rollback_of_which_nothing_is_left_is_said_on_the_form(shown: Shown) -> None:
    operation = press(shown, shown.set_target("Second"))
    first = f"{shown.name}-00001"
    delete_revision(shown.world, first)
    shown.mirror.drop(REVISIONS, revision_named(shown, first))
    answer = shown.client.post(f"/operations/{operation.id}/rollback/", follow=True)
    assert f"no longer exist ({first})" in read(answer).text


def test_a_revision_that_only_the_mirror_has_lost_is_not_dropped(shown: Shown) -> None:
    """What exists is the cluster's word: a copy that lags must not cost anybody a tag."""
    press(shown, shown.set_target("Second"))
    first = f"{shown.name}-00001"
    split(shown, {"latestRevision": True, "percent": 100}, {"revisionName": first, "percent": 0, "tag": "old"})
    shown.mirror.drop(REVISIONS, revision_named(shown, first))
    page = shown.client.post(f"{shown.path}revisions/{shown.name}-00002/serve/")
    assert "Leaves out" not in read(page).text
    assert (first, 0, "old") in [(t.revision, t.percent, t.tag) for t in change_of_preview().targets]


def test_a_revision_of_another_service_is_named_as_such(shown: Shown, client, world, mirror) -> None:
    other = Shown(client, world, mirror)
    foreign = f"{other.name}-00001"
    split(shown, {"latestRevision": True, "percent": 100}, {"revisionName": foreign, "percent": 0, "tag": "other"})
    form = shown.client.get(f"{shown.path}traffic/")
    assert f"A revision of another service, {other.name}." in read(form).text
    typed = {
        "rows": "2", "seen": f'[["@latest", 100, ""], ["{foreign}", 0, "other"]]', "name-0": "@latest",
        "entry-0": "0", "percent-0": "100", "name-1": foreign, "entry-1": "1", "percent-1": "0", "tag-1": "",
    }  # fmt: skip
    assert press(shown, shown.client.post(f"{shown.path}traffic/", typed)).status == "succeeded"
    assert shown.service["spec"]["traffic"] == [{"latestRevision": True, "percent": 100}]
    fresh = {"rows": "1", "name-0": foreign, "percent-0": "100"}
    refused = read(shown.client.post(f"{shown.path}traffic/", fresh)).text
    assert f"{foreign} is a revision of another service, {other.name}." in refused


@pytest.mark.parametrize("revision", ["nothing-00001", "No Name"])
def test_all_traffic_to_what_does_not_exist_is_refused(shown: Shown, revision: str) -> None:
    answer = shown.client.post(f"{shown.path}revisions/{revision}/serve/", follow=True)
    assert f"The revision {revision} does not exist." in read(answer).text
    assert not Preview.objects.exists()


def posted(shown: Shown, **more: str) -> dict[str, str]:
    return {
        "rows": "2", "seen": '[["@latest", 100, ""]]', "name-0": "@latest", "entry-0": "0", "percent-0": "60",
        "name-1": f"{shown.name}-00001", "percent-1": "", "tag-1": "old", **more,
    }  # fmt: skip


def test_the_remainder_and_further_tags_work_without_a_script(shown: Shown) -> None:
    filled = shown.client.post(f"{shown.path}traffic/", posted(shown, fill="1"))
    assert filled.status_code == 200
    assert "100%</output>" in filled.content.decode()
    assert 'value="40"' in filled.content.decode()
    tagged = shown.client.post(f"{shown.path}traffic/", posted(shown, tag_to=f"{shown.name}-00001")).content.decode()
    assert tagged.count(f'aria-label="Tag for {shown.name}-00001"') == 2
    assert not Preview.objects.exists()


@pytest.mark.parametrize("number", ["x", "-1", "9" * 30, "٣", "77"])
def test_a_remainder_of_no_row_changes_nothing(shown: Shown, number: str) -> None:
    page = shown.client.post(f"{shown.path}traffic/", posted(shown, fill=number))
    assert page.status_code == 200
    assert "60%</output>" in page.content.decode()


def test_a_preset_says_which_revision_gets_what_and_gives_it(shown: Shown) -> None:
    press(shown, shown.set_target("Second"))
    first, second = (f"{shown.name}-{number:05}" for number in (1, 2))
    page = read(shown.client.get(f"{shown.path}traffic/")).text
    assert f"50/50 : {second} 50%, {first} 50%" in page
    assert f"Latest 100% : @latest (now {second}) 100%" in page
    pressed = read(shown.client.post(f"{shown.path}traffic/", {"preset": "50/50"})).text
    assert f"Now 100% {second} After 50% {second} 50% {first}" in pressed


def test_a_canary_is_the_newest_revision_beside_what_serves(shown: Shown) -> None:
    first, second = (f"{shown.name}-{number:05}" for number in (1, 2))
    split(shown, {"revisionName": first, "percent": 100})
    press(shown, shown.set_target("Second"))
    page = read(shown.client.get(f"{shown.path}traffic/")).text
    assert f"Canary 5% : {second} 5%, {first} 95%" in page
    pressed = read(shown.client.post(f"{shown.path}traffic/", {"preset": "canary-5"})).text
    assert f"Now 100% {first} After 5% {second} 95% {first}" in pressed


def test_the_tag_under_which_a_revision_was_tried_stays_on_it_once_it_gets_traffic_by_name(shown: Shown) -> None:
    first, second = (f"{shown.name}-{number:05}" for number in (1, 2))
    tried = ({"revisionName": first, "percent": 100}, {"latestRevision": True, "percent": 0, "tag": "candidate"})
    split(shown, *tried)
    press(shown, shown.set_target("Second"))
    form = form_of(shown.client.post(f"{shown.path}traffic/", {**sent_as_shown(shown), "preset": "canary-5"}))
    shown.client.post(form.action, form.encoded(), content_type="application/x-www-form-urlencoded")
    by_preset = {target.tag: target.revision for target in change_of_preview().targets if target.tag}
    shown.client.post(f"{shown.path}revisions/{second}/serve/")
    by_link = {target.tag: target.revision for target in change_of_preview().targets if target.tag}
    assert by_preset == by_link == {"candidate": second}


def sent_as_shown(shown: Shown) -> dict[str, str]:
    return dict(form_of(shown.client.get(f"{shown.path}traffic/")).entries())


def form_of(page) -> Form:
    (found,) = change_forms(page.content.decode())
    return found


def test_a_canary_of_a_revision_that_serves_everything_is_not_offered_and_moves_nothing_back(shown: Shown) -> None:
    press(shown, shown.set_target("Second"))
    second = f"{shown.name}-00002"
    page = shown.client.get(f"{shown.path}traffic/")
    assert 'value="canary-5" disabled' in page.content.decode()
    assert f"Canary 5% : {second} already serves 100%" in read(page).text
    late = shown.client.post(f"{shown.path}traffic/", {"preset": "canary-5"})
    assert late.status_code == 422
    assert f"{second} already serves 100%" in read(late).text
