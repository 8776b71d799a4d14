"""A service's history page: who served when, and the way back to a split of then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.audit import Outcome
from console.knative import changes, traffic
from console.knative.changes import SplitTraffic
from console.knative.diff import diff
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.operations.models import Operation
from console.sealing import seal
from tests import factories
from tests.web.pages import read

SHOP = {"cluster": "box", "namespace": "default", "name": "shop"}


@pytest.fixture
def split(mirror, people) -> Operation:
    """The traffic as it is now, three days old; before it shop-00001 served all."""
    serving = Service(factories.service())
    targets = tuple(TrafficTarget(name, percent) for name, percent in traffic.shares(serving.status_traffic).items())
    return make(SplitTraffic(targets), served_by("shop-00001"), days_ago=3)


def served_by(revision: str) -> Service:
    """The service when one revision had all of its traffic."""
    raw, split = factories.service(), [{"revisionName": revision, "percent": 100}]
    return Service({**raw, "spec": {**raw["spec"], "traffic": split}, "status": {**raw["status"], "traffic": split}})


ALL_TO_FIRST = SplitTraffic((TrafficTarget("shop-00001", 100),))


def make(change: changes.Change, seen: Service, *, days_ago: float) -> Operation:
    at = timezone.now() - timedelta(days=days_ago)
    rows = diff(seen.raw, change.apply(seen).raw)
    return Operation.objects.create(
        **SHOP, kind="SplitTraffic", sealed_change=seal(changes.dump(change)), sealed_seen=seal(dict(seen.raw)),
        changes=[{"path": row.path, "before": row.before, "after": row.after} for row in rows], actor="dora",
        status="succeeded", is_written=True, submitted_at=at, finished_at=at,
    )  # fmt: skip


def page(client, person, **query: Any):
    client.force_login(person)
    return read(client.get(reverse("history", kwargs=SHOP), query))


def test_the_chart_names_its_revisions_and_says_from_when_it_is_recorded(client, people, split) -> None:
    text = page(client, people["viewer"]).text
    assert "Traffic over time" in text
    assert f"Not recorded before {split.finished_at:%Y-%m-%d %H:%M} UTC" in text
    assert "Split traffic by dora" in text


def test_the_chart_of_a_young_service_is_as_wide_as_its_history(client, people, split) -> None:
    client.force_login(people["viewer"])
    response = client.get(reverse("history", kwargs=SHOP))
    first = response.context["traffic_chart"].marks[0]
    assert float(first.x.rstrip("%")) == 0, "not in the last fifth of two weeks"


def test_the_moment_that_is_pointed_at_is_marked_in_the_chart_and_in_the_table(client, people, split) -> None:
    make(ALL_TO_FIRST, served_by("shop-00002"), days_ago=6)
    shown = page(client, people["viewer"])
    moment = next(link for link in shown.links if "moment=" in link)
    response = client.get(reverse("history", kwargs=SHOP) + moment)
    marked = [mark for mark in response.context["traffic_chart"].marks if "chart-chosen" in mark.css]
    assert {mark.href for mark in marked} == {response.context["moment"].href}
    assert response.content.decode().count('<tr aria-current="true">') == 1


def test_a_period_shows_what_served_in_it_also_when_hundreds_of_changes_came_after(client, people, split) -> None:
    make(ALL_TO_FIRST, served_by("shop-00002"), days_ago=200)
    all_to_second = SplitTraffic((TrafficTarget("shop-00002", 100),))
    later = make(all_to_second, served_by("shop-00001"), days_ago=190)
    Operation.objects.bulk_create(copy_of(later, hours=hour) for hour in range(1, 310))
    client.force_login(people["viewer"])

    def shown(*days_ago: int) -> list[Any]:
        since, until = (f"{timezone.now() - timedelta(days=ago):%Y-%m-%d}" for ago in days_ago)
        response = client.get(reverse("history", kwargs=SHOP), {"since": since, "until": until, "zone": "Asia/Tokyo"})
        moments = response.context["moments"]
        assert all(f"since={since}&until={until}" in one.href for one in moments)
        return [one.step.shares for one in moments]

    assert shown(210, 205) == [], "nothing is recorded of that time"
    assert shown(198, 195) == [{"shop-00001": 100}]


def copy_of(operation: Operation, *, hours: int) -> Operation:
    fields = {f.attname: getattr(operation, f.attname) for f in operation._meta.concrete_fields if f.attname != "id"}
    return Operation(**fields | {"finished_at": operation.finished_at + timedelta(hours=hours)})


def test_the_entries_below_are_those_of_the_period(client, people, split) -> None:
    audit.record("deploy.SetEnv", actor=Actor(None, "otto"), ref=ServiceRef(*SHOP.values()), outcome=Outcome.REQUESTED)
    tomorrow, day_after = (f"{timezone.now() + timedelta(days=days):%Y-%m-%d}" for days in (1, 2))
    assert "otto" in page(client, people["viewer"]).text
    assert "otto" not in page(client, people["viewer"], since=tomorrow, until=day_after).text


def test_a_service_without_changes_says_when_the_chart_begins(client, mirror, people) -> None:
    assert "The chart begins with the first change." in page(client, people["viewer"]).text


def test_a_step_leads_to_its_split_and_from_there_to_the_form_with_it(client, people, split) -> None:
    before = make(ALL_TO_FIRST, served_by("shop-00002"), days_ago=6)
    found = page(client, people["deployer"], moment=before.finished_at.isoformat())
    back = next(link for link in found.links if "share=shop-00001" in link)
    assert "Go back to this split" in found.text
    form = read(client.get(back.replace("&amp;", "&")))
    assert "shop-00001" in form.text


def test_who_may_not_split_traffic_sees_the_moment_without_a_way_back(client, people, split) -> None:
    before = make(ALL_TO_FIRST, served_by("shop-00002"), days_ago=6)
    assert "Go back to this split" not in page(client, people["viewer"], moment=before.finished_at.isoformat()).text


@pytest.mark.parametrize("moment", ["", "yesterday", "2026-11-01", "1970-01-01T00:00:00+00:00"])
def test_a_moment_that_is_none_points_at_nothing(client, people, split, moment) -> None:
    client.force_login(people["viewer"])
    response = client.get(reverse("history", kwargs=SHOP), {"moment": moment, "days": "999"})
    assert "moment-title" not in response.content.decode()


def test_each_link_of_the_chart_still_points_at_its_step_when_it_is_followed_later(client, people, split) -> None:
    make(ALL_TO_FIRST, served_by("shop-00002"), days_ago=20)
    links = {link for link in page(client, people["viewer"]).links if "moment=" in link}
    assert len(links) == 2
    for link in links:
        later = client.get(reverse("history", kwargs=SHOP) + link.partition("#")[0])
        assert 'id="moment"' in later.content.decode(), link
