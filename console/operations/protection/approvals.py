"""Requests for a second person's approval. Of approving, declining, withdrawing and expiring, one wins: each moves the
operation out of `waiting` in one statement, and only the first finds it there.
"""

from collections.abc import Collection, Hashable
from datetime import timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, Q
from django.db.models.functions import Now
from django.utils import timezone

from console import audit, counters
from console.access.actors import CONSOLE, Actor
from console.access.attempts import audited
from console.access.authorization import Rights, rights_of
from console.access.labels import labels_of
from console.access.models import User
from console.access.permissions import Permission
from console.access.refusals import NotAllowed, NotWaiting, OwnChange, Separated, Undecryptable
from console.audit import Outcome
from console.audit.chain import acting_in
from console.counters import Refused
from console.database import after_commit
from console.knative.causes import Approver, Cause, Code
from console.operations import stopwatch, totals
from console.operations.announce import tell, tell_of_approvals
from console.operations.models import SEALED, Operation
from console.operations.models.protection import Approval, ProtectionRule
from console.operations.models.statuses import Status
from console.operations.protection import separation
from console.operations.protection.approval_digest import digest, shown_digest
from console.operations.protection.gate import PolicyStatus, may_approve, policy_status_of
from console.operations.queue import enqueue
from console.operations.rights.needs import Needs, needs_of_kept

_ANY_LABELS = Needs(frozenset(), ({},))  # grants without a selector hold whatever the labels are

log = structlog.get_logger(__name__)


def wait_for_approval(operation: Operation, policy_status: PolicyStatus) -> None:
    """Make a new operation wait instead of going to a worker. It applies only to what was shown."""
    operation.status = Status.WAITING
    operation.expires_at = timezone.now() + timedelta(hours=policy_status.valid_hours)
    operation.follow_state = {}


def record_request(operation: Operation, policy_status: PolicyStatus, actor: Actor) -> None:
    """Keep what the rules ask for and what the approval will be bound to; in the operation's own transaction."""
    rules = [{"place": rule.place, "note": rule.note} for rule in policy_status.rules]
    Approval.objects.create(operation=operation, digest=digest(operation), rules=rules)
    after_commit(tell_of_approvals)
    _record(
        "protect.request", operation, actor, Outcome.REQUESTED, ", ".join(rule.place for rule in policy_status.rules)
    )


def record_acknowledgement(operation: Operation, actor: Actor) -> None:
    """Keep that the author knew which tools will undo the change."""
    _record("protect.acknowledge", operation, actor, Outcome.SUCCEEDED, ", ".join(operation.acknowledged or ()))


def record_broken_glass(operation: Operation, policy_status: PolicyStatus, actor: Actor) -> None:
    """Say loudly in the log what was passed by."""
    places = ", ".join(scope.place for scope in policy_status.scopes)
    text = f"{places}: {operation.reason}"
    _record("protect.override", operation, actor, Outcome.SUCCEEDED, text, by=Permission.MANAGE)
    totals.count_override()
    log.warning("protection_overridden", operation=str(operation.id), service=str(operation.ref), actor=actor.name)


def may_decide(user: User, rights: Rights, operation: Operation) -> bool:
    """Whether the person may approve or decline this operation while it waits.

    One that no key decrypts can only be declined, by who may decide on the service with the labels that it has now.
    """
    if operation.user_id == user.pk or not _has_right(rights, operation):
        return False
    return separation.of_operation(user.pk, rights, operation, separation.separating()) is None


def _has_right(rights: Rights, operation: Operation) -> bool:
    if may_approve(rights, operation.ref, _ANY_LABELS):  # the usual case, without decrypting anything
        return True
    if not operation.is_readable:
        return may_approve(rights, operation.ref, Needs(frozenset(), (labels_of(operation.ref),)))
    return may_approve(rights, operation.ref, needs_of_kept(operation))


class Waiting:
    """The operations that wait for a decision, those that expire first in front; read once for all who may decide."""

    def __init__(self) -> None:
        separating = Exists(ProtectionRule.objects.exclude(approvers=None))
        waiting = Operation.objects.filter(status=Status.WAITING, expires_at__gt=Now())
        found = tuple(waiting.defer(*SEALED).annotate(is_separated=separating).order_by("expires_at", "id"))
        self._all: tuple[Operation, ...] = found
        self._is_separated = any(operation.is_separated for operation in found)
        self._by_rights: dict[Hashable, list[Operation]] = {}

    def for_person(self, person: int, rights: Rights) -> list[Operation]:
        """Return those that wait for the decision of the person with this id."""
        mine = [operation for operation in self._within(rights) if operation.user_id != person]
        rules = self._rules if mine and self._is_separated else ()
        return [operation for operation in mine if not separation.of_operation(person, rights, operation, rules)]

    def named(self, ids: Collection[UUID]) -> list[Operation]:
        """Return those with these ids."""
        return [operation for operation in self._all if operation.id in ids]

    def _within(self, rights: Rights) -> list[Operation]:
        """Those that the rights are enough for; the same for all who have them."""
        if not rights.allows(Permission.APPROVE):
            return []
        if rights.key not in self._by_rights:
            self._by_rights[rights.key] = [operation for operation in self._all if _has_right(rights, operation)]
        return self._by_rights[rights.key]

    @cached_property
    def _rules(self) -> tuple[ProtectionRule, ...]:
        return separation.separating()


def waiting_for(user: User, rights: Rights) -> list[Operation]:
    """Return the operations that wait for this person's decision, the one that expires first in front."""
    return Waiting().for_person(user.pk, rights) if rights.allows(Permission.APPROVE) else []


