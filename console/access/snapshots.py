"""Everybody's rights as entries of the log: what replaying begins with.

1. The first check after an installation or an upgrade finds no snapshot, and writes one: recording begins.
2. Each week another one, so that what remains after old entries went to an archive begins with one too.
3. Where the tables are not what the log says, somebody or something (a restore, an upgrade, SQL) changed rights without
   an entry: a snapshot says so, and which rows differ.
"""

from datetime import datetime, timedelta

import structlog
from django.utils import timezone

from console import audit
from console.access.actors import CONSOLE
from console.access.changing import alone
from console.access.rights_history import moments, tables
from console.access.rights_history.replay import SNAPSHOT, SNAPSHOT_FIELD
from console.access.rights_history.rows import Key, path, text
from console.access.rights_history.state import State
from console.audit import Outcome
from console.audit.models import Entry
from console.knative.diff import FieldChange

EVERY = timedelta(days=7)
PART = 500  # rows of an entry
MAX_TOLD = 20  # differences that the entry names in its text
BEGAN, WEEKLY, DIFFERS = "began", "weekly", "differs"

log = structlog.get_logger(__name__)


def check() -> bool:
    """Write a snapshot if one is due; returns whether. Asked each minute, so it takes the lock only then."""
    if not _why(timezone.now()):
        return False
    with alone():  # a change may have been under way
        now = timezone.now()
        found = _why(now)
        if found:
            write(*found)
    return bool(found)


def write(why: str, told: str = "", at: datetime | None = None) -> None:
    """Write the rights of this moment, in parts of the same time; call it in a transaction. `at` as in audit.record."""
    state = moments.current()
    rows = sorted(state.rows.items())
    parts = [rows[start : start + PART] for start in range(0, len(rows), PART)] or [[]]
    for number, part in enumerate(parts, start=1):
        changes = [FieldChange(tuple(SNAPSHOT_FIELD.split(".")), None, why)] if number == 1 else []
        changes += [FieldChange(path(key), None, text(row, state.entries.get(key))) for key, row in part]
        said = f"{why}, part {number} of {len(parts)}" + (f": {told}" if told and number == 1 else "")
        at = _record(changes, said, at).at
    if why == DIFFERS:
        log.warning("rights_differed_from_log", differences=told)


def _record(changes: list[FieldChange], said: str, at: datetime | None) -> Entry:
    entry: Entry = audit.record(
        SNAPSHOT, actor=CONSOLE, outcome=Outcome.SUCCEEDED, changes=changes, by=(), text=said, at=at
    )
    return entry


def _why(now: datetime) -> tuple[str, str] | None:
    """Why a snapshot is due, and what differs; None when it is not."""
    newest = moments.newest_snapshot(now)
    if newest is None:
        return BEGAN, ""
    if differences := _differences(moments.state_at(now).state, tables.current()):
        rest = len(differences) - MAX_TOLD
        return DIFFERS, ", ".join(differences[:MAX_TOLD]) + (f" and {rest} more" if rest > 0 else "")
    return (WEEKLY, "") if now - newest.at > EVERY else None


def _differences(logged: State, here: State) -> list[str]:
    """What the tables have and the log has not, in words: `added grant 12`."""
    keys = sorted(logged.rows.keys() | here.rows.keys())
    return [_difference(key, logged, here) for key in keys if logged.rows.get(key) != here.rows.get(key)]


def _difference(key: Key, logged: State, here: State) -> str:
    what = "removed" if key not in here.rows else "changed" if key in logged.rows else "added"
    return f"{what} {key[0]} {key[1]}"
