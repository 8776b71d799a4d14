"""Values that the cluster refuses together are told beside the field that was changed, in every form that has it."""

from __future__ import annotations

import re

import pytest

from console import kubectl_yaml
from console.knative.objects import Service
from console.operations.models import Preview
from console.web.forms.yaml import YamlForm
from tests.support.browser import Form, forms_of
from tests.web.pages import Page, read
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]

ABOVE = {
    "en": "Min scale (5) must not be greater than max scale (2).",
    "zh-hans": "最小副本数（5）不能大于最大副本数（2）。",
}


def form_of(shown: Shown, address: str) -> Form:
    markup = shown.client.get(address).content.decode()
    return next(form for form in forms_of(markup) if form.identity == "typed")


def beside(markup: str, name: str) -> str:
    """What the page says is wrong with a field: the part between it and the next label."""
    start = re.search(rf'<(?:input|select|textarea)[^>]*name="{re.escape(name)}"', markup)
    assert start, name
    return Page(markup[start.start() :].split("<label", 1)[0]).text


def sent(shown: Shown, address: str, language: str = "en", **typed: str) -> str:
    form = form_of(shown, address)
    for name, text in typed.items():
        form.type(name.replace("__", "-"), text)
    page = shown.client.post(address, form.encoded(), content_type="application/x-www-form-urlencoded",
                             headers={"Accept-Language": language})  # fmt: skip
    assert page.status_code == 422
    assert not Preview.objects.exists()
    return page.content.decode()


@pytest.mark.parametrize("language", ABOVE)
@pytest.mark.parametrize("page", ["settings", "operate", "deploy"])
def test_a_min_scale_above_the_max_scale_is_told_beside_it_in_every_form(
    shown: Shown, page: str, language: str
) -> None:
    markup = sent(shown, f"{shown.path}{page}/", language, min="5", max="2")
    assert ABOVE[language] in beside(markup, "max")
    assert 'class="note note-error"' not in markup, "nothing is left to be told above the form"


def test_the_field_that_was_changed_is_the_one_that_is_wrong(shown: Shown) -> None:
    set_scale(shown, max="2")
    markup = sent(shown, f"{shown.path}operate/", min="5")
    assert ABOVE["en"] in beside(markup, "min")
    assert ABOVE["en"] not in beside(markup, "max")


def test_a_new_service_is_told_beside_the_field_too(shown: Shown) -> None:
    markup = sent(
        shown, "/services/new/", place="box/default", name="too-high", image="ghcr.io/a/b:1", min="5", max="2"
    )
    assert ABOVE["en"] in beside(markup, "max")
    assert re.search(r'<details class="more-settings"\s+open>', markup), "the field is in a part that was closed"


def test_a_problem_of_another_container_opens_that_container(shown: Shown) -> None:
    form = form_of(shown, f"{shown.path}deploy/")
    form.type("cpu_limit", "1")
    form.type("cpu_request", "2")
    there = dict(form.entries()) | {"pick": "sidecar"}
    other = shown.client.post(f"{shown.path}deploy/", there).content.decode()
    other_form = next(form for form in forms_of(other) if form.identity == "typed")
    page = shown.client.post(
        f"{shown.path}deploy/", other_form.encoded(), content_type="application/x-www-form-urlencoded"
    )
    assert page.status_code == 422
    told = "The request (2) is above the limit (1). Kubernetes refuses to run that."
    assert told in beside(page.content.decode(), "cpu_request")


def test_a_manifest_is_told_above_itself(shown: Shown) -> None:
    raw = YamlForm._editable(Service(shown.service))
    raw["spec"]["template"].setdefault("metadata", {}).setdefault("annotations", {}).update(
        {"autoscaling.knative.dev/min-scale": "5", "autoscaling.knative.dev/max-scale": "2"}
    )
    page = shown.client.post(f"{shown.path}yaml/", {"manifest": kubectl_yaml.dump(raw)})
    assert page.status_code == 422
    assert ABOVE["en"] in read(page).text


def test_a_bulk_edit_tells_it_of_the_service_whose_max_scale_is_lower(shown: Shown) -> None:
    set_scale(shown, max="2")
    chosen = {"services": [f"box/default/{shown.name}"], "kind": "min-scale", "name": "", "value": "5"}
    assert f"box/default/{shown.name} {ABOVE['en']}" in read(shown.client.post("/services/bulk/", chosen)).text


def test_what_the_service_has_already_is_no_problem_of_another_field(shown: Shown) -> None:
    set_scale(shown, initial="5", max="2")
    form = form_of(shown, f"{shown.path}settings/")
    form.type("timeout", "77")
    page = shown.client.post(f"{shown.path}settings/", form.encoded(), content_type="application/x-www-form-urlencoded")
    assert page.status_code == 200


def set_scale(shown: Shown, **counts: str) -> None:
    """Write it as another tool would, and let the mirror see it."""

    def edit(raw: dict) -> None:
        annotations = raw["spec"]["template"].setdefault("metadata", {}).setdefault("annotations", {})
        annotations.update({f"autoscaling.knative.dev/{name}-scale": text for name, text in counts.items()})

    shown.world.edit(shown.name, edit)
    shown.mirror_it()
