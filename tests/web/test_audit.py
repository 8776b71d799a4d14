"""The pages of the audit log: what they show to whom, filters, files, and links that last."""

from __future__ import annotations

import json
import threading
from datetime import datetime

import pytest
from django.urls import reverse

from console import audit
from console.access import audit_exports
from console.access.actors import CONSOLE, Actor
from console.access.models import Grant
from console.audit import Outcome
from console.audit.models import Entry, Export, SavedFilter
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef
from console.operations.models import Operation, TimelineLine
from console.sealing import seal
from tests.broker import broker
from tests.web.pages import read

HERE, THERE = ServiceRef("box", "default", "shop"), ServiceRef("box", "other", "cart")


@pytest.fixture
def log(mirror, people):
    """An operation on shop with its two entries, one about cart, and a sign-in."""
    operation = Operation.objects.create(
        cluster="box", namespace="default", name="shop", kind="SetEnv", sealed_change=seal({}), sealed_seen=seal({}),
        actor="deployer", status="succeeded", finished_at="2026-11-24T10:00:00Z",
    )  # fmt: skip
    TimelineLine.objects.create(operation=operation, sequence=1, elapsed=0.1, text="Ready to serve.")
    deployer = Actor(people["deployer"].pk, "deployer", "192.0.2.1")
    rows = [FieldChange(("spec", "x"), "before <b>", "after")]
    audit.record(
        "deploy.SetEnv", actor=deployer, ref=HERE, outcome=Outcome.REQUESTED, changes=rows, operation=operation.id
    )
    audit.record("operation.succeeded", actor=deployer, ref=HERE, outcome=Outcome.SUCCEEDED, operation=operation.id)
    audit.record(
        "outside.change", actor=Actor(None, "bob"), ref=THERE, outcome=Outcome.SUCCEEDED, text="secret of cart"
    )
    audit.record("session.sign-in", actor=Actor(None, "mallory"), outcome=Outcome.REFUSED)
    return operation


def page(client, person, address: str = "audit", query: str = "", **arguments):
    client.force_login(person)  # which leaves an entry too
    return read(client.get(reverse(address, kwargs=arguments) + query))


def test_an_auditor_of_one_namespace_reads_nothing_of_another(client, log, people) -> None:
    text = page(client, people["auditor"]).text
    assert "default/shop" in text
    assert "mallory" not in text
    assert "other/cart" not in text
    assert client.get(reverse("audit-entry", kwargs={"sequence": 3})).status_code == 404
    assert client.get(reverse("audit-entry", kwargs={"sequence": 999})).status_code == 404
    exported = client.post(reverse("audit-export", kwargs={"form": "jsonl"})).content.decode()
    *lines, manifest = map(json.loads, exported.splitlines())
    assert {line["service"] for line in lines} == {"shop"}
    assert manifest["manifest"]["scope"] != "everything"
    stranger = page(client, people["stranger"]).text
    assert "secret of cart" in stranger
    assert "default/shop" not in stranger
    assert "mallory" in page(client, people["administrator"]).text


def test_an_entry_shows_difference_roles_team_and_the_operations_timeline(client, log, people) -> None:
    found = page(client, people["auditor"], "audit-entry", sequence=1)
    for words in ("before <b>", "(deployer)", "deployers", "192.0.2.1", "Ready to serve.", "operation.succeeded"):
        assert words in found.text
    assert reverse("operation", kwargs={"id": log.id}) in found.links
    assert found.inline == []


def test_an_entry_outlives_its_operation(client, log, people) -> None:
    log.delete()
    found = page(client, people["auditor"], "audit-entry", sequence=1)
    assert "no longer kept" in found.text
    assert not [link for link in found.links if "/operations/" in link and str(log.pk) in link]


def test_a_service_and_a_person_have_their_history(client, log, people) -> None:
    service = page(client, people["auditor"], "history", cluster="box", namespace="default", name="shop")
    (history,) = [link for link in service.links if link.startswith(f"{reverse('audit')}?")]
    shown = read(client.get(history))
    assert "History of shop" in shown.text
    assert f"{reverse('audit-person')}?name=deployer" in shown.links
    assert "Activity of deployer" in read(client.get(f"{reverse('audit')}?actor=deployer")).text
    viewer = page(client, people["viewer"], "service", cluster="box", namespace="default", name="shop")
    assert not [link for link in viewer.links if link.startswith(f"{reverse('audit')}?")]
    operation = page(client, people["auditor"], "operation", id=log.id)
    assert f"{reverse('audit')}?operation={log.id}" in operation.links
    assert "Only entries of one operation" in read(client.get(f"{reverse('audit')}?operation={log.id}")).text


