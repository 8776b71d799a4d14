"""What the API returns of operations, the audit log and the caller: every returned field is named here."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from console.access.authorization import Right
from console.access.models import ApiToken
from console.audit.models import Entry
from console.knative import paths
from console.knative.authors import ActorKind
from console.operations.models import Operation
from console.operations.models import TimelineLine as Line


class Change(Struct, frozen=True):
    """A field before and after, null where it was not set. Values of variables are masked."""

    field: str
    before: str | None
    after: str | None


class OperationRow(Struct, frozen=True):
    """A change through the console. `seconds`: how long it took, null while it is in progress."""

    id: UUID
    kind: str
    cluster: str
    namespace: str
    service: str
    status: str
    is_active: bool
    revision: str
    actor: str
    reason: str
    batch: UUID | None
    retry_of: UUID | None
    submitted_at: datetime
    finished_at: datetime | None
    seconds: float | None


class OperationList(Struct, frozen=True):
    """Operations, newest first, a page at a time."""

    items: list[OperationRow]
    next: str | None


class TimelineLine(Struct, frozen=True):
    """One line as kn prints it, with the seconds since the start; of a `notice`, the code and the raw message."""

    elapsed_seconds: float
    level: str
    phase: str
    text: str
    raw: str


class Cause(Struct, frozen=True):
    """Why an operation ended as it did: a code, and the cluster's own message."""

    code: str
    raw: str


class OperationDetail(OperationRow, frozen=True):
    """An operation with its difference, its timeline and its cause. `kn` is the command of the same effect."""

    kn: str
    changes: list[Change]
    cause: Cause | None
    timeline: list[TimelineLine]


class AuditEntry(Struct, frozen=True):
    """One entry of the append-only log. `hash` covers every other field and `previous_hash`."""

    sequence: int
    at: datetime
    actor: str
    actor_kind: ActorKind
    ip: str
    roles: list[str]
    team: str
    cluster: str
    namespace: str
    service: str
    action: str
    outcome: str
    changes: list[Change]
    text: str
    operation: UUID | None
    request_id: str
    previous_hash: str
    hash: str


class AuditList(Struct, frozen=True):
    """Entries, newest first, a page at a time."""

    items: list[AuditEntry]
    next: str | None


class TokenFacts(Struct, frozen=True):
    """The token that the call was made with."""

    name: str
    permissions: list[str]
    cluster: str
    namespace: str
    expires_at: datetime


class RightFacts(Struct, frozen=True):
    """What a grant allows its team's members, and where; the token allows it within its own scope only."""

    permissions: list[str]
    cluster: str
    namespace: str
    selector: dict[str, str]
    role: str
    team: str


class WhoAmI(Struct, frozen=True):
    """Who calls, and what is allowed now: the person's rights cut down to the token's permissions."""

    user: str
    is_administrator: bool
    token: TokenFacts
    rights: list[RightFacts]


def operation_row(one: Operation) -> OperationRow:
    return OperationRow(**_operation(one))


def _operation(one: Operation) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "cluster": one.cluster,
        "namespace": one.namespace,
        "service": one.name,
        "status": one.status,
        "is_active": one.is_active,
        "revision": one.revision,
        "actor": one.actor,
        "reason": one.reason,
        "batch": one.batch,
        "retry_of": one.retry_of_id,
        "submitted_at": one.submitted_at,
        "finished_at": one.finished_at,
        "seconds": one.seconds,
    }


def operation_detail(one: Operation) -> OperationDetail:
    cause = one.why
    return OperationDetail(
        **_operation(one),
        kn=one.kn,
        changes=[Change(paths.text(tuple(row["path"])), row["before"], row["after"]) for row in one.changes],
        cause=Cause(cause.name, cause.raw) if cause else None,
        timeline=[_line(line) for line in one.lines.all()],
    )


def _line(line: Line) -> TimelineLine:
    return TimelineLine(line.elapsed, line.level, line.phase, line.text, str(line.facts.get("raw", "")))


def audit_entry(one: Entry) -> AuditEntry:
    return AuditEntry(
        sequence=one.sequence,
        at=one.at,
        actor=one.actor,
        actor_kind=one.actor_kind,
        ip=one.ip,
        roles=[role for role in one.roles.split(",") if role],
        team=one.team,
        cluster=one.cluster,
        namespace=one.namespace,
        service=one.service,
        action=one.action,
        outcome=one.outcome,
        changes=[Change(row["field"], row["before"], row["after"]) for row in one.changes],
        text=one.text,
        operation=one.operation,
        request_id=one.request_id,
        previous_hash=one.previous_hash,
        hash=one.hash,
    )


def token_facts(token: ApiToken) -> TokenFacts:
    return TokenFacts(token.name, list(token.permissions), token.cluster, token.namespace, token.expires_at)


def right_facts(one: Right, permissions: frozenset[str]) -> RightFacts:
    allowed = sorted(one.permissions & permissions)
    return RightFacts(allowed, one.cluster, one.namespace, dict(one.selector), one.role, one.team)