def approve(operation: Operation, *, user: User, actor: Actor, seen_digest: str, comment: str = "") -> None:
    """Hand the operation to a worker, as it was shown under `seen_digest`.

    Raises OwnChange, Separated or NotAllowed (all audited), Frozen, NotWaiting when it waits no more or is not what was
    shown, or Undecryptable.
    """
    _check(operation, user, actor, "approve")
    if not operation.is_readable:
        raise Undecryptable(operation.id)
    freeze = policy_status_of(operation.ref, needs_of_kept(operation)).freeze
    if freeze:
        raise freeze.refusal_of(operation.ref)
    if not seen_digest == operation.approval.digest == digest(operation):
        raise NotWaiting(operation.id)
    now = timezone.now()
    clock = {"released_at": now, "elapsed": 0.0, "saved_at": now, "clock_stamp": stopwatch.mark()}
    with transaction.atomic():
        _leave(operation, Status.QUEUED, Q(expires_at__gt=Now()), **clock)
        _decided(operation, user, actor, comment)
        _record("protect.approve", operation, actor, Outcome.SUCCEEDED, comment, by=Permission.APPROVE)
        after_commit(enqueue, operation)


def decline(operation: Operation, *, user: User, actor: Actor, comment: str) -> None:
    """End the operation; raises OwnChange, Separated, NotAllowed (all audited), or NotWaiting when it waits no more."""
    _check(operation, user, actor, "decline")
    with transaction.atomic():
        cause = Cause(Code.DECLINED, facts=Approver(actor.name, comment))
        _end(operation, Status.DECLINED, cause)
        _decided(operation, user, actor, comment)
        _record("protect.decline", operation, actor, Outcome.REFUSED, comment, by=Permission.APPROVE)
        totals.count_end(operation)


def withdraw(operation: Operation, *, user: User, actor: Actor) -> None:
    """End one's own request; raises NotWaiting when it waits no more or is somebody else's."""
    if operation.user_id != user.pk:
        raise NotWaiting(operation.id)
    with transaction.atomic():
        _end(operation, Status.CANCELLED, Cause(Code.WITHDRAWN))
        _record("protect.withdraw", operation, actor, Outcome.SUCCEEDED, "")
        totals.count_end(operation)


def expire_requests() -> int:
    """End the requests that nobody decided in time; returns how many."""
    ended = 0
    for operation in Operation.objects.filter(status=Status.WAITING, expires_at__lte=Now()):
        try:
            with transaction.atomic():
                _end(operation, Status.EXPIRED, Cause(Code.EXPIRED), Q(expires_at__lte=Now()))
                _record("protect.expire", operation, CONSOLE, Outcome.FAILED, "")
                totals.count_end(operation)
        except NotWaiting:
            continue  # somebody decided at this very moment
        ended += 1
    return ended


def _check(operation: Operation, user: User, actor: Actor, what: str) -> None:
    if operation.user_id == user.pk:
        counters.REFUSALS.labels(Refused.OWN_CHANGE.value).inc()
        _record(f"protect.{what}", operation, actor, Outcome.REFUSED, "own change", by=Permission.APPROVE)
        raise OwnChange(operation.id)
    rights = rights_of(user)
    if not _has_right(rights, operation):
        with audited(actor):
            raise NotAllowed(Permission.APPROVE, ref=operation.ref)
    if rule := separation.of_operation(user.pk, rights, operation, separation.separating()):
        counters.REFUSALS.labels(Refused.SEPARATED.value).inc()
        text = f"{what}: {rule.place} {rule.approvers}"
        _record("protect.separated", operation, actor, Outcome.REFUSED, text, by=Permission.APPROVE)
        raise Separated(operation.id, rule.place, str(rule.approvers))
    if operation.status != Status.WAITING:
        raise NotWaiting(operation.id)


def _end(operation: Operation, status: Status, cause: Cause, only_if: Q | None = None) -> None:
    """End the operation that waits; raises NotWaiting when it does no longer."""
    _leave(operation, status, only_if, cause=cause.to_json(), finished_at=timezone.now())


def _leave(operation: Operation, status: Status, only_if: Q | None = None, **fields: Any) -> None:
    """Move the operation out of `waiting` if it is still there; raises NotWaiting otherwise."""
    waiting = Operation.objects.filter(only_if or Q(), id=operation.id, status=Status.WAITING)
    if not waiting.update(status=status, **fields):
        raise NotWaiting(operation.id)
    operation.refresh_from_db()
    after_commit(tell, "operation", operation)
    after_commit(tell_of_approvals)


def _decided(operation: Operation, user: User, actor: Actor, comment: str) -> None:
    Approval.objects.filter(operation=operation).update(
        approver=user, decided_by=actor.name, decided_at=timezone.now(), comment=comment[:500]
    )


def _record(
    action: str, operation: Operation, actor: Actor, outcome: Outcome, text: str, *, by: Permission | None = None
) -> None:
    """An entry names the change, and by the digest exactly what was shown; without `by` it is its author's."""
    shown = shown_digest(operation) if operation.is_readable else operation.approval.digest[:16]
    bound = f"{operation.kind} {shown}"
    audit.record(
        action,
        actor=actor,
        ref=operation.ref,
        by=(by,) if by else (),
        acting=None if by or actor is CONSOLE else acting_in(operation.id),
        outcome=outcome,
        text=f"{bound} {text}".strip(),
        operation=operation.id,
    )
