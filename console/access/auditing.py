"""Which entries of the audit log a person may read: those about what their grants with `audit` cover."""

import hashlib
from collections import defaultdict
from functools import cache

from django.db.models import Q, QuerySet

from console.access.authorization import Right, Rights
from console.access.labels import services
from console.access.permissions import Permission
from console.access.scopes import STAR, Scope
from console.audit.models import Entry, Place
from console.knative.references import ServiceRef

NOTHING = Q(pk__in=())


def visible_entries(rights: Rights) -> QuerySet[Entry]:
    """Return the entries that the person may read.

    A grant covers the entries of the namespaces that its patterns match. One with a selector covers those of services
    that exist now and match it: labels of the past are not kept. What is about no namespace (sign-ins, grants, tokens)
    is for administrators and for those who hold `audit` on everything. Raises MirrorUnavailable where a selector
    cannot be judged.
    """
    if reads_everything(rights):
        return Entry.objects.all()
    condition = _in_places(rights)
    if any(right.selector for right in _held(rights)):
        condition |= _on_services(rights)
    return Entry.objects.filter(condition)


def reads_everything(rights: Rights) -> bool:
    """Whether the person may read the whole log."""
    return rights.is_administrator or any(_is_everything(right) for right in _held(rights))


def audits_in(rights: Rights, scope: Scope) -> bool:
    """Whether the person may read the log of some of the scope, and so what protects it and who has rights there."""
    return rights.is_administrator or any(right.scope.overlaps(scope) for right in _held(rights))


def scope_digest(rights: Rights) -> str:
    """Return a SHA-256 of which entries these rights let somebody read: what a finished export is bound to."""
    held = {(right.cluster, right.namespace, tuple(sorted(right.selector.items()))) for right in _held(rights)}
    return hashlib.sha256(repr((rights.is_administrator, sorted(held))).encode()).hexdigest()


def entries_about(ref: ServiceRef) -> QuerySet[Entry]:
    """Return the entries about one service: its history, for everybody who may see the service."""
    return Entry.objects.filter(cluster=ref.cluster, namespace=ref.namespace, service=ref.name)


def concerns(rights: Rights, scope: Scope | None) -> bool:
    """Whether a right that holds in the scope (None: everywhere) is of something that the person audits."""
    return scope is None or audits_in(rights, scope)


def audits_some_of(rights: Rights, cluster: str, namespace: str) -> bool:
    """Whether the person audits anything that both patterns match; an empty one matches everything."""
    return audits_in(rights, Scope(cluster or STAR, namespace or STAR))


def _held(rights: Rights) -> list[Right]:
    return [right for right in rights.rights if Permission.AUDIT in right.permissions]


def _is_everything(right: Right) -> bool:
    return right.cluster == right.namespace == "*" and not right.selector


def _in_places(rights: Rights) -> Q:
    """Patterns become the exact names that the log has: compared with an index, and by the one rule for patterns."""
    found: dict[str, list[str]] = defaultdict(list)
    for cluster, namespace in Place.objects.values_list("cluster", "namespace"):
        if rights.allows(Permission.AUDIT, ServiceRef(cluster, namespace, "")):
            found[cluster].append(namespace)
    condition = NOTHING
    for cluster, namespaces in found.items():
        condition |= Q(cluster=cluster, namespace__in=namespaces)
    return condition


def _on_services(rights: Rights) -> Q:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    within = cache(rights.within)  # of each namespace once: there are ten thousand services
    for ref, labels in services():
        if within(ref.cluster, ref.namespace).allows(Permission.AUDIT, ref, labels):
            found[ref.cluster, ref.namespace].append(ref.name)
    condition = NOTHING
    for (cluster, namespace), names in found.items():
        condition |= Q(cluster=cluster, namespace=namespace, service__in=names)
    return condition
