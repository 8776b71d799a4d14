#!/usr/bin/env python3
"""Check an export of Sluice's audit log, without Sluice: Python 3.11 or newer and this file are enough.

    python3 verify_sluice_audit.py --public-key KEY [--checkpoint FILE]... EXPORT...

KEY is the installation's public key, kept from a time when it was trusted (the page "Proof" of the audit log, or
`manage.py audit checkpoint --public-key`). Without it the file is only compared with itself.

It proves of each file: every entry has the hash of its contents; entries that follow each other are linked; nothing
was added, removed or changed since the console signed the manifest in the last line; an export of the whole log has
every number of its range, and begins where the log begins or its newest archive ends. With checkpoints: the log still
is what it was when they were made. It prints what the file leaves out: a filter, or entries that the person who
exported it may not read. An archive (`manage.py audit retain`) has no manifest; checkpoints prove it. Nor has a CSV.
Exit: 0 everything holds, 1 something does not, 2 a file cannot be read. docs/audit-format.md describes the format.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, pairwise
from pathlib import Path
from typing import IO, Any

FORMAT = "sluice-audit-export/1"
FIRST_HASH = "0" * 64
FIELDS = {  # that the hash covers, beside `at`, `operation`, and `team` where there is one
    *("sequence", "actor", "actor_id", "ip", "roles", "cluster", "namespace", "service", "action", "outcome"),
    *("changes", "text", "request_id", "previous_hash"),
}
ENTRY = {*FIELDS, "at", "operation", "team", "hash"}
MANIFEST = {"format", "made_at", "by", "scope", "filter", "oldest", "newest", "entries", "ends", "sha256"}
REDACTED, RETAINED = "audit.redact", "audit.retain"
MARK = r"redacted scrypt\$[0-9a-f]{32}\$[0-9a-f]{64}"
KEPT = re.compile(r"entries to (?P<through>\d+), hash (?P<hash>[0-9a-f]{64}), ")
TOLD = re.compile(
    r"entry (?P<entry>\d+), hash (?P<hash>[0-9a-f]{64}), field (?P<field>[a-z]+(?:\[\d+\]\.[a-z]+)?), "
    rf"becomes (?P<mark>{MARK}), contents (?P<contents>[0-9a-f]{{64}}), "
    r"key (?P<key>[\w+/=]+), signature (?P<signature>[\w+/=]+)\. .+",
    re.DOTALL,
)

Entry = dict[str, Any]
Point = tuple[int, int, int, int]


class Unreadable(Exception):
    """The file is not an export of entries."""


# --- Ed25519, verification only (RFC 8032, section 5.1.7) ---------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # of -1


def point(encoded: bytes) -> Point | None:
    """Return the point (X, Y, Z, T) of 32 bytes, None when there is none."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = x if x & 1 == sign else P - x
    return (x, y, 1, x * y % P)


