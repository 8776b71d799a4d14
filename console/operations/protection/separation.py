"""Separation of duties: rules that keep people who make changes from approving them, whatever roles they have.

It is decided by effect, where an approval is given and again before the write: what somebody may do, or did.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from console.access.authorization import Rights
from console.access.labels import labels_if_known
from console.access.scopes import matches
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.protection import ProtectionRule
from console.operations.rights.needs import Needs, needs_of_kept

PERIOD = timedelta(days=90)


def separating() -> tuple[ProtectionRule, ...]:
    """Return the rules that keep some people from approving."""
    return tuple(ProtectionRule.objects.filter(owned=None).exclude(approvers=None))


def of_operation(
    person: int, rights: Rights, operation: Operation, rules: Sequence[ProtectionRule]
) -> ProtectionRule | None:
    """Return the rule that keeps the person from deciding on the operation, if one does."""
    near = [rule for rule in rules if is_near(rule, operation.ref)]
    if not near:
        return None  # the usual case, without decrypting anything
    return objection(person, rights, operation.ref, _needs(operation, near), near)


def objection(
    person: int, rights: Rights, ref: ServiceRef, needs: Needs, rules: Sequence[ProtectionRule]
) -> ProtectionRule | None:
    """Return the first of the rules that keeps the person from approving a change of the service that needs this."""
    covering = (rule for rule in rules if rule.covers(ref, needs.permissions, needs.labels))
    return next((rule for rule in covering if _keeps(rule, person, rights, ref, needs)), None)


def is_near(rule: ProtectionRule, ref: ServiceRef) -> bool:
    """Whether the rule is about the service, given the right labels."""
    return rule.may_include(ref) and matches(rule.cluster, ref.cluster) and matches(rule.namespace, ref.namespace)


def _keeps(rule: ProtectionRule, person: int, rights: Rights, ref: ServiceRef, needs: Needs) -> bool:
    if rule.approvers == ProtectionRule.Approvers.WITHOUT_CHANGES:
        return any(is_near(rule, changed) for changed in _changed_by(person, timezone.now() - PERIOD))
    return any(rights.allows(each, ref, labels) for each in rule.permissions for labels in needs.labels)


def _changed_by(person: int, since: datetime) -> list[ServiceRef]:
    """The services that the person changed since then."""
    made = Operation.objects.filter(user_id=person, submitted_at__gte=since, is_written=True)
    return [ServiceRef(*one) for one in made.order_by().values_list("cluster", "namespace", "name").distinct()]


def _needs(operation: Operation, rules: Sequence[ProtectionRule]) -> Needs:
    """What the change needs; of one that no key decrypts, all that the rules are about."""
    if operation.is_readable:
        return needs_of_kept(operation)
    return Needs(frozenset(rules[0].permissions), (labels_if_known(operation.ref),))
