"""The log only grows, and tampering is refused by the database or found by verify."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from console import audit
from console.access.actors import Actor
from console.audit import Outcome, chain, export
from console.audit.models import Entry
from console.audit.verification import verify
from tests.audit.conftest import ALICE, sql

COPY = """INSERT INTO audit_entry SELECT 99, at, actor, actor_id, ip, roles, cluster, namespace, service, action,
    outcome, changes, text, operation, request_id, previous_hash, hash, team FROM audit_entry WHERE sequence = 3"""


def test_an_untouched_chain_holds(entries) -> None:
    assert verify() == 5
    call_command("audit", "verify")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'mallory' WHERE sequence = 3",
        "UPDATE audit_entry SET sequence = 99 WHERE sequence = 3",
        "DELETE FROM audit_entry WHERE sequence = 3",
        "DELETE FROM audit_entry",
        "INSERT INTO audit_entry SELECT * FROM audit_entry WHERE sequence = 5",
        COPY,
        COPY.replace("99", "6"),
    ],
)
def test_the_database_refuses_to_change_or_delete_entries(entries, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        sql(statement)
    assert verify() == 5


@pytest.mark.parametrize(
    ("statement", "found_at"),
    [
        ("UPDATE audit_entry SET actor = 'mallory' WHERE sequence = 3", 3),
        ("UPDATE audit_entry SET changes = '[]' WHERE sequence = 2", 2),
        ("UPDATE audit_entry SET outcome = 'failed' WHERE sequence = 5", 5),
        ("DELETE FROM audit_entry WHERE sequence = 3", 4),
        ("DELETE FROM audit_entry WHERE sequence = 1", 2),
        ("UPDATE audit_entry SET team = 'others' WHERE sequence = 4", 4),
        (COPY, 99),
        (COPY.replace("99", "6"), 6),
        (
            "UPDATE audit_entry SET action = (CASE sequence WHEN 2 THEN 'action.2' ELSE 'action.1' END), "
            "hash = (CASE sequence WHEN 2 THEN (SELECT hash FROM audit_entry WHERE sequence = 3) ELSE hash END) "
            "WHERE sequence IN (2, 3)",
            2,
        ),
        ("UPDATE audit_entry SET sequence = sequence + 10 WHERE sequence = 5", 15),
    ],
)
def test_what_happens_without_the_triggers_is_found_by_verify(unguarded, statement: str, found_at: int) -> None:
    sql(statement)
    with pytest.raises(chain.BrokenLink) as broken:
        verify()
    assert broken.value.sequence == found_at
    with pytest.raises(CommandError, match=f"broken at entry {found_at}"):
        call_command("audit", "verify")


def test_an_entry_with_a_recomputed_hash_still_breaks_the_next_link(unguarded) -> None:
    entry = Entry.objects.get(sequence=3)
    entry.actor = "mallory"
    Entry.objects.filter(sequence=3).update(actor="mallory", hash=chain.digest(entry))
    with pytest.raises(chain.BrokenLink, match="does not continue the entry before"):
        verify()


def test_entries_that_change_places_are_found(unguarded) -> None:
    sql("UPDATE audit_entry SET sequence = 1002 WHERE sequence = 2")
    sql("UPDATE audit_entry SET sequence = 2 WHERE sequence = 3")
    sql("UPDATE audit_entry SET sequence = 3 WHERE sequence = 1002")
    with pytest.raises(chain.BrokenLink) as broken:
        verify()
    assert broken.value.sequence == 2


@pytest.mark.only_on("sqlite")  # PostgreSQL has no REPLACE
def test_replacing_an_entry_is_refused_though_sqlite_calls_it_an_insert(entries) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        sql("INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE sequence = 3")
    assert verify() == 5


@transaction.atomic
def record_and_fail() -> None:
    audit.record("never", actor=ALICE, outcome=Outcome.SUCCEEDED)
    sql("SELECT no_such_column FROM audit_entry")


def test_a_transaction_that_fails_leaves_no_entry(entries) -> None:
    with pytest.raises(DatabaseError):
        record_and_fail()
    assert Entry.objects.count() == 5
    audit.record("after", actor=ALICE, outcome=Outcome.SUCCEEDED)
    assert verify() == 6


def test_an_entry_keeps_who_where_and_what(entries) -> None:
    entry = Entry.objects.get(sequence=1)
    assert (entry.actor, entry.ip, entry.roles, entry.service, entry.request_id) == (
        "alice",
        "192.0.2.1",
        "owner",
        "shop",
        "request-1",
    )
    assert entry.changes == [
        {"field": "spec.traffic", "before": "100% @latest", "after": "50% @latest, 50% shop-00001"}
    ]


def test_exports_have_every_entry_and_no_formula(entries) -> None:
    audit.record("x", actor=Actor(None, "=HYPERLINK(1)"), outcome=Outcome.REFUSED)
    lines = list(export.json_lines(Entry.objects.order_by("sequence")))
    assert [json.loads(line)["sequence"] for line in lines] == [1, 2, 3, 4, 5, 6]
    cells = "".join(export.csv_lines(Entry.objects.order_by("sequence")))
    assert cells.count("\n") >= 7
    assert "'=HYPERLINK(1)" in cells


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_of_an_export_begins_as_a_formula_does(entries, sign: str) -> None:
    audit.record("x", actor=Actor(None, f"{sign}1+1"), outcome=Outcome.REFUSED)
    rows = list(csv.reader(io.StringIO("".join(export.csv_lines(Entry.objects.order_by("-sequence"))), newline="")))
    assert rows[1][export.COLUMNS.index("actor")] == f"'{sign}1+1"
