"""What was typed is there again: on Back, on a reload of the preview, in another language, in other colours."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from console.access.models import Team
from console.operations.models import Draft, Operation, Preview
from console.operations.submitting import drafts
from tests.sweeps import sample, sweep
from tests.web.pages import read
from tests.web.test_changes import Shown

SECRET = "canary-typed-5a1e"
SHOP = "/services/box/default/shop/"


@pytest.fixture
def shown(client, world, mirror, people) -> Shown:
    client.force_login(people["administrator"])
    return Shown(client, world, mirror)


def addresses(shown: Shown) -> tuple[str, str]:
    """Send the form of variables; return where its preview is, and where "Back to the form" leads."""
    preview = shown.set_target(SECRET)
    [back] = re.findall(r'<a class="btn btn-secondary" href="([^"]+)">Back to editing<', preview.content.decode())
    return preview.wsgi_request.get_full_path(), unescape(back)


def test_a_preview_has_an_address_of_its_own_and_loads_again(shown: Shown) -> None:
    preview, _form = addresses(shown)
    again = read(shown.client.get(preview))
    assert "env[TARGET].value" in again.text
    assert SECRET not in preview
    assert 'id="apply"' in shown.client.get(preview).content.decode()


def test_back_leads_to_the_form_as_it_was_typed(shown: Shown) -> None:
    _preview, form = addresses(shown)
    page = shown.client.get(form)
    assert page.status_code == 200
    assert SECRET in page.content.decode()


def test_the_page_tells_htmx_the_address_of_the_preview(shown: Shown) -> None:
    preview, _form = addresses(shown)
    answer = shown.client.get(preview, headers={"HX-Request": "true"})
    assert answer["HX-Push-Url"] == preview


def test_the_version_that_the_person_saw_goes_along(shown: Shown) -> None:
    preview, _form = addresses(shown)

    def other(service) -> None:
        service["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "Theirs"

    shown.world.edit(shown.name, other)
    assert "changed the service after you opened the form" in read(shown.client.get(preview)).text


def test_nobody_else_gets_what_was_typed(shown: Shown, people) -> None:
    preview, form = addresses(shown)
    other = Client()
    other.force_login(people["owner"])
    for address in (preview, form):
        answer = other.get(address, follow=True)
        assert answer.redirect_chain, "the address of the fresh form"
        assert SECRET not in answer.content.decode()


def test_what_was_typed_is_sealed_in_the_database(shown: Shown) -> None:
    addresses(shown)
    draft = Draft.objects.get()
    assert draft.fields["value-0"] == [SECRET]
    assert SECRET.encode() not in bytes(draft.sealed_fields)
    assert draft.path == f"{shown.path}env/"


def test_what_was_applied_is_forgotten(shown: Shown) -> None:
    preview, form = addresses(shown)
    draft = str(Draft.objects.get().id)
    shown.client.post(f"/previews/{Preview.objects.latest('created_at').id}/submit/", {"draft": draft})
    assert Operation.objects.count() == 1
    assert not Draft.objects.exists()
    for address in (preview, form):
        page = shown.client.get(address, follow=True)
        assert "has already been applied" in read(page).text
        assert SECRET not in page.content.decode()


def test_a_fresh_form_offers_what_was_not_applied(shown: Shown) -> None:
    _preview, form = addresses(shown)
    page = shown.client.get(f"{shown.path}env/").content.decode()
    assert SECRET not in page
    assert f'<a href="?{form.split("?")[1]}">Continue editing</a>' in page


def test_old_drafts_and_those_beyond_the_limit_are_forgotten(people) -> None:
    person = people["deployer"]
    old = drafts.keep(person, "/old/", {})
    Draft.objects.filter(id=old.id).update(created_at=timezone.now() - timedelta(hours=13))
    assert drafts.find(old.id, person, "/old/") is None
    assert drafts.forget_old() == 1
    kept = [drafts.keep(person, "/x/", {}) for _number in range(drafts.MAX_PER_PERSON + 2)]
    assert Draft.objects.count() == drafts.MAX_PER_PERSON
    assert drafts.find(kept[-1].id, person, "/x/")
    assert drafts.find(kept[0].id, person, "/x/") is None


@pytest.mark.parametrize("draft", ["", "x", "7b1c2f4e-0d3a-4c5b-9e6f-8a7d6c5b4a39"])
def test_a_draft_that_is_not_there_gives_the_fresh_form(client, mirror, people, draft: str) -> None:
    client.force_login(people["owner"])
    answer = client.get(f"{SHOP}image/?container=sidecar&draft={draft}&preview=1")
    assert (answer.status_code, answer["Location"]) == (302, f"{SHOP}image/?container=sidecar")


FORMS = {
    "image/": {"container": "app", "image": "half typ"},
    "traffic/": {"rows": "1", "name-0": "@latest", "percent-0": "half typ", "tag-0": ""},
    "settings/": {"container": "app", "service_account": "half typ"},
    "yaml/": {"manifest": "half typ"},
    "delete/": {"confirm": "half typ"},
    "clone/": {"name": "half typ"},
    "env/": {"container": "app", "rows": "0", "paste": "half typ"},
    "operate/": {"what": "scale", "min": "half typ"},
    "/services/new/": {"name": "half typ"},
    "/services/bulk/": {"name": "half typ"},
    "/protection/rule/new/": {"note": "half typ"},
    "/protection/window/new/": {"note": "half typ"},
    "/teams/new/": {"name": "half typ"},
    "/teams/roles/new/": {"name": "half typ"},
    "/teams/people/new/": {"username": "half typ"},
    "/teams/TEAM/": {"username": "half typ"},
    "/teams/TEAM/edit/": {"name": "half typ"},
    "/teams/TEAM/delete/": {"confirm": "half typ"},
    "/clusters/add/": {"url": "half typ"},
}


@sweep
@pytest.mark.parametrize("switch", [{"language": "zh-hans"}, {"theme": "dark"}])
@pytest.mark.parametrize("path", sample(FORMS, one_in=4))
def test_a_switch_of_language_or_theme_keeps_a_half_filled_form(client, mirror, people, path: str, switch) -> None:
    client.force_login(people["administrator"])
    address = path.replace("TEAM", str(Team.objects.latest("pk").pk)) if path.startswith("/") else f"{SHOP}{path}"
    button = client.get(address).content.decode()
    assert 'id="typed"' in button
    assert f'form="typed" formaction="/preferences/?next={address}"' in button
    answer = client.post(f"/preferences/?next={address}", {**FORMS[path], **switch})
    page = client.get(answer["Location"])
    assert page.status_code == 200, "a form that is half filled is not judged yet"
    assert "half typ" in page.content.decode()
    assert "half" not in answer["Location"]
    assert not Preview.objects.exists()
    assert not Operation.objects.exists()


def test_credentials_of_clusters_are_not_kept(client, mirror, people) -> None:
    client.force_login(people["administrator"])
    client.post("/preferences/?next=/clusters/add/", {"url": "https://x", "token": SECRET, "theme": "dark"})
    assert "token" not in Draft.objects.get().fields


def test_a_switch_on_a_preview_keeps_the_preview_and_the_reason(shown: Shown) -> None:
    preview, _form = addresses(shown)
    typed = {"reason": "half typed", "theme": "dark"}
    answer = shown.client.post(f"/preferences/?next={preview.replace('&', '%26')}", typed)
    assert answer["Location"] == preview
    page = shown.client.get(preview).content.decode()
    assert 'value="half typed"' in page


@pytest.mark.parametrize("address", ["/operations/", "/nowhere/", "//evil.example/"])
def test_a_switch_elsewhere_keeps_nothing(client, mirror, people, address: str) -> None:
    client.force_login(people["owner"])
    client.post(f"/preferences/?next={address}", {"theme": "dark", "name": "x"})
    assert not Draft.objects.exists()


def test_a_draft_changes_nothing_by_being_loaded(client, mirror, people) -> None:
    client.force_login(people["administrator"])
    owner = people["administrator"]
    draft = drafts.keep(owner, "/teams/new/", {"name": ["By a link"], "owner": ["administrator"]})
    for more in ("", "&preview=1"):
        client.get(f"/teams/new/?draft={draft.id}{more}")
    assert not Team.objects.filter(name="By a link").exists()
