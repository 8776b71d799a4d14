"""The gate that every change passes twice: when it is submitted, and before a worker writes it."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils import timezone

from console.access.authorization import Rights, rights_of
from console.access.permissions import CHANGING, Permission
from console.access.refusals import Frozen, NotAcknowledged, NotAllowed, OwnedElsewhere, ReasonNeeded
from console.database import Prepared
from console.knative import paths
from console.knative.causes import Approver, Cause, Code, FreezeEnd, Lacks, OwnedBy
from console.knative.owners import Owner
from console.knative.paths import FieldPath
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.protection import Approval, FreezeWindow, ProtectionRule, Scoped
from console.operations.models.windows import on_clock
from console.operations.protection import separation
from console.operations.protection.approval_digest import digest
from console.operations.protection.rules import manages
from console.operations.rights.needs import Needs

_MANAGE_LOST = Cause(Code.NOT_ALLOWED, facts=Lacks(Permission.MANAGE))


@dataclass(frozen=True, slots=True)
class Freeze:
    """A window in force, and when it ends (UTC)."""

    window: FreezeWindow
    ends: datetime

    @property
    def until(self) -> str:
        """The end on the clocks of the window's own zone."""
        return on_clock(self.ends, self.window.zone)

    def refusal_of(self, ref: ServiceRef) -> Frozen:
        """Return why a change of the service is not accepted now."""
        return Frozen(ref, self.until, self.window.note)


