"""Question 8: who both changes and approves where, and who approved whom how often."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.audit.month.month import ENDS, PLACES, Month, at
from tests.audit.month.reading import Auditor
from tests.audit.month.truth import Change, Place

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]
FILE = "/audit/duties.json"
CHANGING = ("deploy", "traffic", "operate", "delete")


@pytest.fixture
def auditor(month: Month) -> Auditor:
    return Auditor.named(month, "olga")


def told(auditor: Auditor, view: str, **query: str) -> list[dict[str, Any]]:
    found = json.loads(auditor.export(FILE, posts=True, view=view, **query))
    assert found["is_complete"]
    rows: list[dict[str, Any]] = found["rows"]
    return rows


def reaches(scope: str, place: Place) -> bool:
    cluster, _, namespace = scope.partition("/")
    return fnmatchcase(place.cluster, cluster) and fnmatchcase(place.namespace, namespace)


def test_who_may_both_change_and_approve(month: Month, auditor: Auditor) -> None:
    rows, truth, users = told(auditor, "rights"), month.truth, month.people.users
    for place in PLACES:
        found = {
            (row["person"], one)
            for row in rows
            if reaches(row["change_scope"], place) and reaches(row["approve_scope"], place)
            for one in row["change_permissions"]
        }
        able = {way.person for way in truth.ways(ENDS, "approve", place)}
        both = {(users[way.person].username, one) for one in CHANGING for way in truth.ways(ENDS, one, place)
                if way.person in able}  # fmt: skip
        assert found == both, place


Counts = Counter[tuple[str, str, str]]


def counts_of(month: Month, changes: Iterable[Change]) -> Counts:
    """How often each decided what of whose changes."""
    found: Counts = Counter()
    name = {key: user.username for key, user in month.people.users.items()}
    for one in changes:
        if one.overrode:
            found[name[one.who], name[one.who], "overrides"] += 1
        if one.decided_by:
            found[name[one.decided_by], name[one.who], "declined" if one.outcome == "declined" else "approved"] += 1
    return found


def counted(rows: list[dict[str, Any]]) -> Counts:
    found: Counts = Counter()
    for row in rows:
        for what in ("approved", "declined", "denied", "overrides"):
            found[row["approver"], row["author"], what] += row[what]
        assert row["same_person"] == (row["approver"] == row["author"])
    return +found


def test_who_approved_whom_how_often(month: Month, auditor: Auditor) -> None:
    told_all = counts_of(month, month.truth.changes)
    told_all["dan", "dan", "denied"] += 1  # an own change
    assert counted(told(auditor, "decisions")) == told_all


def test_who_approved_whom_in_a_week_as_its_days_were_in_shanghai(month: Month, auditor: Auditor) -> None:
    """From 5 October 00:00 there, which is the 4th 16:00 in UTC."""
    first, last = at(4, 16), at(11, 16)
    decided = [one for one in month.truth.changes if first <= (one.decided_at or one.at) < last]
    expected = counts_of(month, decided)
    expected["dan", "dan", "denied"] += 1
    query = {"since": "2026-10-05", "until": "2026-10-11", "zone": "Asia/Shanghai"}
    assert counted(told(auditor, "decisions", **query)) == expected


def test_an_auditor_of_one_namespace_sees_its_duties_alone(month: Month, auditor: Auditor) -> None:
    nick = Auditor.named(month, "nick")
    mine = {"cluster": "box", "namespace": "payments"}
    assert told(nick, "decisions") == told(auditor, "decisions", **mine)
    text = nick.export(FILE, posts=True, view="rights") + nick.text("/audit/duties/", view="rights")
    for hidden in ("Shop", "edge/", "box/shop", "box/data"):
        assert hidden not in text
