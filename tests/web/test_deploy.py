"""Edit and deploy: one form, one preview, one operation, one revision."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.http import urlencode

from console.access.models import Grant, Role
from console.cluster.resources import REVISIONS, SERVICES
from console.knative.objects import Service
from console.operations.models import Operation, Preview
from console.operations.models.statuses import Status
from console.web.forms.by_container import OF_CONTAINER
from console.web.forms.deploy import DeployForm
from console.web.forms.settings import SettingsForm
from tests import factories
from tests.operations.factories import GO
from tests.operations.steps import finish
from tests.support.browser import Form, change_forms
from tests.web.pages import markup, read
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


def opened(shown: Shown, query: str = "") -> Form:
    return form_of(shown.client.get(f"{shown.path}deploy/{query}"))


def submit(shown: Shown) -> Operation:
    preview = Preview.objects.latest("created_at")
    shown.client.post(f"/previews/{preview.id}/submit/", {})
    return Operation.objects.get(id=preview.id)


def test_image_variable_and_memory_are_one_revision(shown: Shown) -> None:
    form = opened(shown)
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


def traffic_of(shown: Shown) -> list[tuple[str, int, str]]:
    spec = shown.world.get(shown.name)["spec"]["traffic"]
    return sorted((one.get("revisionName", "@latest"), one.get("percent", 0), one.get("tag", "")) for one in spec)


def test_a_revision_to_be_tried_gets_a_tag_and_no_traffic(shown: Shown) -> None:
    form = opened(shown)
    form.type("timeout", "77")
    choose(form, "none")
    assert "until you change the split" not in read(send(shown.client, form)).text, "it was asked for: no warning"
    operation = finish(submit(shown))
    first = f"{shown.name}-00001"
    assert traffic_of(shown) == [("@latest", 0, "candidate"), (first, 100, "")]
    now = shown.world.get(shown.name)["status"]
    assert {one["revisionName"]: one.get("percent", 0) for one in now["traffic"]} == {first: 100, operation.revision: 0}
    url = next(one["url"] for one in now["traffic"] if one.get("tag") == "candidate")
    assert url.startswith("http://candidate-")
    shown.mirror_it()
    assert url in read(shown.client.get(f"/operations/{operation.id}/")).links, "where it can be tried"


def test_a_revision_gets_the_percentage_that_was_typed(shown: Shown) -> None:
    form = opened(shown)
    form.type("timeout", "78")
    choose(form, "percent")
    form.type("share_percent", "10")
    form.type("share_tag", "canary")
    assert "Split: a new revision gets 10% as soon as it is ready." in read(send(shown.client, form)).text
    finish(submit(shown))
    assert traffic_of(shown) == [("@latest", 10, "canary"), (f"{shown.name}-00001", 90, "")]


def choose(form: Form, share: str) -> None:
    """Choose what the new revision gets: one of several radio buttons."""
    for one in form.controls:
        if one.name == "share":
            assert one.value != share or one.is_editable
            one.is_checked = one.value == share


def test_a_pinned_service_goes_live_by_choosing_so(shown: Shown) -> None:
    def pin(service: Any) -> None:
        service["spec"]["traffic"] = [{"revisionName": f"{shown.name}-00001", "percent": 100}]

    shown.world.edit(shown.name, pin)
    shown.mirror_it()
    page = shown.client.get(f"{shown.path}deploy/")
    assert "As now: it gets 0%" in read(page).text
    form = form_of(page)
    form.type("timeout", "79")
    choose(form, "live")
    send(shown.client, form)
    finish(submit(shown))
    assert traffic_of(shown) == [("@latest", 100, "")]


@pytest.mark.parametrize(
    ("share", "typed", "says"),
    [
        ("percent", {"share_percent": ""}, "Enter a percentage from 1 to 100."),
        ("percent", {"share_percent": "101"}, "less than or equal to 100"),
        ("percent", {"share_percent": "a"}, "Enter a whole number."),
        ("none", {"share_tag": "Not_A_Tag"}, "Use lowercase letters"),
    ],
)
def test_a_share_that_is_none_is_refused_beside_its_field(shop, share: str, typed: dict[str, str], says: str) -> None:
    form = form_of(shop.get(SHOP))
    form.type("timeout", "9")
    choose(form, share)
    for name, text in typed.items():
        form.type(name, text)
    answer = send(shop, form)
    assert answer.status_code == 422
    assert says in read(answer).text
    assert form_of(answer)["timeout"].value == "9"


def test_a_share_alone_is_refused_for_there_is_no_new_revision(shown: Shown) -> None:
    form = opened(shown)
    choose(form, "none")
    answer = send(shown.client, form)
    assert answer.status_code == 422
    assert "Nothing else changes, so no revision is created." in read(answer).text


def test_an_untouched_form_says_that_nothing_was_changed(shop) -> None:
    answer = send(shop, form_of(shop.get(SHOP)))
    assert answer.status_code == 422
    assert "Nothing was changed." in read(answer).text
    assert not Preview.objects.exists()


def allow(people: Any, *permissions: str) -> None:
    """Let the deployer have these permissions and no others."""
    role = Role.objects.create(name="some", permissions=["view", *permissions])
    Grant.objects.filter(team__memberships__user=people["deployer"]).update(role=role)


def test_who_may_not_route_traffic_cannot_choose_a_share(shown: Shown, people) -> None:
    """Judged by what it does: the page does not offer it, and who sends it all the same is refused."""
    allow(people, "deploy")
    shown.client.force_login(people["deployer"])
    page = shown.client.get(f"{shown.path}deploy/")
    form = form_of(page)
    assert [one.value for one in form.controls if one.name == "share" and one.is_editable] == ["rule"]
    assert "you need the “traffic” permission" in read(page).text
    form.type("timeout", "80")
    for one in form.controls:
        if one.name == "share":
            one.is_checked, one.is_disabled = one.value == "none", False
    assert send(shown.client, form).status_code == 403
    assert not Preview.objects.exists()


def test_who_may_only_deploy_can_deploy(shown: Shown, people) -> None:
    allow(people, "deploy")
    shown.client.force_login(people["deployer"])
    form = opened(shown)
    form.type("timeout", "81")
    send(shown.client, form)
    assert finish(submit(shown)).status == Status.SUCCEEDED


def test_who_may_only_deploy_cannot_scale_by_it(shown: Shown, people) -> None:
    allow(people, "deploy")
    shown.client.force_login(people["deployer"])
    form = opened(shown)
    form.type("timeout", "82")
    form.type("min", "2")
    assert send(shown.client, form).status_code == 403


def test_an_edit_of_the_same_field_by_somebody_else_stops_it(shown: Shown) -> None:
    form = edit_variable(shown.client, opened(shown), "TARGET", "Second")
    form.type("image", f"{GO}:2")
    send(shown.client, form)
    operation = submit(shown)

    def theirs(service: Any) -> None:
        service["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "Theirs"

    shown.world.edit(shown.name, theirs)
    assert finish(operation).status == Status.CONFLICTED
    assert shown.world.env(shown.name)["TARGET"] == "Theirs"


def test_an_edit_of_the_split_by_somebody_else_stops_a_share(shown: Shown) -> None:
    form = opened(shown)
    form.type("timeout", "83")
    choose(form, "none")
    send(shown.client, form)
    operation = submit(shown)

    def theirs(service: Any) -> None:
        service["spec"]["traffic"] = [{"revisionName": f"{shown.name}-00001", "percent": 100}]

    shown.world.edit(shown.name, theirs)
    assert finish(operation).status == Status.CONFLICTED


def test_the_picker_keeps_what_was_typed_for_each_container(shown: Shown) -> None:
    form = edit_variable(shown.client, opened(shown), "TARGET", "Second")
    form.type("memory_limit", "512Mi")
    form.type("min", "1")
    form = form_of(send(shown.client, form, "pick", "sidecar"))
    assert form["container"].value == "sidecar"
    assert (form["memory_limit"].value, form["image"].value) == ("", "gcr.io/knative-samples/sidecar")
    assert form["min"].value == "1", "what is about the service is shown beside each container"
    form.type("cpu_limit", "1")
    form.type("max", "7")
    back = form_of(send(shown.client, form, "pick", "app"))
    assert (back["memory_limit"].value, back["min"].value, back["max"].value) == ("512Mi", "1", "7")
    assert next(one.value for one in back.controls if one.name.startswith("value-")) == "Second"
    there = form_of(send(shown.client, back, "pick", "sidecar"))
    assert there["cpu_limit"].value == "1"
    send(shown.client, there)
    finish(submit(shown))
    app, sidecar = shown.world.get(shown.name)["spec"]["template"]["spec"]["containers"]
    assert (app["resources"]["limits"], sidecar["resources"]["limits"]) == ({"memory": "512Mi"}, {"cpu": "1"})
    assert shown.world.env(shown.name)["TARGET"] == "Second"
    annotations = shown.world.get(shown.name)["spec"]["template"]["metadata"]["annotations"]
    assert annotations["autoscaling.knative.dev/min-scale"] == "1"
    assert annotations["autoscaling.knative.dev/max-scale"] == "7"


def test_what_is_wrong_with_another_container_is_shown(shown: Shown) -> None:
    form = opened(shown)
    form.type("memory_limit", "much")
    form = form_of(send(shown.client, form, "pick", "sidecar"))
    answer = send(shown.client, form)
    assert answer.status_code == 422
    assert form_of(answer)["container"].value == "app"
    assert "“much” is not a valid quantity" in read(answer).text


def test_memory_without_a_unit_is_refused_beside_its_field(shown: Shown) -> None:
    form = opened(shown)
    form.type("memory_limit", "256")
    answer = send(shown.client, form)
    assert answer.status_code == 422
    assert "Without a unit, 256 means bytes. Did you mean 256Mi?" in read(answer).text


def test_a_new_image_is_not_pinned_to_the_build_of_the_old_one(shown: Shown) -> None:
    form = opened(shown)
    form.type("image", f"{GO}:2")
    form.type("timeout", "84")
    send(shown.client, form)
    finish(submit(shown))
    app, sidecar = shown.world.get(shown.name)["spec"]["template"]["spec"]["containers"]
    assert app["image"] == f"{GO}:2"
    assert "@sha256:" in sidecar["image"], "what was not touched keeps its build"


def test_the_running_build_stays_when_something_else_changes(shown: Shown) -> None:
    form = opened(shown)
    form.type("timeout", "85")
    review = read(send(shown.client, form)).text
    assert "Pinned so that this change brings in no newer build of the tag." in review
    finish(submit(shown))
    assert "@sha256:" in shown.world.get(shown.name)["spec"]["template"]["spec"]["containers"][0]["image"]


@pytest.mark.parametrize(
    ("query", "open_sections"),
    [
        ("", {"image", "env"}),
        ("?section=env", {"env"}),
        ("?section=network", {"networking"}),
        ("?section=probes", {"probes"}),
        ("?section=nonsense", set()),
    ],
)
def test_the_address_opens_a_section(shop, query: str, open_sections: set[str]) -> None:
    sections = shop.get(f"{SHOP}{query}").context["sections"]
    assert {section.key for section, is_open in sections if is_open} == open_sections


def test_a_section_that_was_opened_is_open_again_when_the_form_comes_back(shop) -> None:
    form = form_of(shop.get(f"{SHOP}?section=env"))
    told = {one.value: one for one in form.controls if one.name == "open"}
    assert [name for name, one in told.items() if one.is_sent] == ["env"]
    told["probes"].is_disabled = False  # static/js/open-sections.js, when it is opened
    answer = send(shop, form, "row", "edit:0:TARGET")
    assert {section.key for section, is_open in answer.context["sections"] if is_open} == {"env", "probes"}


def test_a_variable_can_be_opened_by_the_address(shop) -> None:
    """From the service's page to serving in three clicks: Edit, Review changes, Deploy."""
    form = form_of(shop.get(f"{SHOP}?section=env&edit=TARGET"))
    assert next(one.value for one in form.controls if one.name.startswith("name-")) == "TARGET"
    assert any(one.name.startswith("value-") for one in form.controls)
    answer = send(shop, form)
    assert "Nothing was changed." in read(answer).text