@dataclass(frozen=True, slots=True)
class PolicyStatus:
    """What stops a change: the rules that ask for a second person, the freezes in force, the locks of owned services.

    `owners` are the tools that will undo the change; `warnings` are rules that want its author to acknowledge that.
    """

    rules: tuple[ProtectionRule, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    locks: tuple[ProtectionRule, ...] = ()
    warnings: tuple[ProtectionRule, ...] = ()
    owners: tuple[Owner, ...] = ()

    @property
    def freeze(self) -> Freeze | None:
        """The one that ends last."""
        return max(self.freezes, key=lambda freeze: freeze.ends, default=None)

    @property
    def scopes(self) -> tuple[Scoped, ...]:
        """All that stops the change."""
        return (*self.rules, *self.locks, *(freeze.window for freeze in self.freezes))

    @property
    def lock(self) -> ProtectionRule | None:
        """The rule for which the change is refused, because another tool owns the service."""
        return next(iter(self.locks), None)

    @property
    def refuses(self) -> bool:
        """Nothing can be submitted, but for an emergency override."""
        return bool(self.locks or self.freezes)

    @property
    def tools(self) -> str:
        """The names of the tools that will undo the change."""
        return ", ".join(map(str, self.owners))

    @property
    def stops(self) -> bool:
        return bool(self.scopes)

    @property
    def needs_reason(self) -> bool:
        return any(rule.needs_reason for rule in self.rules)

    @property
    def valid_hours(self) -> int:
        """For how long a request stays valid: the strictest rule's word."""
        return min((rule.valid_hours for rule in self.rules), default=0)

    @property
    def kinds(self) -> tuple[Permission, ...]:
        """The kinds of change that the rules cover."""
        return tuple(each for each in CHANGING if any(each in rule.permissions for rule in self.rules))


def together(several: Iterable[PolicyStatus]) -> PolicyStatus:
    """Return what stops any of several changes."""
    known = tuple(several)
    return PolicyStatus(
        tuple(rule for one in known for rule in one.rules),
        tuple(freeze for one in known for freeze in one.freezes),
        tuple(rule for one in known for rule in one.locks),
        tuple(rule for one in known for rule in one.warnings),
        tuple(dict.fromkeys(owner for one in known if one.warnings or one.locks for owner in one.owners)),
    )


_rules = Prepared(lambda: ProtectionRule.objects.values_list(*(one.attname for one in ProtectionRule._meta.fields)))
_windows = Prepared(lambda: FreezeWindow.objects.values_list(*(one.attname for one in FreezeWindow._meta.fields)))


class Protection:
    """All rules and windows, read once for a page or a decision."""

    @cached_property
    def _rules(self) -> tuple[ProtectionRule, ...]:
        return tuple(_rules.instances(ProtectionRule))

    @cached_property
    def _windows(self) -> tuple[FreezeWindow, ...]:
        return tuple(_windows.instances(FreezeWindow))

    def protects(self, ref: ServiceRef, labels: Mapping[str, str]) -> bool:
        """Whether a rule asks for a second person for any kind of change of the service, for marks in lists."""
        return any(rule.covers(ref, CHANGING, [labels]) for rule in self._rules if not rule.owned)

    def marks(self, now: datetime) -> Hashable:
        """Equal as long as no service is marked otherwise, nor a change stopped otherwise."""
        rules = sorted((one.pk, *one.facts().items()) for one in self._rules)
        windows = sorted((one.pk, one.window.end_if_in_force(now), *one.facts().items()) for one in self._windows)
        return tuple(rules), tuple(windows)  # in an order: processes compare it by its text

    def status_of(
        self,
        ref: ServiceRef,
        permissions: Collection[str],
        labels: Iterable[Mapping[str, str]],
        now: datetime,
        owners: tuple[Owner, ...] = (),
        *,
        disowns: bool = False,
    ) -> PolicyStatus:
        """Return what stops changes of the service that need one of these permissions and that `owners` would undo.

        One that `disowns` the service would end every rule on owned services, so that those of any permission hold.
        """
        known = tuple(labels)
        of_owned = {*permissions, *CHANGING} if disowns else permissions
        covering = [one for one in self._rules if one.covers(ref, of_owned if one.owned else permissions, known)]
        return PolicyStatus(
            tuple(rule for rule in covering if not rule.owned),
            tuple(
                Freeze(each, end)
                for each in self._windows
                if each.covers(ref, permissions, known) and (end := each.window.end_if_in_force(now))
            ),
            tuple(rule for rule in covering if owners and rule.owned == ProtectionRule.Owned.LOCK),
            tuple(rule for rule in covering if owners and rule.owned == ProtectionRule.Owned.WARN),
            owners,
        )

    def of_service(self, ref: ServiceRef, labels: Mapping[str, str], owners: tuple[Owner, ...] = ()) -> PolicyStatus:
        """Return what stops any kind of change of the service that these tools own, for marks on pages."""
        return self.status_of(ref, CHANGING, [labels], timezone.now(), owners)


def policy_status_of(ref: ServiceRef, needs: Needs) -> PolicyStatus:
    """Return what stops a change of the service that needs this at the moment."""
    now = timezone.now()
    return Protection().status_of(ref, needs.permissions, needs.labels, now, needs.owners, disowns=needs.disowns)


def admit(
    ref: ServiceRef,
    policy_status: PolicyStatus,
    rights: Rights,
    needs: Needs,
    reason: str,
    *,
    break_glass: bool,
    acknowledged: Collection[str],
) -> bool:
    """Return whether the change passes by an emergency override; raises Stopped when it may not be submitted.

    Raises NotAllowed when the person may not use the override. `acknowledged` are the tools of which they have said
    that they know of them.
    """
    if break_glass and policy_status.stops:
        if not may_break_glass(rights, ref, needs, policy_status):
            raise NotAllowed(Permission.MANAGE, ref=ref)
        if not reason.strip():
            raise ReasonNeeded
        return True
    if policy_status.freeze:
        raise policy_status.freeze.refusal_of(ref)
    if policy_status.lock:
        raise OwnedElsewhere(ref, policy_status.tools, policy_status.lock.note)
    if policy_status.warnings and not {str(one) for one in policy_status.owners} <= set(acknowledged):
        raise NotAcknowledged(ref, policy_status.tools)
    if policy_status.needs_reason and not reason.strip():
        raise ReasonNeeded
    return False


def may_break_glass(rights: Rights, ref: ServiceRef, needs: Needs, policy_status: PolicyStatus) -> bool:
    """Whether the person manages the service and could remove each rule and window that stops the change.

    So an override gives no power that they do not have; what is wider than their scope holds for them too.
    """
    return all(rights.allows(Permission.MANAGE, ref, labels) for labels in needs.labels) and all(
        manages(rights, scope) for scope in policy_status.scopes
    )


def may_approve(rights: Rights, ref: ServiceRef, needs: Needs) -> bool:
    return all(
        rights.allows(permission, ref, labels)
        for permission in (Permission.VIEW, Permission.APPROVE)
        for labels in needs.labels
    )


def objection(operation: Operation, needs: Needs) -> Cause | None:
    """Return the cause for which the operation must not be written onto the service as it is now, if any.

    `needs` are those of its change to that service. Rules and windows count as they are at this moment, and so do the
    permissions of the person who approved or used the override.
    """
    policy_status = policy_status_of(operation.ref, needs)
    if operation.broke_glass:
        author = operation.user and rights_of(operation.user)
        return None if author and may_break_glass(author, operation.ref, needs, policy_status) else _MANAGE_LOST
    if policy_status.freeze:
        freeze = policy_status.freeze
        return Cause(Code.FROZEN, facts=FreezeEnd(freeze.until, freeze.window.note))
    if policy_status.lock:
        return Cause(Code.LOCKED, facts=OwnedBy(policy_status.tools, policy_status.lock.note))
    if policy_status.needs_reason and not operation.reason.strip():
        return Cause(Code.REASON_MISSING)
    return _approval_objection(operation, needs, is_protected=bool(policy_status.rules))


def _approval_objection(operation: Operation, needs: Needs, *, is_protected: bool) -> Cause | None:
    """One approval satisfies every rule; what was approved is held to it even when the rule is gone."""
    approval = Approval.objects.filter(operation_id=operation.id).select_related("approver").first()
    if approval is None:
        return Cause(Code.PROTECTED_MEANWHILE) if is_protected else None
    if approval.digest != digest(operation):
        return Cause(Code.NOT_AS_APPROVED)
    approver = approval.approver
    if approver is None or approver.pk == operation.user_id:
        return Cause(Code.APPROVER_GONE)
    rights = rights_of(approver)
    rules = separation.separating()
    if not may_approve(rights, operation.ref, needs) or separation.objection(
        approver.pk, rights, operation.ref, needs, rules
    ):
        return Cause(Code.APPROVER_GONE, facts=Approver(approval.decided_by))
    return None


def fields_that_matter(operation: Operation) -> frozenset[FieldPath]:
    """Return the fields that must be as they were shown for the operation to be written.

    Those that it sets; and, when somebody approved it, those that decide what was said of its effect on the traffic:
    the split, for a new revision; the template, for a split that names the latest revision.
    """
    touched = operation.change.touches()
    if operation.released_at is None:
        return touched
    if operation.makes_revision:
        return touched | {paths.TRAFFIC}
    names_latest = paths.TRAFFIC in touched and any(
        target.follows_latest for target in operation.applied.after.spec_traffic
    )
    return touched | {paths.TEMPLATE} if names_latest else touched
