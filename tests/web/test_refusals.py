"""Each refusal has a text in each language, becomes a page in one place, and leaves one audit entry at most."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import yaml
from django.conf import settings
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.translation import override

import console
from console.access import refusals as family
from console.access.models import Membership, Role, User
from console.access.refusals import Refusal
from console.audit.models import Entry
from console.knative.problems import Problem
from console.knative.references import ServiceRef
from console.operations.models import Operation, Preview
from console.web.refusals import text
from console.web.requests import ConsoleRequest
from console.web.views import refused
from tests.operations.steps import finish
from tests.web.pages import read
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]

LANGUAGES = [code for code, _name in settings.LANGUAGES]
REF = ServiceRef("box", "default", "shop")
ID = UUID(int=7)
EXAMPLES: tuple[Refusal, ...] = (
    family.NotAllowed("deploy", "traffic", ref=REF),
    family.LabelNotAllowed(("team",), "manage", ref=REF),
    family.NotRevealed(REF),
    family.OwnChange(ID),
    family.Separated(ID, "box/*", "acted"),
    family.TooLateToCancel(ID),
    family.NotRetriable(ID),
    family.NotWaiting(ID),
    family.Undecryptable(ID),
    family.Frozen(REF, "2026-11-26 10:00 UTC", "Release day"),
    family.OwnedElsewhere(REF, "Argo CD", "Change the repository"),
    family.NotAcknowledged(REF, "Argo CD"),
    family.ReasonNeeded(),
    family.Impossible(Problem("container-unknown", {"container": "app"})),
    family.PreviewGone(ID),
    family.NameTaken("shop"),
    family.AlreadyMember("ruth"),
    family.LastOwner("ruth", "shop"),
    family.LongerThanYours("2026-11-26 10:00"),
    family.LastAdministrator("ruth"),
    family.NoLink("ruth"),
    family.MoreThanYouHave("*/*", "deploy"),
    family.GrantedAlready(),
    family.Gone(),
    family.GrantOfOthers("viewer on */*", "deploy"),
    family.RoleBeyondYou("deploy"),
    family.RoleOfOthers("tester"),
    family.RoleBuiltIn("viewer"),
    family.RoleInUse("tester"),
)
by_class = pytest.mark.parametrize("refusal", EXAMPLES, ids=lambda refusal: type(refusal).__name__)


def leaves(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    """The classes that are raised: those without more special ones, and NotAllowed, which has some."""
    for one in kind.__subclasses__():
        if not one.__subclasses__() or one is family.NotAllowed:
            yield one
        yield from leaves(one)


def test_the_examples_are_the_whole_family() -> None:
    assert {type(refusal) for refusal in EXAMPLES} == set(leaves(Refusal))


@by_class
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_refusal_has_a_text_in_each_language(refusal: Refusal, language: str) -> None:
    with override("en"):
        english = text(refusal)
    with override(language):
        found = text(refusal)
    assert found
    assert "%(" not in found
    assert (found == english) is (language == "en")


@pytest.fixture
def request_of_viewer(people: dict[str, User], db: None, rf: RequestFactory) -> ConsoleRequest:
    request = rf.post(f"/{uuid4()}/")  # repeats at one address are folded
    request.user, request.request_id = people["viewer"], "request-1"
    request._messages = CookieStorage(request)
    return request


@by_class
def test_each_refusal_becomes_a_page_by_its_class(refusal: Refusal, request_of_viewer, monkeypatch) -> None:
    monkeypatch.setattr(refusal, "is_audited", False)
    request_of_viewer.back = lambda why: HttpResponse(why, status=422)
    response = refused.page(refusal, request_of_viewer)
    told = [str(message) for message in get_messages(request_of_viewer)]
    if isinstance(refusal, family.NotAllowed):
        assert (response.status_code, response.context_data["permission"]) == (403, refusal.permission)
        assert told == []
    elif isinstance(refusal, family.OfOperation):
        assert (response.status_code, response["Location"]) == (302, f"/operations/{ID}/")
        assert told == [text(refusal)]
    elif isinstance(refusal, family.PreviewGone):
        assert (response.status_code, response["Location"]) == (302, "/operations/")
        assert told == [text(refusal)]
    else:
        assert (response.status_code, response.content.decode()) == (422, text(refusal))


def test_a_refusal_for_which_no_page_was_named_says_its_reason_alone(request_of_viewer) -> None:
    response = refused.page(family.ReasonNeeded(), request_of_viewer)
    assert (response.status_code, response.context_data["sentence"]) == (422, "A reason is required.")


@pytest.mark.parametrize(
    "refusal", [one for one in EXAMPLES if isinstance(one, family.NotAllowed)], ids=lambda one: type(one).__name__
)
def test_what_was_audited_where_it_was_raised_is_not_told_again(refusal, request_of_viewer, monkeypatch) -> None:
    monkeypatch.setattr(refusal, "is_audited", False)
    for _ in range(2):
        refused.page(refusal, request_of_viewer)
    [entry] = Entry.objects.filter(actor="viewer")
    assert (entry.action, entry.outcome, entry.service) == (f"{refusal.permission}.refused", "refused", "shop")


# Where a form shows a refusal beside its field, and where one line of many says it; both go on afterwards.
CAUGHT = {("changes.py", "LabelNotAllowed"), ("bulk.py", "NotAllowed")}


def test_no_view_catches_a_refusal_by_name() -> None:
    names = {name for name, kind in vars(family).items() if isinstance(kind, type) and issubclass(kind, Refusal)}
    found = {
        (path.name, name.id)
        for path in (Path(console.__file__).parent / "web" / "views").glob("*.py")
        for handler in ast.walk(ast.parse(path.read_text()))
        if isinstance(handler, ast.ExceptHandler) and handler.type
        for name in ast.walk(handler.type)
        if isinstance(name, ast.Name) and name.id in names
    }
    assert found == CAUGHT


def test_a_right_that_is_lost_after_the_preview_is_told_once(shown: Shown, people: dict[str, User]) -> None:
    owner = people["owner"]
    shown.client.force_login(owner)
    shown.set_target("Second")
    preview = Preview.objects.get()
    Membership.objects.filter(user=owner).delete()
    answer = shown.client.post(f"/previews/{preview.id}/submit/")
    assert answer.status_code == 403
    assert "You need the “deploy” permission" in read(answer).text
    [entry] = Entry.objects.filter(outcome="refused")
    assert (entry.action, entry.actor, entry.service) == ("deploy.refused", "owner", shown.name)
    assert not Operation.objects.exists()


def test_an_operation_that_was_written_is_shown_where_it_cannot_be_cancelled(shown: Shown) -> None:
    shown.set_target("Second")
    shown.client.post(f"/previews/{Preview.objects.get().id}/submit/")
    operation = finish(Operation.objects.get())
    answer = shown.client.post(f"/operations/{operation.id}/cancel/", follow=True)
    assert answer.redirect_chain == [(f"/operations/{operation.id}/", 302)]
    assert "Too late to cancel: the change has been written." in read(answer).text


def test_what_cannot_be_retried_or_decided_leads_to_its_operation(shown: Shown) -> None:
    shown.set_target("Second")
    shown.client.post(f"/previews/{Preview.objects.get().id}/submit/")
    operation = Operation.objects.get()
    for verb, words in (("retry", "cannot be retried"), ("withdraw", "Too late"), ("approve", "your own change")):
        answer = shown.client.post(f"/operations/{operation.id}/{verb}/", follow=True)
        assert answer.redirect_chain == [(f"/operations/{operation.id}/", 302)], verb
        assert words in read(answer).text, verb
    [entry] = Entry.objects.filter(outcome="refused")
    assert (entry.action, entry.text.endswith("own change")) == ("protect.approve", True)


def test_a_preview_that_is_refused_has_the_address_of_the_preview_too(shown: Shown, people: dict[str, User]) -> None:
    deployer = people["deployer"]
    Role.objects.filter(name="deployer").update(permissions=["view", "deploy"])
    shown.client.force_login(deployer)
    [shown_yaml] = re.findall(
        r"<textarea[^>]*>(.*?)</textarea>", shown.client.get(f"{shown.path}yaml/").content.decode(), re.S
    )
    manifest = yaml.safe_load(unescape(shown_yaml))
    manifest["spec"]["traffic"] = [{"latestRevision": True, "percent": 100, "tag": "next"}]
    sent = shown.client.post(f"{shown.path}yaml/", {"manifest": yaml.safe_dump(manifest)}, follow=False)
    answer = shown.client.get(sent.wsgi_request.get_full_path(), headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Push-Url"]) == (403, sent.wsgi_request.get_full_path())
    assert [entry.action for entry in Entry.objects.filter(outcome="refused")] == ["traffic.refused"]
