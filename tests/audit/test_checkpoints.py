"""A signed head that was kept elsewhere finds what the chain alone cannot: a tail that was cut off, a recreated log."""

from __future__ import annotations

import json
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from console import audit
from console.audit import Outcome, chain, checkpoints, redactions
from console.audit.checkpoints import CheckpointRefused
from console.audit.models import Entry
from console.audit.totals import FOUND_BROKEN_AT, VERIFIED_AT, everything
from console.audit.verification import verify
from tests.audit.conftest import ALICE, sql


def kept(tmp_path) -> str:
    """A checkpoint of now, in a file."""
    out = StringIO()
    call_command("audit", "checkpoint", stdout=out)
    path = tmp_path / "checkpoint"
    path.write_text(out.getvalue())
    return str(path)


def test_a_log_that_went_on_still_has_its_checkpoint(entries, tmp_path) -> None:
    path = kept(tmp_path)
    audit.record("later", actor=ALICE, outcome=Outcome.SUCCEEDED)
    out = StringIO()
    call_command("audit", "verify", "--checkpoint", path, stdout=out)
    assert out.getvalue() == "6 entries, the chain is intact, and has all of 1 checkpoints\n"


def test_a_tail_that_was_cut_off_is_found_with_a_checkpoint_only(unguarded, tmp_path) -> None:
    path = kept(tmp_path)
    sql("DELETE FROM audit_entry WHERE sequence > 3")
    assert verify() == 3
    with pytest.raises(CommandError, match="the log ends at entry 3, before the checkpoint"):
        call_command("audit", "verify", "--checkpoint", path)


def test_a_chain_that_was_forged_from_some_entry_on_is_found(unguarded, tmp_path) -> None:
    path = kept(tmp_path)
    link = None
    for entry in Entry.objects.order_by("sequence"):
        if entry.sequence >= 2:
            entry.actor = "mallory"
            entry.previous_hash = link
            entry.hash = chain.digest(entry)
            Entry.objects.filter(pk=entry.pk).update(actor="mallory", previous_hash=link, hash=entry.hash)
        link = entry.hash
    assert verify() == 5
    with pytest.raises(CommandError, match=r"broken at entry 5: the checkpoint of .* has another hash"):
        call_command("audit", "verify", "--checkpoint", path)


@pytest.mark.parametrize("field", ["sequence", "hash", "at", "signature"])
def test_a_checkpoint_that_was_changed_proves_nothing(entries, field: str) -> None:
    facts = json.loads(checkpoints.make().to_line())
    facts[field] = 4 if field == "sequence" else facts[field][::-1]
    with pytest.raises(CheckpointRefused):
        list(checkpoints.read(json.dumps(facts)))


def test_a_checkpoint_of_another_key_proves_nothing_unless_it_is_told_to_be_trusted(entries, settings) -> None:
    settings.AUDIT_KEYS = ["one"]
    line, (public,) = checkpoints.make().to_line(), checkpoints.public_keys()
    settings.AUDIT_KEYS = ["two"]
    with pytest.raises(CheckpointRefused, match="is not among those that are trusted here"):
        list(checkpoints.read(line))
    assert [found.sequence for found in checkpoints.read(line, [public])] == [5]
    settings.AUDIT_KEYS = ["two", "one"]
    assert [found.sequence for found in checkpoints.read(line)] == [5]


def test_what_a_lost_key_signed_is_told_with_the_command_that_proves_it(entries, settings, tmp_path) -> None:
    """After a restore or a rotation without the old key; also where an entry tells of a redaction that it signed."""
    settings.AUDIT_KEYS = ["one"]
    path, (public,) = kept(tmp_path), checkpoints.public_keys()
    redactions.redact(entries[0].sequence, "changes[0].after", actor=ALICE, reason="a secret")
    settings.AUDIT_KEYS = ["two"]
    for given in (["--checkpoint", path], []):
        with pytest.raises(CommandError, match="CONSOLE_AUDIT_KEYS") as refused:
            call_command("audit", "verify", *given)
        command = re.search(r"--public-key \S+=", str(refused.value))
        assert command, refused.value
        call_command("audit", "verify", *given, *command[0].split(), stdout=StringIO())
        assert public in command[0]


def test_the_public_key_can_be_printed(settings) -> None:
    out = StringIO()
    call_command("audit", "checkpoint", "--public-key", stdout=out)
    assert out.getvalue().split() == list(checkpoints.public_keys())


def test_something_else_than_a_checkpoint_is_told_so(entries, tmp_path) -> None:
    (tmp_path / "file").write_text("hello\n")
    with pytest.raises(CommandError, match="this is not a checkpoint"):
        call_command("audit", "verify", "--checkpoint", str(tmp_path / "file"))


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_file_without_a_checkpoint_proves_nothing(entries, tmp_path, text: str) -> None:
    path = tmp_path / "empty"
    path.write_text(text)
    out = StringIO()
    with pytest.raises(CommandError, match=r"cannot be verified: .* contains no checkpoints"):
        call_command("audit", "verify", "--checkpoint", str(path), stdout=out)
    assert out.getvalue() == ""


def test_metrics_are_told_what_a_verification_of_the_whole_log_found(unguarded) -> None:
    assert everything() == {}
    call_command("audit", "verify", stdout=StringIO())
    assert set(everything()) == {VERIFIED_AT}
    Entry.objects.filter(sequence=2).update(text="something else")
    with pytest.raises(CommandError, match="broken at entry 2"):
        call_command("audit", "verify")
    assert everything()[FOUND_BROKEN_AT][()] >= everything()[VERIFIED_AT][()] > 0