def test_a_section_that_was_edited_is_marked_and_stays_open(shop) -> None:
    form = form_of(shop.get(f"{SHOP}?section=env"))
    form.type("cpu_limit", "nonsense")
    answer = send(shop, form)
    sections = {section.key: (section, is_open) for section, is_open in answer.context["sections"]}
    assert sections["resources"][0].has_problems
    assert sections["resources"][1]


def test_what_was_typed_survives_back_and_another_language(shop) -> None:
    form = form_of(shop.get(SHOP))
    form.type("image", "r.example.com/shop:9")
    form.type("cpu_limit", "2")
    choose(form, "percent")
    form.type("share_percent", "15")
    body = form.encoded() + "&" + urlencode({"language": "zh-hans"})
    kind = "application/x-www-form-urlencoded"
    left = shop.post(f"/preferences/?{urlencode({'next': SHOP})}", body, content_type=kind)
    back = form_of(shop.get(left["Location"]))
    typed = {name: back[name].value for name in ("image", "cpu_limit", "share_percent")}
    assert typed == {"image": "r.example.com/shop:9", "cpu_limit": "2", "share_percent": "15"}
    assert [one.value for one in back.controls if one.name == "share" and one.is_checked] == ["percent"]


@pytest.mark.parametrize(
    ("page", "field", "text", "section"),
    [
        ("env", "value-0", "typed here", "env"),
        ("image", "image", "r.example.com/shop:9", "image"),
        ("settings", "timeout", "77", "resources"),
    ],
)
def test_a_small_form_goes_on_in_the_large_one_with_what_was_typed(shop, page, field, text, section) -> None:
    form = form_of(shop.get(f"/services/box/default/shop/{page}/?edit=TARGET&container=app"))
    form.type(field, text)
    button = next(one for one in form.controls if one.name == "further")
    assert button.action == f"{SHOP}?section={section}"
    left = shop.post(button.action, form.encoded(button), content_type="application/x-www-form-urlencoded")
    assert left.status_code == 303
    large = shop.get(left["Location"])
    assert form_of(large)[field].value == text
    assert section in {one.key for one, is_open in large.context["sections"] if is_open}


