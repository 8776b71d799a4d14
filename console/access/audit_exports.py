"""Exports of the audit log that are too large to wait for: written part by part by workers, fetched by who asked.

A turn looks through a slice of the log and leaves a compressed part in the database. It compares where the slice begins
with what the row says, so that a message that comes twice writes nothing twice.
"""

import threading
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from uuid import UUID

import structlog
from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.models import F
from django.http import QueryDict
from django.utils import timezone

from console import audit, queue
from console.access.actors import Actor
from console.access.auditing import reads_everything, scope_digest, visible_entries
from console.access.authorization import Rights, rights_of
from console.access.models import User
from console.access.permissions import Permission
from console.audit import Outcome, export, manifest, searching
from console.audit.models import Entry, Export, ExportPart
from console.audit.searching import Search
from console.database import after_commit
from console.queue import TaskName

MAX_DIRECT = 10_000  # entries that are worth no task
SLICE = 10_000  # entries looked through for one part
TURN_SECONDS = 8.0
STALLED = timedelta(seconds=20)
RETENTION = timedelta(days=1)
NARROWED = "what the person's grants with audit cover"

log = structlog.get_logger(__name__)


def is_small(found: Search) -> bool:
    """Whether the entries can be sent at once. A text is looked for everywhere, so only the log's length counts."""
    if found.high - found.low <= MAX_DIRECT:
        return True
    return not found.is_text and found.entries[: MAX_DIRECT + 1].count() <= MAX_DIRECT


@transaction.atomic
def start(found: Search, form: str, query: str, *, user: User, actor: Actor) -> Export:
    """Begin an export of what the query finds for this person; leaves an entry of it."""
    newest = found.high - 1
    made = Export.objects.create(
        user=user,
        form=form,
        query=query,
        newest=newest,
        oldest=found.low,
        reached=newest + 1,
        scope=scope_digest(rights_of(user)),
    )
    tell(form, query, actor)
    after_commit(_enqueue, made)
    return made


def tell(form: str, query: str, actor: Actor) -> None:
    """Leave an entry of entries that leave the console."""
    audit.record("audit.export", actor=actor, outcome=Outcome.SUCCEEDED, text=f"{form} {query}"[:500])


def take_turn(export_id: str, reached: int, stop: threading.Event) -> None:
    """Write parts for a few seconds, then hand over the next turn."""
    until = time.monotonic() + TURN_SECONDS
    while time.monotonic() < until and not stop.is_set():
        one = Export.objects.filter(id=export_id, reached=reached, finished_at=None).select_related("user").first()
        if one is None or not _write_part(one):
            return
        reached = one.reached
    _enqueue(Export.objects.get(id=export_id))


def _write_part(one: Export) -> bool:
    """Write the next part; returns whether another should follow."""
    rights = rights_of(one.user)
    if not is_readable(one, rights):
        Export.objects.filter(id=one.id).update(finished_at=timezone.now(), error="not-allowed")
        return False
    floor = max(one.oldest, one.reached - SLICE)
    found = searching.search(visible_entries(rights), QueryDict(one.query).dict()).entries
    rows = list(found.filter(sequence__lt=one.reached, sequence__gte=floor).order_by("-sequence"))
    data = zlib.compress("".join(_lines(one, rows)).encode())
    is_last, now = floor <= one.oldest, timezone.now()
    with transaction.atomic():
        moved = Export.objects.filter(id=one.id, reached=one.reached, finished_at=None).update(
            reached=floor,
            written=F("written") + len(rows),
            parts=F("parts") + 1,
            moved_at=now,
            finished_at=now if is_last else None,
        )
        if not moved:
            return False  # another worker wrote this part
        ExportPart.objects.create(export=one, number=one.parts, data=data)
    one.reached = floor
    return not is_last


def is_readable(one: Export, rights: Rights) -> bool:
    """Whether the person may still read what the export was begun for: all of it, or the file is not theirs any more.

    An export from before its scope was kept is not; it lasts a day, and can be made again.
    """
    return rights.allows(Permission.AUDIT) and one.scope == scope_digest(rights)


def _lines(one: Export, rows: list[Entry]) -> Iterator[str]:
    return export.csv_lines(rows, heading=one.parts == 0) if one.form == "csv" else export.json_lines(rows)


def origin(found: Search, query: str, user: User) -> manifest.Origin:
    """Return what the manifest says of an export that is made at once."""
    return _origin(user, query, found.low, found.high - 1)


def _origin(user: User, query: str, oldest: int, newest: int) -> manifest.Origin:
    scope = manifest.EVERYTHING if reads_everything(rights_of(user)) else NARROWED
    return manifest.Origin(user.username, scope, query, oldest, newest)


async def contents(one: Export) -> AsyncIterator[bytes]:
    """Yield the file, a part at a time; JSON lines end with the signed manifest."""
    account = manifest.Account()
    for number in range(one.parts):
        part = unpacked(await ExportPart.objects.aget(export=one, number=number))
        account.take(part)
        yield part
    if one.form == "jsonl":
        user = await User.objects.aget(id=one.user_id)
        yield account.line(await sync_to_async(_origin)(user, one.query, one.oldest, one.newest)).encode()


def unpacked(part: ExportPart) -> bytes:
    return zlib.decompress(bytes(part.data))


def of_person(export_id: UUID, user: User) -> Export | None:
    """Return the person's own export; None for one that does not exist and for somebody else's."""
    return Export.objects.filter(id=export_id, user=user).first()


def enqueue_stalled() -> None:
    """Send messages again that were lost, with their workers or on the way."""
    for one in Export.objects.filter(finished_at=None, moved_at__lt=timezone.now() - STALLED):
        _enqueue(one)


def forget_old() -> int:
    """Remove exports of more than a day ago; returns how many."""
    old = Export.objects.filter(created_at__lt=timezone.now() - RETENTION)
    count = old.count()
    old.delete()
    return count


def _enqueue(one: Export) -> None:
    try:
        queue.enqueue(TaskName.EXPORT_ENTRIES, [str(one.id), one.reached], priority=queue.LATER)
    except queue.NOT_SENT as error:
        log.warning("export_postponed", export=str(one.id), reason=type(error).__name__)  # the sweep sends it
