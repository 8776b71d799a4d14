"""The summary of the last days counts what the person may see, and by how it came out."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.audit import Outcome
from console.audit.models import Entry
from console.audit.summary import BY_PEOPLE, last_days, summarize
from console.knative.references import ServiceRef
from console.operations.activity import activity
from console.operations.models import Operation
from console.operations.models.statuses import BY_PEOPLE as STATUSES_BY_PEOPLE
from console.operations.models.statuses import OPEN, SUCCESSFUL
from console.sealing import seal
from tests.web.pages import read


def make(status: str, *, days_ago: int = 0, actor: str = "dora", namespace: str = "default") -> None:
    Operation.objects.create(
        cluster="box",
        namespace=namespace,
        name="shop",
        kind="SetEnv",
        sealed_change=seal({}),
        sealed_seen=seal({}),
        actor=actor,
        status=status,
        submitted_at=timezone.now() - timedelta(days=days_ago + 3),
        finished_at=None if status in OPEN else timezone.now() - timedelta(days=days_ago),
    )


def test_operations_on_thousands_of_services_are_found_for_a_person_of_a_team(client, mirror, people) -> None:
    facts = {"cluster": "box", "namespace": "default", "kind": "SetEnv", "status": "failed"}
    sealed = {"sealed_change": seal({}), "sealed_seen": seal({})}
    Operation.objects.bulk_create(Operation(**facts, **sealed, name=f"s{number}") for number in range(1500))
    client.force_login(people["viewer"])
    found = read(client.get("/operations/?status=failed"))
    assert "default/s1499" in found.text
    assert any("before=" in link for link in found.links), "there are older ones"


@pytest.mark.django_db
def test_changes_are_counted_by_day_person_and_outcome() -> None:
    for status in ("succeeded", "succeeded-not-serving", "failed", "timed-out", "cancelled", "stopped", "following"):
        make(status)
    make("refused", days_ago=3, actor="otto")
    make("succeeded", days_ago=30)
    found = activity(Operation.objects.all(), *last_days(14, timezone.now()))
    assert (found.all.total, found.all.succeeded, found.all.failed, found.all.stopped) == (7, 2, 3, 2)
    assert found.in_progress == 1
    assert round(found.failed_percent) == 43
    assert len(found.days) == 14
    assert [count.total for _day, count in found.days if count.total] == [1, 6]
    assert [(name, count.total) for name, count in found.people] == [("dora", 6), ("otto", 1)]


@pytest.mark.django_db
def test_no_change_is_no_failure() -> None:
    found = activity(Operation.objects.all(), *last_days(14, timezone.now()))
    assert (found.all.total, found.failed_percent) == (0, 0.0)


def test_the_page_counts_only_what_the_person_may_see(client, mirror, people) -> None:
    make("succeeded", actor="dora")
    make("failed", actor="somebody-else", namespace="other")
    client.force_login(people["viewer"])
    text = read(client.get("/activity/")).text
    assert "1 change " in text
    assert "dora" in text
    assert "somebody-else" not in text


@pytest.mark.django_db
def test_activity_and_the_audit_logs_summary_tell_the_same_numbers() -> None:
    ref = ServiceRef("box", "default", "shop")
    for status in ("succeeded", "unchanged", "failed", "refused", "cancelled", "stopped", "superseded"):
        make(status)
        outcome = Outcome.SUCCEEDED if status in SUCCESSFUL else Outcome.FAILED
        audit.record(f"operation.{status}", actor=Actor(None, "dora"), ref=ref, outcome=outcome)
    now = timezone.now()
    changes, log = (
        activity(Operation.objects.all(), *last_days(14, now)).all,
        summarize(Entry.objects.all(), *last_days(14, now)).all,
    )
    assert (log.changes, log.succeeded, log.stopped, log.failed) == (7, 2, 3, 2)
    assert (changes.total, changes.succeeded, changes.stopped, changes.failed) == (7, 2, 3, 2)


def ended(at: str, actor: str) -> None:
    make("succeeded", actor=actor)
    Operation.objects.filter(actor=actor).update(finished_at=datetime.fromisoformat(at))


def test_a_period_of_the_address_is_counted_by_the_days_of_its_zone(client, mirror, people) -> None:
    ended("2026-03-01T22:59:59+00:00", "before")
    ended("2026-03-01T23:00:00+00:00", "first")  # the 2nd in Berlin
    ended("2026-03-03T22:59:59+00:00", "last")
    ended("2026-03-03T23:00:00+00:00", "after")
    client.force_login(people["viewer"])
    page = client.get("/activity/?since=2026-03-02&until=2026-03-03&zone=Europe/Berlin")
    found = page.context["activity"]
    assert {name for name, _count in found.people} == {"first", "last"}
    assert [(f"{day}", count.total) for day, count in found.days] == [("2026-03-02", 1), ("2026-03-03", 1)]
    assert 'value="2026-03-02"' in page.content.decode(), "the fields keep what was asked for"


def test_a_quarter_in_which_clocks_are_put_back_is_no_longer_than_another(client, mirror, people) -> None:
    client.force_login(people["viewer"])
    page = client.get("/activity/?since=2026-10-01&until=2026-12-31&zone=Europe/Berlin")
    assert page.status_code == 200
    assert len(page.context["activity"].days) == 92


@pytest.mark.parametrize(
    "asked", ["since=2026-13-01", "since=2026-01-01&until=2026-12-31", "until=2026-03-02&zone=Mars"]
)
@pytest.mark.parametrize("path", ["/activity/", "/services/box/default/shop/history/"])
def test_a_period_that_is_wrong_or_too_long_is_said_and_the_last_days_are_shown(
    client, mirror, people, path: str, asked: str
) -> None:
    client.force_login(people["viewer"])
    page = client.get(f"{path}?{asked}")
    assert page.status_code == 422
    assert "Not a valid period. Enter at most 92 days" in read(page).text
    assert page.context["days"] == 14


def test_both_count_the_same_ends_as_made_by_people() -> None:
    assert tuple(status.value for status in STATUSES_BY_PEOPLE) == BY_PEOPLE


def test_the_chart_has_an_axis_dates_a_legend_and_a_table(client, mirror, people) -> None:
    make("succeeded")
    make("failed", days_ago=2)
    client.force_login(people["viewer"])
    page = read(client.get("/activity/"))
    assert {"Succeeded", "Failed"} <= set(page.text.split())
    assert f"{timezone.now():%-d %b}" in page.text
