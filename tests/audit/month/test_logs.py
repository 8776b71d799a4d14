"""Questions 6, 9 and 10: everything that a person did, and every change of a service, from one CSV each."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

import pytest

from tests.audit.month.month import BEGINS, CHECKOUT, EDGE_CHECKOUT, ENDS, LEDGER, PLACES, REDACTED, Month, at
from tests.audit.month.reading import Auditor, Row
from tests.audit.month.signing_in import PROVIDER
from tests.audit.month.truth import Change, Place, Told
from tests.sweeps import sample

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]
CSV = "/audit/export.csv"
PERIOD = {"since": f"{BEGINS:%Y-%m-%dT%H:%M}", "until": f"{ENDS:%Y-%m-%dT%H:%M}"}


@pytest.fixture
def auditor(month: Month) -> Auditor:
    return Auditor.named(month, "olga")


def log_of(auditor: Auditor, **query: str) -> list[Row]:
    """Oldest first, without what the auditor does at the end of the month."""
    return auditor.csv(CSV, posts=True, **PERIOD, **query)[::-1]


def moment(row: Row) -> datetime:
    return datetime.fromisoformat(row["at"])


def told_by_account(auditor: Auditor, name: str) -> dict[str, list[Told]]:
    found: dict[str, list[Told]] = defaultdict(list)
    for row in log_of(auditor, actor=name):
        found[row["actor_id"]].append((moment(row), row["action"], row["outcome"]))
    return {account: sorted(rows) for account, rows in found.items()}


@pytest.mark.parametrize("who", sample(["hal", "cleo", "ben", "fay", "ada", "eve", "robot-payments", "dan"], one_in=3))
def test_everything_that_a_person_did(month: Month, auditor: Auditor, who: str) -> None:
    """What somebody tried under the name before they had proved to be that person is nobody's account's."""
    by_account = told_by_account(auditor, who)
    attempts = [(one.at, one.action, one.outcome) for one in month.truth.acts if (one.who, one.account) == (who, None)]
    assert by_account.pop("", []) == attempts
    account = month.people.users[who].pk
    assert by_account == {str(account): month.truth.told_of(who, account)}


def test_how_people_signed_in_and_what_they_read(month: Month, auditor: Auditor) -> None:
    rows = log_of(auditor)
    signed_in = {
        (row["actor"], row["method"], row["factor"])
        for row in rows
        if row["action"] == "session.sign-in" and row["outcome"] == "succeeded"
    }
    assert ("hal", "password", "recovery-codes") in signed_in
    assert ("ben", "password", "none") in signed_in
    assert [method for who, method, _ in signed_in if who == "ines"] == [f"oidc:{PROVIDER}"]
    revealed = [(moment(row), row["actor"], row["variables"]) for row in rows if row["action"] == "reveal.Env"]
    assert (at(6, 8, 30), "cleo", "PASSWORD") in revealed
    again = next(row for row in rows if row["action"] == "read.audit-more")
    assert (again["actor"], again["reads"]) == ("olga", "1")
    page = auditor.text("/audit/people/", name="hal")
    assert "Everything hal did" in page


def test_what_is_kept_how_long_and_what_is_on_hold(month: Month, auditor: Auditor) -> None:
    """Question 9."""
    page, nick = auditor.text("/audit/retention/"), Auditor.named(month, "nick").text("/audit/retention/")
    for words in ("400 days", "200 days", "box/payments/ledger", "Case 7", "box/shop", "Case 6", "in force"):
        assert words in page, words
    holds = auditor.rows("/audit/retention/")
    assert {row["Covers"]: "in force" in row["Lifted"] for row in holds} == {
        "box/payments/ledger": True,
        "box/shop": False,
    }
    assert next(row for row in holds if row["Covers"] == str(LEDGER))["From (UTC)"] == "2026-10-01"
    assert [row["Placed"][:23] for row in holds] == ["2026-10-20 11:00:00 UTC", "2026-10-05 10:00:00 UTC"]
    assert "box/payments/ledger" in nick
    assert "Case 6" not in nick


def test_two_people_who_had_one_name_are_told_apart(month: Month, auditor: Auditor) -> None:
    accounts = {who: str(month.people.users[who].pk) for who in ("the first gus", "gus")}
    assert accounts["gus"] != accounts["the first gus"]
    assert told_by_account(auditor, "gus") == {
        account: month.truth.told_of(who, int(account)) for who, account in accounts.items()
    }


@dataclass
class Found:
    """What the rows about one operation say, together."""

    rows: list[Row]

    def row(self, action: str, outcome: str = "") -> Row | None:
        found = (one for one in self.rows if one["action"] == action and outcome in ("", one["outcome"]))
        return next(found, None)

    def facts(self) -> tuple[object, ...]:
        asked = self.rows[0]
        decided = self.row("protect.approve", "succeeded") or self.row("protect.decline")
        is_written = any(one["action"] == "operation.succeeded" for one in self.rows)
        return (
            moment(asked),
            asked["actor"],
            asked["action"].partition(".")[2],
            REDACTED if asked["text"].startswith("redacted scrypt$") else asked["text"].removeprefix("'"),
            decided["actor"] if decided else "",
            moment(decided) if decided else None,
            bool(self.row("protect.override")),
            is_written,
        )


def facts_of(month: Month, change: Change) -> tuple[object, ...]:
    return (
        change.at,
        month.people.users[change.who].username,
        change.kind,
        change.reason,
        month.people.users[change.decided_by].username if change.decided_by else "",
        change.decided_at,
        change.overrode,
        change.is_written,
    )


@pytest.mark.parametrize("place", sample(PLACES, one_in=3), ids=str)
def test_all_changes_of_a_service_with_who_asked_for_them_and_who_decided(
    month: Month, auditor: Auditor, place: Place
) -> None:
    rows = log_of(auditor, cluster=place.cluster, namespace=place.namespace, service=place.name)
    by_operation: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_operation[row["operation"]].append(row)
    others = by_operation.pop("", [])
    mine = [one for one in month.truth.changes if one.place == place and one.outcome != "refused"]
    assert {key: Found(found).facts() for key, found in by_operation.items()} == {
        one.operation: facts_of(month, one) for one in mine if not one.is_outside
    }
    outside = [(moment(one), one["actor"]) for one in others if one["action"].startswith("outside.")]
    assert outside == [(one.at, one.who) for one in mine if one.is_outside]


def test_no_cell_is_a_formula_or_two_fields_and_nothing_shows_a_value(month: Month, auditor: Auditor) -> None:
    text = auditor.export(CSV, posts=True)
    rows = log_of(auditor)
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    assert {one["text"] for one in rows if "1+1" in one["text"]} <= {"'=1+1"}
    assert all(None not in row and None not in row.values() for row in rows)
    assert "canary-of-the-month" not in text
    assert "hunter2" not in text
    assert all(isinstance(json.loads(row["changes"]), list) for row in rows)


def test_an_auditor_of_one_namespace_sees_its_entries_and_no_others(month: Month) -> None:
    nick, olga = Auditor.named(month, "nick"), Auditor.named(month, "olga")
    everything = log_of(olga, cluster="box", namespace="payments")
    assert log_of(nick) == everything
    assert log_of(nick, cluster="edge") == log_of(nick, namespace="shop") == []
    assert EDGE_CHECKOUT.name == CHECKOUT.name
    assert at(1, 0) < moment(everything[0])
