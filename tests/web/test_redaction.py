"""An administrator takes a secret out of the audit log by its page; nobody else can, and nothing is hidden by it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from console import audit
from console.access.actors import Actor
from console.audit import Outcome
from console.audit.models import Entry
from console.audit.verification import verify
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef
from tests.web.conftest import FormClient
from tests.web.pages import read

SECRET = "canary-8a41b7c9d2"
HERE = ServiceRef("box", "default", "shop")


@pytest.fixture
def leaky(mirror, people) -> Entry:
    rows = [FieldChange(("metadata", "annotations", "note"), None, f"the password is {SECRET}")]
    return audit.record("outside", actor=Actor(None, "bob"), ref=HERE, outcome=Outcome.SUCCEEDED, changes=rows)


def sign_in(people, name: str) -> Client:
    client = FormClient()
    client.force_login(people[name])
    return client


def address(name: str, entry: Entry) -> str:
    return reverse(name, kwargs={"sequence": entry.sequence})


def typed(entry: Entry, **more: str) -> dict[str, str]:
    return {"field": "changes[0].after", "reason": "a password", "confirm": str(entry.sequence)} | more


def test_an_administrator_takes_a_secret_out_and_everybody_sees_that(leaky: Entry, people) -> None:
    administrator = sign_in(people, "administrator")
    assert "Redact a field" in read(administrator.get(address("audit-entry", leaky))).text
    page = read(administrator.get(address("audit-redact", leaky))).text
    assert f"note, After: the password is {SECRET}" in page
    response = administrator.post(address("audit-redact", leaky), typed(leaky))
    assert response["Location"] == address("audit-entry", leaky)
    telling = Entry.objects.get(action="audit.redact")
    assert (telling.actor, telling.service) == ("administrator", "shop")
    auditor = sign_in(people, "auditor")
    text = read(auditor.get(address("audit-entry", leaky))).text
    assert f"A field of this entry was redacted: Entry {telling.sequence}" in text
    assert f"Entry {leaky.sequence}" in read(auditor.get(address("audit-entry", telling))).text
    assert SECRET not in text
    assert SECRET not in auditor.post(reverse("audit-export", kwargs={"form": "csv"})).content.decode()
    assert verify() == Entry.objects.count()


@pytest.mark.parametrize("name", ["auditor", "owner", "stranger"])
def test_nobody_but_administrators_redacts(leaky: Entry, people, name: str) -> None:
    client = sign_in(people, name)
    assert client.get(address("audit-redact", leaky)).status_code == 403
    assert client.post(address("audit-redact", leaky), typed(leaky)).status_code == 403
    assert Entry.objects.get(sequence=leaky.sequence).changes == leaky.changes
    if name != "stranger":
        assert "Redact" not in read(client.get(address("audit-entry", leaky))).text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"confirm": "1234567"}, "The number does not match."),
        ({"reason": ""}, "This field is required."),
        ({"reason": f"it was {SECRET}, as one sees"}, "repeats what is to be redacted"),
        ({"field": "outcome"}, "Select a valid choice."),
        ({"field": "text"}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_redacted(leaky: Entry, people, more: dict[str, str], words: str) -> None:
    response = sign_in(people, "administrator").post(address("audit-redact", leaky), typed(leaky, **more))
    assert response.status_code == 422
    assert words in read(response).text
    assert not Entry.objects.filter(action="audit.redact").exists()


def test_a_redaction_is_not_hidden_by_a_second_one(leaky: Entry, people) -> None:
    administrator = sign_in(people, "administrator")
    administrator.post(address("audit-redact", leaky), typed(leaky))
    telling = Entry.objects.get(action="audit.redact")
    assert administrator.post(address("audit-redact", leaky), typed(leaky)).status_code == 422
    page = read(administrator.get(address("audit-redact", telling))).text
    assert "This entry has no field that can be redacted." in page
    tried = administrator.post(address("audit-redact", telling), typed(telling, field="text"))
    assert tried.status_code == 422
    assert Entry.objects.filter(action="audit.redact").count() == 1
