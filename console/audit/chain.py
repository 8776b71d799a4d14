"""Appending to the log and proving that nothing in it was changed, removed, inserted or reordered."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Protocol
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from console.audit.models import Entry
from console.audit.outcomes import Outcome
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef

FIRST_HASH = "0" * 64
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


def record(
    action: str,
    *,
    actor: Actor,
    outcome: Outcome,
    ref: ServiceRef | None = None,
    changes: Sequence[FieldChange] = (),
    roles: Sequence[str] = (),
    text: str = "",
    operation: UUID | None = None,
) -> Entry:
    """Append an entry in the caller's transaction, so that it stands or falls with what it tells; returns it."""
    with transaction.atomic():
        if connection.vendor == "postgresql":  # SQLite's writers are alone anyway (BEGIN IMMEDIATE)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        last = Entry.objects.order_by("-sequence").values_list("sequence", "hash").first() or (0, FIRST_HASH)
        entry = Entry(
            sequence=last[0] + 1,
            at=timezone.now(),
            actor=actor.name,
            actor_id=actor.user_id,
            ip=actor.ip,
            roles=",".join(roles),
            cluster=ref.cluster if ref else "",
            namespace=ref.namespace if ref else "",
            service=ref.name if ref else "",
            action=action,
            outcome=outcome.value,
            changes=[{"field": c.field, "before": c.before, "after": c.after} for c in changes],
            text=text[:2000],
            operation=operation,
            request_id=actor.request_id,
            previous_hash=last[1],
        )
        entry.hash = digest(entry)
        entry.save(force_insert=True)
        return entry


def digest(entry: Entry) -> str:
    """Return the hash that the entry must have: SHA-256 over its fields as canonical JSON."""
    facts: dict[str, Any] = {name: getattr(entry, name) for name in _CHAINED}
    facts["at"] = entry.at.astimezone(UTC).isoformat()
    facts["operation"] = str(entry.operation or "")
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first entry that does not follow from the one before."""

    sequence: int
    why: str


def verify(entries: Iterator[Entry] | None = None) -> BrokenLink | int:
    """Return the number of entries when the whole chain holds, else the first broken link."""
    count, previous = 0, None
    for entry in entries or Entry.objects.order_by("sequence").iterator(chunk_size=2000):
        if previous is not None:
            if entry.sequence != previous.sequence + 1:
                return BrokenLink(entry.sequence, f"entry {previous.sequence + 1} is missing")
            if entry.previous_hash != previous.hash:
                return BrokenLink(entry.sequence, "it does not continue the entry before")
        elif entry.sequence == 1 and entry.previous_hash != FIRST_HASH:
            return BrokenLink(entry.sequence, "the chain does not begin here")
        if entry.hash != digest(entry):
            return BrokenLink(entry.sequence, "its contents were changed")
        count, previous = count + 1, entry
    return count
