"""Past permissions: the page and its files answer from the log alone, within what the reader audits."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from console.access import grants, people, roles, snapshots, teams
from console.access.actors import Actor
from console.access.models import Grant, Membership, Role, Team, User
from console.access.scopes import Scope
from console.audit.models import Entry
from tests.web.pages import read


@pytest.fixture
def past(people: dict[str, User]) -> datetime:
    """Ann deployed to payments by the role shipper of the team Pay until the moment; then all of them went."""
    root = people["administrator"]
    by = {"user": root, "actor": Actor(root.pk, "administrator")}
    snapshots.check()
    ann = _person("ann", by)
    role = roles.create("shipper", ["view", "deploy"], **by)
    team = teams.create("Pay", ann, **by)
    grants.add(team, role, Scope("box", "payments"), **by)
    grants.add(team, Role.objects.get(name="operator"), Scope("box", "default", {"app": "shop"}), **by)
    moment = timezone.now()
    teams.delete(team, **by)
    roles.delete(role, **by)
    User.objects.filter(pk=ann.pk).delete()
    snapshots.check()
    return moment


def _person(name: str, by: dict) -> User:
    return people.create(name, **by)[0]


def rows(client, person: User, moment: datetime, **asked: str) -> list[dict]:
    client.force_login(person)
    query = {"at": moment.isoformat(), **asked}
    response = client.post(reverse("audit-rights-export", kwargs={"form": "json"}, query=query))
    return json.loads(response.content)["rows"]


def test_who_could_deploy_then_and_why_though_all_of_it_is_gone(client, past: datetime, people) -> None:
    client.force_login(people["administrator"])
    query = {"at": past.isoformat(), "cluster": "box", "namespace": "payments", "permission": "deploy"}
    response = client.get(reverse("audit-rights", query=query))
    page = read(response)
    assert response.status_code == 200
    assert "ann view, deploy Role shipper via team Pay namespace payments in box" in page.text
    assert "administrator" in page.text
    assert "deployer" not in page.text
    given = Entry.objects.get(action="manage.AddGrant", text="Pay: shipper box/payments")
    assert reverse("audit-entry", kwargs={"sequence": given.sequence}) in page.links
    on_clocks = f"{past.astimezone(ZoneInfo('Asia/Kolkata')):%Y-%m-%d %H:%M} Asia/Kolkata"
    assert on_clocks in read(client.get(reverse("audit-rights", query={**query, "zone": "Asia/Kolkata"}))).text
    now = client.get(reverse("audit-rights", query={**query, "at": ""}))
    assert "shipper" not in read(now).text


def test_each_row_of_the_files_has_reason_scope_and_entries(client, past: datetime, people) -> None:
    found = rows(client, people["administrator"], past, q="ann")
    assert [
        (one["reason"], one["role"], one["team"], one["cluster"], one["namespace"], one["labels"]) for one in found
    ] == [
        ("grant", "operator", "Pay", "box", "default", "app=shop"),
        ("grant", "shipper", "Pay", "box", "payments", ""),
    ]
    assert [one["only_with_labels"] for one in found] == [True, False]
    assert all(Entry.objects.filter(sequence__in=one["entries"]).count() >= 3 for one in found)
    response = client.post(
        reverse("audit-rights-export", kwargs={"form": "csv"}, query={"at": past.isoformat(), "q": "ann"})
    )
    table = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [(one["person"], one["permissions"], one["only_with_labels"]) for one in table] == [
        ("ann", "view; traffic; operate", "True"),
        ("ann", "view; deploy", "False"),
    ]
    assert Entry.objects.filter(action="audit.export", text__startswith="csv rights at=").exists()


def test_labels_decide_where_they_are_named(client, past: datetime, people) -> None:
    found = [rows(client, people["administrator"], past, q="ann", namespace="default", labels=labels)
             for labels in ("app=shop,tier=front", "app=other")]  # fmt: skip
    assert [[(one["role"], one["only_with_labels"]) for one in each] for each in found] == [[("operator", False)], []]


def test_an_auditor_of_one_namespace_learns_nothing_of_another(client, past: datetime, people) -> None:
    auditor = people["auditor"]
    assert rows(client, auditor, past, namespace="payments") == []
    everywhere = rows(client, auditor, past)
    assert {one["namespace"] for one in everywhere} == {"default", "*"}
    assert "shipper" not in str(everywhere)
    page = read(client.get(reverse("audit-rights", query={"at": past.isoformat(), "namespace": "payments"})))
    assert "You do not audit this cluster or namespace." in page.text
    assert "ann" not in page.text.split()


def test_the_page_says_from_when_it_knows_and_what_is_in_doubt(client, people) -> None:
    client.force_login(people["administrator"])
    early = read(client.get(reverse("audit-rights"))).text
    assert "recording of permissions has not begun" in early
    before = timezone.now() - timedelta(seconds=1)
    snapshots.check()
    since = timezone.now()
    Grant.objects.filter(team__name="deployers").delete()
    snapshots.check()
    answers = [json.loads(_file(client, moment)) for moment in (before, since, timezone.now())]
    assert [(one["log_is_complete"], bool(one["in_doubt"]), bool(one["rows"])) for one in answers] == [
        (False, False, False),
        (False, True, True),
        (True, False, True),
    ]
    assert "Unknown: recording of permissions began on" in read(_page(client, before)).text
    assert "In doubt" in read(_page(client, since)).text


def _page(client, moment: datetime):
    return client.get(reverse("audit-rights", query={"at": moment.isoformat()}))


def _file(client, moment: datetime) -> bytes:
    query = {"at": moment.isoformat()}
    return client.post(reverse("audit-rights-export", kwargs={"form": "json"}, query=query)).content


@pytest.mark.parametrize(
    "query",
    [
        {"at": "yesterday"},
        {"zone": "Mars/Olympus"},
        {"labels": "app"},
        {"permission": "fly"},
        {"at": "0001-01-01T00:00+23:00"},
    ],
)
def test_what_cannot_be_read_is_told_beside_its_field(client, people, query: dict[str, str]) -> None:
    client.force_login(people["administrator"])
    assert client.get(reverse("audit-rights", query=query)).status_code == 422
    assert client.post(reverse("audit-rights-export", kwargs={"form": "csv"}, query=query)).status_code == 422


def test_the_list_pages_and_keeps_its_state(client, people) -> None:
    team = Team.objects.get(name="deployers")
    users = User.objects.bulk_create(User(username=f"person{number:02}") for number in range(60))
    Membership.objects.bulk_create(Membership(user=user, team=team) for user in users)
    snapshots.check()
    client.force_login(people["administrator"])
    page = read(client.get(reverse("audit-rights", query={"sort": "-person", "namespace": "default"})))
    assert "page 1 of 2" in page.text
    assert any("page=2" in link and "namespace=default" in link for link in page.links)
