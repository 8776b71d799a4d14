"""For an entry that contains a secret by accident: an administrator replaces one field by its salted hash.

1. A new entry records it: which entry, which field, the hash that the entry has and keeps, what the field contains
   now, and the digest of what the entry contains now. It is signed with the key of checkpoints.
2. In the same transaction the field is replaced. Triggers let nothing else pass (console.audit.redaction_triggers).
3. `verify` accepts an entry that does not match its hash only where such entries account for exactly what it holds.

The hash is scrypt's with a salt of its own: somebody who has the value can prove that it was this one; for anybody
else each guess is expensive.
"""

import hashlib
import json
import re
import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from console.audit import checkpoints
from console.audit.chain import Actor, BrokenLink, digest, hold, record
from console.audit.models import Entry
from console.audit.outcomes import Outcome
from console.audit.triggers import REDACTED, RETAINED
from console.knative.references import ServiceRef

MAX_REASON = 500  # characters
_PURPOSE = b"sluice audit redaction\n"
_PREFIX = "redacted scrypt$"
_MARK = re.compile(rf"{re.escape(_PREFIX)}[0-9a-f]{{32}}\$[0-9a-f]{{64}}")
_IN_CHANGES = re.compile(r"changes\[(\d+)\]\.(before|after)")
_TOLD = re.compile(
    r"entry (?P<entry>\d+), hash (?P<hash>[0-9a-f]{64}), field (?P<field>[a-z]+(?:\[\d+\]\.[a-z]+)?), "
    rf"becomes (?P<mark>{_MARK.pattern}), contents (?P<contents>[0-9a-f]{{64}}), "
    r"key (?P<key>[\w+/=]+), signature (?P<signature>[\w+/=]+)\. .+",
    re.DOTALL,
)
# scrypt's usual cost for passwords: 16 MiB and some 50 ms for each guess.
_COST = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}


