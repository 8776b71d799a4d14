"""May this person do that there? One function answers, for views, streams and tasks alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from django.db.models import Q
from django.utils import timezone

from console.access.models import Grant, Role, User
from console.access.permissions import Permission
from console.knative.references import ServiceRef


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and for a no the roles that would make it a yes."""

    allowed: bool
    permission: Permission
    missing_roles: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(frozen=True, slots=True)
class Right:
    """One grant of a person: its permissions and where they hold."""

    permissions: frozenset[str]
    cluster: str
    namespace: str
    selector: Mapping[str, str]
    role: str
    team: str

    def covers(self, cluster: str, namespace: str, labels: Mapping[str, str]) -> bool:
        return (
            fnmatchcase(cluster, self.cluster)
            and fnmatchcase(namespace, self.namespace)
            and all(labels.get(key) == value for key, value in self.selector.items())
        )


class Rights:
    """All that a person may do, read once for a request (or a tick of a stream)."""

    def __init__(self, user: User, rights: Iterable[Right]) -> None:
        self.is_administrator = user.is_active and user.is_superuser
        self.rights = tuple(rights)

    def allows(self, permission: str, ref: ServiceRef | None = None, labels: Mapping[str, str] | None = None) -> bool:
        """Whether the permission holds for the service, or anywhere when there is no `ref`."""
        if self.is_administrator:
            return True
        return any(
            permission in right.permissions and (ref is None or right.covers(ref.cluster, ref.namespace, labels or {}))
            for right in self.rights
        )

    def on(self, ref: ServiceRef, labels: Mapping[str, str]) -> frozenset[Permission]:
        """Return every permission that holds for the service."""
        return frozenset(permission for permission in Permission if self.allows(permission, ref, labels))

    def roles(self, ref: ServiceRef | None, labels: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """Return the names of the roles that apply to the service, for the audit log."""
        names = {r.role for r in self.rights if ref is None or r.covers(ref.cluster, ref.namespace, labels or {})}
        return tuple(sorted(names | ({"administrator"} if self.is_administrator else set())))

    def namespaces(self, cluster: str, names: Iterable[str], permission: str) -> tuple[str, ...]:
        """Return those of the namespaces in which the permission holds for services without labels."""
        return tuple(name for name in names if self.allows(permission, ServiceRef(cluster, name, "")))


def rights_of(user: User, now: datetime | None = None) -> Rights:
    """Read a person's rights: two queries. An inactive person has none."""
    if not user.is_active:
        return Rights(user, ())
    at = now or timezone.now()
    valid = Q(team__memberships__expires_at=None) | Q(team__memberships__expires_at__gt=at)
    grants = Grant.objects.filter(valid, team__memberships__user=user).select_related("role", "team").distinct()
    return Rights(
        user,
        (
            Right(
                frozenset(grant.role.permissions),
                grant.cluster,
                grant.namespace,
                parse_selector(grant.selector),
                grant.role.name,
                grant.team.name,
            )
            for grant in grants
        ),
    )


def authorize(
    user: User, permission: Permission | str, ref: ServiceRef | None = None, labels: Mapping[str, str] | None = None
) -> Decision:
    """Decide whether the person may do this to the service (anywhere at all, without `ref`)."""
    wanted = Permission(permission)
    if rights_of(user).allows(wanted, ref, labels):
        return Decision(True, wanted)
    return Decision(False, wanted, roles_with(wanted))


def roles_with(permission: Permission) -> tuple[str, ...]:
    """Return the names of the roles that hold the permission: what a person should ask for."""
    return tuple(role.name for role in Role.objects.all() if permission in role.permissions)


def parse_selector(text: str) -> dict[str, str]:
    """Return the labels of `app=shop,tier=front`; raises ValueError for anything else."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise ValueError(part)
        found[key.strip()] = value.strip()
    return found
