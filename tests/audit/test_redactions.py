"""An entry that holds a secret loses it, is still proved, and nothing else can be done to it that way."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.audit import Outcome, chain, export, redactions, retention
from console.audit.models import Entry
from console.audit.redactions import RedactionRefused, redact
from console.audit.verification import verify
from console.knative.diff import FieldChange
from tests.audit.conftest import ALICE, REF, sql, take_triggers_away

SECRET = "canary-5f2c77d0a1"
ADMIN = Actor(9, "root", "192.0.2.9", "request-9")
FIELDS = ["text", "changes[1].before", "changes[1].after"]


@pytest.fixture
def leaky(entries) -> Entry:
    """Entry 6 holds the secret in each field that it can come into, beside masks and other words; entry 7 follows."""
    changes = [
        FieldChange(("spec", "a"), "••••", None),
        FieldChange(("spec", "ß"), f"http://x:{SECRET}@db", f"öffne {SECRET} \\ \" '"),
    ]
    made = audit.record("outside", actor=ALICE, ref=REF, outcome=Outcome.SUCCEEDED, changes=changes, text=f"{SECRET}!")
    audit.record("action.7", actor=ALICE, ref=REF, outcome=Outcome.SUCCEEDED)
    return made


def everything() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM audit_entry")
        return str(cursor.fetchall())


@pytest.mark.parametrize("name", FIELDS)
def test_the_secret_leaves_and_the_chain_holds(leaky: Entry, name: str) -> None:
    value = redactions.fields_of(leaky)[name]
    telling = redact(leaky.sequence, name, reason="a password in an annotation", actor=ADMIN)
    now = Entry.objects.get(sequence=leaky.sequence)
    mark = dict(redactions._texts(now))[name]
    assert redactions.is_mark(mark)
    assert redactions.is_mark_of(mark, value)
    assert not redactions.is_mark_of(mark, value + "x")
    others = {field: text for field, text in redactions.fields_of(leaky).items() if field != name}
    assert redactions.fields_of(now) == others, "nothing else changed"
    assert (now.hash, now.previous_hash) == (leaky.hash, leaky.previous_hash)
    assert (telling.action, telling.actor, telling.service) == ("audit.redact", "root", "shop")
    assert telling.text.endswith(". a password in an annotation")
    assert verify() == 8
    call_command("audit", "verify")


def test_every_field_can_be_redacted_one_after_the_other(leaky: Entry) -> None:
    for name in FIELDS:
        redact(leaky.sequence, name, reason="r", actor=ADMIN)
        assert verify()
    assert SECRET not in everything()
    assert SECRET not in "".join(export.json_lines(Entry.objects.all()))
    assert len(redactions.told_of(leaky.sequence)) == 3


def test_a_name_that_is_no_account_is_redacted_and_that_of_a_person_is_not(entries) -> None:
    """Who types a password where the name belongs has it in the log of refused sign-ins."""
    made = audit.record("session.sign-in", actor=Actor(None, SECRET), outcome=Outcome.REFUSED)
    redact(made.sequence, "actor", reason="typed into the wrong field", actor=ADMIN)
    assert SECRET not in everything()
    assert verify() == 7
    outside = audit.record("outside.change", actor=Actor(None, "bob"), ref=REF, outcome=Outcome.SUCCEEDED)
    for sequence in (1, outside.sequence):
        with pytest.raises(RedactionRefused, match="nothing-there"):
            redact(sequence, "actor", reason="to hide who it was", actor=ADMIN)


@pytest.mark.parametrize("name", ["outcome", "action", "hash", "changes", "changes[9].before", "changes[0].field", ""])
def test_no_other_field_can_be_redacted(leaky: Entry, name: str) -> None:
    with pytest.raises(RedactionRefused, match="nothing-there"):
        redact(leaky.sequence, name, reason="r", actor=ADMIN)
    assert Entry.objects.count() == 7


def test_a_field_is_not_redacted_twice_and_no_redaction_is_redacted(leaky: Entry) -> None:
    telling = redact(leaky.sequence, "text", reason="r", actor=ADMIN)
    with pytest.raises(RedactionRefused, match="already"):
        redact(leaky.sequence, "text", reason="to hide which value it was", actor=ADMIN)
    with pytest.raises(RedactionRefused, match="protected"):
        redact(telling.sequence, "text", reason="to hide that there was one", actor=ADMIN)
    assert verify() == 8


def test_archive_export_and_database_prove_what_was_redacted(leaky: Entry, tmp_path) -> None:
    lines = list(export.json_lines(Entry.objects.order_by("sequence")))  # before: the original is proved by itself
    redact(leaky.sequence, "text", reason="r", actor=ADMIN)
    redact(leaky.sequence, "changes[1].after", reason="r", actor=ADMIN)
    path = tmp_path / "archive"
    retention.retain(timezone.now(), path, actor=ADMIN)
    call_command("audit", "verify", "--archive", str(path))
    written = path.read_text().splitlines(keepends=True)
    assert f"{SECRET}!" not in written[5]
    assert json.loads(lines[5])["hash"] == json.loads(written[5])["hash"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET text = 'forged' WHERE sequence = 6",
        "UPDATE audit_entry SET outcome = 'failed' WHERE sequence = 6",
        "UPDATE audit_entry SET actor = 'mallory' WHERE sequence = 6",
        "UPDATE audit_entry SET changes = '[]' WHERE sequence = 6",
        "UPDATE audit_entry SET text = (SELECT text FROM audit_entry WHERE sequence = 8) WHERE sequence = 6",
        "UPDATE audit_entry SET text = 'forged' WHERE sequence = 8",
        "DELETE FROM audit_entry WHERE sequence = 8",
    ],
)
def test_right_after_a_redaction_the_database_takes_nothing_else(leaky: Entry, statement: str) -> None:
    redact(leaky.sequence, "text", reason="r", actor=ADMIN)
    with pytest.raises(DatabaseError, match="append-only"):
        sql(statement)
    assert verify() == 8


def told_by_hand(leaky: Entry, name: str, **false: str) -> redactions.Redaction:
    """Tell of a redaction as the console does, without making it."""
    mark = redactions._mark("x", b"0" * 16)
    told = redactions.Redaction(leaky.sequence, leaky.hash, name, mark, "0" * 64)
    text = redactions._words(dataclasses.replace(told, **false))
    audit.record("audit.redact", actor=ADMIN, outcome=Outcome.SUCCEEDED, text=f"{text} r")
    return told


def put_mark(leaky: Entry, told: redactions.Redaction) -> None:
    entry = Entry.objects.get(sequence=leaky.sequence)
    column = redactions._replace(entry, told.field, told.mark)
    with transaction.atomic():
        Entry.objects.filter(sequence=leaky.sequence).update(**{column: getattr(entry, column)})


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("false", [{}, {"hash": "f" * 64}, {"field": "actor"}, {"mark": f"redacted scrypt${'0' * 97}"}])
def test_the_database_compares_with_what_the_newest_entry_tells(leaky: Entry, name: str, false: dict[str, str]) -> None:
    told = told_by_hand(leaky, name, **false)
    if not false:
        put_mark(leaky, told)  # so that the refusals below are not of something else
        return
    with pytest.raises(DatabaseError, match="append-only"):
        put_mark(leaky, told)


def test_the_database_takes_no_mark_once_another_entry_follows(leaky: Entry) -> None:
    told = told_by_hand(leaky, "text")
    audit.record("later", actor=ADMIN, outcome=Outcome.SUCCEEDED)
    with pytest.raises(DatabaseError, match="append-only"):
        put_mark(leaky, told)


def test_the_database_takes_no_mark_for_who_did_something(entries) -> None:
    outside = audit.record("outside.change", actor=Actor(None, "bob"), ref=REF, outcome=Outcome.SUCCEEDED)
    for entry in (entries[0], outside):
        told = told_by_hand(entry, "actor")
        with pytest.raises(DatabaseError, match="append-only"):
            put_mark(entry, told)
    refused = audit.record("session.sign-in", actor=Actor(None, "bob"), outcome=Outcome.REFUSED)
    put_mark(refused, told_by_hand(refused, "actor"))


def forge_mark(leaky: Entry) -> None:
    """Another value's hash in the place of the secret's."""
    Entry.objects.filter(sequence=6).update(text=redactions._mark("harmless", b"0" * 16))


def change_beside(leaky: Entry) -> None:
    Entry.objects.filter(sequence=6).update(outcome="failed")


def redact_more(leaky: Entry) -> None:
    changes = Entry.objects.get(sequence=6).changes
    changes[1]["before"] = redactions._mark("x", b"0" * 16)
    Entry.objects.filter(sequence=6).update(changes=changes)


@pytest.mark.parametrize("tamper", [forge_mark, change_beside, redact_more])
def test_tampering_with_a_redacted_entry_is_found_without_the_triggers(
    leaky: Entry, tamper: Callable[[Entry], None]
) -> None:
    redact(leaky.sequence, "text", reason="r", actor=ADMIN)
    take_triggers_away()
    tamper(leaky)
    with pytest.raises(chain.BrokenLink, match="contents were changed") as broken:
        verify()
    assert broken.value.sequence == 6


@pytest.mark.parametrize("redacted", [FIELDS[:1], FIELDS])
def test_a_redacted_text_that_was_put_back_is_found(leaky: Entry, redacted: list[str]) -> None:
    """Also the last of several: an archive may be older than a redaction, the database is not."""
    for name in redacted[:-1]:
        redact(leaky.sequence, name, reason="r", actor=ADMIN)
    before = Entry.objects.get(sequence=6)
    redact(leaky.sequence, redacted[-1], reason="r", actor=ADMIN)
    verify()
    take_triggers_away()
    Entry.objects.filter(sequence=6).update(text=before.text, changes=before.changes)
    with pytest.raises(chain.BrokenLink, match="what was redacted is there again") as broken:
        verify()
    assert broken.value.sequence == 6


def test_a_redaction_that_nobody_told_is_found(leaky: Entry) -> None:
    take_triggers_away()
    forge_mark(leaky)
    with pytest.raises(chain.BrokenLink, match="contents were changed"):
        verify()


def test_a_redaction_without_the_consoles_key_is_found(leaky: Entry, settings) -> None:
    """Who can write to the database alone can append an entry; it vouches for nothing."""
    own = settings.AUDIT_KEYS
    settings.AUDIT_KEYS = ["a key of the attacker's own, of forty characters"]
    redact(leaky.sequence, "text", reason="r", actor=ADMIN)
    keys = [json.loads(line)["text"].partition(" key ")[2].partition(",")[0] for line in export.json_lines(
        Entry.objects.filter(action="audit.redact"))]  # fmt: skip
    assert verify(trusted=keys) == 8
    settings.AUDIT_KEYS = own
    with pytest.raises(chain.BrokenLink, match="not among those that are trusted here") as broken:
        verify()
    assert broken.value.sequence == 8


def test_an_entry_that_was_changed_is_not_vouched_for(unguarded) -> None:
    """Else a redaction would make an honest entry of a forged one."""
    Entry.objects.filter(sequence=3).update(text="forged")
    with pytest.raises(RedactionRefused, match="changed"):
        redact(3, "text", reason="r", actor=ADMIN)


def test_text_that_looks_like_a_redaction_breaks_nothing(entries) -> None:
    mark = redactions._mark("x", b"0" * 16)
    rows = [FieldChange(("spec",), SECRET, mark)]
    made = audit.record("test", actor=ALICE, outcome=Outcome.SUCCEEDED, changes=rows, text=mark)
    assert verify() == 6
    redact(made.sequence, "changes[0].before", reason="r", actor=ADMIN)
    assert verify() == 7
