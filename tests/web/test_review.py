"""The review: first in words what changes, then the traffic before and after, and one button that says what it does."""

from __future__ import annotations

import re

import pytest

from console.access.models import Role
from console.knative.objects import Service
from console.knative.split_effect import Share, split_effect
from console.operations.models import Operation, Preview
from console.operations.models.protection import ProtectionRule
from tests import factories
from tests.operations.factories import RUST
from tests.web.conftest import FormClient
from tests.web.pages import read
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]

BUTTON = re.compile(r'<button class="btn (btn-\w+)" form="apply" data-once>\s*(.*?)\s*</button>')


def button(response) -> tuple[str, str]:
    """Its kind and its words; there is one."""
    (found,) = BUTTON.findall(response.content.decode())
    return found


def split(shown: Shown, **more: str):
    rows = {"rows": "2", "name-0": "@latest", "percent-0": "50", "name-1": f"{shown.name}-00001", "percent-1": "50"}
    return shown.client.post(f"{shown.path}traffic/", rows | more)


def after_heading(response) -> str:
    return read(response).text.partition("Review changes")[2].strip()


def test_the_first_thing_that_a_review_says_is_what_changes(shown: Shown) -> None:
    assert after_heading(shown.set_target("Second")).startswith("TARGET: First → Second")
    image = shown.client.post(f"{shown.path}image/", {"container": "app", "image": RUST})
    assert after_heading(image).startswith("image: helloworld-go → helloworld-rust")


def test_the_words_show_no_value_that_the_author_may_not_see(shown: Shown, people) -> None:
    """Who typed a value sees it, who may not reveal does not see the one before."""
    role = Role.objects.get(name="deployer")
    role.permissions = [permission for permission in role.permissions if permission != "reveal"]
    role.save()
    shown.client.force_login(people["deployer"])
    assert after_heading(shown.set_target("Second")).startswith("TARGET: •••• → Second")


@pytest.mark.parametrize(
    ("send", "words"),
    [
        (lambda shown: shown.set_target("Second"), ("btn-primary", "Deploy")),
        (split, ("btn-primary", "Route traffic")),
        (
            lambda shown: shown.client.post(f"{shown.path}delete/", {"confirm": shown.name}),
            ("btn-danger", "Delete {name}"),
        ),
        (
            lambda shown: shown.client.post(f"{shown.path}operate/", {"what": "restart"}),
            ("btn-primary", "Restart {name}"),
        ),
        (
            lambda shown: shown.client.post(
                "/services/new/", {"place": "box/default", "name": f"{shown.name}-new", "image": RUST}
            ),
            ("btn-primary", "Create {name}-new"),
        ),
    ],
    ids=["variable", "split", "deletion", "restart", "new service"],
)
def test_the_button_says_what_it_does(shown: Shown, send, words: tuple[str, str]) -> None:
    kind, label = words
    assert button(send(shown)) == (kind, label.format(name=shown.name))


@pytest.mark.parametrize("page", ["", "deploy/", "env/", "image/", "traffic/", "settings/", "clone/", "history/"])
def test_a_page_has_one_primary_button(shown: Shown, page: str) -> None:
    main = shown.client.get(f"{shown.path}{page}").content.decode().partition("<main")[2]
    assert main.count("btn-primary") == 1


def test_a_review_has_one_primary_button(shown: Shown) -> None:
    main = shown.set_target("Second").content.decode().partition("<main")[2]
    assert main.count("btn-primary") == 1


def test_the_button_of_a_protected_service_asks(shown: Shown) -> None:
    ProtectionRule.objects.create(permissions=["deploy"], needs_reason=False)
    assert button(shown.set_target("Second")) == ("btn-primary", "Request approval")


def test_traffic_is_shown_before_and_after_only_where_it_moves(shown: Shown) -> None:
    moved = read(split(shown, **{"percent-0": "20", "percent-1": "80"})).text
    assert "No traffic moves." in moved, "@latest is that revision"
    assert "Now" not in moved.partition("Review changes")[2].split()
    page = shown.set_target("Second")
    text = read(page).text
    assert f"Now 100% {shown.name}-00001 After 100% the new revision" in text
    assert "Until the new revision is ready, the traffic stays as it is now." in text
    assert page.content.decode().count('class="share-bar"') == 2


def test_an_approver_reads_the_same_first_words(shown: Shown, people) -> None:
    ProtectionRule.objects.create(permissions=["deploy"], needs_reason=False)
    shown.client.force_login(people["deployer"])
    shown.set_target("Second")
    made = shown.client.post(f"/previews/{Preview.objects.get().id}/submit/", {"reason": ""})
    approver = FormClient()
    approver.force_login(people["administrator"])
    text = read(approver.get(made["Location"])).text
    assert "TARGET: First → Second Creates a new revision." in text
    assert f"Now 100% {shown.name}-00001 After 100% the new revision" in text
    listed = read(approver.get("/approvals/")).text
    assert "TARGET: changed" in listed, "a list shows no values"
    assert "Second" not in listed


def test_what_was_stopped_says_again_what_it_was(shown: Shown) -> None:
    shown.set_target("Second")
    page = shown.client.post(f"/previews/{Preview.objects.get().id}/submit/", {"deadline": "never"})
    assert page.status_code == 422
    assert "TARGET: changed" in read(page).text
    assert button(page) == ("btn-primary", "Deploy")
    assert not Operation.objects.exists()


def service(*traffic: tuple[str | None, int]) -> Service:
    raw = factories.service()
    raw["spec"]["traffic"] = [
        {"percent": percent, **({"revisionName": name} if name else {"latestRevision": True})}
        for name, percent in traffic
    ]
    return Service(raw)


def test_latest_is_the_revision_that_serves_before_and_the_new_one_after() -> None:
    before = service((None, 100))
    effect = split_effect(before, before, makes_revision=True)
    assert effect.before == (Share("shop-00004", 100, 0),)
    assert effect.after == (Share("", 100, 0),)
    assert effect.moves
    assert effect.new_percent == 100


def test_a_pinned_split_moves_nothing_however_many_revisions_are_made() -> None:
    before = service(("shop-00003", 90), ("shop-00004", 10))
    effect = split_effect(before, before, makes_revision=True)
    assert not effect.moves
    assert effect.new_percent == 0


def test_a_new_revision_takes_its_share_beside_the_others() -> None:
    effect = split_effect(service((None, 100)), service(("shop-00004", 95), (None, 5)), makes_revision=True)
    assert effect.after == (Share("shop-00004", 95, 0), Share("", 5, 95))


def test_a_service_that_does_not_exist_yet_has_no_traffic_before() -> None:
    effect = split_effect(Service({}), service((None, 100)), makes_revision=True)
    assert effect.before == ()
    assert effect.new_percent == 100
