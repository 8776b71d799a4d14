"""Old entries go to an archive file; the chain continues from there and can still be verified."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import Min

from console.audit import policy, service_history
from console.audit.chain import Actor, beginning, follow, hold, record
from console.audit.export import json_line
from console.audit.models import Entry, Retention
from console.audit.outcomes import Outcome
from console.audit.redactions import Redactions
from console.audit.triggers import RETAINED

BATCH_SIZE = 5000  # entries removed in a transaction


@dataclass(frozen=True, slots=True)
class Kept:
    """What went into the archive."""

    count: int
    through: int


class Held(Exception):
    """A legal hold was placed while the archive was written: nothing may be removed."""


def retain(before: datetime, archive: Path, *, actor: Actor) -> Kept:
    """Write the entries from before `before` to a new file, then remove them; returns what was archived.

    The archived part is verified while it is written. The newest entry always stays, and all from the first one on
    that a legal hold covers; Held where one was placed meanwhile: then nothing was removed.
    What services were until then is forgotten too. Raises BrokenLink, or OSError
    (the file exists already, the disk is full); then nothing was removed. Killed on the way, the next call removes
    what is left of what was archived.
    """
    remove_archived()
    through = policy.last_before(before)
    if (held := policy.first_held(through)) is not None:
        through, before = held - 1, Entry.objects.get(sequence=held).at
    start = beginning()
    if through <= start.sequence:
        service_history.forget(before)
        return Kept(0, start.sequence)
    found = Entry.objects.filter(sequence__gt=start.sequence, sequence__lte=through).order_by("sequence")
    last, sha256 = start, hashlib.sha256()
    rows: Any = found.iterator(chunk_size=2000)
    with _new_file(archive) as file, contextlib.closing(rows) as entries:
        for link in follow(_written(entries, file, sha256), start, Redactions()):
            last = link
        file.flush()
        os.fsync(file.fileno())
    retention = Retention(through=last.sequence, hash=last.hash, archive_sha256=sha256.hexdigest())
    with transaction.atomic():
        hold()
        if policy.first_held(last.sequence) is not None:
            raise Held(last.sequence)
        record(RETAINED, actor=actor, outcome=Outcome.SUCCEEDED, text=str(retention))
        retention.save(force_insert=True)
    remove_archived()
    service_history.forget(before)
    return Kept(last.sequence - start.sequence, last.sequence)


def remove_archived() -> None:
    """Remove what retention rows cover, in steps that leave others their turn at the database."""
    through = beginning().sequence
    while (lowest := Entry.objects.aggregate(lowest=Min("sequence"))["lowest"]) is not None and lowest <= through:
        Entry.objects.filter(sequence__lte=min(through, lowest + BATCH_SIZE - 1)).delete()


def _new_file(path: Path) -> BinaryIO:
    """Readable by the owner only; raises FileExistsError rather than write over an archive."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _written(entries: Iterator[Entry], file: BinaryIO, sha256: "hashlib._Hash") -> Iterator[Entry]:
    for entry in entries:
        line = json_line(entry).encode()
        file.write(line)
        sha256.update(line)
        yield entry
