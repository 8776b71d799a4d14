"""Proving the log: from its first entry, through archives when they are given, past every checkpoint, to its end."""

import contextlib
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from console.audit.chain import BrokenLink, Link, beginning, follow
from console.audit.checkpoints import Checkpoint
from console.audit.models import Entry, Retention
from console.audit.redactions import Redactions
from console.audit.triggers import FIRST_HASH, RETAINED

BATCH_SIZE = 2000


def verify(archived: Iterable[Entry] = (), checkpoints: Sequence[Checkpoint] = (), trusted: Sequence[str] = ()) -> int:
    """Return the number of entries that were read when the whole chain holds; raises BrokenLink.

    `archived` are the entries of one or more archives, in order. A checkpoint is proved when the chain still has
    its entry with its hash. Redactions are signed by one of the `trusted` public keys, else by this installation.
    """
    marks = _marks(checkpoints)
    here: Any = (
        Entry.objects.filter(sequence__gt=beginning().sequence).order_by("sequence").iterator(chunk_size=BATCH_SIZE)
    )
    # Closed in any case: a cursor that the garbage collector closes may do it while psycopg holds its lock.
    with contextlib.closing(here):
        start, entries = _joined(archived, here)
        count, last, redactions = 0, start, Redactions(trusted)
        _compare(start, marks)
        for last in follow(entries, start, redactions):
            _compare(last, marks)
            count += 1
    redactions.hold_here()
    _reaches_every_mark(start, last, checkpoints)
    _retention_is_told()
    return count


def _joined(archived: Iterable[Entry], here: Iterable[Entry]) -> tuple[Link, Iterable[Entry]]:
    """Return what the first entry continues, and the entries of the archives followed by those of the database."""
    archive = iter(archived)
    first = next(archive, None)
    if first is None:
        return beginning(), here
    if first.sequence > beginning().sequence:
        return beginning(), _once(itertools.chain([first], archive), here)
    return _before(first), _once(itertools.chain([first], archive), here)


def _once(archived: Iterable[Entry], here: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the archived entries that are not in the database, then those that are; an export has some of both.

    What both have must be the same, and the database must have all that the file has of its part.
    """
    begins, shared, last = beginning().sequence, dict[int, str](), 0
    for entry in archived:
        if entry.sequence == last - 1:
            raise BrokenLink(entry.sequence, "the file is newest first; give one that is oldest first")
        last = entry.sequence
        if last <= begins:
            yield entry
        else:
            shared[last] = entry.hash
    for entry in here:
        if shared.pop(entry.sequence, entry.hash) != entry.hash:
            raise BrokenLink(entry.sequence, "the file has another entry of this number")
        yield entry
    if shared:
        raise BrokenLink(min(shared), "the file has this entry, and the database does not")


def _before(first: Entry) -> Link:
    """What an archive's first entry continues: nothing, or the archive before."""
    if first.sequence == 1:
        return Link(0, FIRST_HASH)
    earlier = Retention.objects.filter(through=first.sequence - 1).values_list("through", "hash").first()
    if earlier is None:
        raise BrokenLink(first.sequence, "no archive ends before it")
    return Link(*earlier)


def _marks(checkpoints: Sequence[Checkpoint]) -> dict[int, list[tuple[str, str]]]:
    """Hashes that the chain must have, with the sentence for when it has not, by sequence number."""
    marks: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for retention in Retention.objects.all():
        marks[retention.through].append((retention.hash, "the retention row has another hash"))
    for checkpoint in checkpoints:
        marks[checkpoint.sequence].append((checkpoint.hash, f"the checkpoint of {checkpoint.at} has another hash"))
    return marks


def _compare(link: Link, marks: dict[int, list[tuple[str, str]]]) -> None:
    for expected, why in marks.get(link.sequence, ()):
        if expected != link.hash:
            raise BrokenLink(link.sequence, why)


def _reaches_every_mark(start: Link, last: Link, checkpoints: Sequence[Checkpoint]) -> None:
    for checkpoint in checkpoints:
        if checkpoint.sequence > last.sequence:
            raise BrokenLink(checkpoint.sequence, f"the log ends at entry {last.sequence}, before the checkpoint")
        if checkpoint.sequence < start.sequence:
            raise BrokenLink(checkpoint.sequence, "the checkpoint's entry is in an archive that was not given")


def _retention_is_told() -> None:
    """The newest retention was recorded by an entry; the entries of earlier ones may be archived by now."""
    newest = Retention.objects.order_by("-through").first()
    if newest and not Entry.objects.filter(action=RETAINED, sequence__gt=newest.through, text=str(newest)).exists():
        raise BrokenLink(newest.through, "entries were removed, and no entry records it")
