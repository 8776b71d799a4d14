"""Question 4: what went round an approval in the month, or made that possible."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.audit.month.month import ENDS, Month, at
from tests.audit.month.reading import Auditor
from tests.audit.month.truth import Bypass

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]
MONTH = {"since": "2026-10-01", "until": "2026-10-31"}
RIGHTS, RECORD = "rights-given", "log-shortened"  # these make it possible, and are asked for apart


@pytest.fixture
def auditor(month: Month) -> Auditor:
    return Auditor.named(month, "olga")


def told(auditor: Auditor, **query: str) -> list[dict[str, Any]]:
    found = json.loads(auditor.export("/audit/bypasses.json", posts=True, **query))
    assert found["is_complete"]
    assert found["all_entries_looked_through"]
    rows: list[dict[str, Any]] = found["rows"]
    return rows


def bypass(row: dict[str, Any]) -> Bypass:
    return Bypass(datetime.fromisoformat(row["at"]), row["who"], row["kind"], row["about"])


def test_each_way_round_an_approval_and_nothing_else(month: Month, auditor: Auditor) -> None:
    rows = [row for row in told(auditor, **MONTH) if row["kind"] not in (RIGHTS, RECORD)]
    found, expected = list(map(bypass, rows)), month.truth.bypasses
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    assert {row["is_sure"] for row in rows} == {"yes"}


def test_who_got_the_right_to_approve_and_what_left_the_log(month: Month, auditor: Auditor) -> None:
    rows = told(auditor, **MONTH)
    given = {(datetime.fromisoformat(row["at"]), row["about"]) for row in rows if row["kind"] == RIGHTS}
    joined = next(one for one in month.truth.members if one.person == "the first gus" and one.team == "Payments")
    assert joined.since in {moment for moment, _ in given}
    left = [(row["action"], row["who"]) for row in rows if row["kind"] == RECORD]
    assert sorted(left) == [("audit.hold-lift", "ada"), ("audit.redact", "ada"), ("audit.retain", "ada")]


def test_a_change_from_outside_while_nothing_protected_the_service_is_none(month: Month, auditor: Auditor) -> None:
    outside = [bypass(row).at for row in told(auditor, **MONTH, kind="outside")]
    assert at(7, 11, 0).date() in {moment.date() for moment in outside}
    assert at(22, 12).date() not in {moment.date() for moment in outside}


def test_an_auditor_of_one_namespace_sees_what_went_round_its_approvals(month: Month, auditor: Auditor) -> None:
    nick = Auditor.named(month, "nick")
    rows = told(nick, **MONTH)
    assert {(row["cluster"], row["namespace"]) for row in rows} == {("box", "payments")}
    assert [row["action"] for row in rows if row["kind"] == RECORD] == ["audit.redact"]  # of an entry of theirs
    mine = [row for row in told(auditor, **MONTH) if (row["cluster"], row["namespace"]) == ("box", "payments")]
    assert rows == mine
    assert nick.client.get("/audit/bypasses/", {"since": f"{ENDS:%Y-%m-%d}"}).status_code == 200
