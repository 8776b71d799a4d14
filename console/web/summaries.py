"""What a change changed, in one line of a list: `TARGET: changed`, `image: go → rust`, `100 → 50/50`."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from console.access.rights_history.rows import is_of_rights
from console.audit.models import Entry
from console.knative import paths, traffic
from console.knative.changed import Kind
from console.knative.diff import FieldChange
from console.knative.traffic import TrafficTarget
from console.operations.models import Operation
from console.web import change_words
from console.web.change_words import Line

MAX_CHARACTERS = 60  # of a value of an entry that is about no service
_NO_SPLIT = (TrafficTarget(None, 100, follows_latest=True),)


def of_operation(operation: Operation) -> str:
    """Return what the operation's stored difference says, without values."""
    return _summary([_stored(row) for row in operation.changes])


def of_entry(entry: Entry) -> str:
    """Return what the entry says of the fields that changed; empty where nothing did."""
    told = [row for row in entry.changes if not is_of_rights(row["field"])]
    rows = [FieldChange(paths.read(row["field"]), row["before"], row["after"]) for row in told]
    if entry.service:
        return _summary(rows)
    return _("; ").join(_plain(row) for row in rows[:2]) + (" …" if len(rows) > 2 else "")


def _stored(row: Mapping[str, Any]) -> FieldChange:
    return FieldChange(tuple(row["path"]), row["before"], row["after"], bool(row.get("secret")))


def _summary(rows: Iterable[FieldChange]) -> str:
    given = list(rows)
    lines = change_words.lines(given)
    told = [line for line in lines if not line.is_minor] or list(lines)
    if split := _split(given):
        told = [Line(_("traffic"), split, Kind.SHARE), *(line for line in told if not _is_of_split(line))]
    return change_words.summary(told)


def _is_of_split(line: Line) -> bool:
    return line.kind in (Kind.SHARE, Kind.NEW_REVISION, Kind.NEW_REVISIONS)


def _split(rows: Iterable[FieldChange]) -> str:
    """The shares before and after: `100 → 50/50`. Empty where they do not tell what differs."""
    row = next((row for row in rows if row.path == paths.TRAFFIC), None)
    if row is None:
        return ""
    before, after = _shares(row.before), _shares(row.after)
    return f"{before} → {after}" if before and after and before != after else ""


def _shares(text: str | None) -> str:
    targets = traffic.read_text(text) if text else _NO_SPLIT
    return "/".join(str(percent) for percent in traffic.shares(targets or ()).values())


def _plain(row: FieldChange) -> str:
    """A field of something else than a service: a grant's role, the address of a cluster."""
    if row.before is None or row.after is None:
        return f"{row.field}: {_short(row.after if row.before is None else row.before)}"
    return f"{row.field}: {_short(row.before)} → {_short(row.after)}"


def _short(text: str | None) -> str:
    return (text or "–") if len(text or "") <= MAX_CHARACTERS else f"{(text or '')[: MAX_CHARACTERS - 1]}…"