def test_a_time_that_cannot_be_read_is_told_and_filters_are_kept(client, log, people) -> None:
    client.force_login(people["auditor"])
    response = client.get(reverse("audit") + "?since=soon&actor=deployer")
    assert response.status_code == 422
    assert "Not a valid period" in read(response).text
    assert 'value="deployer"' in response.content.decode()
    assert client.post(reverse("audit-export", kwargs={"form": "csv"}) + "?since=soon").status_code == 422


def test_a_filter_is_saved_found_replaced_and_removed_by_its_owner_only(client, log, people) -> None:
    client.force_login(people["auditor"])
    save = reverse("audit-filters") + "?actor=deployer&before=3&nonsense=1"
    assert client.post(save, {"name": "of deployer"}).url == f"{reverse('audit')}?actor=deployer"
    client.post(reverse("audit-filters") + "?outcome=failed", {"name": "of deployer"})
    assert [(f.name, f.query) for f in SavedFilter.objects.all()] == [("of deployer", "outcome=failed")]
    assert f"{reverse('audit')}?outcome=failed" in read(client.get(reverse("audit"))).links
    mine = SavedFilter.objects.get()
    assert "of deployer" not in page(client, people["owner"]).text
    assert client.post(reverse("audit-filter-remove", kwargs={"id": mine.id})).status_code == 404
    client.force_login(people["auditor"])
    client.post(reverse("audit-filter-remove", kwargs={"id": mine.id}))
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(
    ("name", "query", "words"),
    [("", "?actor=x", "at most 60"), ("n" * 61, "?actor=x", "at most 60"), ("mine", "", "Filter the list first")],
)
def test_a_filter_that_cannot_be_saved_is_told_why(client, log, people, name: str, query: str, words: str) -> None:
    client.force_login(people["auditor"])
    response = client.post(reverse("audit-filters") + query, {"name": name})
    assert response.status_code == 422
    assert words in read(response).text
    assert f'value="{name}"' in response.content.decode()
    assert not SavedFilter.objects.exists()


def test_a_big_export_becomes_a_page_with_a_file_for_its_owner(client, log, people, monkeypatch) -> None:
    monkeypatch.setattr(audit_exports, "MAX_DIRECT", 1)
    client.force_login(people["auditor"])
    with broker("memory://"):
        response = client.post(reverse("audit-export", kwargs={"form": "csv"}) + "?actor=deployer")
    one = Export.objects.get()
    assert response.url == reverse("audit-export-progress", kwargs={"id": one.id})
    file = reverse("audit-export-file", kwargs={"id": one.id})
    assert "0% of the log" in read(client.get(response.url)).text
    assert client.get(file).status_code == 404
    audit_exports.take_turn(str(one.id), one.reached, threading.Event())
    assert file in read(client.get(response.url)).links
    grant = Grant.objects.get(team__memberships__user=people["auditor"])
    grant.delete()
    Grant.objects.create(team=grant.team, role=grant.role, cluster="*", namespace="other")
    assert client.get(file).status_code == 404
    assert "Your audit permission has changed" in read(client.get(response.url)).text
    client.force_login(people["owner"])
    assert client.get(response.url).status_code == client.get(file).status_code == 404
    assert not Entry.objects.filter(action="audit.download").exists()


def test_a_summary_counts_changes_by_day_and_team(client, log, people) -> None:
    audit.record("operation.failed", actor=Actor(people["deployer"].pk, "deployer"), ref=HERE, outcome=Outcome.FAILED)
    audit.record("operation.superseded", actor=CONSOLE, ref=HERE, outcome=Outcome.FAILED)
    found = page(client, people["administrator"], "audit-summary", "?days=7")
    assert "3 changes · 1 failed (33%) · 1 external" in found.text
    assert "deployers 2 0 1 50% 0 0" in found.text
    assert "2 changes" not in page(client, people["stranger"], "audit-summary").text
    assert found.inline == []


