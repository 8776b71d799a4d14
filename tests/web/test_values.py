"""Who sees the value of a variable where a decision depends on it, and what the log keeps of it."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from console.access.models import Role
from console.audit.models import Entry
from console.cluster.resources import REVISIONS
from console.operations.models import Operation, Preview
from console.operations.models.protection import ProtectionRule
from tests import factories
from tests.web.conftest import FormClient
from tests.web.pages import read
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]

OLD, NEW = "First", "canary-typed-value"
FIELD = "spec.template.spec.containers[app].env[TARGET].value"


def sign_in(people, name: str) -> Client:
    client = FormClient()
    client.force_login(people[name])
    return client


def test_the_author_sees_what_they_typed_and_not_what_they_may_not_reveal(shown: Shown, people) -> None:
    role = Role.objects.get(name="deployer")
    role.permissions = [permission for permission in role.permissions if permission != "reveal"]
    role.save()
    shown.client.force_login(people["deployer"])
    page = shown.set_target(NEW)
    assert f"{FIELD} •••• {NEW}" in read(page).text
    assert OLD not in page.content.decode()
    assert not Entry.objects.filter(action__startswith="reveal").exists()


def test_the_author_who_may_reveal_sees_both_and_the_log_names_the_variable(shown: Shown, people) -> None:
    shown.client.force_login(people["owner"])
    assert f"{FIELD} {OLD} {NEW}" in read(shown.set_target(NEW)).text
    entry = Entry.objects.get(action="reveal.Preview")
    assert (entry.actor, entry.service, entry.text) == ("owner", shown.name, "app/TARGET")


def test_nothing_that_is_kept_has_the_values(shown: Shown, people) -> None:
    shown.client.force_login(people["owner"])
    shown.set_target(NEW)
    preview = Preview.objects.get()
    shown.client.post(f"/previews/{preview.id}/submit/")
    operation = Operation.objects.get()
    kept = [preview.kn, preview.changes, operation.kn, operation.changes, operation.cause]
    kept += [[entry.text, entry.changes] for entry in Entry.objects.all()]
    for value in (OLD, NEW):
        assert value not in json.dumps(kept, default=str)
    assert NEW not in shown.client.get(f"/operations/{operation.id}/").content.decode()


def waiting(shown: Shown, people) -> Operation:
    ProtectionRule.objects.create(permissions=["deploy"], needs_reason=False)
    shown.client.force_login(people["deployer"])
    shown.set_target(NEW)
    shown.client.post(f"/previews/{Preview.objects.get().id}/submit/")
    return Operation.objects.get()


def test_an_approver_who_may_reveal_decides_with_open_eyes(shown: Shown, people) -> None:
    operation = waiting(shown, people)
    page = sign_in(people, "owner").get(f"/operations/{operation.id}/")
    assert f"{FIELD} {OLD} {NEW}" in read(page).text
    entry = Entry.objects.get(action="reveal.Approval")
    assert (entry.actor, entry.text) == ("owner", "app/TARGET")


@pytest.mark.parametrize("name", ["deployer", "viewer", "operator"])
def test_others_see_that_it_differs(shown: Shown, people, name: str) -> None:
    operation = waiting(shown, people)
    page = sign_in(people, name).get(f"/operations/{operation.id}/")
    assert f"{FIELD} •••• •••• (differs)" in read(page).text
    for value in (OLD, NEW):
        assert value not in page.content.decode()
    assert not Entry.objects.filter(action="reveal.Approval").exists()


def test_a_page_of_a_decided_change_shows_no_values(shown: Shown, people) -> None:
    operation = waiting(shown, people)
    approver = sign_in(people, "owner")
    approver.post(f"/operations/{operation.id}/decline/", {"comment": "no"})
    page = approver.get(f"/operations/{operation.id}/").content.decode()
    for value in (OLD, NEW):
        assert value not in page


def test_two_revisions_with_different_values_differ_also_masked(client, mirror, people) -> None:
    older = factories.revision(number=3)
    older["spec"]["containers"][0]["env"][1]["value"] = "another-secret"
    mirror.put(REVISIONS, older)
    client.force_login(people["viewer"])
    text = read(client.get("/services/box/default/shop/revisions/shop-00004/?with=shop-00003")).text
    assert "containers[app].env[PASSWORD].value •••• •••• (differs)" in text


def test_the_author_of_a_new_service_sees_the_values_that_they_typed(shown: Shown) -> None:
    typed = {"place": "box/default", "name": f"{shown.name}-new", "image": "example.com/shop", "variables": f"A={NEW}"}
    page = read(shown.client.post("/services/new/", typed)).text
    assert NEW in page.partition("Changes")[2].partition("Equivalent kn command")[0]
    assert NEW not in page.partition("Equivalent kn command")[2]
    assert not Entry.objects.filter(action__startswith="reveal").exists(), "no value of anybody else's was shown"
