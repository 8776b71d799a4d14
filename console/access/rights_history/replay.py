"""From entries to rights: the newest snapshot, then every change after it. Pure: entries in, rights out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from console.access.rights_history.rows import NotARow, key_in, origin, read
from console.access.rights_history.state import State

SNAPSHOT = "rights.snapshot"
SNAPSHOT_FIELD = "rights.snapshot"  # of its first part: why it was made


class Recorded(Protocol):
    """What of an entry of the log counts."""

    sequence: int
    action: str
    changes: Sequence[Mapping[str, Any]]


@dataclass
class Replay:
    """The state after the entries; `unreadable` are those of them from which a redaction took a row."""

    state: State = field(default_factory=State)
    unreadable: list[int] = field(default_factory=list)


def replay(entries: Iterable[Recorded]) -> Replay:
    """Return the rights after the entries, oldest first; a snapshot among them begins again."""
    found = Replay()
    for entry in entries:
        if begins_snapshot(entry):
            found = Replay()
        take(entry, found)
    return found


def begins_snapshot(entry: Recorded) -> bool:
    """Whether the entry is the first part of a snapshot."""
    return entry.action == SNAPSHOT and any(change["field"] == SNAPSHOT_FIELD for change in entry.changes)


def take(entry: Recorded, found: Replay) -> None:
    """Take the next entry into what was found so far."""
    for change in entry.changes:
        key = key_in(change["field"])
        if key is None:
            continue
        found.state.rows.pop(key, None)
        if change["after"] is None:
            continue
        try:
            found.state.rows[key] = read(key, change["after"])
            found.state.entries[key] = origin(change["after"]) or entry.sequence
        except NotARow:
            found.unreadable.append(entry.sequence)
