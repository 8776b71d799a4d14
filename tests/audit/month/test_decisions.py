"""Question 3: what the approver of a change saw, by whom it was decided and when, and that it is what is stored."""

from __future__ import annotations

import json
import re
from datetime import datetime

import pytest

from tests.audit.month.month import EDGE_CHECKOUT, SECRET, Month
from tests.audit.month.reading import Auditor
from tests.audit.month.truth import Change

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]
Decided = tuple[datetime, str, str, str, str, str, str]


@pytest.fixture
def auditor(month: Month) -> Auditor:
    return Auditor.named(month, "olga")


def told(auditor: Auditor, **query: str) -> list[dict[str, str]]:
    found = json.loads(auditor.export("/audit/decisions.json", posts=True, **query))
    assert found["is_complete"]
    return found["rows"]


def decided(month: Month, change: Change) -> Decided:
    """When, what, who, on what, whose change, its kind, what was said."""
    who = month.people.users
    asked = who[change.who].username
    place = str(change.place)
    if change.overrode:
        return change.at, "protect.override succeeded", asked, place, asked, change.kind, change.reason
    action = "protect.decline refused" if change.outcome == "declined" else "protect.approve succeeded"
    decider = who[change.decided_by].username
    assert change.decided_at is not None
    return change.decided_at, action, decider, place, asked, change.kind, change.comment


def test_every_decision_is_listed_with_who_decided_what_and_is_proved(month: Month, auditor: Auditor) -> None:
    rows = told(auditor)
    found = [
        (
            datetime.fromisoformat(row["at"]),
            row["decision"],
            row["decided_by"],
            f"{row['cluster']}/{row['namespace']}/{row['service']}",
            row["requested_by"],
            row["change"],
            row["reason"] if row["decision"].startswith("protect.override") else row["comment"],
        )
        for row in rows
    ]
    changes = [one for one in month.truth.changes if one.decided_by or one.overrode]
    attempts = [row for row in found if row[1] == "protect.approve refused"]
    assert sorted(set(found) - set(attempts)) == sorted(decided(month, one) for one in changes)
    assert [(row[2], row[6]) for row in attempts] == [("dan", "own change")]
    assert {row["stored_preview"] for row in rows} == {"same"}


def page_of(auditor: Auditor, change: Change) -> str:
    row = next(one for one in told(auditor) if one["operation"] == change.operation and one["comment"] != "own change")
    return f"/audit/decisions/{row['entry']}/"


def test_the_screen_of_the_decision_is_shown_again_and_its_values_to_who_may_reveal_them(
    month: Month, auditor: Auditor
) -> None:
    asked = month.marked["approved"]
    before, after = asked.before, asked.after
    assert before is not None
    assert after is not None
    address = page_of(auditor, asked)
    shown = auditor.text(address)
    for words in (
        "PASSWORD",
        "cleo",
        "Looked at by ben",
        "Asked for as approved",
        "ben saw the values before deciding",
    ):
        assert words in shown
    assert f"{asked.decided_at:%Y-%m-%d %H:%M:%S}" in shown
    assert SECRET not in shown
    assert auditor.client.post(f"{address}reveal/").status_code == 403
    hal = Auditor.named(month, "hal")
    revealed = hal.client.post(f"{address}reveal/").content.decode().replace("<wbr>", "")
    assert before.env["PASSWORD"] in re.sub(r"<[^>]+>", "", revealed)
    assert after.env["PASSWORD"] in revealed


def test_an_auditor_of_one_namespace_sees_its_decisions_alone(month: Month, auditor: Auditor) -> None:
    nick = Auditor.named(month, "nick")
    assert told(nick) == told(auditor, cluster="box", namespace="payments")
    assert {(row["cluster"], row["namespace"]) for row in told(nick)} == {("box", "payments")}
    elsewhere = next(row["entry"] for row in told(auditor) if row["namespace"] == "shop")
    assert nick.client.get(f"/audit/decisions/{elsewhere}/").status_code == 404
    assert EDGE_CHECKOUT.name in nick.text("/audit/decisions/")