@pytest.mark.parametrize("is_kept", [True, False])
def test_builds_are_kept_or_let_go_in_the_large_form_as_in_the_small_one(shown: Shown, is_kept: bool) -> None:
    for page, box in (("env", "keep_digest"), ("image", "keep_others")):
        form = form_of(shown.client.get(f"{shown.path}{page}/?container=app"))
        form[box].is_checked = is_kept
        button = next(one for one in form.controls if one.name == "further")
        body = form.encoded(button)
        left = shown.client.post(button.action, body, content_type="application/x-www-form-urlencoded")
        assert form_of(shown.client.get(left["Location"]))["keep_digest"].is_checked is is_kept, page


def test_the_only_container_keeps_its_build_on_the_way_from_its_image_to_the_large_form(shown: Shown) -> None:
    raw = shown.world.get(shown.name)
    del raw["spec"]["template"]["spec"]["containers"][1:]
    shown.mirror.put(SERVICES, raw)
    form = form_of(shown.client.get(f"{shown.path}image/"))
    assert "keep_others" not in form
    button = next(one for one in form.controls if one.name == "further")
    left = shown.client.post(button.action, form.encoded(button), content_type="application/x-www-form-urlencoded")
    assert form_of(shown.client.get(left["Location"]))["keep_digest"].is_checked


