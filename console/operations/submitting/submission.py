"""Accepting a change: one transaction for the operation and its audit entry, then the hand-over to a worker."""

import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.access.attempts import audited
from console.access.authorization import rights_of
from console.access.models import User
from console.access.permissions import Permission
from console.access.refusals import Impossible, NotRetriable, PreviewGone, TooLateToCancel, Undecryptable
from console.audit import Outcome
from console.database import after_commit
from console.knative import changes
from console.knative.changes import Change, ChangeRefused, Redeploy, Restart, Verb
from console.knative.diff import FieldChange
from console.knative.objects import Service
from console.operations import faults, stopwatch
from console.operations.announce import tell
from console.operations.models import Operation, Preview
from console.operations.models.statuses import ACTIVE, SUCCESSFUL, TERMINAL, Status
from console.operations.protection.approvals import (
    record_acknowledgement,
    record_broken_glass,
    record_request,
    wait_for_approval,
)
from console.operations.protection.gate import PolicyStatus, admit, policy_status_of
from console.operations.queue import enqueue
from console.operations.rights.needs import Needs, needs_of_kept, refuse_unless_allowed
from console.operations.submitting import previewing
from console.operations.submitting.previewing import RETENTION
from console.operations.submitting.proposal import Proposal
from console.sealing import seal, unseal

DEADLINE, ERROR_WINDOW = "sluice.dev/deadline-seconds", "sluice.dev/error-window-seconds"
LONGEST_SECONDS = 24 * 3600.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one operation may take, and for how long Ready=False is forgiven, in seconds.

    None: what the service's annotations sluice.dev/deadline-seconds and sluice.dev/error-window-seconds say, else the
    settings.
    """

    deadline: float | None = None
    error_window: float | None = None

    def on(self, service: Service) -> tuple[float, float]:
        """Return both numbers for an operation on this service."""
        deadline = self.deadline or _seconds(service, DEADLINE) or settings.OPERATION_DEADLINE
        window = self.error_window if self.error_window is not None else _seconds(service, ERROR_WINDOW)
        return deadline, settings.OPERATION_ERROR_WINDOW if window is None else window


@dataclass(frozen=True, slots=True)
class _Submission:
    """Who submits a change, and what they said to it: why, the emergency override, what they know to undo it."""

    user: User
    actor: Actor
    reason: str = ""
    break_glass: bool = False
    acknowledged: Collection[str] = ()

    @classmethod
    def again(cls, operation: Operation, user: User, actor: Actor) -> "_Submission":
        """Return that of a retry: what was said the first time holds, but for the override."""
        return cls(user, actor, operation.reason, acknowledged=operation.acknowledged or ())


def _seconds(service: Service, annotation: str) -> float | None:
    """Parse the annotation as seconds; None when missing or out of range."""
    text = service.annotations.get(annotation, "")
    seconds = float(text) if re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", text) else None
    return None if seconds is None or seconds > LONGEST_SECONDS else seconds


def submit(
    preview_id: UUID | str,
    *,
    user: User,
    actor: Actor,
    reason: str = "",
    batch: UUID | None = None,
    limits: Limits | None = None,
    break_glass: bool = False,
    acknowledged: Collection[str] = (),
) -> Operation:
    """Turn what was previewed into an operation; raises PreviewGone, or NotAllowed or Frozen (which are audited).

    The operation has the preview's id, so who submits it again gets the operation that the first time made, also where
    the answer to the first time was lost.

    On a protected service the operation waits for a second person; ReasonNeeded is raised where a rule wants one.
    `break_glass` is the emergency override of approval, freeze and lock. `acknowledged` are the tools of which the
    person has said to know that they will undo the change.
    """
    preview = mine([preview_id], user).get(str(preview_id))
    if preview is None:
        return _earlier(preview_id, user)
    try:
        with audited(actor):
            submission = _Submission(user, actor, reason, break_glass, acknowledged)
            made = _submit(preview, submission, limits or Limits(), batch=batch)
    except PreviewGone:  # somebody pressed the button twice
        return _earlier(preview_id, user)
    faults.reach("submitted")
    return made


def _earlier(preview_id: UUID | str, user: User) -> Operation:
    """The operation that the person made of the preview before; raises PreviewGone."""
    if made := made_of([preview_id], user):
        return made[0]
    raise PreviewGone(preview_id)


def submit_all(
    preview_ids: Sequence[UUID | str],
    *,
    user: User,
    actor: Actor,
    reason: str = "",
    limits: Limits | None = None,
    acknowledged: Collection[str] = (),
) -> tuple[UUID, tuple[Operation, ...]]:
    """Turn many previews into operations of one batch; returns the batch's id and the operations.

    All or none: raises PreviewGone, NotAllowed, Frozen or ReasonNeeded before anything is queued.
    """
    batch = uuid4()
    previews = mine(preview_ids, user)
    if not previews or len(previews) < len(set(map(str, preview_ids))):
        return _earlier_batch(preview_ids, user)
    with audited(actor), transaction.atomic():
        ordered = [previews[key] for key in dict.fromkeys(map(str, preview_ids))]
        submission = _Submission(user, actor, reason, acknowledged=acknowledged)
        made = tuple(_submit(preview, submission, limits or Limits(), batch=batch) for preview in ordered)
    return batch, made


def _earlier_batch(preview_ids: Sequence[UUID | str], user: User) -> tuple[UUID, tuple[Operation, ...]]:
    """The batch that the person made of exactly these previews before; raises PreviewGone."""
    made = made_of(preview_ids, user)
    batch = made[0].batch if made else None
    if batch is None or len(made) < len(set(map(str, preview_ids))):
        raise PreviewGone(*preview_ids)
    return batch, made


def mine(preview_ids: Sequence[UUID | str], user: User) -> dict[str, Preview]:
    """Return those of the previews, by id, that are the person's own and can still be submitted."""
    found = Preview.objects.filter(id__in=preview_ids, user=user, created_at__gt=timezone.now() - RETENTION)
    return {str(preview.id): preview for preview in found if preview.is_readable}


