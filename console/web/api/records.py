"""What the API returns of operations, the audit log and the caller: every returned field is named here."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from console.access.authorization import Right
from console.access.models import ApiToken
from console.access.permissions import Permission
from console.audit import Outcome
from console.audit.models import Entry
from console.knative import paths
from console.knative.authors import ActorKind
from console.knative.progress import Phase
from console.operations.models import Approval, Operation
from console.operations.models import TimelineLine as Line
from console.operations.models.statuses import Status
from console.web.api.kinds import LineLevel, Moment, OperationStatus


class Change(Struct, frozen=True):
    """A field before and after, null where it was not set. Values of variables are masked."""

    field: str
    before: str | None
    after: str | None


class OperationRow(Struct, frozen=True):
    """A change through the console. `seconds`: how long it took, null while it is in progress.

    `kind` is the kind of change; later versions add kinds. `override`: it passed by approval and freezes. Who approved
    it is in `approvers`, who declined it in `declined_by`; `comment` is what they wrote.
    """

    id: UUID
    kind: str
    cluster: str
    namespace: str
    service: str
    status: OperationStatus
    is_active: bool
    revision: str
    actor: str
    reason: str
    batch: UUID | None
    retry_of: UUID | None
    submitted_at: Moment
    finished_at: Moment | None
    seconds: float | None
    override: bool
    approval_requested_at: Moment | None
    expires_at: Moment | None
    approvers: list[str]
    declined_by: str
    decided_at: Moment | None
    comment: str
    request_id: str


class OperationList(Struct, frozen=True):
    """Operations, newest first, a page at a time."""

    items: list[OperationRow]
    next: str | None


class TimelineLine(Struct, frozen=True):
    """One line as kn prints it, with the seconds since the start; of a `notice`, the code and the raw message."""

    elapsed_seconds: float
    level: LineLevel
    phase: Phase | None
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
    at: Moment
    actor: str
    actor_kind: ActorKind
    ip: str
    roles: list[str]
    team: str
    cluster: str
    namespace: str
    service: str
    action: str
    outcome: Outcome
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
    permissions: list[Permission]
    cluster: str
    namespace: str
    expires_at: Moment


class RightFacts(Struct, frozen=True):
    """What a grant allows its team's members, and where; the token allows it within its own scope only."""

    permissions: list[Permission]
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
        "status": OperationStatus(one.status),
        "is_active": one.is_active,
        "revision": one.revision,
        "actor": one.actor,
        "reason": one.reason,
        "batch": one.batch,
        "retry_of": one.retry_of_id,
        "submitted_at": one.submitted_at,
        "finished_at": one.finished_at,
        "seconds": one.seconds,
        "override": one.broke_glass,
        "expires_at": one.expires_at,
        "request_id": one.request_id,
        **_approval(getattr(one, "approval", None), is_declined=one.status == Status.DECLINED),
    }


def _approval(found: Approval | None, *, is_declined: bool) -> dict[str, Any]:
    """What a second person was asked and decided; nobody was asked where there is no approval."""
    decided_by = found.decided_by if found else ""
    return {
        "approval_requested_at": found.asked_at if found else None,
        "approvers": [decided_by] if decided_by and not is_declined else [],
        "declined_by": decided_by if is_declined else "",
        "decided_at": found.decided_at if found else None,
        "comment": found.comment if found else "",
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
    return TimelineLine(
        elapsed_seconds=line.elapsed,
        level=LineLevel(line.level),
        phase=Phase(line.phase) if line.phase else None,
        text=line.text,
        raw=str(line.facts.get("raw", "")),
    )


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
        outcome=Outcome(one.outcome),
        changes=[Change(row["field"], row["before"], row["after"]) for row in one.changes],
        text=one.text,
        operation=one.operation,
        request_id=one.request_id,
        previous_hash=one.previous_hash,
        hash=one.hash,
    )


def token_facts(token: ApiToken) -> TokenFacts:
    permissions = [Permission(name) for name in token.permissions]
    return TokenFacts(token.name, permissions, token.cluster, token.namespace, token.expires_at)


def right_facts(one: Right, permissions: frozenset[str]) -> RightFacts:
    allowed = [Permission(name) for name in sorted(one.permissions & permissions)]
    return RightFacts(allowed, one.cluster, one.namespace, dict(one.selector), one.role, one.team)
