"""What is too large is refused beside its field with limit and number, by every way in; previews do not pile up."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from console import kubectl_yaml
from console.knative import limits
from console.knative.objects import Service
from console.operations.models import Draft, Operation, Preview
from console.operations.submitting import previewing
from console.web.forms.yaml import YamlForm
from tests.operations.steps import finish
from tests.web.pages import read
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]

LINES = "".join(f"V{at}=x\n" for at in range(limits.MAX_VARIABLES + 1))
TOO_MANY = {
    "en": "There are 5001 environment variables; at most 5000 are accepted.",
    "zh-hans": "共有 5001 个环境变量；最多接受 5000 个。",
}


def manifest(shown: Shown, variables: int, **container) -> str:
    raw = YamlForm._editable(Service(shown.service))
    found = raw["spec"]["template"]["spec"]["containers"][0]
    found |= {"env": [{"name": f"V{at}", "value": "x"} for at in range(variables)], **container}
    return kubectl_yaml.dump(raw)


@pytest.mark.parametrize("language", TOO_MANY)
def test_a_manifest_beyond_a_limit_is_refused_beside_its_field_and_kept(shown: Shown, language: str) -> None:
    text = manifest(shown, limits.MAX_VARIABLES + 1)
    page = shown.client.post(f"{shown.path}yaml/", {"manifest": text}, headers={"Accept-Language": language})
    assert page.status_code == 422
    html = page.content.decode()
    assert TOO_MANY[language] in html[html.index('for="manifest"') : html.index("<textarea")]
    assert "V5000" in html
    assert not Preview.objects.exists()


def test_two_thousand_variables_go_through_by_yaml_and_by_a_pasted_file(shown: Shown) -> None:
    page = shown.client.post(f"{shown.path}yaml/", {"manifest": manifest(shown, 2000)})
    assert page.status_code == 200
    more = "".join(f"W{at}=x\n" for at in range(2000))
    page = shown.client.post(f"{shown.path}env/", {"rows": "0", "container": "app", "paste": more})
    assert page.status_code == 200
    assert len(Preview.objects.latest("created_at").changes) == 2000


@pytest.mark.parametrize("language", TOO_MANY)
def test_a_pasted_file_beyond_the_limit_is_refused_below_it(shown: Shown, language: str) -> None:
    fields = {"rows": "0", "container": "app", "paste": LINES}
    page = shown.client.post(f"{shown.path}env/", fields, headers={"Accept-Language": language})
    html = page.content.decode()
    assert page.status_code == 422
    assert TOO_MANY[language] in html[html.index('name="paste"') :]


def test_variables_that_are_there_count_along_with_pasted_ones(shown: Shown) -> None:
    there = len(shown.service["spec"]["template"]["spec"]["containers"][0]["env"])
    fits = "".join(LINES.splitlines(keepends=True)[: limits.MAX_VARIABLES])
    page = shown.client.post(f"{shown.path}env/", {"rows": "0", "container": "app", "paste": fits})
    assert page.status_code == 422
    assert f"There are {limits.MAX_VARIABLES + there} environment variables; at most 5000" in read(page).text


@pytest.mark.parametrize(
    ("paste", "message"),
    [
        ("A=" + "x" * (1 << 20), "The pasted text has 1048578 bytes; at most 1048576 are accepted."),
        ("\n" * 20_001, "The pasted text has 20001 lines; at most 20000 are accepted."),
        ("wrong line\n" * 10_000, "9950 more lines have problems."),
    ],
    ids=["bytes", "lines", "problems"],
)
def test_a_pasted_text_without_end_costs_little_and_says_why(shown: Shown, paste: str, message: str) -> None:
    page = shown.client.post(f"{shown.path}env/", {"rows": "0", "container": "app", "paste": paste})
    assert page.status_code == 422
    assert message in read(page).text
    assert read(page).text.count("is not valid NAME=value") in (0, 50)


def test_a_new_service_beyond_a_limit_is_refused_beside_its_field(shown: Shown) -> None:
    fields = {"place": "box/default", "name": "too-large", "image": "ghcr.io/a/b:1", "variables": LINES}
    page = shown.client.post("/services/new/", fields)
    html = page.content.decode()
    assert page.status_code == 422
    assert TOO_MANY["en"] in html[html.index('name="variables"') :]


def test_what_the_dry_run_refused_shows_why_above_the_form_and_nothing_else(shown: Shown) -> None:
    shown.world.box.fault(verb="update", resource="services", code=400, message="this is not wanted here")
    page = shown.set_target("typed-and-kept")
    text = read(page).text
    assert page.status_code == 422
    assert "The cluster rejected this. Nothing was written." in text
    assert "this is not wanted here" in text
    assert 'value="typed-and-kept"' in page.content.decode() or "typed-and-kept</textarea>" in page.content.decode()
    for left_out in ("Resulting manifest", "Equivalent kn command", "Impact"):
        assert left_out not in text


def test_the_oldest_previews_of_a_person_are_forgotten_beyond_the_limit(shown: Shown, people, monkeypatch) -> None:
    monkeypatch.setattr(previewing, "MAX_PER_PERSON", 3)
    shown.set_target("another person's")
    Preview.objects.update(user=people["owner"])
    for value in ("1", "2", "3", "4"):
        shown.set_target(value)
    mine = Preview.objects.filter(user=people["administrator"]).order_by("created_at")
    assert len(mine) == 3
    assert [row["after"] for preview in mine for row in preview.changes] == ["••••"] * 3
    assert Preview.objects.filter(user=people["owner"]).count() == 1


def test_an_operation_outlives_the_previews_that_come_after_it(shown: Shown, monkeypatch) -> None:
    monkeypatch.setattr(previewing, "MAX_PER_PERSON", 1)
    shown.set_target("Second")
    shown.client.post(f"/previews/{Preview.objects.get().id}/submit/")
    for value in ("3", "4"):
        shown.set_target(value)
    assert finish(Operation.objects.get()).is_written
    assert shown.world.env(shown.name)["TARGET"] == "Second"


def test_an_expired_preview_gives_back_what_was_typed(shown: Shown) -> None:
    page = shown.set_target("typed-and-kept").content.decode()
    draft = re.search(r'name="draft" value="([^"]+)"', page)
    assert draft
    preview = Preview.objects.get()
    long_ago = timezone.now() - timedelta(hours=3)
    Preview.objects.update(created_at=long_ago)
    Draft.objects.update(created_at=long_ago)
    answer = shown.client.post(f"/previews/{preview.id}/submit/", {"draft": draft[1]}, follow=True)
    text = read(answer).text
    assert "This preview has expired, so nothing was changed. Here is what you typed: review it again." in text
    assert answer.redirect_chain == [(f"{shown.path}env/?draft={draft[1]}", 302)]
    assert "typed-and-kept" in answer.content.decode()
    assert not Operation.objects.exists()


def test_a_draft_of_somebody_else_is_given_to_nobody(shown: Shown, people) -> None:
    page = shown.set_target("typed-and-kept").content.decode()
    draft = re.search(r'name="draft" value="([^"]+)"', page)
    assert draft
    preview = Preview.objects.get()
    shown.client.force_login(people["owner"])
    answer = shown.client.post(f"/previews/{preview.id}/submit/", {"draft": draft[1]})
    assert answer["Location"] == "/operations/"