def is_outdated(preview: Preview, now: Service) -> bool:
    """Whether somebody changed what the service is to be since the preview was made, or made another of its name."""
    return now.uid != preview.seen.uid or now.generation > preview.seen.generation


def made_of(preview_ids: Sequence[UUID | str], user: User) -> tuple[Operation, ...]:
    """Return the operations that the person made of these previews."""
    return tuple(Operation.objects.filter(id__in=preview_ids, user=user))


@transaction.atomic
def _submit(
    preview: Preview,
    submission: _Submission,
    limits: Limits,
    *,
    batch: UUID | None,
    retry_of: Operation | None = None,
) -> Operation:
    if not Preview.objects.filter(id=preview.id).delete()[0]:
        raise PreviewGone(preview.id)
    deadline, error_window = limits.on(Service(unseal(preview.sealed_seen)))
    operation = Operation(
        id=preview.id,
        cluster=preview.cluster,
        namespace=preview.namespace,
        name=preview.name,
        sealed_change=bytes(preview.sealed_change),
        sealed_seen=bytes(preview.sealed_seen),
        sealed_after=preview.sealed_after and bytes(preview.sealed_after),
        changes=preview.changes,
        kn=preview.kn,
        kn_limit=preview.kn_limit,
        makes_revision=preview.makes_revision,
        batch=batch,
        retry_of=retry_of,
        deadline_seconds=deadline,
        error_window_seconds=error_window,
    )
    return _accept(operation, submission)


def retry(operation: Operation, *, user: User, actor: Actor) -> Operation:
    """Submit the same change again as a new operation, on top of the service as it is now.

    Raises NotRetriable, or Undecryptable where the key of what was typed is lost.

    On a protected service it is previewed again, so that what is approved is what would happen now; that may raise
    Impossible and what `submit` raises. So is what was stopped: labels that it got later may protect the service.
    """
    if operation.status not in TERMINAL or operation.status in SUCCESSFUL:
        raise NotRetriable(operation.id)
    if not operation.is_readable:
        raise Undecryptable(operation.id)
    change = _again(operation)
    with audited(actor):
        is_protected = bool(policy_status_of(operation.ref, needs_of_kept(operation)).rules)
        if not is_protected and operation.status != Status.STOPPED:
            return _retry(operation, change, user, actor)
        proposal = _previewed(change, operation, user)
        if proposal.is_empty:
            raise NotRetriable(operation.id)
        limits = Limits(operation.deadline_seconds, operation.error_window_seconds)
        submission = _Submission.again(operation, user, actor)
        return _submit(proposal.preview, submission, limits, batch=operation.batch, retry_of=operation)


def _previewed(change: Change, operation: Operation, user: User) -> Proposal:
    try:
        return previewing.preview(change, user=user, ref=operation.ref)
    except ChangeRefused as error:
        raise Impossible(error.problem) from error


def _again(operation: Operation) -> Change:
    """The change for a retry.

    What was written but failed is in the service already: writing it again would change nothing and make nothing
    start, so the new operation asks for a new revision of the same template too.
    """
    change = operation.change
    if operation.is_written and change.verb is Verb.CREATE:
        return Redeploy(timezone.now().isoformat())
    if operation.is_written and operation.makes_revision:
        return changes.composed(change, (*_parts(change), _new_pods(change, needs_of_kept(operation).permissions)))
    return change


