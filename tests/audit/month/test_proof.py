"""Question 7: the export of the month proves itself without the console, and a log that was tampered with does not.

Everything is taken from the page "Proof" and from exports: the key, a checkpoint, the program that checks.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console.audit.chain import digest
from console.audit.models import Entry
from console.audit.offline import verify_sluice_audit
from tests.audit.conftest import sql, take_triggers_away
from tests.audit.month.month import Month
from tests.audit.month.reading import Auditor
from tests.sweeps import sample

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]
EXPORT = "/audit/export.jsonl"


@pytest.fixture
def auditor(month: Month) -> Auditor:
    return Auditor.named(month, "olga")


def key_of(auditor: Auditor) -> str:
    return re.search(r"--public-key ([\w+/=]+)", auditor.text("/audit/proof/"))[1]


def kept(auditor: Auditor, folder: Path, name: str, **query: str) -> Path:
    path = folder / name
    path.write_text(auditor.export(EXPORT, posts=True, **query))
    return path


def test_an_auditor_proves_the_export_on_a_machine_of_their_own(month: Month, auditor: Auditor, tmp_path) -> None:
    program, mark = tmp_path / "verify.py", tmp_path / "checkpoint.jsonl"
    program.write_text(auditor.export("/audit/proof/verifier/"))
    mark.write_text(auditor.export("/audit/proof/checkpoint/", posts=True))
    whole = kept(auditor, tmp_path, "whole.jsonl")
    archive = month.folder / "archive.jsonl"
    command = [sys.executable, "-I", str(program), "--public-key", key_of(auditor), "--checkpoint", str(mark)]
    done = subprocess.run([*command, str(archive), str(whole)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "LEAVES OUT" not in done.stdout
    assert "1 checkpoints fit" in done.stdout
    manifest = json.loads(whole.read_text().splitlines()[-1])["manifest"]
    assert (manifest["by"], manifest["scope"], manifest["filter"]) == ("olga", "everything", "")


def test_what_an_auditor_of_one_namespace_exports_is_proved_too_and_says_what_it_leaves_out(
    month: Month, tmp_path, capsys
) -> None:
    nick = Auditor.named(month, "nick")
    path = kept(nick, tmp_path, "narrow.jsonl")
    assert verify_sluice_audit.main([str(path), "--public-key", key_of(nick)]) == 0
    assert "LEAVES OUT what nick may not read" in capsys.readouterr().out
    *entries, _ = map(json.loads, path.read_text().splitlines())
    assert {(entry["cluster"], entry["namespace"]) for entry in entries} == {("box", "payments")}


def newest() -> int:
    return Entry.objects.order_by("-sequence").values_list("sequence", flat=True)[0]


def in_the_middle(**facts: str) -> int:
    found = Entry.objects.filter(sequence__lt=newest() - 20, **facts).order_by("-sequence")
    return found.values_list("sequence", flat=True)[0]


def rewritten(first: int) -> None:
    """Give every entry from there on the hash that it must have now, as somebody with the whole database could."""
    before = Entry.objects.get(sequence=first - 1).hash
    for entry in Entry.objects.filter(sequence__gte=first).order_by("sequence"):
        entry.previous_hash = before
        before = digest(entry)
        Entry.objects.filter(sequence=entry.sequence).update(previous_hash=entry.previous_hash, hash=before)


def update(column: str, value: str, **facts: str) -> Callable[[], None]:
    return lambda: sql(f"UPDATE audit_entry SET {column} = {value} WHERE sequence = {in_the_middle(**facts)}")


def remove(sequence: Callable[[], int]) -> Callable[[], None]:
    return lambda: sql(f"DELETE FROM audit_entry WHERE sequence = {sequence()}")


def forge() -> None:
    place = in_the_middle(action="protect.approve")
    sql(f"UPDATE audit_entry SET actor = 'eve' WHERE sequence = {place}")
    rewritten(place)


def cut_off_and_go_on() -> None:
    """The newest entries are gone, and others took their numbers."""
    last = newest()
    sql(f"UPDATE audit_entry SET text = 'nothing' WHERE sequence > {last - 3}")
    rewritten(last - 2)


def close_a_gap() -> None:
    place = in_the_middle(action="protect.override")
    sql(f"DELETE FROM audit_entry WHERE sequence = {place}")
    sql(f"UPDATE audit_entry SET sequence = -sequence WHERE sequence > {place}")
    sql("UPDATE audit_entry SET sequence = -sequence - 1 WHERE sequence < 0")
    rewritten(place)


def exchange() -> None:
    place = in_the_middle()
    for was, becomes in ((place, -1), (place + 1, place), (-1, place + 1)):
        sql(f"UPDATE audit_entry SET sequence = {becomes} WHERE sequence = {was}")


def put_back_what_was_redacted() -> None:
    told = Entry.objects.get(action="audit.redact")
    place = int(re.match(r"entry (\d+)", told.text)[1])
    sql(f"UPDATE audit_entry SET text = 'the old password was hunter2' WHERE sequence = {place}")


def say_another_redaction() -> None:
    sql("UPDATE audit_entry SET text = replace(text, 'A password', 'Nothing') WHERE action = 'audit.redact'")


def redact_by_hand() -> None:
    mark = "redacted scrypt$" + "0" * 32 + "$" + "0" * 64
    sql(f"UPDATE audit_entry SET text = '{mark}' WHERE sequence = {in_the_middle(action='protect.override')}")


DATABASES: dict[str, Callable[[], None]] = {
    "another person approved": update("actor", "'eve'", action="protect.approve"),
    "another account approved": update("actor_id", "999", action="protect.approve"),
    "another address": update("ip", "'203.0.113.99'"),
    "another time": update("at", "'2026-10-02 00:00:00+00:00'"),
    "another team": update("team", "'Nobody'"),
    "other roles": update("roles", "'owner'"),
    "a refusal that was none": update("outcome", "'succeeded'", outcome="refused"),
    "another service": update("service", "'other'", action="protect.override"),
    "another cluster": update("cluster", "'other'", cluster="edge"),
    "another action": update("action", "'view.nothing'", action="protect.override"),
    "an override without a reason": update("text", "''", action="protect.override"),
    "other values": update("changes", "'[]'", action="deploy.SetImage"),
    "of another operation": update("operation", "NULL", action="protect.approve"),
    "a hash": update("hash", f"'{'0' * 64}'"),
    "an entry removed": remove(in_the_middle),
    "the newest removed": lambda: sql(f"DELETE FROM audit_entry WHERE sequence > {newest() - 4}"),
    "the oldest removed": remove(lambda: Entry.objects.order_by("sequence").values_list("sequence", flat=True)[0]),
    "everything of one person removed": lambda: sql("DELETE FROM audit_entry WHERE actor = 'fay'"),
    "forged with every later hash": forge,
    "the end written again": cut_off_and_go_on,
    "an override removed, and the numbers closed up": close_a_gap,
    "two entries exchanged": exchange,
    "a redaction taken back": put_back_what_was_redacted,
    "a redaction told otherwise": say_another_redaction,
    "a redaction that nobody made": redact_by_hand,
    "no entry of the archive": lambda: sql("DELETE FROM audit_entry WHERE action = 'audit.retain'"),
}


@pytest.mark.parametrize("how", sample(DATABASES, one_in=4))
def test_a_database_that_was_tampered_with_is_found_by_its_export(
    month: Month, auditor: Auditor, tmp_path, capsys, how: str
) -> None:
    """The console that exports it knows nothing of the tampering, and signs what it finds."""
    mark = tmp_path / "checkpoint.jsonl"
    mark.write_text(auditor.export("/audit/proof/checkpoint/", posts=True))
    key = key_of(auditor)
    month.clock.tick(5)
    take_triggers_away()
    DATABASES[how]()
    given = [str(month.folder / "archive.jsonl"), str(kept(auditor, tmp_path, "whole.jsonl"))]
    code = verify_sluice_audit.main([*given, "--public-key", key, "--checkpoint", str(mark)])
    assert code == 1, capsys.readouterr().out
