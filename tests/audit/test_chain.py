"""The log only grows, and tampering is refused by the database or found by verify."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from console import audit
from console.access.actors import Actor
from console.audit import Outcome, chain, export, triggers
from console.audit.models import Entry
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef

ALICE = Actor(1, "alice", "192.0.2.1", "request-1")
REF = ServiceRef("box", "default", "shop")


@pytest.fixture
def entries(db) -> list[Entry]:
    """Five entries with everything filled."""
    change = FieldChange(("spec", "traffic"), "100% @latest", "50% @latest, 50% shop-00001")
    return [
        audit.record(f"action.{n}", actor=ALICE, ref=REF, roles=("owner",), outcome=Outcome.SUCCEEDED, changes=[change])
        for n in range(5)
    ]


@pytest.fixture
def unguarded(entries):
    """As after an attacker with the owner's rights on the database took the triggers away."""
    drops = triggers.POSTGRESQL_DROP if connection.vendor == "postgresql" else triggers.SQLITE_DROP
    with connection.cursor() as cursor:
        for statement in drops:
            cursor.execute(statement)
    return entries


def sql(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_an_untouched_chain_holds(entries) -> None:
    assert chain.verify() == 5
    call_command("audit", "verify")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'mallory' WHERE sequence = 3",
        "UPDATE audit_entry SET sequence = 99 WHERE sequence = 3",
        "DELETE FROM audit_entry WHERE sequence = 3",
        "DELETE FROM audit_entry",
    ],
)
def test_the_database_refuses_to_change_or_delete_entries(entries, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        sql(statement)
    assert chain.verify() == 5


@pytest.mark.parametrize(
    ("statement", "found_at"),
    [
        ("UPDATE audit_entry SET actor = 'mallory' WHERE sequence = 3", 3),
        ("UPDATE audit_entry SET changes = '[]' WHERE sequence = 2", 2),
        ("UPDATE audit_entry SET outcome = 'failed' WHERE sequence = 5", 5),
        ("DELETE FROM audit_entry WHERE sequence = 3", 4),
        ("UPDATE audit_entry SET sequence = sequence + 10 WHERE sequence = 5", 15),
    ],
)
def test_what_happens_without_the_triggers_is_found_by_verify(unguarded, statement: str, found_at: int) -> None:
    sql(statement)
    broken = chain.verify()
    assert isinstance(broken, chain.BrokenLink)
    assert broken.sequence == found_at
    with pytest.raises(CommandError, match=f"broken at entry {found_at}"):
        call_command("audit", "verify")


def test_an_entry_with_a_recomputed_hash_still_breaks_the_next_link(unguarded) -> None:
    entry = Entry.objects.get(sequence=3)
    entry.actor = "mallory"
    Entry.objects.filter(sequence=3).update(actor="mallory", hash=chain.digest(entry))
    assert chain.verify() == chain.BrokenLink(4, "it does not continue the entry before")


@transaction.atomic
def record_and_fail() -> None:
    audit.record("never", actor=ALICE, outcome=Outcome.SUCCEEDED)
    sql("SELECT no_such_column FROM audit_entry")


def test_a_transaction_that_fails_leaves_no_entry(entries) -> None:
    with pytest.raises(DatabaseError):
        record_and_fail()
    assert Entry.objects.count() == 5
    audit.record("after", actor=ALICE, outcome=Outcome.SUCCEEDED)
    assert chain.verify() == 6


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