def test_values_are_revealed_beside_what_was_typed(shown: Shown) -> None:
    form = opened(shown)
    form.type("cpu_limit", "2")
    button = next(one for one in form.controls if one.action.endswith("/deploy/reveal/"))
    page = shown.client.post(button.action, form.encoded(button), content_type="application/x-www-form-urlencoded")
    assert "canary-secret-first" in markup(page)
    assert form_of(page)["cpu_limit"].value == "2"
    assert "CPU limit" in read(send(shown.client, form_of(page))).text


def test_each_setting_is_about_the_service_or_its_container() -> None:
    """A new one that is about the container has to be named, or the picker would show it beside all of them."""
    of_service = set(SettingsForm.base_fields) - OF_CONTAINER
    assert set(SettingsForm.base_fields) > OF_CONTAINER
    assert of_service == {
        *("min", "max", "initial", "activation", "target", "utilization", "metric", "window", "concurrency"),
        *("timeout", "response_start", "idle", "rollout", "progress_deadline"),
        *("cluster_local", "service_account", "pull_secrets", "node_selector", "tolerations"),
        *("labels", "annotations", "revision_labels", "revision_annotations", "revision_name"),
        *("deadline", "error_window"),
    }


def test_what_a_script_does_not_send_is_not_emptied(shop, mirror) -> None:
    """A post of single fields touches those alone: no box counts as unticked that was not there."""
    raw = factories.service()
    raw["metadata"]["labels"]["networking.knative.dev/visibility"] = "cluster-local"
    mirror.put(SERVICES, raw)
    data = {"container": "app", "image": "r.example.com/shop:9", "keep_digest": "1"}
    form = DeployForm(Service(raw), data, container=Service(raw).containers[0])
    assert form.is_valid()
    assert [type(part).__name__ for part in form.change.parts] == ["SetImage"]
