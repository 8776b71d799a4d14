"""Filters find what they say, pages join without a gap, and no filter makes the database read the whole log."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.audit import Outcome, chain, searching
from console.audit.models import Entry
from console.audit.searching import newer, older, search
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef

BOB = Actor(None, "bob")
SHOP, CART = ServiceRef("box", "default", "shop"), ServiceRef("box", "other", "cart")


@pytest.fixture
def log(db, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty entries, one a day until today: every third about cart, every fifth refused."""
    now = timezone.now()
    for number in range(1, 31):
        monkeypatch.setattr(chain.timezone, "now", lambda number=number: now - timedelta(days=30 - number))
        audit.record(
            "deploy.SetEnv" if number % 2 else "operation.succeeded",
            actor=Actor(None, "carol") if number == 7 else BOB,
            ref=SHOP if number % 3 else CART,
            outcome=Outcome.SUCCEEDED if number % 5 else Outcome.REFUSED,
            text="the needle" if number == 4 else "",
            changes=[FieldChange(("spec", "image"), "one", "pin:2")] if number == 9 else (),
        )
    monkeypatch.undo()


def numbers(**query: str) -> list[int]:
    return [entry.sequence for entry in older(search(Entry.objects.all(), query), None, 50).entries]


def day(number: int) -> str:
    return (timezone.now() - timedelta(days=30 - number)).date().isoformat()


def test_each_filter_finds_what_it_says(log) -> None:
    assert numbers(actor="carol") == [7]
    assert numbers(service="cart") == [*range(30, 0, -3)]
    assert numbers(namespace="other", outcome="refused") == [30, 15]
    assert numbers(cluster="elsewhere") == []
    assert numbers(action="deploy.SetEnv", service="cart") == [27, 21, 15, 9, 3]
    assert numbers(group="changes", service="cart") == [27, 21, 15, 9, 3]
    assert numbers(group="results", outcome="refused") == [30, 20, 10]
    assert numbers(group="nonsense") == []
    assert numbers(q="NEEDLE") == [4]
    assert numbers(q="pin:2") == [9]
    assert numbers(operation="nonsense") == []
    assert numbers() == [*range(30, 0, -1)]


def test_times_count_whole_days(log) -> None:
    assert numbers(since=day(28)) == [30, 29, 28]
    assert numbers(until=day(2)) == [2, 1]
    assert numbers(since=day(5), until=day(6)) == [6, 5]
    assert numbers(since=(timezone.now() + timedelta(days=2)).date().isoformat()) == []


def test_what_is_no_time_is_a_problem_and_not_ignored(log) -> None:
    assert search(Entry.objects.all(), {"since": "soon", "until": "2026-13-01"}).problems == {"since", "until"}
    assert search(Entry.objects.all(), {"until": "9999-12-31"}).problems == {"until"}


def test_pages_join_in_both_directions(log) -> None:
    found = search(Entry.objects.all(), {"service": "shop"})
    first = older(found, None, 7)
    assert (first.has_newer, first.has_older) == (False, True)
    second = older(found, first.entries[-1].sequence, 7)
    third = older(found, second.entries[-1].sequence, 7)
    assert not third.has_older
    sequences = [entry.sequence for page in (first, second, third) for entry in page.entries]
    assert sequences == [number for number in range(30, 0, -1) if number % 3]
    back = newer(found, third.entries[0].sequence, 7)
    assert back.entries == second.entries
    assert back.has_newer
    assert newer(found, second.entries[0].sequence, 7) == searching.Page(first.entries, True, False)


def test_a_text_is_looked_for_a_bounded_way_back_and_can_be_looked_for_further(log, monkeypatch) -> None:
    monkeypatch.setattr(searching, "STEPS", (5, 10))
    found = search(Entry.objects.all(), {"q": "needle"})
    page = older(found, None, 50)
    assert (page.entries, page.searched_to) == ([], 21)
    page = older(found, older(found, page.searched_to, 50).searched_to, 50)
    assert [entry.sequence for entry in page.entries] == [4]
    assert page.searched_to is None


def test_what_is_rare_is_found_however_far_back(log, monkeypatch) -> None:
    monkeypatch.setattr(searching, "STEPS", (5, 10))
    assert numbers(actor="carol") == [7]


FILTERS = [
    {"actor": "carol"},
    {"team": "front"},
    {"cluster": "box", "namespace": "default"},
    {"cluster": "box", "namespace": "default", "service": "shop"},
    {"cluster": "box"},
    {"namespace": "other"},
    {"service": "cart"},
    {"action": "deploy.SetEnv"},
    {"group": "changes"},
    {"outcome": "failed"},
    {"since": "2026-01-01", "until": "2026-01-02"},
    {"operation": "00000000-0000-4000-8000-000000000001"},
    {"actor": "carol", "outcome": "refused"},
]


@pytest.mark.parametrize("query", FILTERS, ids="+".join)
def test_every_filter_is_answered_with_an_index(log, query: dict[str, str]) -> None:
    """The last step of a page's reading, which no window of sequence numbers bounds."""
    found = search(Entry.objects.all(), query).entries
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Thirty rows are read whole by any planner. Unordered and without that, only an index of the filter serves.
            cursor.execute("SET LOCAL enable_seqscan = off")
            statement, parameters = explained(found.order_by())
            cursor.execute(f"EXPLAIN {statement}", parameters)
        else:
            statement, parameters = explained(found.order_by("-sequence")[:51])
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plan = "\n".join(str(line[-1]) for line in cursor.fetchall())
    assert "audit_by_" in plan
    assert "Seq Scan" not in plan
    assert "SCAN" not in plan


def explained(rows) -> tuple[str, tuple]:
    return rows.query.sql_with_params()
