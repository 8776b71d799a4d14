"""Old entries leave for an archive; the chain holds before, between and after, and nobody else removes anything."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.utils import timezone

from console import audit
from console.audit import Outcome, chain, retention
from console.audit.models import Entry, Retention
from console.audit.verification import verify
from tests.audit.conftest import ALICE, sql, take_triggers_away


@pytest.fixture
def old(db, monkeypatch: pytest.MonkeyPatch) -> list[Entry]:
    """Six entries of a hundred days ago and three of today."""
    now = timezone.now()

    def made(days: int) -> Entry:
        monkeypatch.setattr(chain.timezone, "now", lambda: now - timedelta(days=days))
        return audit.record("test", actor=ALICE, outcome=Outcome.SUCCEEDED, text=f"{days} days ago")

    found = [made(days) for days in (100, 100, 100, 90, 90, 90, 0, 0, 0)]
    monkeypatch.undo()
    return found


def retain(path, days: int = 30) -> str:
    out = StringIO()
    call_command("audit", "retain", "--days", str(days), "--yes", "--archive", str(path), stdout=out)
    return out.getvalue()


def sequences() -> list[int]:
    return list(Entry.objects.order_by("sequence").values_list("sequence", flat=True))


def test_the_chain_holds_with_and_without_the_archives(old, tmp_path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert retain(first, 95) == "3 entries archived; the log now starts after entry 3\n"
    assert retain(second) == "3 entries archived; the log now starts after entry 6\n"
    assert sequences() == [7, 8, 9, 10, 11]  # the last two tell of the archives
    assert verify() == 5
    out = StringIO()
    call_command("audit", "verify", "--archive", str(first), "--archive", str(second), stdout=out)
    assert out.getvalue() == "11 entries, the chain is intact\n"
    call_command("audit", "verify", "--archive", str(second), stdout=out)
    assert Retention.objects.get(through=3).archive_sha256 == hashlib.sha256(first.read_bytes()).hexdigest()
    assert first.stat().st_mode & 0o077 == 0


def export_to(path) -> None:
    with path.open("w") as file:
        call_command("audit", "export", stdout=file)


def test_an_export_counts_as_an_archive_though_the_database_has_its_entries_too(old, tmp_path) -> None:
    whole, rest, first = tmp_path / "whole", tmp_path / "rest", tmp_path / "first"
    export_to(whole)
    call_command("audit", "verify", "--archive", str(whole), stdout=StringIO())
    retain(first, 95)
    export_to(rest)
    for archives in ([whole], [first, rest], [rest]):
        out = StringIO()
        given = [word for path in archives for word in ("--archive", str(path))]
        call_command("audit", "verify", *given, stdout=out, stderr=StringIO())
        assert "the chain is intact" in out.getvalue()


def test_an_export_that_differs_from_the_database_is_told(old, tmp_path) -> None:
    whole = tmp_path / "whole"
    export_to(whole)
    take_triggers_away()
    sql("DELETE FROM audit_entry WHERE sequence = 9")
    with pytest.raises(CommandError, match="broken at entry 9: the file has this entry, and the database does not"):
        call_command("audit", "verify", "--archive", str(whole))
    lines = whole.read_text().splitlines(keepends=True)
    whole.write_text("".join([*lines[:-2][::-1]]))
    with pytest.raises(CommandError, match="newest first"):
        call_command("audit", "verify", "--archive", str(whole))


def test_what_no_archive_was_given_for_is_said_not_to_be_proved(old, tmp_path) -> None:
    archive = tmp_path / "first"
    retain(archive, 95)
    unproved, proved = StringIO(), StringIO()
    call_command("audit", "verify", stdout=StringIO(), stderr=unproved)
    call_command("audit", "verify", "--archive", str(archive), stdout=StringIO(), stderr=proved)
    assert "Warning: entries 1 to 3 are not in the database" in unproved.getvalue()
    assert proved.getvalue() == ""


def test_an_archive_that_was_changed_is_found(old, tmp_path) -> None:
    path = tmp_path / "archive"
    retain(path)
    path.write_text(path.read_text().replace("90 days ago", "91 days ago", 1))
    with pytest.raises(CommandError, match="broken at entry 4: its contents were changed"):
        call_command("audit", "verify", "--archive", str(path))
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(CommandError, match="broken"):
        call_command("audit", "verify", "--archive", str(path))
    path.write_text("nonsense\n")
    with pytest.raises(CommandError, match="something other than entries"):
        call_command("audit", "verify", "--archive", str(path))


def test_a_checkpoint_of_the_archived_part_is_proved_with_the_archive(old, tmp_path) -> None:
    out = StringIO()
    call_command("audit", "checkpoint", stdout=out)
    (tmp_path / "checkpoint").write_text(out.getvalue())
    for _ in range(2):
        audit.record("later", actor=ALICE, outcome=Outcome.SUCCEEDED)
    retention.retain(timezone.now(), tmp_path / "archive", actor=ALICE)
    with pytest.raises(CommandError, match="in an archive that was not given"):
        call_command("audit", "verify", "--checkpoint", str(tmp_path / "checkpoint"))
    arguments = ["--checkpoint", str(tmp_path / "checkpoint"), "--archive", str(tmp_path / "archive")]
    call_command("audit", "verify", *arguments)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_entry WHERE sequence = 7",
        "DELETE FROM audit_retention",
        "UPDATE audit_retention SET through = 9",
        "INSERT INTO audit_retention (through, hash, at, archive_sha256) "
        "SELECT 8, hash, at, '' FROM audit_entry WHERE sequence = 8",
    ],
)
def test_what_is_not_archived_cannot_be_removed(old, tmp_path, statement: str) -> None:
    retain(tmp_path / "archive")
    with pytest.raises(DatabaseError, match="append-only"):
        sql(statement)
    assert verify() == 4


def test_a_removal_that_no_entry_tells_of_is_found(old) -> None:
    take_triggers_away()
    sql(
        "INSERT INTO audit_retention (through, hash, at, archive_sha256) "
        "SELECT 2, hash, at, '' FROM audit_entry WHERE sequence = 2"
    )
    sql("DELETE FROM audit_entry WHERE sequence <= 2")
    with pytest.raises(chain.BrokenLink, match="no entry records it"):
        verify()


def test_one_that_was_killed_between_archive_and_removal_is_finished_by_the_next(
    old, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "remove_archived", lambda: None)
    retain(tmp_path / "first")
    assert sequences()[0] == 1
    assert verify() == 4  # what is archived does not count any more
    monkeypatch.undo()
    assert retain(tmp_path / "second") == "0 entries archived; the log now starts after entry 6\n"
    assert sequences() == [7, 8, 9, 10]
    assert not (tmp_path / "second").exists()


def test_an_archive_is_never_written_over(old, tmp_path) -> None:
    (tmp_path / "archive").write_text("precious")
    with pytest.raises(CommandError, match=r"File exists.*Nothing was removed"):
        retain(tmp_path / "archive")
    assert (tmp_path / "archive").read_text() == "precious"
    assert len(sequences()) == 9


def test_a_broken_chain_is_not_archived(old, tmp_path) -> None:
    take_triggers_away()
    sql("UPDATE audit_entry SET actor = 'mallory' WHERE sequence = 2")
    with pytest.raises(CommandError, match=r"broken at entry 2.*Nothing was removed"):
        retain(tmp_path / "archive")
    assert len(sequences()) == 9
