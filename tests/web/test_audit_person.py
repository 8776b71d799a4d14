"""Everything a person did and what was done to them: sign-ins, reads, reveals, changes, decisions."""

from __future__ import annotations

import json
import uuid

import pytest
from django.urls import reverse

from console import audit
from console.access.actors import Actor
from console.audit import Outcome
from console.audit.models import Entry
from console.knative.references import ServiceRef
from tests.web.pages import read

HERE, THERE = ServiceRef("box", "default", "shop"), ServiceRef("box", "other", "cart")
OPERATION = uuid.UUID("3eff378a-7724-43ba-8db3-435aec472a26")


@pytest.fixture
def log(mirror, people):
    dora, admin = Actor(people["deployer"].pk, "deployer", "192.0.2.1"), Actor(people["administrator"].pk, "boss")
    one = Outcome.SUCCEEDED
    audit.record("deploy.SetEnv", actor=dora, ref=HERE, outcome=Outcome.REQUESTED, operation=OPERATION)
    audit.record("protect.approve", actor=admin, ref=HERE, outcome=one, operation=OPERATION, text="SetEnv x")
    audit.record("reveal.Env", actor=dora, ref=THERE, outcome=one, text="PASSWORD")
    audit.record("session.sign-in", actor=Actor(None, "deployer"), outcome=Outcome.REFUSED, text="method password")
    audit.record("manage.AddMember", actor=admin, outcome=one, text="deployer in Shop")
    audit.record("manage.AddMember", actor=admin, outcome=one, text="deployer2 in Shop")
    audit.record("token.revoke", actor=admin, outcome=one, text="ci (slc_ab…) of deployer")
    audit.record("outside.change", actor=Actor(None, "deployer"), ref=HERE, outcome=one)


def page(client, person, query: str = "?name=deployer"):
    client.force_login(person)
    return read(client.get(reverse("audit-person") + query))


def exported(client, query: str) -> list[dict]:
    answer = client.post(f"{reverse('audit-export', kwargs={'form': 'jsonl'})}?{query}").content.decode()
    return [json.loads(line) for line in answer.splitlines()][:-1]


def test_it_has_what_the_person_did_and_what_was_done_to_them_and_nothing_of_others(client, log, people) -> None:
    found = page(client, people["administrator"])
    for words in (
        "deployer changed default/shop", "boss approved deployer 's change", "revealed values of other/cart (PASSWORD)",
        "tried to sign in", "added deployer to the team Shop", "revoked an API token",
    ):  # fmt: skip
        assert words in found.text, words
    assert "deployer2" not in found.text
    assert "cluster identity)" not in found.text
    assert found.inline == []
    rows = exported(client, "person=deployer&group=")
    assert {row["action"] for row in rows} >= {"deploy.SetEnv", "protect.approve", "reveal.Env", "token.revoke"}
    assert not [row for row in rows if "deployer2" in row["text"] or row["action"].startswith("outside.")]


def test_an_auditor_of_one_namespace_sees_it_only_also_in_counts_and_files(client, log, people) -> None:
    found = page(client, people["auditor"])
    assert "approved" in found.text
    for hidden in ("PASSWORD", "Sign-in and accounts", "Values revealed", "Teams and grants"):
        assert hidden not in found.text
    assert {row["action"] for row in exported(client, "person=deployer")} == {"deploy.SetEnv", "protect.approve"}


def test_kinds_and_periods_narrow_it(client, log, people) -> None:
    found = page(client, people["administrator"], "?name=deployer&group=reveals")
    assert "PASSWORD" in found.text
    assert "tried to sign in" not in found.text
    assert "No entries of this person" in page(client, people["administrator"], "?name=deployer&until=2020-01-01").text
    client.force_login(people["administrator"])
    assert client.get(reverse("audit-person") + "?name=deployer&since=soon").status_code == 422
    assert "A person" in page(client, people["administrator"], "").text


def test_it_is_linked_from_names_in_the_log_and_from_the_account(client, log, people) -> None:
    client.force_login(people["administrator"])
    address = f"{reverse('audit-person')}?name=deployer"
    assert address in read(client.get(reverse("audit"))).links
    assert address in read(client.get(reverse("person", kwargs={"id": people["deployer"].pk}))).links


def test_a_page_of_the_log_leaves_one_entry_an_hour_and_no_copy_of_what_was_typed(client, log, people) -> None:
    client.force_login(people["auditor"])
    for query in ("", "?q=secret-thing", "?actor=deployer"):
        client.get(reverse("audit") + query)
    client.get(reverse("audit-summary"))
    found = Entry.objects.filter(action="read.audit").order_by("sequence")
    assert [one.text for one in found] == ["page audit", "page audit-summary"]
    assert {one.actor_id for one in found} == {people["auditor"].pk}


def test_container_logs_that_somebody_opened_leave_an_entry_for_the_revision(client, log, people) -> None:
    client.force_login(people["viewer"])
    place = {"cluster": "box", "namespace": "default", "name": "shop", "revision": "shop-00004"}
    for query in ("", "?follow=1", "?lines=500"):
        assert client.get(reverse("logs", kwargs=place) + query).status_code == 200
    (entry,) = Entry.objects.filter(action="read.logs")
    assert (entry.actor, entry.service, entry.text) == ("viewer", "shop", "revision shop-00004")
