"""Appending to the log, and following the chain of its hashes."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from console.audit.acting_role import ActingRole, acting_role_of
from console.audit.models import Action, Entry, Place, Retention
from console.audit.outcomes import Outcome
from console.audit.triggers import FIRST_HASH
from console.database import Prepared
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef
from console.texts import storable

MAX_NAME = 100  # characters of a cluster, namespace or service: what people type may be longer than any name is
_LOCK = 0x51_0C_E0  # any fixed number: PostgreSQL's advisory lock for appending
_CHAINED = [
    "sequence",
    "actor",
    "actor_id",
    "ip",
    "roles",
    "cluster",
    "namespace",
    "service",
    "action",
    "outcome",
    "changes",
    "text",
    "request_id",
    "previous_hash",
]
_CHAINED_WHEN_FILLED = ["team"]  # came later: entries from before have the hash of then


class Actor(Protocol):
    """What an entry keeps of the person (console.access.actors.Actor)."""

    @property
    def user_id(self) -> int | None: ...
    @property
    def name(self) -> str: ...
    @property
    def ip(self) -> str: ...
    @property
    def request_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Link:
    """The end of the chain: what the next entry continues."""

    sequence: int
    hash: str


def record(
    action: str,
    *,
    actor: Actor,
    outcome: Outcome,
    ref: ServiceRef | None = None,
    changes: Sequence[FieldChange] = (),
    by: Collection[str] | None = None,
    acting: ActingRole | None = None,
    labels: Mapping[str, str] | None = None,
    text: str = "",
    operation: UUID | None = None,
    at: datetime | None = None,
) -> Entry:
    """Append an entry in the caller's transaction, so that it is committed only with what it records; returns it.

    The roles and the team that the person acts in are looked up: those whose grants give the permissions `by` which it
    is done, by default the one that is the action's first word. `acting` says them where that was before this entry.
    `labels` are those of the service, for grants with a selector, where the caller knows them. `at` is for entries
    about the past that are written in their order (the demo's history); raises ValueError where that would be before
    the newest entry.
    """
    needed = (action.partition(".")[0],) if by is None else by
    acting_role = acting or acting_role_of(actor.user_id, needed, ref, labels)
    with transaction.atomic():
        hold()
        last = end()
        if at is not None:
            _refuse_earlier(at)
        entry = Entry(
            sequence=last.sequence + 1,
            at=at or timezone.now(),
            actor=actor.name,
            actor_id=actor.user_id,
            ip=actor.ip,
            roles=",".join(acting_role.roles)[:300],
            team=acting_role.team,
            cluster=ref.cluster[:MAX_NAME] if ref else "",
            namespace=ref.namespace[:MAX_NAME] if ref else "",
            service=ref.name[:MAX_NAME] if ref else "",
            action=action,
            outcome=outcome.value,
            changes=[{"field": c.field, "before": c.before, "after": c.after} for c in changes],
            text=text[:2000],
            operation=operation,
            request_id=actor.request_id,
            previous_hash=last.hash,
        )
        for name in (*_CHAINED, *_CHAINED_WHEN_FILLED):
            setattr(entry, name, storable(getattr(entry, name)))  # the hash is of what the database will keep
        entry.hash = digest(entry)
        entry.save(force_insert=True)
        _note_names(entry)
        return entry


def acting_in(operation: UUID) -> ActingRole | None:
    """Return in what role the operation was asked for, or None where its first entry is no longer kept."""
    found = _asked_for.rows(operation)
    return ActingRole(tuple(filter(None, found[0][0].split(","))), found[0][1]) if found else None


_asked_for = Prepared(
    lambda operation: Entry.objects.filter(operation=operation).order_by("sequence").values_list("roles", "team")[:1]
)


def _refuse_earlier(at: datetime) -> None:
    newest = Entry.objects.order_by("-sequence").values_list("at", flat=True).first()
    if newest is not None and at < newest:
        raise ValueError(f"the newest entry is of {newest}, this one of {at}")


def _note_names(entry: Entry) -> None:
    """Keep the short lists of what filters can ask for."""
    Action.objects.bulk_create([Action(name=entry.action)], ignore_conflicts=True)
    if entry.cluster:
        place = Place(cluster=entry.cluster, namespace=entry.namespace)
        Place.objects.bulk_create([place], ignore_conflicts=True)


def hold() -> None:
    """Let nobody else append until this transaction ends."""
    if connection.vendor == "postgresql":  # SQLite's writers are alone anyway (BEGIN IMMEDIATE)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def end() -> Link:
    """Return the newest entry, or what an empty log continues."""
    newest = Entry.objects.order_by("-sequence").values_list("sequence", "hash").first()
    return Link(*newest) if newest else beginning()


def beginning() -> Link:
    """Return what the oldest entry that is still here continues: the archive's last one, or nothing."""
    newest = Retention.objects.order_by("-through").values_list("through", "hash").first()
    return Link(*newest) if newest else Link(0, FIRST_HASH)


def digest(entry: Entry) -> str:
    """Return the hash that the entry must have: SHA-256 over its fields as canonical JSON."""
    facts: dict[str, Any] = {name: getattr(entry, name) for name in _CHAINED}
    facts |= {name: value for name in _CHAINED_WHEN_FILLED if (value := getattr(entry, name))}
    facts["at"] = entry.at.astimezone(UTC).isoformat()
    facts["operation"] = str(entry.operation or "")
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


class BrokenLink(Exception):
    """The first entry that does not follow from the one before: its number, and what is wrong."""

    def __init__(self, sequence: int, why: str) -> None:
        super().__init__(sequence, why)
        self.sequence = sequence
        self.why = why


class Contents(Protocol):
    """Judges what entries hold (console.audit.redactions.Redactions)."""

    def meet(self, entry: Entry) -> None: ...
    def settle(self, last: int) -> None: ...


def follow(entries: Iterable[Entry], start: Link, contents: Contents) -> Iterator[Link]:
    """Yield each entry's link, checked; raises BrokenLink at the first that does not continue what came before.

    What was redacted is proved by later entries, so that it is judged when all have been yielded.
    """
    last = start
    for entry in entries:
        if entry.sequence != last.sequence + 1:
            raise BrokenLink(entry.sequence, f"entry {last.sequence + 1} is missing")
        if entry.previous_hash != last.hash:
            raise BrokenLink(entry.sequence, "it does not continue the entry before")
        contents.meet(entry)
        last = Link(entry.sequence, entry.hash)
        yield last
    contents.settle(last.sequence)
