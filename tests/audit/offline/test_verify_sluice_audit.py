"""The program that auditors run without the console: it passes honest exports and finds every tampering."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from console import audit
from console.audit import Outcome, checkpoints, export
from console.audit.manifest import EVERYTHING, Origin
from console.audit.models import Entry
from console.audit.offline import VERIFIER, verify_sluice_audit
from console.audit.redactions import redact
from tests.audit.conftest import ALICE, REF

Lines = list[dict[str, Any]]


@pytest.fixture
def log(entries) -> str:
    """A log of eight entries, whose sixth was redacted by the eighth, and a checkpoint at its seventh."""
    audit.record("deploy.Env", actor=ALICE, ref=REF, outcome=Outcome.SUCCEEDED, text="the password is öffne")
    audit.record("deploy.Env", actor=ALICE, ref=REF, outcome=Outcome.SUCCEEDED, text="to redact")
    mark = checkpoints.make().to_line()
    redact(6, "text", reason="a password", actor=ALICE)
    return mark


def lines_of(*, scope: str = EVERYTHING, query: str = "", **condition: Any) -> Lines:
    found = Entry.objects.filter(**condition).order_by("-sequence")
    origin = Origin("alice", scope, query, 1, 8)
    return [json.loads(line) for line in export.signed_lines(found, origin)]


def judged(
    folder: Path, lines: Lines, mark: str = "", key: str | None = None, capsys: pytest.CaptureFixture[str] | None = None
) -> tuple[int, str]:
    path, marks = folder / "export.jsonl", folder / "marks"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf8")
    marks.write_text(mark)
    given = [str(path), "--public-key", key or checkpoints.public_keys()[0]]
    code = verify_sluice_audit.main([*given, *(["--checkpoint", str(marks)] if mark else [])])
    return code, capsys.readouterr().out if capsys else ""


def test_it_needs_nothing_but_python() -> None:
    tree = ast.parse(VERIFIER.read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([one.name for one in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    assert imported <= sys.stdlib_module_names
    assert not imported & {"socket", "urllib", "http", "sqlite3", "subprocess"}


def test_an_honest_export_is_proved_with_its_redaction_and_its_checkpoint(log, tmp_path, capsys) -> None:
    code, said = judged(tmp_path, lines_of(), log, capsys=capsys)
    assert code == 0, said
    assert "8 entries of 1 to 8" in said
    assert "LEAVES OUT" not in said
    assert "1 checkpoints fit" in said


def test_a_filtered_and_a_narrowed_export_say_what_they_leave_out_and_are_proved(log, tmp_path, capsys) -> None:
    code, said = judged(tmp_path, lines_of(query="action=deploy.Env", action="deploy.Env"), log, capsys=capsys)
    assert code == 0, said
    assert "LEAVES OUT what does not match the filter action=deploy.Env" in said
    code, said = judged(tmp_path, lines_of(scope="what the person's grants cover", cluster="box"), log, capsys=capsys)
    assert code == 0, said
    assert "LEAVES OUT what alice may not read" in said


def test_the_commands_own_export_and_an_empty_one_are_proved(log, tmp_path) -> None:
    ascending = [
        json.loads(line)
        for line in export.signed_lines(Entry.objects.order_by("sequence"), Origin("manage.py", EVERYTHING, "", 1, 8))
    ]
    assert judged(tmp_path, ascending, log)[0] == 0
    assert judged(tmp_path, lines_of(query="actor=nobody", actor="nobody"))[0] == 0


def signed_again(lines: Lines) -> None:
    """Sign the manifest as somebody would who has no key of the installation."""
    import base64

    from cryptography.hazmat.primitives import serialization

    own = Ed25519PrivateKey.generate()
    text = verify_sluice_audit.signed_text(b"sluice audit export\n", lines[-1]["manifest"])
    raw = own.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    lines[-1]["key"] = base64.b64encode(raw).decode()
    lines[-1]["signature"] = base64.b64encode(own.sign(text)).decode()


def rehashed(lines: Lines, place: int) -> None:
    """Give the entry the hash of its new contents, and every later one too, as a careful forger would."""
    for at in range(place, -1, -1):
        if at < place:
            lines[at]["previous_hash"] = lines[at + 1]["hash"]
        lines[at]["hash"] = verify_sluice_audit.digest(lines[at])


def setting(place: int, name: str, value: Any) -> Callable[[Lines], None]:
    def tamper(lines: Lines) -> None:
        assert lines[place][name] != value
        lines[place][name] = value

    return tamper


def claiming(name: str, value: Any) -> Callable[[Lines], None]:
    def tamper(lines: Lines) -> None:
        assert lines[-1]["manifest"][name] != value
        lines[-1]["manifest"][name] = value

    return tamper


def forged(lines: Lines) -> None:
    lines[3]["actor"] = "mallory"
    rehashed(lines, 3)


def forged_and_signed(lines: Lines) -> None:
    forged(lines)
    signed_again(lines)


def moved(lines: Lines) -> None:
    lines[2], lines[3] = lines[3], lines[2]


def renumbered(lines: Lines) -> None:
    lines[0]["sequence"] = 9


def unredacted(lines: Lines) -> None:
    lines[2]["text"] = "nothing was here"


def remarked(lines: Lines) -> None:
    lines[2]["text"] = "redacted scrypt$" + "0" * 32 + "$" + "0" * 64


def reassigned(lines: Lines) -> None:
    lines[0]["text"] = lines[0]["text"].replace("entry 6", "entry 5")


def cut_signature(lines: Lines) -> None:
    lines[-1]["signature"] = lines[-1]["signature"][:-8] + "AAAAAA=="


# Newest first: line 0 is entry 8, which redacted entry 6 in line 2; line 7 is entry 1, line 8 the manifest.
TAMPERINGS: dict[str, Callable[[Lines], object]] = {
    "another actor": setting(3, "actor", "mallory"),
    "another person's number": setting(3, "actor_id", 99),
    "another address": setting(3, "ip", "203.0.113.1"),
    "other roles": setting(3, "roles", "admin"),
    "another team": setting(3, "team", "others"),
    "another cluster": setting(3, "cluster", "other"),
    "another namespace": setting(3, "namespace", "other"),
    "another service": setting(3, "service", "other"),
    "another action": setting(3, "action", "view.nothing"),
    "another outcome": setting(3, "outcome", "refused"),
    "another time": setting(3, "at", "2020-01-01T00:00:00+00:00"),
    "other changes": setting(3, "changes", [{"field": "a", "before": "1", "after": "2"}]),
    "another text": setting(3, "text", "nothing to see"),
    "another operation": setting(3, "operation", "00000000-0000-0000-0000-000000000001"),
    "another request": setting(3, "request_id", "x"),
    "another hash": setting(3, "hash", "0" * 64),
    "another hash before": setting(3, "previous_hash", "0" * 64),
    "an entry removed": lambda lines: lines.pop(3),
    "the newest removed": lambda lines: lines.pop(0),
    "the oldest removed": lambda lines: lines.pop(7),
    "an entry twice": lambda lines: lines.insert(3, dict(lines[3])),
    "entries in another order": moved,
    "an entry renumbered": renumbered,
    "forged with all later hashes": forged,
    "forged, and signed with another key": forged_and_signed,
    "a redaction taken back": unredacted,
    "a redaction with another mark": remarked,
    "a redaction of another entry": reassigned,
    "the manifest removed, with a checkpoint": lambda lines: (lines.pop(), lines.pop(1)),
    "fewer entries claimed": claiming("entries", 7),
    "a filter claimed": claiming("filter", "actor=alice"),
    "a narrower scope claimed": claiming("scope", "some"),
    "a shorter range claimed": claiming("newest", 7),
    "another maker claimed": claiming("by", "auditor"),
    "a damaged signature": cut_signature,
    "a line after the manifest": lambda lines: lines.append(dict(lines[0])),
}


@pytest.mark.parametrize("tamper", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_every_tampering_is_found(log, tmp_path, capsys, tamper: Callable[[Lines], object]) -> None:
    lines = lines_of()
    tamper(lines)
    code, said = judged(tmp_path, lines, log, capsys=capsys)
    assert code == 1, said
    assert "BROKEN" in said
    assert len(TAMPERINGS) >= 30


def test_a_log_that_was_written_anew_does_not_fit_an_old_checkpoint(log, tmp_path, capsys) -> None:
    """The forger has the key of the installation, but not the checkpoint that was kept elsewhere."""
    other = checkpoints.Checkpoint(7, "0" * 64, "2026-01-01T00:00:00+00:00")
    mark = checkpoints.Checkpoint(other.sequence, other.hash, other.at, *checkpoints.sign(other.signed)).to_line()
    code, said = judged(tmp_path, lines_of(), mark, capsys=capsys)
    assert code == 1
    assert "entry 7 is not the one that the checkpoint" in said


def test_a_key_that_was_not_named_proves_nothing(log, tmp_path) -> None:
    assert judged(tmp_path, lines_of(), key="A" * 43 + "=")[0] == 1


@pytest.mark.parametrize("text", ["", "not json\n", "[1]\n", '{"sequence": 1}\n', "\x00\n"])
def test_what_is_no_export_is_said_to_be_none(tmp_path, text: str, capsys) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    code = verify_sluice_audit.main([str(path)])
    assert code == (2 if text else 0)
    assert ("cannot be read" if text else "no manifest") in capsys.readouterr().out


KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@given(st.binary(max_size=64), st.integers(0, 511))
def test_its_signatures_are_those_of_a_kept_library(message: bytes, bit: int) -> None:
    """Against RFC 8032 as `cryptography` has it: the right one passes, one with a flipped bit does not."""
    import base64

    key = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
    signature = KEY.sign(message)
    assert verify_sluice_audit.is_signed(message, key, base64.b64encode(signature).decode())
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not verify_sluice_audit.is_signed(message, key, base64.b64encode(bytes(flipped)).decode())


def table(folder: Path, *, mark: str = "", **condition: Any) -> Path:
    path = folder / "export.csv"
    rows = export.csv_lines(Entry.objects.filter(**condition).order_by("-sequence"))
    path.write_text(mark + "".join(rows), encoding="utf8", newline="")
    return path


@pytest.mark.parametrize("mark", ["", export.BOM], ids=["plain", "for a spreadsheet"])
def test_a_table_is_proved_entry_by_entry_and_says_that_it_may_lack_some(log, tmp_path, capsys, mark: str) -> None:
    for text in ("=1+1", "'quoted", "two\r\nlines; öffne", "''=1"):
        audit.record("deploy.Env", actor=ALICE, ref=REF, outcome=Outcome.SUCCEEDED, text=text)
    marks = tmp_path / "marks"
    marks.write_text(log)
    given = ["--public-key", checkpoints.public_keys()[0], "--checkpoint", str(marks)]
    for condition in ({}, {"sequence__lte": 4}):
        assert verify_sluice_audit.main([*given, str(table(tmp_path, mark=mark, **condition))]) == 0
        assert "nothing proves that none is missing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("was", "becomes"), [("to redact", "to keep"), (",alice,", ",mallory,"), ("succeeded", "failed")]
)
def test_a_table_with_a_changed_cell_is_found(log, tmp_path, capsys, was: str, becomes: str) -> None:
    path = table(tmp_path)
    path.write_text(path.read_text(encoding="utf8").replace(was, becomes, 1), encoding="utf8", newline="")
    assert verify_sluice_audit.main([str(path)]) == 1
    assert "was changed" in capsys.readouterr().out


def test_a_redaction_that_a_table_does_not_tell_of_is_named(log, tmp_path, capsys) -> None:
    assert verify_sluice_audit.main([str(table(tmp_path, sequence=6))]) == 1
    assert "or it is redacted" in capsys.readouterr().out


def test_another_table_is_no_export(tmp_path, capsys) -> None:
    path = tmp_path / "other.csv"
    path.write_text("sequence,what\n1,x\n")
    assert verify_sluice_audit.main([str(path)]) == 2