def test_a_refused_submission_leaves_one_entry(client, log, people, world, ref) -> None:
    from console.access.models import Grant
    from console.knative.changes import EnvEntry, SetEnv
    from console.operations.submitting import previewing

    Grant.objects.update(cluster="*", namespace="*")
    effect = previewing.preview(SetEnv("app", (EnvEntry("TARGET", "x"),)), user=people["deployer"], ref=ref)
    Grant.objects.filter(team__name="deployers").delete()
    client.force_login(people["deployer"])
    assert client.post(reverse("submit", kwargs={"id": effect.preview.id})).status_code == 403
    (entry,) = Entry.objects.filter(action="deploy.refused")
    assert (entry.actor, entry.service) == ("deployer", ref.name)


@pytest.fixture
def midnight(mirror, people):
    """Two ends of changes, an hour before and an hour after midnight UTC."""
    for at in ("2026-11-23T23:00:00+00:00", "2026-11-24T01:00:00+00:00"):
        actor = Actor(people["deployer"].pk, "deployer")
        audit.record("operation.succeeded", actor=actor, ref=HERE, outcome=Outcome.SUCCEEDED, at=moment_of(at))


def moment_of(text: str):
    return datetime.fromisoformat(text)


def test_a_summary_of_a_period_has_the_days_of_its_zone(client, midnight, people) -> None:
    found = page(client, people["auditor"], "audit-summary", "?since=2026-11-23&until=2026-11-24")
    assert f"{reverse('audit')}?since=2026-11-24&until=2026-11-24&zone=UTC" in found.links
    assert ("2026-11-23 1 0 0" in found.text, "2026-11-24 1 0 0" in found.text) == (True, True)
    found = page(
        client,
        people["auditor"],
        "audit-summary",
        "?since=2026-11-24&since_time=00:00&until=2026-11-24&zone=Asia/Tokyo",
    )
    assert "2026-11-24 2 0 0" in found.text
    assert f"{reverse('audit')}?since=2026-11-24&until=2026-11-24&zone=Asia%2FTokyo" in found.links


@pytest.mark.parametrize("query", ["?since=2026-01-01&until=2026-11-24", "?since=soon", "?since=2026-11-24&zone=Mars"])
def test_a_summary_says_which_period_it_cannot_have(client, midnight, people, query: str) -> None:
    client.force_login(people["auditor"])
    response = client.get(reverse("audit-summary") + query)
    assert response.status_code == 422
    assert "Not a valid period. Enter at most 92 days" in read(response).text


def test_the_log_and_operations_are_filtered_by_times_of_a_zone(client, midnight, log, people) -> None:
    query = "?since=2026-11-24&since_time=09:30&until=2026-11-24&until_time=10:30&zone=Asia/Tokyo"
    assert f"{reverse('audit-entry', kwargs={'sequence': 2})}" in page(client, people["auditor"], "audit", query).links
    assert reverse("audit-entry", kwargs={"sequence": 1}) not in page(client, people["auditor"], "audit", query).links
    Operation.objects.filter(id=log.id).update(submitted_at="2026-11-24T01:00:00+00:00")
    shown = reverse("operation", kwargs={"id": log.id})
    assert shown in page(client, people["auditor"], "operations", query).links
    assert shown not in page(client, people["auditor"], "operations", query.replace("Tokyo", "Kolkata")).links
    assert client.get(reverse("operations") + "?since=soon").status_code == 422


def test_a_zone_alone_is_no_filter(client, log, people) -> None:
    client.force_login(people["auditor"])
    client.post(reverse("audit-filters") + "?actor=deployer&zone=UTC", {"name": "of deployer"})
    assert SavedFilter.objects.get().query == "actor=deployer"


def test_files_have_the_filter_of_the_page_and_only_a_filtered_page_is_reset(client, log, people) -> None:
    client.force_login(people["administrator"])
    plain = client.get("/audit/").content.decode()
    filtered = client.get("/audit/?q=shop&actor=owner&after=1").content.decode()
    for form in ("csv", "jsonl"):
        assert f'action="/audit/export.{form}?q=shop&amp;actor=owner"' in filtered
    assert ">Reset</a>" in filtered
    assert ">Reset</a>" not in plain
