"""May this person do that there? One function answers, for views, streams and tasks alike."""

from collections.abc import Hashable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.utils import timezone

from console.access.models import Grant, Role, User
from console.access.permissions import Permission
from console.access.scopes import Scope, matches, parse_selector
from console.database import Prepared
from console.knative.references import ServiceRef

ADMINISTRATOR = "administrator"  # what the audit log calls who has every right without a role


@dataclass(frozen=True, slots=True)
class Right:
    """One grant of a person: its permissions, where they hold, and until when (None: for good)."""

    permissions: frozenset[str]
    cluster: str
    namespace: str
    selector: Mapping[str, str]
    role: str
    team: str
    until: datetime | None = None

    @property
    def scope(self) -> Scope:
        return Scope(self.cluster, self.namespace, self.selector)

    def covers(self, ref: ServiceRef, labels: Mapping[str, str]) -> bool:
        """Whether the service is in the scope; lists ask this for each of their rows."""
        return (
            matches(self.cluster, ref.cluster)
            and matches(self.namespace, ref.namespace)
            and (not self.selector or self.selector.items() <= labels.items())  # labels are asked for only if needed
        )


class Account(Protocol):
    """Whose rights they are: an account of now, or one of the past (console.access.rights_history)."""

    @property
    def is_active(self) -> bool: ...
    @property
    def is_superuser(self) -> bool: ...


class Rights:
    """All that a person may do, read once for a request (or a tick of a stream)."""

    def __init__(self, user: Account, rights: Iterable[Right]) -> None:
        self.is_administrator = user.is_active and user.is_superuser
        self.rights = tuple(rights)

    def allows(self, permission: str, ref: ServiceRef | None = None, labels: Mapping[str, str] | None = None) -> bool:
        """Whether the permission holds for the service, or anywhere when there is no `ref`."""
        if self.is_administrator:
            return True
        return any(
            permission in right.permissions and (ref is None or right.covers(ref, labels or {}))
            for right in self.rights
        )

    @property
    def sight(self) -> Hashable:
        """What decides which services the person may see: equal for two people who see the same ones."""
        return self.is_administrator or frozenset(
            (right.cluster, right.namespace, tuple(sorted(right.selector.items())))
            for right in self.rights
            if Permission.VIEW in right.permissions
        )

    @property
    def key(self) -> Hashable:
        """Equal for two people who may do the same with the same services."""
        return self.is_administrator or frozenset(
            (right.permissions, right.cluster, right.namespace, tuple(sorted(right.selector.items())))
            for right in self.rights
        )

    def on(self, ref: ServiceRef, labels: Mapping[str, str]) -> frozenset[Permission]:
        """Return every permission that holds for the service."""
        return frozenset(permission for permission in Permission if self.allows(permission, ref, labels))

    def roles(self, ref: ServiceRef | None, labels: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """Return the names of the roles that apply to the service, for the audit log."""
        names = {r.role for r in self.rights if ref is None or r.covers(ref, labels or {})}
        return tuple(sorted(names | ({ADMINISTRATOR} if self.is_administrator else set())))

    def reaches(self, cluster: str) -> bool:
        """Whether the person may see some namespace of the cluster, and so that there is such a cluster."""
        return self.is_administrator or any(
            Permission.VIEW in right.permissions and matches(right.cluster, cluster) for right in self.rights
        )

    def within(self, cluster: str, namespace: str) -> "Rights":
        """Return those of the rights that may hold in the namespace: what is left to decide there is labels."""
        found = copy(self)
        found.rights = tuple(
            right for right in self.rights if matches(right.cluster, cluster) and matches(right.namespace, namespace)
        )
        return found

    def namespaces(self, cluster: str, names: Iterable[str], permission: str) -> tuple[str, ...]:
        """Return those of the namespaces in which the permission holds for services without labels."""
        return tuple(name for name in names if self.allows(permission, ServiceRef(cluster, name, "")))


def rights_of(user: User, now: datetime | None = None) -> Rights:
    """Read a person's rights, in one query. An inactive person has none."""
    if not user.is_active:
        return Rights(user, ())
    at = now or timezone.now()
    return Rights(
        user,
        (
            Right(frozenset(permissions), cluster, namespace, parse_selector(selector), role, team, until)
            for permissions, cluster, namespace, selector, role, team, until in _grants.rows(user.pk)
            if until is None or until > at
        ),
    )


_grants = Prepared(
    lambda person: Grant.objects.filter(team__memberships__user=person).values_list(
        "role__permissions",
        "cluster",
        "namespace",
        "selector",
        "role__name",
        "team__name",
        "team__memberships__expires_at",  # of the membership that the filter found
    )
)


def roles_with(permission: Permission) -> tuple[str, ...]:
    """Return the names of the roles that hold the permission: what a person should ask for."""
    return tuple(name for name, permissions in _roles.rows() if permission in permissions)


_roles = Prepared(lambda: Role.objects.values_list("name", "permissions"))