@transaction.atomic
def _retry(operation: Operation, change: Change, user: User, actor: Actor) -> Operation:
    again = Operation(
        cluster=operation.cluster,
        namespace=operation.namespace,
        name=operation.name,
        uid=operation.uid,
        sealed_change=seal(changes.dump(change)),
        sealed_seen=bytes(operation.sealed_seen),
        sealed_after=operation.sealed_after and bytes(operation.sealed_after),  # as little is needed as before
        changes=operation.changes,
        kn=operation.kn,
        kn_limit=operation.kn_limit,
        makes_revision=operation.makes_revision,
        retry_of=operation,
        batch=operation.batch,
        deadline_seconds=operation.deadline_seconds,
        error_window_seconds=operation.error_window_seconds,
        follow_state={"accepts_meanwhile": True},
    )
    return _accept(again, _Submission.again(operation, user, actor))


def _new_pods(change: Change, needed: frozenset[str]) -> Change:
    """What makes a new revision of the same template, with no more rights than the change itself needed."""
    at = timezone.now().isoformat()
    if Permission.DEPLOY not in needed:
        return Restart(at, change.kept_digests)
    return Redeploy(at)


def _parts(change: Change) -> tuple[Change, ...]:
    """The change's parts without requests for new pods: a retry requests them again."""
    return tuple(part for part in change.parts if not part.makes_pods)


def cancel(operation: Operation, *, actor: Actor) -> None:
    """Ask that an operation be not written; raises TooLateToCancel when it has been.

    One that is queued ends as cancelled. One whose write is under way at this moment ends as the write does.
    """
    with transaction.atomic():
        open_still = Operation.objects.filter(id=operation.id, status__in=ACTIVE, is_written=False)
        if not open_still.update(cancel_requested=True):
            raise TooLateToCancel(operation.id)
        audit.record(
            "operation.cancel", actor=actor, ref=operation.ref, outcome=Outcome.REQUESTED, operation=operation.id
        )
        after_commit(enqueue, operation)


def _accept(operation: Operation, submission: _Submission) -> Operation:
    """Let the change in: to a worker, or to wait for an approval. Every way to make an operation comes through here."""
    needs, actor = needs_of_kept(operation), submission.actor
    policy_status = _admit(operation, submission, needs)
    _sign(operation, submission)
    operation.save(force_insert=True)
    faults.reach("accepted")
    _record(operation, actor, needs)
    faults.reach("told")
    if operation.status == Status.WAITING:
        record_request(operation, policy_status, actor)
    else:
        if operation.broke_glass:
            record_broken_glass(operation, policy_status, actor)
        after_commit(enqueue, operation)
    after_commit(tell, "operation", operation)
    log.info("operation_submitted", operation=str(operation.id), service=str(operation.ref), kind=operation.kind)
    return operation


def _admit(operation: Operation, submission: _Submission, needs: Needs) -> PolicyStatus:
    """Ask rights and protection, and note on the operation what they decided; raises what `submit` does."""
    rights = rights_of(submission.user)
    refuse_unless_allowed(rights, operation.ref, needs)
    policy_status = policy_status_of(operation.ref, needs)
    operation.broke_glass = admit(
        operation.ref,
        policy_status,
        rights,
        needs,
        submission.reason,
        break_glass=submission.break_glass,
        acknowledged=submission.acknowledged,
    )
    if policy_status.warnings and not operation.broke_glass:
        operation.acknowledged = [str(one) for one in policy_status.owners]
    if policy_status.rules and not operation.broke_glass:
        wait_for_approval(operation, policy_status)
    return policy_status


def _sign(operation: Operation, submission: _Submission) -> None:
    """Put on the operation who submits it, why, and when."""
    actor = submission.actor
    operation.kind = changes.name_of(operation.change)
    operation.uid = operation.uid or operation.seen.uid
    operation.user, operation.actor, operation.ip = submission.user, actor.name, actor.ip
    operation.request_id, operation.reason = actor.request_id, submission.reason[:500]
    operation.clock_stamp, operation.sealed_salt = stopwatch.mark(), seal(secrets.token_hex(32))


def _record(operation: Operation, actor: Actor, needs: Needs) -> None:
    """Leave the entry of what was asked for, and of what its author acknowledged."""
    audit.record(
        f"{operation.change.permission}.{operation.kind}",
        actor=actor,
        ref=operation.ref,
        labels=operation.seen.labels,
        by=needs.permissions,
        outcome=Outcome.REQUESTED,
        changes=[FieldChange(tuple(row["path"]), row["before"], row["after"]) for row in operation.changes],
        text=operation.reason,
        operation=operation.id,
    )
    if operation.acknowledged:
        record_acknowledgement(operation, actor)


__all__ = [
    "Limits",
    "cancel",
    "made_of",
    "mine",
    "retry",
    "submit",
    "submit_all",
]
