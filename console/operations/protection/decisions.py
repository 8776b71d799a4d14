"""Approvals, refusals and overrides of the log, and whether what is stored is still what they were decided on.

The entry of a decision holds the digest of the whole sealed preview (approval_digest.shown_digest), and the chain of
the log covers the entry: who changes the stored preview later, or the entry, is found out.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.utils import timezone

from console.audit import chain, policy, redactions
from console.audit.models import Entry
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.protection import Approval
from console.operations.protection.approval_digest import digest, shown_digest

APPROVED, DECLINED, OVERRIDDEN = "protect.approve", "protect.decline", "protect.override"
ACTIONS = (APPROVED, DECLINED, OVERRIDDEN)
REVEALED = "reveal.Approval"
_BOUND = re.compile(r"^(?P<kind>[A-Za-z]+) (?P<digest>[0-9a-f]{64}|[0-9a-f]{16})(?: (?P<words>.*))?$", re.DOTALL)
_WHOLE = 64  # digits of a digest that covers the whole preview


class Match(StrEnum):
    """What the stored preview is beside the digest of the entry."""

    SAME = "same"
    DIFFERENT = "different"
    REMOVED = "removed"  # by the retention of operations
    MISSING = "missing"  # though retention does not reach it yet
    UNREADABLE = "unreadable"  # no key decrypts it
    REDACTED = "redacted"  # the digest went with a redaction of the entry's text
    ENTRY_CHANGED = "entry-changed"  # the entry is not what its hash says
    UNKNOWN = "unknown"  # an earlier version wrote a short digest, over facts that have changed since


@dataclass(frozen=True, slots=True)
class Decision:
    """An entry of a decision with what is still stored of it."""

    entry: Entry
    operation: Operation | None
    match: Match
    kind: str  # of the change
    digest: str
    revealed: Entry | None  # of the values that were shown to who decided, on the page of the decision, before they did
    words: str  # the comment of who decided; of an override the places whose protection was passed by, and the reason

    @property
    def is_readable(self) -> bool:
        return self.operation is not None and self.operation.is_readable


def decisions(entries: Sequence[Entry]) -> list[Decision]:
    """Return what is known of these entries, in their order."""
    ids = {one.operation for one in entries if one.operation}
    stored = Operation.objects.select_related("approval").in_bulk(ids)
    reveals = Entry.objects.filter(operation__in=ids, action=REVEALED).order_by("-sequence")
    shown: dict[UUID | None, list[Entry]] = defaultdict(list)
    for one in reveals:
        shown[one.operation].append(one)
    kept_from = timezone.now() - timedelta(days=policy.policy().operations_days)  # since when operations are kept
    return [_decision(one, stored, shown[one.operation], kept_from) for one in entries]


def rules_of(operation: Operation) -> list[dict[str, str]]:
    """Return the scope and the note of the rules that asked for the approval, as they were."""
    approval: Approval | None = getattr(operation, "approval", None)
    return list(approval.rules) if approval else []


def newest_of(operation: UUID) -> int | None:
    """Return the number of the newest entry of a decision on the operation."""
    found = Entry.objects.filter(operation=operation, action__in=ACTIONS)
    return found.order_by("-sequence").values_list("sequence", flat=True).first()


def _decision(entry: Entry, stored: dict[UUID, Operation], reveals: Sequence[Entry], kept_from: datetime) -> Decision:
    operation = stored.get(entry.operation) if entry.operation else None
    if operation is not None and operation.ref != ServiceRef(entry.cluster, entry.namespace, entry.service):
        operation = None
    bound = _BOUND.match(entry.text)
    told = bound["digest"] if bound else ""
    kind = bound["kind"] if bound else ""
    words = (bound and bound["words"]) or ""
    revealed = (one for one in reveals if one.actor_id == entry.actor_id and one.sequence < entry.sequence)
    return Decision(
        entry, operation, _match(entry, operation, told, kept_from), kind, told, next(revealed, None), words
    )


def _match(entry: Entry, operation: Operation | None, told: str, kept_from: datetime) -> Match:
    if chain.digest(entry) != entry.hash and not redactions.told_of(entry.sequence):
        return Match.ENTRY_CHANGED
    if not told:
        return Match.REDACTED
    if operation is None:
        return Match.REMOVED if entry.at < kept_from else Match.MISSING
    if not operation.is_readable:
        return Match.UNREADABLE
    if len(told) < _WHOLE:
        return Match.SAME if digest(operation).startswith(told) else Match.UNKNOWN
    return Match.SAME if shown_digest(operation) == told else Match.DIFFERENT