class RedactionRefused(Exception):
    """The field cannot be redacted; `code` says why: `protected`, `nothing-there`, `already` or `changed`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Redaction:
    """What the telling entry says: `contents` is the digest of the other entry from then on."""

    entry: int
    hash: str
    field: str
    mark: str
    contents: str

    @property
    def signed(self) -> bytes:
        return _PURPOSE + json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()


def fields_of(entry: Entry) -> dict[str, str]:
    """Return the fields that can be redacted, with their texts; none of an entry that proves something itself."""
    if entry.action in (REDACTED, RETAINED):
        return {}
    return {name: text for name, text in _texts(entry) if text and not is_mark(text)}


def is_mark(text: str) -> bool:
    """Whether the text is what a redaction leaves."""
    return bool(_MARK.fullmatch(text))


def is_mark_of(mark: str, value: str) -> bool:
    """Whether the mark replaced this value."""
    salt, _, _hash = mark.removeprefix(_PREFIX).partition("$")
    return is_mark(mark) and secrets.compare_digest(mark, _mark(value, bytes.fromhex(salt)))


def redact(sequence: int, name: str, *, reason: str, actor: Actor) -> Entry:
    """Replace the field of the entry and record it; returns the new entry. Raises RedactionRefused.

    Whether the person may is the caller's to know.
    """
    with transaction.atomic():
        hold()
        entry = Entry.objects.get(sequence=sequence)
        _refuse_unless_fit(entry, name)
        changed = deepcopy(entry)
        mark = _mark(dict(_texts(entry))[name], secrets.token_bytes(16))
        column = _replace(changed, name, mark)
        told = Redaction(sequence, entry.hash, name, mark, digest(changed))
        ref = ServiceRef(entry.cluster, entry.namespace, entry.service) if entry.cluster else None
        telling = record(
            REDACTED, actor=actor, outcome=Outcome.SUCCEEDED, ref=ref, text=f"{_words(told)} {reason[:MAX_REASON]}"
        )
        Entry.objects.filter(sequence=sequence).update(**{column: getattr(changed, column)})
        return telling


def told_of(sequence: int) -> list[Entry]:
    """Return the entries that record redactions of the entry, oldest first."""
    return list(Entry.objects.filter(action=REDACTED, text__startswith=f"entry {sequence}, ").order_by("sequence"))


def subject_of(telling: Entry) -> int | None:
    """Return the number of the entry whose redaction this one records."""
    found = _TOLD.fullmatch(telling.text) if telling.action == REDACTED else None
    return int(found["entry"]) if found else None


@dataclass
class Redactions:
    """What redactions account for, gathered while a chain is followed. `trusted`: public keys, else our own."""

    trusted: Sequence[str] = ()
    _told: dict[int, list[Redaction]] = field(default_factory=lambda: defaultdict(list))
    _unproved: dict[int, Entry] = field(default_factory=dict)

    def meet(self, entry: Entry) -> None:
        """Take the next entry; raises BrokenLink where nothing can account for what it holds."""
        if entry.hash != digest(entry):
            if entry.action in (REDACTED, RETAINED) or not any(is_mark(text) for _, text in _texts(entry)):
                raise BrokenLink(entry.sequence, "its contents were changed")
            self._unproved[entry.sequence] = entry
        if entry.action == REDACTED:
            told = read(entry, self.trusted)
            self._told[told.entry].append(told)

    def settle(self, last: int) -> None:
        """Raise BrokenLink for the first redacted entry that no redaction accounts for.

        Where the chain was followed to `last` alone, what is told after that counts too.
        """
        for telling in Entry.objects.filter(action=REDACTED, sequence__gt=last).order_by("sequence"):
            told = read(telling, self.trusted)
            self._told[told.entry].append(told)
        for sequence, entry in sorted(self._unproved.items()):
            if not _is_accounted_for(entry, self._told[sequence]):
                raise BrokenLink(sequence, "its contents were changed")

    def hold_here(self) -> None:
        """Raise BrokenLink where the database has again what was redacted. An archive may be older than a redaction."""
        for entry in Entry.objects.filter(sequence__in=self._told).order_by("sequence").iterator():
            if self._told[entry.sequence] and self._told[entry.sequence][-1].contents != digest(entry):
                raise BrokenLink(entry.sequence, "what was redacted is there again")


def read(telling: Entry, trusted: Sequence[str] = ()) -> Redaction:
    """Return what the entry records; raises BrokenLink where it is not ours."""
    found = _TOLD.fullmatch(telling.text)
    if found is None or int(found["entry"]) >= telling.sequence:
        raise BrokenLink(telling.sequence, "it tells of no redaction")
    told = Redaction(int(found["entry"]), found["hash"], found["field"], found["mark"], found["contents"])
    if not checkpoints.is_known(found["key"], trusted):
        raise BrokenLink(
            telling.sequence, f"its redaction is signed with {checkpoints.unknown_key(found['key'], trusted)}"
        )
    if not checkpoints.is_signed(told.signed, found["key"], found["signature"], trusted):
        raise BrokenLink(telling.sequence, "its redaction is not signed by this installation")
    return told


def _refuse_unless_fit(entry: Entry, name: str) -> None:
    if entry.action in (REDACTED, RETAINED):
        raise RedactionRefused("protected")
    text = dict(_texts(entry)).get(name)
    if not text:
        raise RedactionRefused("nothing-there")
    if is_mark(text):
        raise RedactionRefused("already")
    earlier = [read(telling) for telling in told_of(entry.sequence)]
    if entry.hash != digest(entry) and not _is_accounted_for(entry, earlier):
        raise RedactionRefused("changed")  # it would be vouched for as it is now


def _is_accounted_for(entry: Entry, told: Sequence[Redaction]) -> bool:
    """Whether the first redaction, or the first two, ... made of the entry what it is. An archive may be older."""
    texts, contents = dict(_texts(entry)), digest(entry)
    for count, last in enumerate(told, start=1):
        is_as_told = all(texts.get(one.field) == one.mark and one.hash == entry.hash for one in told[:count])
        if is_as_told and last.contents == contents:
            return True
    return False


def _texts(entry: Entry) -> Iterator[tuple[str, str]]:
    """Yield the fields into which a secret can come by accident: words, values, what was typed as a name at sign-in.

    The person who acted stays named, also without an account in the console.
    """
    yield "text", entry.text
    for number, row in enumerate(entry.changes):
        for side in ("before", "after"):
            if isinstance(row.get(side), str):
                yield f"changes[{number}].{side}", row[side]
    if entry.actor_id is None and entry.outcome == Outcome.REFUSED:
        yield "actor", entry.actor


def _replace(entry: Entry, name: str, mark: str) -> str:
    """Put the mark into the field; returns the column that it is in."""
    if within := _IN_CHANGES.fullmatch(name):
        entry.changes[int(within[1])][within[2]] = mark
        return "changes"
    setattr(entry, name, mark)
    return name


def _mark(value: str, salt: bytes) -> str:
    hashed: Any = hashlib.scrypt(value.encode(errors="surrogatepass"), salt=salt, **_COST)
    return f"{_PREFIX}{salt.hex()}${hashed.hex()}"


def _words(told: Redaction) -> str:
    key, signature = checkpoints.sign(told.signed)
    return (
        f"entry {told.entry}, hash {told.hash}, field {told.field}, becomes {told.mark}, contents {told.contents}, "
        f"key {key}, signature {signature}."
    )