def added(one: Point, other: Point) -> Point:
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % P, (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(number: int, base: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = added(result, base)
        base, number = added(base, base), number >> 1
    return result


X, Y = 15112221349535400772501151409588531511454012693041857206046113283949847762202, 4 * pow(5, P - 2, P) % P
BASE = (X, Y, 1, X * Y % P)


def is_signed(message: bytes, key: str, signature: str) -> bool:
    """Whether the key (base64) made the signature (base64) of the message (bytes)."""
    try:
        raw_key, raw = base64.b64decode(key, validate=True), base64.b64decode(signature, validate=True)
    except ValueError:
        return False
    if len(raw_key) != 32 or len(raw) != 64:
        return False
    public, commitment, scalar = point(raw_key), point(raw[:32]), int.from_bytes(raw[32:], "little")
    if public is None or commitment is None or scalar >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(raw[:32] + raw_key + message).digest(), "little") % ORDER
    left, right = times(scalar, BASE), added(commitment, times(challenge, public))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


def signed_text(purpose: bytes, facts: Any) -> bytes:
    return purpose + json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()


def manifest_of(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a manifest's line; raises KeyError or TypeError when some are missing."""
    if missing := MANIFEST - facts["manifest"].keys():
        raise KeyError(*missing)
    return {"manifest": facts["manifest"], "key": str(facts["key"]), "signature": str(facts["signature"])}


def digest(entry: Entry) -> str:
    """Return the hash that an entry with these contents has; raises KeyError when it is none."""
    if missing := ENTRY - entry.keys():
        raise KeyError(*missing)
    facts = {name: entry[name] for name in FIELDS}
    if entry["team"]:  # came later: entries from before have the hash of then
        facts["team"] = entry["team"]
    facts["at"] = datetime.fromisoformat(entry["at"]).astimezone(UTC).isoformat()
    facts["operation"] = entry["operation"]
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def texts(entry: Entry) -> dict[str, str]:
    """Return the fields that a redaction may have replaced."""
    found = {"text": entry["text"], "actor": entry["actor"]}
    for number, change in enumerate(entry["changes"]):
        for side in ("before", "after"):
            if isinstance(change, dict) and isinstance(change.get(side), str):
                found[f"changes[{number}].{side}"] = change[side]
    return found


def is_redacted(entry: Entry) -> bool:
    return any(re.fullmatch(MARK, text) for text in texts(entry).values())


class Export:
    """The lines of one file: its entries by number, and the manifest of its last line, if it has one."""

    def __init__(self, path: str, lines: Iterable[bytes], *, is_table: bool = False) -> None:
        self.path, self.is_table, self.entries = path, is_table, dict[int, Entry]()
        self.manifest: dict[str, Any] | None = None
        self.problems, self.order = list[str](), list[int]()
        self.digests: dict[int, str] = {}  # what the hashes should be
        self.sha256, self.count = hashlib.sha256(), 0
        for number, line in enumerate(lines, start=1):
            if self.manifest is not None:
                self.problems.append(f"line {number} comes after the manifest")
            self._take(number, line)

    def _take(self, number: int, line: bytes) -> None:
        try:
            facts = json.loads(line)
            if "manifest" in facts:
                self.manifest = manifest_of(facts)
                return
            sequence = int(facts["sequence"])
            self.digests[sequence] = digest(facts)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Unreadable(f"{self.path}: line {number} is not an entry of the log") from error
        self.sha256.update(line)
        self.count += 1
        if sequence in self.entries:
            self.problems.append(f"entry {sequence} is there twice")
        self.entries[sequence] = facts
        self.order.append(sequence)


def read_export(path: str) -> Export:
    """Return what the file holds, JSON lines or CSV."""
    with open(path, "rb") as file:
        is_table = file.read(16).removeprefix(b"\xef\xbb\xbf").startswith(b"sequence,")
        file.seek(0)
        return Export(path, from_table(path, file) if is_table else file, is_table=is_table)


def from_table(path: str, file: IO[bytes]) -> Iterator[bytes]:
    """Yield the rows of a CSV as JSON lines. A cell's first apostrophe only keeps spreadsheets from running it."""
    csv.field_size_limit(2**31 - 1)
    for row in csv.DictReader(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""), strict=True):
        facts: dict[str, Any] = {name: (row.get(name) or "").removeprefix("'") for name in ENTRY}
        try:
            facts |= {name: json.loads(facts[name] or "null") for name in ("sequence", "changes", "actor_id")}
        except ValueError as error:
            raise Unreadable(f"{path}: this table is not an export of the log") from error
        yield json.dumps(facts).encode()


def check_entries(export: Export, trusted: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with entries by themselves and with their links."""
    told: dict[int, list[dict[str, Any]]] = {}
    ascending = sorted(export.order)
    for entry in (export.entries[sequence] for sequence in ascending):
        if entry["action"] == REDACTED:
            redaction = read_redaction(entry, trusted)
            if isinstance(redaction, str):
                yield redaction
            else:
                told.setdefault(redaction["entry"], []).append(redaction)
    if export.order not in (ascending, ascending[::-1]):
        yield "the entries are not in the order of their numbers"
    before: Entry | None = None
    for sequence in ascending:
        entry = export.entries[sequence]
        if entry["hash"] == export.digests[sequence] and sequence in told:
            yield f"entry {sequence} contains what a redaction took out of it"
        if entry["hash"] != export.digests[sequence] and not is_accounted_for(entry, told.get(sequence, []), export):
            more = "; or it is redacted, and the file lacks the entry that says so" if is_redacted(entry) else ""
            yield f"entry {sequence} was changed: it does not have the hash of its contents{more}"
        if sequence == 1 and entry["previous_hash"] != FIRST_HASH:
            yield "entry 1 does not begin the log"
        if before and before["sequence"] + 1 == sequence and entry["previous_hash"] != before["hash"]:
            yield f"entry {sequence} does not continue entry {sequence - 1}"
        before = entry


def read_redaction(entry: Entry, trusted: Sequence[str]) -> dict[str, Any] | str:
    """Return what the entry tells of a redaction, or what is wrong with it."""
    found = TOLD.fullmatch(entry["text"])
    if found is None or int(found["entry"]) >= entry["sequence"]:
        return f"entry {entry['sequence']} tells of no redaction"
    facts = {"entry": int(found["entry"]), **{name: found[name] for name in ("hash", "field", "mark", "contents")}}
    is_ours = not trusted or found["key"] in trusted
    if not is_ours or not is_signed(signed_text(b"sluice audit redaction\n", facts), found["key"], found["signature"]):
        return f"entry {entry['sequence']}: its redaction is not signed by this installation"
    return facts


def is_accounted_for(entry: Entry, told: Sequence[dict[str, Any]], export: Export) -> bool:
    """Whether redactions that the file tells of, the first or the first two ..., made of the entry what it is."""
    if entry["action"] in (REDACTED, RETAINED) or not is_redacted(entry):
        return False
    there, contents = texts(entry), digest(entry)
    for count, last in enumerate(told, start=1):
        as_told = [there.get(one["field"]) == one["mark"] and one["hash"] == entry["hash"] for one in told[:count]]
        if all(as_told) and last["contents"] == contents:
            return True
    # A filter may have left out the entry that tells of it: then the manifest's signature alone speaks for it.
    return export.manifest is not None and leaves_out(export.manifest["manifest"])


def check_beginning(export: Export) -> Iterator[str]:
    """Yield what is wrong with where a whole log begins: with entry 1, or after what its newest archive took."""
    if not export.order or export.manifest is None or leaves_out(export.manifest["manifest"]):
        return
    first = export.entries[min(export.order)]
    retained = [KEPT.match(entry["text"]) for entry in export.entries.values() if entry["action"] == RETAINED]
    archived = {int(found["through"]): found["hash"] for found in retained if found}
    through = max(archived, default=0)
    if first["sequence"] > through + 1:
        yield f"the entries {through + 1} to {first['sequence'] - 1} are missing, and no archive took them"
    elif first["sequence"] == through + 1 and through and first["previous_hash"] != archived[through]:
        yield f"entry {first['sequence']} does not continue what the archive took"


def leaves_out(facts: dict[str, Any]) -> bool:
    return facts.get("scope") != "everything" or bool(facts.get("filter"))


def check_manifest(export: Export, trusted: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the whole of the file."""
    if export.manifest is None:
        return
    facts, key = export.manifest["manifest"], export.manifest["key"]
    if trusted and key not in trusted:
        yield "the manifest is signed with a key that you did not name"
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        yield f"the manifest is not of the format {FORMAT}"
        return
    if not is_signed(signed_text(b"sluice audit export\n", facts), key, export.manifest["signature"]):
        yield "the signature of the manifest is wrong"
    if facts["entries"] != export.count:
        yield f"the manifest counts {facts['entries']} entries, the file has {export.count}"
    if facts["sha256"] != export.sha256.hexdigest():
        yield "the lines are not those that the manifest was signed for"
    outer = (min(export.order), max(export.order)) if export.order else ()
    if facts["ends"] != [[number, export.entries[number]["hash"]] for number in outer]:
        yield "the first or the last entry is another one than in the manifest"
    if export.order and not facts["oldest"] <= min(export.order) <= max(export.order) <= facts["newest"]:
        yield "there are entries outside the range of the manifest"
    if not leaves_out(facts) and len(export.entries) != facts["newest"] - facts["oldest"] + 1:
        yield f"of the entries {facts['oldest']} to {facts['newest']} some are missing"


def check_checkpoints(exports: Sequence[Export], lines: Sequence[str], trusted: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with checkpoints, or with the log that they saw."""
    entries = {number: entry for export in exports for number, entry in export.entries.items()}
    for line in lines:
        try:
            facts = json.loads(line)
            bare = {name: facts[name] for name in ("sequence", "hash", "at")}
            key, signature = facts["key"], facts["signature"]
        except (ValueError, TypeError, KeyError) as error:
            raise Unreadable("a line of the checkpoints is not a checkpoint") from error
        number = bare["sequence"]
        if trusted and key not in trusted:
            yield f"checkpoint {number} is signed with a key that you did not name"
        if not is_signed(signed_text(b"sluice audit checkpoint\n", bare), key, signature):
            yield f"the signature of checkpoint {number} is wrong"
        elif number in entries and entries[number]["hash"] != bare["hash"]:
            yield f"entry {number} is not the one that the checkpoint of {bare['at']} saw"
        elif number not in entries and number and is_expected(exports, number, bare["at"]):
            yield f"entry {number}, which the checkpoint of {bare['at']} saw, is missing"


def is_expected(exports: Sequence[Export], number: int, at: str) -> bool:
    """Whether one of the files should have the entry of that time: it leaves nothing out and goes over its number."""
    moment = datetime.fromisoformat
    for export in exports:
        facts = export.manifest["manifest"] if export.manifest else None
        is_over = facts and not leaves_out(facts) and facts["oldest"] <= number
        if facts and is_over and (number <= facts["newest"] or moment(facts["made_at"]) > moment(at)):
            return True
        if facts is None and not export.is_table and export.order and min(export.order) <= number:
            return True
    return False


def check_joints(exports: Sequence[Export]) -> Iterator[str]:
    """Yield where files that follow each other do not fit."""
    filled = sorted((one for one in exports if one.order), key=lambda one: min(one.order))
    for before, after in pairwise(filled):
        last, first = max(before.order), min(after.order)
        if first <= last:
            shared = before.entries.keys() & after.entries.keys()
            if any(before.entries[number]["hash"] != after.entries[number]["hash"] for number in shared):
                yield f"{before.path} and {after.path} have different entries under one number"
        elif first == last + 1 and after.entries[first]["previous_hash"] != before.entries[last]["hash"]:
            yield f"{after.path} does not continue {before.path}"


def described(export: Export) -> str:
    """Return what the file is, in a sentence or two."""
    if export.manifest is None:
        proof = "nothing proves" if export.is_table else "only checkpoints can prove"
        return f"{export.path}: {export.count} entries, no manifest: {proof} that none is missing"
    facts = export.manifest["manifest"]
    numbers = f"{facts['oldest']} to {facts['newest']}"
    said = f"{export.path}: {export.count} entries of {numbers}, made {facts['made_at']} by {facts['by']}"
    if facts["filter"]:
        said += f"; LEAVES OUT what does not match the filter {facts['filter']}"
    if facts["scope"] != "everything":
        said += f"; LEAVES OUT what {facts['by']} may not read ({facts['scope']})"
    return said


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check an export of Sluice's audit log, without Sluice.")
    parser.add_argument("exports", nargs="+", metavar="EXPORT")
    parser.add_argument("--public-key", action="append", default=[], help="base64, as the console shows it; repeatable")
    parser.add_argument("--checkpoint", action="append", default=[], help="file with a checkpoint a line; repeatable")
    chosen = parser.parse_args(arguments)
    keys: list[str] = chosen.public_key
    try:
        exports = [read_export(path) for path in chosen.exports]
        read = [line for path in chosen.checkpoint for line in Path(path).read_text("utf8").splitlines()]
        marks = list(filter(str.strip, read))
        problems = [f"checkpoints: {why}" for why in check_checkpoints(exports, marks, keys)]
    except (OSError, UnicodeDecodeError, csv.Error, Unreadable) as error:
        print(f"cannot be read: {error}")
        return 2
    for export in exports:
        print(described(export))
        found = check_entries(export, keys), check_beginning(export), check_manifest(export, keys)
        problems += [f"{export.path}: {why}" for why in chain(export.problems, *found)]
    problems += check_joints(exports)
    for why in problems:
        print(f"BROKEN: {why}")
    if not keys:
        print("Note: no --public-key was given. The author of a change may have signed it with a key of their own.")
    print(
        "NOT PROVED"
        if problems
        else "Proved: the entries hold together" + f", {len(marks)} checkpoints fit" * bool(marks)
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
