"""Nobody grants more than they have: the one rule behind grants, roles and what managers may take away."""

from collections.abc import Iterable
from datetime import datetime

from console.access.authorization import Rights
from console.access.permissions import Permission
from console.access.scopes import Scope


def shortfall(rights: Rights, permissions: Iterable[str], scope: Scope) -> frozenset[str]:
    """Return what a person lacks to grant the permissions in the scope; empty when nothing is missing.

    Each permission, and `manage` besides, must be held by one right that covers the whole scope and does not end: what
    somebody holds until Friday cannot be granted permanently. An administrator lacks nothing.
    """
    if rights.is_administrator:
        return frozenset()
    lasting = [right for right in rights.rights if right.until is None and right.scope.covers(scope)]
    held = frozenset(permission for right in lasting for permission in right.permissions)
    return frozenset({*permissions, Permission.MANAGE.value}) - held


def manages_in(rights: Rights, scope: Scope) -> bool:
    """Whether the person holds `manage` on some of the scope: who may see which teams have rights there."""
    return rights.is_administrator or any(
        Permission.MANAGE in right.permissions and right.scope.overlaps(scope) for right in rights.rights
    )


def ends_no_later(asked: datetime | None, limit: datetime | None) -> bool:
    """Whether a membership until `asked` is within one until `limit` (None: for good)."""
    return limit is None or (asked is not None and asked <= limit)
